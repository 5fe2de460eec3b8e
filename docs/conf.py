"""The handbook: Sphinx reads the Markdown pages; tables that the code knows better are made from the code."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")

import django  # noqa: E402

django.setup()

from from_code import substitutions  # noqa: E402

project = "Clinic CRM"
author = "the Clinic CRM authors"
project_copyright = "2026, the Clinic CRM authors"
version = release = "0.1.0"

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist", "substitution"]
myst_heading_anchors = 3
myst_substitutions = substitutions()
exclude_patterns = ["_build", "examples"]
nitpicky = True

html_theme = "furo"
html_title = "Clinic CRM 0.1.0"
html_static_path = ["_static"]
html_css_files = ["handbook.css"]
html_copy_source = html_show_sourcelink = html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5f57", "color-brand-content": "#0b5f57"},
    "dark_css_variables": {"color-brand-primary": "#5cc0b4", "color-brand-content": "#5cc0b4"},
}

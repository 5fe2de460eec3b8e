"""Static files under names with their hash, also for scripts that import one another."""

from typing import Any

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(StaticFilesConfig):
    """Leaves out what django-htmx ships and no page uses: htmx 4, and extensions that import it by a bare name."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "ext", "htmx-4*", "htmax-4*"]


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Rewrites the imports of our own scripts. In a library's bundle, what looks like one may be a comment."""

    support_js_module_import_aggregation = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patterns["js/*.js"] = self._patterns.pop("*.js")

"""Fragments that are the same for everybody, printed once in each process instead of on every page."""

from collections.abc import Hashable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language


def fixed(name: str, **values: Hashable) -> SafeString:
    """The fragment in the language spoken now, kept for the next page.

    It sees `values` alone: no request, no form token, nobody's name. Only values of which there are few belong
    here; while developing, templates change under the server and nothing is kept.
    """
    kept: Any = _printed.__wrapped__ if settings.DEBUG else _printed
    html: SafeString = kept(name, get_language(), tuple(values.items()))
    return html


@lru_cache(maxsize=512)
def _printed(name: str, language: str, values: tuple[tuple[str, Hashable], ...]) -> SafeString:
    return mark_safe(get_template(name).render(dict(values)))  # noqa: S308 - a template's own escaping

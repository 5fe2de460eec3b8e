"""Bodies as they come in."""

import math
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.parsers import JSONParser

DEEPEST = 32  # objects and lists inside one another; a plan with its options and items has five


class Json(JSONParser):
    """JSON that can be kept, and be said again in an answer.

    What is nested deeper than anything here is, numbers too large to be any, and halves of characters are broken JSON,
    and no fault of ours.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            body = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError(_("This JSON is nested too deeply."))
        _check(body)
        return body


def _check(body: Any) -> None:
    """Raise ParseError for what Python reads, and neither the database nor an answer can hold."""
    level, depth = [body], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise exceptions.ParseError(_("This JSON is nested too deeply."))
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                _check_names(value)
                inner += value.values()
            elif isinstance(value, list):
                inner += value
            elif isinstance(value, str) and not _is_text(value):
                raise exceptions.ParseError(_("This JSON holds characters that are none."))
            elif isinstance(value, float) and not math.isfinite(value):
                raise exceptions.ParseError(_("This JSON holds a number that is too large."))
        level = inner


def _check_names(value: dict[str, Any]) -> None:
    if not all(_is_text(name) and "\0" not in name for name in value):
        raise exceptions.ParseError(_("This JSON holds characters that are none."))


def _is_text(value: str) -> bool:
    """Tell whether a text has no half of a surrogate pair in it; ASCII, which most is, is told at once."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True

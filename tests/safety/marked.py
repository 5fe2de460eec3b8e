"""A clinic with one of everything, whose every text holds a word that no other clinic may ever be shown."""

import zipfile
from functools import cached_property
from io import BytesIO
from typing import Any

import pgtrigger
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import IntegrityError, models, transaction
from django.http import HttpResponseBase

from tests.guards.test_hostile_words import spoil
from tests.guards.world import World

SOUGHT = "Zq7Fremd"  # what one may look for, and be shown again as one's own words
MARK = f"{SOUGHT}9x"  # what must not come out
OURS = {"accounts", "patients", "followups", "consultations", "conversations", "metrics"}
# Texts by which the database or the product finds things; a mark there would only break them.
KEPT = {"accounts.User": {"username", "password"}, "accounts.Clinic": {"code", "zone"}}


def everything(world: World) -> World:
    """Make one of all that a world can hold."""
    for name, value in vars(World).items():
        if isinstance(value, cached_property):
            getattr(world, name)
    return world


def _marked(field: "models.Field[Any, Any]") -> Any:
    if isinstance(field, ArrayField):
        word = _marked(field.base_field)
        return [word] if word else None
    words = isinstance(field, models.CharField | models.TextField)
    if not words or field.choices or (field.max_length or 1000) < len(MARK):
        return None
    return MARK


def mark_all() -> int:
    """Write the mark into every text of all rows there are; returns into how many columns."""
    marked = 0
    with pgtrigger.ignore():
        for model in apps.get_models():
            if model._meta.app_label not in OURS or model._meta.proxy:
                continue
            kept = KEPT.get(model._meta.label, set())
            for field in model._meta.concrete_fields:
                value = None if field.name in kept else _marked(field)
                if value:
                    marked += _written(model, field.name, value)
    return marked


def _written(model: type[models.Model], name: str, value: Any) -> bool:
    try:
        with transaction.atomic():
            spoil(model, {name: value})
    except IntegrityError:  # a code that has to be one of a few
        return False
    return True


def texts_of(response: HttpResponseBase) -> str:
    """Return all that an answer says, in its headers and its body; a workbook's cells unpacked."""
    streamed = getattr(response, "streaming_content", None)
    body = b"".join(streamed) if streamed is not None else response.content  # type: ignore[attr-defined]
    if body[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(BytesIO(body)) as book:
            body = b"\n".join(book.read(name) for name in book.namelist())
    heads = "\n".join(f"{name}: {value}" for name, value in response.items())
    return heads + "\n" + body.decode(errors="replace")

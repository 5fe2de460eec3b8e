"""Whatever is typed into whatever field, it stays words: on every page, in every fragment, in every export.

CORPUS_ROUNDS=32 puts every payload at the beginning of every column in turn; usually a few rounds do. Columns that take
long texts hold the whole corpus in every round.
"""

import csv
import io
import os
from typing import Any

import pgtrigger
import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import DatabaseError, models, transaction
from django.test import Client
from openpyxl import load_workbook

from accounts.permissions import Role
from tests.factories import UserFactory
from tests.guards.routes import all_routes, signed_in
from tests.guards.test_bad_input import undone
from tests.guards.test_hostile_words import FRESH, MADE, spoil
from tests.guards.world import World
from tests.safety.corpus import FORMULA, NAME, PAYLOADS, alive_in_cell, alive_in_page
from tests.safety.marked import OURS, everything

# Texts that the product makes, and reads again.
KEPT = MADE | {"accounts.ApiToken": {"scopes", "digest", "token_key", "salt"}}
ROUNDS = int(os.environ.get("CORPUS_ROUNDS", "2"))
STEP = len(PAYLOADS) // ROUNDS
EXPORTS = (
    ("get", "/patients/export/", {"format": "csv"}),
    ("get", "/patients/export/", {"format": "xlsx"}),
    *(("post", "/patients/export/", {"format": kind, "reason": PAYLOADS[0]}) for kind in ("csv", "xlsx")),
    *(("post", "/kpis/export/", {"what": "figures", "format": f, "by": "coordinator"}) for f in ("csv", "xlsx", "pdf")),
    *(("post", "/kpis/export/", {"what": "records", "format": f, "by": "", "reason": "x"}) for f in ("csv", "xlsx")),
    *(("post", "/conversations/export/", {"format": f, "reason": "x"}) for f in ("csv", "xlsx")),
)


def typed(field: "models.Field[Any, Any]", first: int) -> Any:
    """Return what is typed into a column: the corpus from one payload on, as much of it as fits."""
    if isinstance(field, ArrayField):
        word = typed(field.base_field, first)
        return [word] if word else None
    if not isinstance(field, models.CharField | models.TextField) or field.choices or not field.editable:
        return None
    turned = [PAYLOADS[(first + n) % len(PAYLOADS)] for n in range(len(PAYLOADS))]
    if field.max_length is None:
        return "\n".join(turned)
    return next((payload for payload in turned if len(payload) <= field.max_length - 4), None)


def poison(first: int) -> int:
    """Type the corpus into every column that people fill; returns into how many."""
    done = 0
    with pgtrigger.ignore():
        for model in apps.get_models():
            if model._meta.app_label not in OURS or ("Event" in model.__name__ and model.__name__ != "AuditEvent"):
                continue
            for place, field in enumerate(model._meta.concrete_fields):
                value = None if field.name in KEPT.get(model._meta.label, set()) else typed(field, first + place)
                if value:
                    done += _typed_into(model, field.name, value)
    return done


def _typed_into(model: type[models.Model], name: str, value: Any) -> bool:
    try:
        with transaction.atomic():
            spoil(model, {name: value})
    except DatabaseError:  # a code that has to be one of a few
        return False
    return True


def ask(client: Client, method: str, url: str, data: dict[str, str] | None = None, **headers: str) -> tuple[str, bytes]:
    """Return what kind of answer comes, and its body; "500" for an error."""
    with undone(client):
        response = getattr(client, method)(url, data or {}, **headers)
        if response.status_code >= 500 and response.status_code != 503:
            return "500", b""
        streamed = getattr(response, "streaming_content", None)
        body = b"".join(streamed) if streamed is not None else response.content
        return response.headers.get("Content-Type", ""), body


def alive(kind: str, body: bytes) -> tuple[set[str], int]:
    """Return what came to life in an answer, and how often the corpus was shown."""
    if kind == "500":
        return {"500"}, 0
    if body[:4] == b"PK\x03\x04":
        cells = [c for sheet in load_workbook(io.BytesIO(body)) for row in sheet.iter_rows() for c in row]
        live = {f"{c.value!r:.60}" for c in cells if c.data_type == "f" or alive_in_cell(str(c.value or ""))}
        return live, sum(NAME in str(c.value) for c in cells)
    if kind.startswith("text/csv"):
        text = [cell for row in csv.reader(io.StringIO(body.decode().removeprefix("\ufeff"))) for cell in row]
        return {f"{cell!r:.60}" for cell in text if alive_in_cell(cell)}, sum(NAME in cell for cell in text)
    if kind.startswith(("text/html", "image/svg")):
        return alive_in_page(FRESH.sub("", body.decode()))
    return set(), 0


@pytest.mark.django_db
@pytest.mark.parametrize("turn", range(ROUNDS))
def test_nothing_that_is_typed_comes_to_life(settings: Any, turn: int) -> None:
    settings.API_REQUESTS_PER_MINUTE = 10**9
    world = everything(World())
    person = UserFactory(role=Role.ADMIN, clinic=world.clinic, current_clinic=world.clinic)
    addresses = [route.url(world) for route in all_routes()]
    assert poison(turn * STEP) > 100
    client, faults, shown, exported = signed_in(person), [], 0, 0
    for url in addresses:
        for headers in ({}, {"HTTP_HX_REQUEST": "true"}):
            found, count = alive(*ask(client, "get", url, **headers))
            shown += count
            faults += [f"{url} {headers}: {one}" for one in sorted(found)]
    for method, url, data in EXPORTS:
        found, count = alive(*ask(client, method, url, data))
        exported += count
        faults += [f"{method} {url} {data}: {one}" for one in sorted(found)]
    assert not faults, "\n".join(faults)
    assert shown > 300, "the corpus is hardly shown: what does this test look at?"
    assert exported > 5, "the corpus is hardly exported"


def test_the_corpus_is_seen_where_it_lives() -> None:
    """The control: let in raw, every payload that is made for a page or a sheet is noticed."""
    assert len(set(PAYLOADS)) >= 30
    unnoticed = []
    for payload in PAYLOADS:
        raw = f"<p title=\"{payload}\">{payload}</p><p title='{payload}'></p><textarea>{payload}</textarea>"
        script = f"<script>let x = '{payload}'</script><title>{payload}</title><template>{payload}</template>"
        ran = raw.replace("{{ 7919|add:1 }}", "7920")
        if not alive_in_page(ran)[0] and not alive_in_page(script)[0] and not FORMULA.match(payload):
            unnoticed.append(payload)
    assert set(unnoticed) <= {p for p in PAYLOADS if p[:1] in "`{$\\&" or p.startswith("<scr<")}

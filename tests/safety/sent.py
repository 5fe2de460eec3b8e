"""What a program may send, operation by operation: bodies as described, and each of their values made bad."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.views.api import schema_json
from tests.guards.world import World

RAW = "\x7fraw:"  # before what stands in JSON as it is
DEEP = 20_000
DAYS = ("0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31", "9999-12-31T23:59:59-12:00")
# What may stand in the place of any value.
BAD: tuple[Any, ...] = (
    *DAYS,
    "a\0b",
    "\ud800",
    "x" * 1_000_000,
    "\u202e\u2066𠮷👩\u200d⚕️\ufeff\u200b",
    "²",
    ["x", ["x"]],
    {"a": {"\0": "\ud800"}},
    RAW + "NaN",
    RAW + "1e999",
    RAW + "-Infinity",
    RAW + "1" * 5000,
    RAW + "{" + '"a":{' * 100 + "}" * 101,
    2**63,
    -1,
    -(2**63) - 1,
    True,
    None,
)
BAD_BODIES = (
    b"",
    b"null",
    b"[]",
    b'"x"',
    b"1e999",
    b"NaN",
    b"{",
    b'{"a": "\xff\xfe"}',
    b"[" * DEEP + b"]" * DEEP,
    b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    b'{"\\ud800": "\\u0000"}',
    b"\xff\xfe{\x00}\x00",
)
BAD_QUERIES = (
    "a%00b", "%ed%a0%80", "%ff", "%C2%B2", "9223372036854775808", "-1", "NaN", "1e999", "0001-01-01", "9999-12-31",
    "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-12:00", "1" * 5000, "x" * 10_000, "%E2%80%AE%00%F0%9F%91%A9",
    "", "[]", "%22%27%3C%3E%5C%25s", "2026-13-45",
)  # fmt: skip


def as_json(body: Any) -> str:
    """Write a body, with what is no JSON at all where it was put."""
    text = json.dumps(body)
    return text if RAW[1:] not in text else _unquoted(text)


def _unquoted(text: str) -> str:
    """Take the quotes off what is marked as raw."""
    mark = json.dumps(RAW)[:-1]
    before, _mark, after = text.partition(mark)
    raw, rest = json.decoder.scanstring('"' + after, 1)  # type: ignore[attr-defined]
    return before + raw + after[rest - 1 :]


@dataclass(frozen=True)
class Operation:
    """An operation as it is described."""

    method: str
    path: str
    told: dict[str, Any]
    components: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def queries(self) -> list[str]:
        return [one["name"] for one in self.told.get("parameters", ()) if one["in"] == "query"]

    @property
    def schema(self) -> dict[str, Any] | None:
        """What its JSON has to be like; None where none is taken."""
        content = self.told.get("requestBody", {}).get("content", {})
        return content["application/json"]["schema"] if "application/json" in content else None

    def body(self, known: dict[str, Any]) -> Any:
        """Return a body as described, with every field there is; `known` are values by the fields' names."""
        return self._value("", self.schema or {}, known)

    def _value(self, name: str, schema: dict[str, Any], known: dict[str, Any]) -> Any:
        schema = self._resolved(schema)
        if "properties" in schema:
            return {key: self._value(key, inner, known) for key, inner in schema["properties"].items()}
        if name in known:
            return known[name]
        if "enum" in schema:
            return next(one for one in schema["enum"] if one)
        kinds = schema.get("type")
        kind = kinds if isinstance(kinds, str) else next((k for k in kinds or () if k != "null"), "object")
        if kind == "array":
            return [self._value(name, schema["items"], known)]
        soon = timezone.now() + timedelta(days=2)
        by_format = {"date": "1990-05-17", "date-time": soon.isoformat(), "time": "10:00"}
        if kind == "string":
            money = "\\d" in schema.get("pattern", "")
            return by_format.get(schema.get("format", ""), "10.00" if money else "词")
        return {"integer": 1, "number": 1, "boolean": True}.get(kind, {})

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while True:
            if "$ref" in schema:
                schema = self.components[schema["$ref"].rpartition("/")[2]]
            elif schema.get("allOf"):
                schema = schema["allOf"][0]
            elif schema.get("oneOf"):
                schema = schema["oneOf"][0]
            else:
                return schema


def operations() -> list[Operation]:
    """Everything the API can do."""
    told = json.loads(schema_json())
    parts = told["components"]["schemas"]
    return [Operation(m, p, o, parts) for p, methods in told["paths"].items() for m, o in methods.items()]


def known_in(world: World) -> dict[str, Any]:
    """Return what fields that name something have to say for it to be found."""
    doctor = world.visit.doctor or world.someone
    return {
        "patient": world.patient.pk, "referrer": None, "guardian": None, "referred": world.referral.referred_id,
        "doctor": doctor.pk, "owner": world.someone.pk, "room": world.room.pk, "visit": world.visit.pk,
        "appointment": None, "consultation": world.visit.consultation_id, "conversation": world.chat.pk,
        "contact": None, "message": world.chat.messages.first().pk, "option": world.option.pk, "about": None,
        "number": "19900004321", "phone": "19900004321", "url": "http://127.0.0.1:9/", "qq": "1990001",
        "ends_at": None, "attached_exams": [], "remove_phones": [], "id": None, "teeth": [11], "tooth": 11,
        "quantity": 1, "awareness": 3, "trust": 3, "answers": {}, "points": {}, "no_treatment": False,
        "is_correction": False, "call_from": "09:00", "call_to": "18:00", "to": None, "is_full": False,
    }  # fmt: skip


Place = tuple[Any, ...]


def places(body: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield where a body holds a value, and which, down to the last."""
    if place:
        yield place, body
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in inner:
        yield from places(value, (*place, key))


def put(body: Any, place: Place, value: Any) -> Any:
    """Return a copy of a body with another value in one place."""
    changed = copy.deepcopy(body)
    holder = changed
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    return changed

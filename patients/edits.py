"""Two people editing one patient: what each started from, what differs, what both changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.core import signing

from patients.models import Registration
from patients.services.details import PATIENT_FIELDS, REGISTRATION_FIELDS

CONTACT_IDS = ("wechat_id", "qq")  # closed in the form: empty keeps them
SALT = "patients.edit"


@dataclass(frozen=True)
class Combined:
    """The values of a stale form brought together with today's."""

    values: dict[str, str]
    both: tuple[str, ...]  # changed by both, each to something else: yours are in `values`
    theirs: tuple[str, ...]  # changed by the others alone: taken over


def current_values(registration: Registration) -> dict[str, Any]:
    """Return what the form starts from, as it stands in the database."""
    patient = registration.patient
    values: dict[str, Any] = {name: getattr(patient, name) for name in PATIENT_FIELDS if name not in CONTACT_IDS}
    values |= {name: getattr(registration, name) for name in REGISTRATION_FIELDS}
    values["owner"] = str(registration.owner_id or "")
    values["doctor"] = str(registration.doctor_id or "")
    values["tags"] = "、".join(registration.tags)
    return values


def flat(values: Mapping[str, Any]) -> dict[str, str]:
    """Return form values as text, the same for what was posted and for what is stored."""
    return {name: _text(value) for name, value in values.items()}


def _text(value: Any) -> str:
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bool):
        return "on" if value else ""
    return str(value or "").strip().replace("\r\n", "\n")


def seal(version: int, values: Mapping[str, str]) -> str:
    """Return what a form starts from, signed, to be posted with it."""
    return signing.dumps([version, dict(values)], salt=SALT, compress=True)


def unseal(token: str) -> tuple[int, dict[str, str]]:
    """Return version and values; version 0, which is always stale, when the token was tampered with."""
    try:
        version, values = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return 0, {}
    return int(version), dict(values)


def combine(posted: Mapping[str, str], base: Mapping[str, str], now: Mapping[str, str]) -> Combined:
    """Bring a stale form together with what the others saved meanwhile.

    Args: posted: what the person would have saved; base: what they started from; now: what is stored.
    """
    changed = [name for name in now if now[name] != base.get(name, "") and posted.get(name, "") != now[name]]
    both = tuple(name for name in changed if posted.get(name, "") != base.get(name, ""))
    theirs = tuple(name for name in changed if name not in both)
    values = {name: now[name] if name in theirs else posted.get(name, "") for name in now}
    return Combined(values, both, theirs)

"""How what a row says becomes the fields of a patient and of their registration."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext as _

from patients.importing.channels import channel_of
from patients.importing.headers import FIELDS
from patients.importing.patient_rules import PatientRow
from patients.models import Patient, Registration

# What a later row may fill in where it is empty. A name is never empty.
PATIENT_FILLS = (
    "sex", "birth_date", "birth_day_known", "wechat_id", "qq", "occupation", "region", "notes", "class_code",
)  # fmt: skip
REGISTRATION_FILLS = (
    "owner_id", "doctor_id", "channel", "channel_detail", "complaint", "tags",
    "first_visit_on", "last_visit_on", "last_contact_on", "next_contact_on",
)  # fmt: skip
TAG_LENGTH = 40
CHART_LENGTH = 40


def _limit(model: type[models.Model], name: str) -> int:
    length = getattr(model._meta.get_field(name), "max_length", None)
    assert length is not None
    return int(length)


_LIMITS = {
    "name": _limit(Patient, "name"),
    "wechat": _limit(Patient, "wechat_id"),
    "qq": _limit(Patient, "qq"),
    "occupation": _limit(Patient, "occupation"),
    "address": _limit(Patient, "region"),
    "complaint": _limit(Registration, "complaint"),
    "source": _limit(Registration, "channel_detail"),
}


def notes_of(row: PatientRow) -> str:
    """Return the row's note, and after it, whole, whatever is longer than its field holds."""
    long = [(name, text) for name, size in _LIMITS.items() if len(text := getattr(row, name)) > size]
    long += [("tags", tag) for tag in row.tags if len(tag) > TAG_LENGTH]
    long += [("chart_number", number) for number in row.chart_numbers if len(number) > CHART_LENGTH]
    return "\n".join([row.note, *(f"{FIELDS[name]}: {text}" for name, text in long)]).strip("\n") if long else row.note


def charts_of(row: PatientRow) -> list[str]:
    """Return the card numbers that can be found again."""
    return [number for number in row.chart_numbers if len(number) <= CHART_LENGTH]


def patient_values(row: PatientRow) -> dict[str, Any]:
    """Return what the row says of the person, by field of PATIENT_FILLS."""
    return {
        "sex": row.sex,
        "birth_date": row.birth.as_date() if row.birth else None,
        "birth_day_known": row.birth is None or row.birth.day is not None,
        "wechat_id": row.wechat[: _LIMITS["wechat"]],
        "qq": row.qq[: _LIMITS["qq"]],
        "occupation": row.occupation[: _LIMITS["occupation"]],
        "region": row.address[: _LIMITS["address"]],
        "notes": notes_of(row),
        "class_code": row.patient_class,
    }


def registration_values(row: PatientRow) -> dict[str, Any]:
    """Return what the row says of the person's relation to the clinic, by field of REGISTRATION_FILLS."""
    return {
        "owner_id": row.coordinator,
        "doctor_id": row.doctor,
        "channel": channel_of(row.source),
        "channel_detail": row.source[: _LIMITS["source"]],
        "complaint": row.complaint[: _LIMITS["complaint"]],
        "tags": [tag[:TAG_LENGTH] for tag in row.tags],
        "first_visit_on": row.first_visit,
        "last_visit_on": row.last_visit,
        "last_contact_on": row.last_contact,
        "next_contact_on": row.next_contact,
    }


def active_at(row: PatientRow, today: date, zone: ZoneInfo, now: datetime) -> datetime:
    """Return when anything last happened with this person; now, if the row does not say."""
    days = [day for day in (row.first_visit, row.last_visit, row.last_contact) if day and day <= today]
    if not days:
        return now
    day = max(days)
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def imported_reason() -> str:
    """Return the reason written beside an imported class."""
    return _("Imported")

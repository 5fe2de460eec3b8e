"""One record behind a figure in a few words: what, whose, when, by whom, and where it opens."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from metrics.record_keys import key_of

# Model → (name of its page, the moment it counts by, who it counts for).
KNOWN = {
    "visit": ("visit", "received_at", "coordinator"),
    "consultation": ("", "first_received_at", "coordinator"),
    "patient": ("patient", "", ""),
    "appointment": ("appointment", "starts_at", "doctor"),
    "complaintcase": ("complaint", "received_at", "about"),
    "etiquetteinspection": ("etiquette_inspection", "inspected_at", "staff"),
    "scorecard": ("conversation", "scored_at", "consultant"),
}
RELATED = ("clinic", "patient", "coordinator", "doctor", "about", "staff", "consultant", "conversation__clinic")


@dataclass(frozen=True)
class Described:
    """A record as pages, files and the API show it."""

    key: str
    kind: str
    patient: Any  # patients.models.Patient, or None
    clinic: str
    at: datetime | None
    person: str
    url: str


def related(model: type[Model]) -> list[str]:
    """Return what is read along with records of a model, so that each is described without a further statement."""
    names = {field.name for field in model._meta.concrete_fields}
    return [name for name in RELATED if name.partition("__")[0] in names]


def described(record: Any) -> Described:
    """Describe a record whose relations are there."""
    name = record._meta.model_name
    _page, moment, person = KNOWN[name]
    clinic = getattr(record, "clinic", None) or getattr(getattr(record, "conversation", None), "clinic", None)
    return Described(
        key=key_of(record),
        kind=kind_name(name),
        patient=record if name == "patient" else getattr(record, "patient", None),
        clinic=str(clinic or ""),
        at=getattr(record, moment) if moment else None,
        person=str(getattr(record, person, None) or "") if person else "",
        url=_url(name, record),
    )


def kind_name(name: str) -> str:
    """Return what a kind of record is called."""
    names = {
        "visit": _("Visit"),
        "consultation": _("Consultation"),
        "patient": _("Patient"),
        "appointment": _("Appointment"),
        "complaintcase": _("Complaint"),
        "etiquetteinspection": _("Etiquette inspection"),
        "scorecard": _("Score of a chat"),
    }
    return names[name]


def _url(name: str, record: Any) -> str:
    page = KNOWN[name][0]
    pk = record.conversation_id if name == "scorecard" else record.pk
    try:
        return reverse(page, args=[pk]) if page else _patient_url(record)
    except NoReverseMatch:
        return _patient_url(record)


def _patient_url(record: Any) -> str:
    patient = getattr(record, "patient_id", None)
    return reverse("patient", args=[patient]) if patient else ""


def each(rows: Any) -> Iterator[Described]:
    """Describe the rows of a queryset, a thousand at a time."""
    found = rows.select_related(*related(rows.model))
    yield from map(described, found.iterator(chunk_size=1000))

"""How one record behind a number is shown: whom it is about, when, by whom, and where it is mended."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from accounts.models import Clinic
from metrics.views.board_words import Words
from patients.models import Patient


@dataclass(frozen=True)
class Fix:
    """What can be done about a record, and where."""

    label: Words
    url: str


@dataclass(frozen=True)
class Shown:
    """One record as a row; `facts` are short words, `people` names."""

    key: str
    title: str
    url: str
    class_code: str | None = None  # None: no patient's row
    when: datetime | None = None
    facts: list[Words] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    clinic: str = ""
    worth: Any = None
    fix: Fix | None = None


@dataclass(frozen=True)
class Place:
    """Where the reader stands: the clinic they work in, the page they come back to, which figure is open."""

    clinic: Clinic
    back: str
    slug: str
    part: str


def _patient_url(pk: int | None) -> str:
    return reverse("patient", args=[pk]) if pk else ""


def _visit_url(visit: Any, place: Place, at: str = "") -> str:
    """Return the visit's page; in another clinic than the reader's the patient's, which opens everywhere."""
    if visit.clinic_id == place.clinic.pk:
        return reverse("visit", args=[visit.pk]) + at
    return _patient_url(visit.patient_id)


def _visit(visit: Any, place: Place) -> Shown:
    facts: list[Words] = [_("First visit") if visit.is_first else _("Return visit")]
    if visit.decision:
        facts.append(visit.get_decision_display())
    return Shown(
        key=f"visit-{visit.pk}",
        title=visit.patient.name,
        url=_visit_url(visit, place),
        class_code=visit.patient.class_code,
        when=visit.left_at or visit.received_at or visit.arrived_at,
        facts=facts,
        people=_people(visit),
        clinic=visit.clinic.name,
        worth=getattr(visit, "lost", None),
        fix=_fix_visit(visit, place),
    )


def _book(patient: int, place: Place, **more: object) -> str:
    return f"{reverse('appointment_new')}?{urlencode({'patient': patient, **more, 'next': place.back})}"


def _fix_visit(visit: Any, place: Place) -> Fix | None:
    if place.part == "counted" and place.slug != "undecided":
        return None
    if place.slug in ("next_appointment", "next_appointment.covered", "undecided"):
        return Fix(_("Book"), _book(visit.patient_id, place, visit=visit.pk))
    if place.slug.startswith("form"):
        return Fix(_("Fill in the form"), _visit_url(visit, place, "?stage=intake"))
    if place.slug == "classification":
        return Fix(_("Classify"), reverse("patient_classify", args=[visit.patient_id]))
    return None


def _consultation(case: Any, place: Place) -> Shown:
    return Shown(
        key=f"consultation-{case.pk}",
        title=case.patient.name,
        url=_patient_url(case.patient_id),
        class_code=case.patient.class_code,
        when=case.first_received_at or case.opened_at,
        facts=[case.get_complaint_display(), case.get_status_display()],
        people=_people(case),
        clinic=case.clinic.name,
        fix=Fix(_("Book"), _book(case.patient_id, place)) if place.part == "failing" else None,
    )


def _patient(patient: Any, place: Place) -> Shown:
    return Shown(
        key=f"patient-{patient.pk}",
        title=patient.name,
        url=_patient_url(patient.pk),
        class_code=patient.class_code,
        facts=[_("on WeChat") if patient.wechat_linked_at else _("not on WeChat")],
        people=[],
        fix=_fix_patient(patient, place),
    )


def _fix_patient(patient: Patient, place: Place) -> Fix | None:
    if place.part == "counted":
        return None
    if place.slug == "wechat":
        return None if patient.wechat_linked_at else Fix(_("Add WeChat"), _patient_url(patient.pk))
    if place.slug.startswith("referral"):
        return Fix(_("Show referral code"), reverse("patient_referral_code", args=[patient.pk]))
    if place.slug.startswith("c_conversion") or place.slug in ("matrix", "cohort"):
        return Fix(_("Classify"), reverse("patient_classify", args=[patient.pk]))
    return None


def _appointment(row: Any, place: Place) -> Shown:
    here = row.clinic_id == place.clinic.pk
    facts: list[Words] = [row.get_kind_display(), row.get_status_display()]
    if row.absence_reason:
        facts.append(f"{row.get_absence_reason_display()} · {row.get_absence_side_display()}")
    gone = row.status in ("no_show", "cancelled_patient")
    fix = None
    if gone and not row.absence_reason and here:
        fix = Fix(_("Say why"), reverse("appointment_why", args=[row.pk]))
    elif gone:
        fix = Fix(_("Book again"), _book(row.patient_id, place))
    return Shown(
        key=f"appointment-{row.pk}",
        title=row.patient.name,
        url=reverse("appointment", args=[row.pk]) if here else _patient_url(row.patient_id),
        class_code=row.patient.class_code,
        when=row.starts_at,
        facts=facts,
        people=[str(row.doctor)] if row.doctor_id else [],
        clinic=row.clinic.name,
        worth=getattr(row, "lost", None),
        fix=fix,
    )


def _complaint(case: Any, place: Place) -> Shown:
    url = reverse("complaint", args=[case.pk])
    facts: list[Words] = [case.get_category_display(), case.get_severity_display()]
    if case.is_upheld is not None:
        facts.append(_("upheld") if case.is_upheld else _("not upheld"))
    name = case.patient.name if case.patient_id else (case.contact_name or _("No patient"))
    return Shown(
        key=f"complaint-{case.pk}",
        title=f"{case.number} {name}",
        url=url,
        when=case.received_at,
        facts=facts,
        people=[str(case.about)] if case.about_id else [],
        clinic=case.clinic.name,
        worth=getattr(case, "lost", None),
        fix=Fix(_("Settle"), url) if case.closed_at is None else None,
    )


def _inspection(row: Any, place: Place) -> Shown:
    return Shown(
        key=f"inspection-{row.pk}",
        title=str(row.staff),
        url=reverse("etiquette_inspection", args=[row.pk]),
        when=row.inspected_at,
        facts=[_("%(score)s points") % {"score": row.score}, row.patient.name if row.patient_id else ""],
        people=[str(row.inspected_by)],
        clinic=row.clinic.name,
    )


def _score_card(row: Any, place: Place) -> Shown:
    return Shown(
        key=f"scorecard-{row.pk}",
        title=str(row.consultant or row.conversation.consultant_name or "—"),
        url=_address("conversation", row.conversation_id),
        when=row.scored_at,
        facts=[_("%(score)s points") % {"score": row.score}, row.conversation.visitor_name],
        people=[str(row.scored_by)],
        clinic=row.conversation.clinic.name,
    )


def _conversation(row: Any, place: Place) -> Shown:
    facts: list[Words] = [row.channel, row.keyword]
    return Shown(
        key=f"conversation-{row.pk}",
        title=row.patient.name if row.patient_id else (row.visitor_name or _("Visitor")),
        url=_address("conversation", row.pk),
        when=row.started_at,
        facts=[fact for fact in facts if fact],
        people=[str(row.consultant)] if row.consultant_id else [row.consultant_name],
        clinic=row.clinic.name,
        worth=getattr(row, "lost", row.cost),
        fix=Fix(_("Book"), _book(row.patient_id, place)) if row.patient_id and "booked" in place.part else None,
    )


def _refund(row: Any, place: Place) -> Shown:
    case = row.consultation
    return Shown(
        key=f"refund-{row.pk}",
        title=case.patient.name,
        url=_patient_url(case.patient_id),
        class_code=case.patient.class_code,
        when=row.at,
        facts=[_("in full") if row.is_full else _("in part"), row.reason],
        people=_people(case),
        clinic=row.clinic.name,
        worth=row.amount,
    )


def _audit_item(row: Any, place: Place) -> Shown:
    change = row.class_change
    return Shown(
        key=f"classaudititem-{row.pk}",
        title=change.patient.name,
        url=_patient_url(change.patient_id),
        class_code=change.new_class,
        when=row.rated_at,
        facts=[_("second opinion: %(code)s") % {"code": row.rated_class or "—"}],
        people=[str(row.rated_by)] if row.rated_by_id else [],
        clinic=change.clinic.name,
    )


def _address(name: str, pk: int) -> str:
    """Return an address of the conversations' pages, empty where there is none."""
    try:
        return reverse(name, args=[pk])
    except NoReverseMatch:
        return ""


def _people(row: Any) -> list[str]:
    named = [getattr(row, "coordinator", None), getattr(row, "doctor", None)]
    return [str(person) for person in named if person is not None]


ROWS: dict[str, Callable[[Any, Place], Shown]] = {
    "visit": _visit, "consultation": _consultation, "patient": _patient, "appointment": _appointment,
    "complaintcase": _complaint, "etiquetteinspection": _inspection, "scorecard": _score_card,
    "conversation": _conversation, "refund": _refund, "classaudititem": _audit_item,
}  # fmt: skip


def shown(record: Model, place: Place) -> Shown:
    """Return how a record is shown."""
    return ROWS[record._meta.model_name or ""](record, place)

"""Taking complaints (投诉): numbered, joined to what they repeat, managers alerted.

Whoever takes a complaint holds the clinic's counter, so that two takings never miss each other's repeat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Clinic, Membership, User
from accounts.permissions import Role
from followups.errors import Refused
from followups.models import HookEvent, MessagePurpose, Nature
from followups.services import complaint_follow_up, hooks, outbox
from patients import complaint_rules as rules
from patients import crypto
from patients.models import ComplaintCase, ComplaintCounter, ComplaintStep, Patient, PatientPhone

Kind = ComplaintStep.Kind
TWICE_WITHIN = timedelta(minutes=10)  # the public page sent twice


@dataclass(frozen=True)
class NewComplaint:
    """What is said when a complaint is taken. `phone`: digits, as given on the public page."""

    category: str
    what: str
    source: str
    severity: str = ComplaintCase.Severity.MEDIUM
    wish: str = ""
    subject: str = ""
    about: User | None = None
    owner: User | None = None
    name: str = ""
    phone: str = ""


def managers(clinic: Clinic, *, but: User | None = None) -> Sequence[User]:
    """Return the clinic's managers, or its administrators where it has none; without the person it is about."""
    for role in (Role.MANAGER, Role.ADMIN):
        rows = Membership.objects.for_clinic(clinic).people().with_role(role).select_related("user").order_by("pk")
        found = [row.user for row in rows if row.user != but]
        if found:
            return found
    return []


def said(case: ComplaintCase) -> rules.Said:
    return rules.Said(case.patient_id, case.category, case.received_at, case.subject)


def repeated_by(case: ComplaintCase) -> ComplaintCase | None:
    """Return the open case that a complaint repeats, the latest if several."""
    if case.patient_id is None:
        return None
    earlier = ComplaintCase.objects.for_clinic(case.clinic_id).open().filter(patient=case.patient_id)
    rows = earlier.filter(received_at__lte=case.received_at).exclude(pk=case.pk).order_by("-received_at", "-pk")
    return next((row for row in rows if rules.is_repeat(said(row), said(case))), None)


def step(case: ComplaintCase, kind: str, *, by: User | None, text: str = "", **detail: Any) -> ComplaintStep:
    """Append what was done about a case."""
    made: ComplaintStep = ComplaintStep.objects.create(
        complaint=case, kind=kind, text=text.strip()[:1000], detail=detail, by=by
    )
    return made


@transaction.atomic
def take(*, clinic: Clinic, details: NewComplaint, by: User | None, patient: Patient | None = None) -> ComplaintCase:
    """Take a complaint: number, due time and owner; joined to the open case it repeats; managers alerted.

    Args: by: None for the public page; patient: None when nobody knows yet. The playbook rests while it is open.
    Raises: Refused without words. Source: DOMAIN §4.
    """
    if not details.what.strip():
        raise Refused(_("Say what happened."), field="what")
    number = ComplaintCounter.take(clinic)  # one at a time from here on
    now = timezone.now()
    case = ComplaintCase(
        clinic=clinic,
        patient=patient,
        number=number,
        category=details.category,
        severity=details.severity,
        source=details.source,
        what=details.what.strip()[:2000],
        wish=details.wish.strip()[:300],
        subject=details.subject,
        about=details.about,
        contact_name=details.name.strip()[:60],
        received_at=now,
        received_by=by,
        owner=details.owner or next(iter(managers(clinic, but=details.about)), None),
        due_at=rules.due_at(severity=details.severity, received_at=now),
    )
    if details.phone:
        case.contact_encrypted, case.contact_last4 = crypto.encrypt(details.phone), details.phone[-4:]
    case.joined_to = repeated_by(case)
    case.save(force_insert=True)
    step(case, Kind.TAKEN, by=by)
    if case.joined_to is not None:
        step(case, Kind.JOINED, by=by, to=case.joined_to.number)
        step(case.joined_to, Kind.JOINED, by=by, repeat=case.number)
    complaint_follow_up.opened(case)
    alert(case, by=by)
    hooks.emit(
        clinic_id=clinic.pk,
        event=HookEvent.COMPLAINT_RECEIVED,
        data={
            "complaint": case.pk,
            "number": case.number,
            "patient": case.patient_id,
            "category": str(case.category),
            "severity": case.severity,
            "joined_to": case.joined_to_id,
        },
    )
    return case


def patient_with(phone: str, clinic: Clinic) -> Patient | None:
    """Return the patient of the clinic whose number it is, when it is one person's alone."""
    if not phone:
        return None
    numbers = PatientPhone.objects.filter(number_index=crypto.blind_index(phone), patient__merged_into=None)
    here = numbers.filter(patient__registrations__clinic=clinic).values_list("patient", flat=True)
    found = list(Patient.objects.filter(pk__in=here)[:2])
    return found[0] if len(found) == 1 else None


@transaction.atomic
def take_public(*, clinic: Clinic, details: NewComplaint) -> ComplaintCase:
    """Take a complaint from the public page; the same words sent twice within ten minutes are one.

    Raises: Refused without words.
    """
    Clinic.objects.select_for_update().get(pk=clinic.pk)  # two sendings of one form wait for each other
    lately = ComplaintCase.objects.for_clinic(clinic).filter(received_at__gte=timezone.now() - TWICE_WITHIN)
    words = {"what": details.what.strip()[:2000], "contact_last4": details.phone[-4:]}
    twin: ComplaintCase | None = lately.filter(source=details.source, **words).first()
    if twin is not None:
        return twin
    return take(clinic=clinic, details=details, by=None, patient=patient_with(details.phone, clinic))


def alert(case: ComplaintCase, *, by: User | None) -> int:
    """Tell the clinic's managers through the outbox, each once; returns how many. No patient is named."""
    count = 0
    for person in managers(case.clinic, but=case.about):
        with translation.override(person.language or "zh-hans"):
            due = timezone.localtime(case.due_at, case.clinic.tz)
            words = _("Complaint %(number)s: %(category)s, %(severity)s. Due %(day)s %(time)s.") % {
                "number": case.number,
                "category": case.get_category_display(),
                "severity": case.get_severity_display(),
                "day": f"{due:%m-%d}",
                "time": f"{due:%H:%M}",
            }
        queued = outbox.queue(
            clinic=case.clinic,
            purpose=MessagePurpose.ALERT,
            subject=f"complaint:{case.pk}",
            due_at=case.received_at,
            nature=Nature.SERVICE,
            staff=person,
            variables={"name": str(person), "clinic": case.clinic.name, "text": words},
            by=by,
        )
        count += queued is not None
    return count

"""What is done about complaints: answered, given to others, joined, settled, opened again.

Whoever changes a case holds its row and names the version they saw: of two who settle it at once, one does and the
other is told.
"""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import Permission
from followups.errors import ComplaintChanged, Refused
from followups.services import complaint_follow_up
from followups.services.complaints import step
from patients import complaint_rules as rules
from patients.models import ComplaintCase, ComplaintStep, Patient

Kind = ComplaintStep.Kind


def locked(case: ComplaintCase, version: int | None = None) -> ComplaintCase:
    """Return the case locked. Raises: ComplaintChanged when it is not as the person saw it (version None: any)."""
    fresh: ComplaintCase = (
        ComplaintCase.objects.select_for_update(of=("self",))
        .select_related("clinic", "patient", "owner", "about", "closed_by")
        .get(pk=case.pk)
    )
    if version is not None and fresh.version != version:
        last = fresh.steps.select_related("by").order_by("-pk").first()
        raise ComplaintChanged(f"{last.get_kind_display()}, {last.by}" if last and last.by else fresh.number)
    return fresh


def _save(case: ComplaintCase, *fields: str) -> None:
    case.version += 1
    case.save(update_fields=[*fields, "version"])


def _open(case: ComplaintCase, version: int | None) -> ComplaintCase:
    fresh = locked(case, version)
    if fresh.closed_at is not None or fresh.joined_to_id is not None:
        raise ComplaintChanged(_("settled") if fresh.closed_at else _("joined to another"))
    return fresh


def check_may_settle(case: ComplaintCase, by: User) -> None:
    """Raise Refused when `by` may not decide on this case: without the permission, or when it is about them."""
    if not by.may(Permission.SETTLE_COMPLAINTS, case.clinic_id):
        raise Refused(_("You may not settle complaints."))
    if not rules.may_settle(person_id=by.pk, about_id=case.about_id):
        raise Refused(_("It is about you: somebody else settles it."))


@transaction.atomic
def note(*, case: ComplaintCase, text: str, by: User, replied: bool = False) -> ComplaintStep:
    """Write down a note, or what was answered to the patient (the first answer's time is kept).

    Raises: Refused without words; ComplaintChanged when it is settled by now.
    """
    if not text.strip():
        raise Refused(_("Write what was said or done."), field="text")
    fresh = _open(case, None)
    if replied:
        check_may_settle(fresh, by)
        if fresh.first_reply_at is None:
            fresh.first_reply_at = timezone.now()
            fresh.save(update_fields=["first_reply_at"])
    return step(fresh, Kind.REPLIED if replied else Kind.NOTE, by=by, text=text)


@transaction.atomic
def change(
    *, case: ComplaintCase, owner: User | None, severity: str, about: User | None, version: int, by: User
) -> ComplaintCase:
    """Give the case to somebody else, judge it graver or milder (its due time follows), or name whom it is about.

    Raises: Refused, ComplaintChanged.
    """
    fresh = _open(case, version)
    check_may_settle(fresh, by)
    if owner is not None and about is not None and owner.pk == about.pk:
        raise Refused(_("Nobody settles a complaint about themselves."), field="owner")
    facts = {"severity": severity, "owner_id": owner.pk if owner else None, "about_id": about.pk if about else None}
    changed = {name: value for name, value in facts.items() if getattr(fresh, name) != value}
    if not changed:
        return fresh
    detail: dict[str, Any] = {
        name.removesuffix("_id"): [getattr(fresh, name), value] for name, value in changed.items()
    }
    for name, value in changed.items():
        setattr(fresh, name, value)
    fresh.due_at = rules.due_at(severity=severity, received_at=fresh.received_at)
    _save(fresh, *[name.removesuffix("_id") for name in changed], "due_at")
    step(fresh, Kind.CHANGED, by=by, **detail)
    return fresh


@transaction.atomic
def set_patient(*, case: ComplaintCase, patient: Patient, version: int, by: User) -> ComplaintCase:
    """Say whose complaint it is, when the public page did not tell. Raises: Refused, ComplaintChanged."""
    fresh = _open(case, version)
    check_may_settle(fresh, by)
    if fresh.patient_id is not None:
        raise Refused(_("It is known already whose complaint this is."))
    fresh.patient = patient
    _save(fresh, "patient")
    step(fresh, Kind.CHANGED, by=by, patient=[None, patient.pk])
    complaint_follow_up.opened(fresh)
    return fresh


@transaction.atomic
def join(*, case: ComplaintCase, to: ComplaintCase, version: int, by: User) -> ComplaintCase:
    """Count a complaint as a repeat of another open case of the same patient; its own repeats go along.

    Raises: Refused for another patient's; ComplaintChanged.
    """
    list(ComplaintCase.objects.filter(pk__in=[case.pk, to.pk]).order_by("pk").select_for_update())  # in one order
    fresh, first = _open(case, version), _open(to, None)
    check_may_settle(fresh, by)
    if fresh.pk == first.pk or fresh.clinic_id != first.clinic_id or fresh.patient_id != first.patient_id:
        raise Refused(_("Only complaints of one patient can be joined."))
    if fresh.patient_id is None:
        raise Refused(_("Say first whose complaint it is."))
    fresh.joined_to = first
    _save(fresh, "joined_to")
    fresh.repeats.update(joined_to=first)
    step(fresh, Kind.JOINED, by=by, to=first.number)
    step(first, Kind.JOINED, by=by, repeat=fresh.number)
    return fresh


@transaction.atomic
def unjoin(*, case: ComplaintCase, version: int, by: User) -> ComplaintCase:
    """A repeat was another matter after all: it is an open case of its own again. Raises: Refused, ComplaintChanged."""
    fresh = locked(case, version)
    check_may_settle(fresh, by)
    if fresh.joined_to is None:
        raise ComplaintChanged(fresh.number)
    first, fresh.joined_to = fresh.joined_to, None
    _save(fresh, "joined_to")
    step(fresh, Kind.CHANGED, by=by, unjoined=first.number)
    step(first, Kind.CHANGED, by=by, unjoined=fresh.number)
    complaint_follow_up.opened(fresh)
    return fresh


@transaction.atomic
def close(
    *,
    case: ComplaintCase,
    outcome: str,
    upheld: bool,
    version: int,
    by: User,
    cost: Decimal | None = None,
    text: str = "",
) -> ComplaintCase:
    """Settle a complaint: how it ended, whether it was justified, and what it cost in yuan.

    The playbook goes on when no other complaint of the patient is open, and somebody asks three days later.
    Raises: Refused when it is about `by`; ComplaintChanged when somebody was quicker.
    """
    fresh = _open(case, version)
    check_may_settle(fresh, by)
    now = timezone.now()
    fresh.outcome, fresh.is_upheld, fresh.cost = outcome, upheld, cost
    fresh.closed_at, fresh.closed_by = now, by
    _save(fresh, "outcome", "is_upheld", "cost", "closed_at", "closed_by")
    told = {"outcome": str(outcome), "upheld": upheld, "cost": str(cost) if cost is not None else ""}
    step(fresh, Kind.CLOSED, by=by, text=text, **told)
    complaint_follow_up.closed(fresh, at=now, by=by)
    return fresh


@transaction.atomic
def reopen(*, case: ComplaintCase, reason: str, version: int, by: User) -> ComplaintCase:
    """Open a settled complaint again, with the reason; due anew from now. Raises: Refused, ComplaintChanged."""
    if not reason.strip():
        raise Refused(_("Say why it is opened again."), field="reason")
    fresh = locked(case, version)
    check_may_settle(fresh, by)
    if fresh.closed_at is None:
        raise ComplaintChanged(_("open already"))
    fresh.closed_at, fresh.closed_by, fresh.outcome, fresh.is_upheld = None, None, "", None
    fresh.due_at = rules.due_at(severity=fresh.severity, received_at=timezone.now())
    _save(fresh, "closed_at", "closed_by", "outcome", "is_upheld", "due_at")
    step(fresh, Kind.REOPENED, by=by, text=reason)
    complaint_follow_up.reopened(fresh, by=by)
    return fresh

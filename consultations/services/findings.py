"""The doctor's tooth chart (stage 8)."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import Permission
from accounts.statements import Statement
from consultations.errors import MoveRefused, Refused
from consultations.models import ToothFinding, Visit
from consultations.models.plan import validate_tooth
from consultations.services.moves import locked
from consultations.stages import Missing, Stage
from consultations.teeth import ruled_out_by

EXAMINING = frozenset({Stage.DOCTOR, Stage.EXAM})


def _examining(visit: Visit, by: User) -> Visit:
    if not by.may(Permission.TREAT, visit.clinic_id):
        raise MoveRefused([Missing.DOCTOR])
    fresh = locked(visit)
    if fresh.stage not in EXAMINING or fresh.handoff_at is None or fresh.doctor_left_at:
        raise Refused(_("Findings are recorded while the doctor examines."))
    return fresh


def current_findings(visit: Visit) -> list[ToothFinding]:
    """Return the findings that stand, oldest first."""
    return _STANDING.rows(visit=visit.pk)


_STANDING = Statement(lambda *, visit: ToothFinding.objects.filter(visit=visit, removed_at=None))


def last_findings(visit: Visit) -> list[ToothFinding]:
    """Return the findings of the patient's latest earlier visit that has any, for carrying over."""
    return _LAST.rows(clinic=visit.clinic_id, patient=visit.patient_id, before=visit.arrived_at)


def _last(*, clinic: int, patient: int, before: datetime) -> QuerySet[ToothFinding]:
    earlier = ToothFinding.objects.for_clinic(clinic).filter(
        visit__patient=patient, visit__arrived_at__lt=before, visit__is_error=False, removed_at=None
    )  # not a mistaken visit's: they may be another person's teeth
    latest = earlier.order_by("-visit__arrived_at").values("visit")[:1]
    found: QuerySet[ToothFinding] = earlier.filter(visit__in=latest).select_related("visit")
    return found


_LAST = Statement(_last)


@transaction.atomic
def toggle_finding(*, visit: Visit, tooth: int, kind: str, by: User) -> list[ToothFinding]:
    """Put a finding on a tooth, or take it off; what it rules out goes with the same gesture.

    Returns the findings that stand. Raises: Refused for a number that is no FDI tooth, an unknown finding, or
    outside the examination; MoveRefused for anyone but a doctor.
    """
    fresh = _examining(visit, by)
    try:
        validate_tooth(tooth)
    except ValidationError as error:
        raise Refused(error.messages[0]) from error
    if kind not in ToothFinding.Kind.values:
        raise Refused(_("There is no such finding."))
    now = timezone.now()
    standing = fresh.tooth_findings.filter(tooth=tooth, removed_at=None)
    if not standing.filter(kind=kind).update(removed_at=now):
        standing.filter(kind__in=ruled_out_by(kind)).update(removed_at=now)
        ToothFinding.objects.create(visit=fresh, tooth=tooth, kind=kind, at=now, by=by)
    return current_findings(fresh)


def _last_gesture(rows: list[ToothFinding]) -> datetime | None:
    return max((row.removed_at or row.at for row in rows), default=None)


@transaction.atomic
def undo_finding(*, visit: Visit, by: User) -> list[ToothFinding]:
    """Take back the last gesture on the chart, as often as there is one. Returns the findings that stand.

    An undone finding keeps its row, with `removed_at` equal to `at`.
    """
    fresh = _examining(visit, by)
    rows = [row for row in fresh.tooth_findings.select_for_update() if row.removed_at != row.at]
    moment = _last_gesture(rows)
    for row in rows:
        if row.removed_at is None and row.at == moment:
            row.removed_at = row.at
            row.save(update_fields=["removed_at"])
    for row in rows:
        if row.removed_at == moment and row.at != moment:
            row.removed_at = None
            row.save(update_fields=["removed_at"])
    return current_findings(fresh)


@transaction.atomic
def carry_over(*, visit: Visit, by: User) -> list[ToothFinding]:
    """Begin with the findings of the last visit, in one gesture. Raises: Refused when some stand already."""
    fresh = _examining(visit, by)
    if fresh.tooth_findings.filter(removed_at=None).exists():
        raise Refused(_("This visit has findings of its own already."))
    shared: dict[str, Any] = {"visit": fresh, "at": timezone.now(), "by": by}
    ToothFinding.objects.bulk_create(
        ToothFinding(tooth=old.tooth, kind=old.kind, **shared) for old in last_findings(fresh)
    )
    return current_findings(fresh)

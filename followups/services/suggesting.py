"""Suggested class changes: found by a daily job, accepted or dismissed by a coordinator."""

from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from followups.services.classes import set_class
from patients.class_rules import Change, SinceThen, suggest_change
from patients.classification import QUALITY_RETURN, PatientClass, Suggestion
from patients.errors import PatientError
from patients.models import ClassChange, ClassSuggestion, Patient, Referral

Status = ClassSuggestion.Status


class Outdated(PatientError):
    """The class was set by somebody since it was suggested, or the suggestion was answered (HTTP 409)."""


def suggest_changes(*, clinic: Clinic, now: datetime | None = None, limit: int = 5000) -> int:
    """Write the suggestions that the facts speak for, and close those they no longer do. Idempotent.

    A dismissed suggestion is not made again until something new happened since. Returns how many were written.
    """
    moment = now or timezone.now()
    written = 0
    for row in _candidates(clinic, moment)[:limit]:
        change = suggest_change(_facts(row))
        if change is not None:
            written += _suggest(clinic, row, change, moment)
    _close_outdated(clinic, moment)
    return written


def _visits(clinic: Clinic) -> QuerySet[Any]:
    """Return received return visits of the patient since the class was set. The app above is found by name."""
    visits = apps.get_model("consultations", "Visit").objects.for_clinic(clinic)
    since = Coalesce(OuterRef("class_set_at"), OuterRef("created_at"))
    found: QuerySet[Any] = visits.filter(
        patient=OuterRef("pk"), is_first=False, is_error=False, received_at__gt=since
    ).order_by()
    return found


def _counted(rows: QuerySet[Any]) -> Subquery:
    return Subquery(rows.values("patient").annotate(n=Count("pk")).values("n"))


def _candidates(clinic: Clinic, now: datetime) -> Any:
    """Return classified patients of whom something happened since the class was set, without an open suggestion."""
    visits = _visits(clinic)
    referrals = Referral.objects.filter(referrer=OuterRef("pk"), effective_at__lte=now).order_by()
    cases = apps.get_model("consultations", "Consultation").objects.for_clinic(clinic)
    latest = cases.filter(patient=OuterRef("pk")).order_by("-opened_at", "-pk").values("complaint")[:1]
    waiting = ClassSuggestion.objects.filter(clinic=clinic, patient=OuterRef("pk"), status=Status.OPEN)
    dismissed = ClassSuggestion.objects.filter(clinic=clinic, patient=OuterRef("pk"), status=Status.DISMISSED)
    rows = Patient.objects.for_clinic(clinic).living().exclude(class_code="").filter(restricted_at=None)
    rows = rows.filter(~Exists(waiting)).filter(Exists(visits) | (Exists(referrals) & ~Q(class_code="C-A")))
    return rows.annotate(
        returns=Coalesce(_counted(visits), 0),
        quality_returns=Coalesce(_counted(visits.filter(consultation__complaint__in=sorted(QUALITY_RETURN))), 0),
        brought=Coalesce(Subquery(referrals.values("referrer").annotate(n=Count("pk")).values("n")), 0),
        complaint=Subquery(latest),
        last_return=Subquery(visits.order_by("-received_at").values("received_at")[:1]),
        last_brought=Subquery(referrals.order_by("-effective_at").values("effective_at")[:1]),
        dismissed_at=Subquery(dismissed.order_by("-answered_at").values("answered_at")[:1]),
    ).order_by(F("class_set_at").desc(nulls_last=True), "-pk")


def _facts(row: Any) -> SinceThen:
    return SinceThen(
        code=row.class_code,
        complaint=row.complaint or "",
        awareness=row.awareness,
        returns=row.returns,
        quality_returns=row.quality_returns,
        effective_referrals=row.brought,
    )


def _suggest(clinic: Clinic, row: Any, change: Change, now: datetime) -> int:
    """Write one suggestion unless it was dismissed and nothing happened since, or another run was first."""
    news = max((at for at in (row.last_return, row.last_brought, row.class_set_at) if at is not None), default=None)
    if row.dismissed_at is not None and (news is None or news <= row.dismissed_at):
        return 0
    with translation.override("en"):
        reason = str(change.reason)
    made = ClassSuggestion.objects.bulk_create(
        [
            ClassSuggestion(
                clinic=clinic,
                patient_id=row.pk,
                old_class=row.class_code,
                new_class=change.code,
                reason=reason,
                created_at=now,
            )
        ],
        ignore_conflicts=True,
    )
    return len(made)


def _close_outdated(clinic: Clinic, now: datetime) -> None:
    """Close suggestions about a class that was changed since, and those for a referral that no longer counts."""
    waiting = ClassSuggestion.objects.filter(clinic=clinic, status=Status.OPEN)
    brought = Exists(Referral.objects.filter(referrer=OuterRef("patient"), effective_at__lte=now))
    outdated = ~Q(old_class=F("patient__class_code")) | (Q(new_class=PatientClass.CA) & ~brought)
    waiting.filter(outdated).update(status=Status.OUTDATED, answered_at=now)


def suggest_everywhere(*, now: datetime, limit: int = 5000) -> int:
    """Do so in every active clinic; the daily job."""
    return sum(suggest_changes(clinic=clinic, now=now, limit=limit) for clinic in Clinic.objects.active())


def _locked(suggestion: ClassSuggestion) -> tuple[ClassSuggestion, Patient]:
    patient = Patient.objects.select_for_update(no_key=True).get(pk=suggestion.patient_id)
    fresh = ClassSuggestion.objects.select_for_update().get(pk=suggestion.pk)
    if fresh.status != Status.OPEN:
        raise Outdated(_("This suggestion was answered already."))
    return fresh, patient


@transaction.atomic
def accept(*, suggestion: ClassSuggestion, by: User) -> ClassChange:
    """Set the suggested class; the judgements stay. Raises: Outdated when the class is another one by now."""
    fresh, patient = _locked(suggestion)
    if patient.class_code != fresh.old_class:
        words = {"patient": patient, "code": patient.class_code}
        raise Outdated(_("%(patient)s is %(code)s by now; the suggestion no longer fits.") % words)
    change = set_class(
        patient=patient,
        clinic=fresh.clinic,
        code=fresh.new_class,
        awareness=patient.awareness,
        trust=patient.trust,
        by=by,
        suggestion=Suggestion(fresh.new_class, fresh.reason),
    )
    _answer(fresh, Status.ACCEPTED, by)
    return change


@transaction.atomic
def dismiss(*, suggestion: ClassSuggestion, by: User) -> ClassSuggestion:
    """Put a suggestion away until something new happens. Raises: Outdated when it was answered already."""
    fresh, _patient = _locked(suggestion)
    return _answer(fresh, Status.DISMISSED, by)


def _answer(suggestion: ClassSuggestion, status: str, by: User) -> ClassSuggestion:
    suggestion.status, suggestion.answered_at, suggestion.answered_by = status, timezone.now(), by
    suggestion.save(update_fields=["status", "answered_at", "answered_by"])
    return suggestion

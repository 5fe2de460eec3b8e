"""Class audits: drawing a blind sample, rating it a second time, and how far both agree (KPI 1)."""

import random
import re
import secrets
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from patients.agreement import Agreement, agreement
from patients.classification import PatientClass
from patients.errors import PatientError, Refused
from patients.models import ClassAudit, ClassAuditItem, ClassChange, Referral

MOST = 100
SEED_BITS = 62
CLASS_WORDS = re.compile(r"C\s*[-‐–—]?\s*[A-E](?![A-Za-z])|[意识信任度]{2,3}\s*[::]?\s*[1-5](?!\d)", re.IGNORECASE)
HIDDEN = "…"
TOLD_IN_FORM = ("worries", "worries_note", "decide_with", "budget", "fear")  # of the form, what bears on the class


class RatedAlready(PatientError):
    """Somebody else rated this one meanwhile (HTTP 409)."""


def blind(text: str) -> str:
    """Return what was noted without classes and scores, which the second rater must not see."""
    return CLASS_WORDS.sub(HIDDEN, text)


def month_bounds(clinic: Clinic, month: date) -> tuple[datetime, datetime]:
    """Return the half-open window of a month in the clinic's zone."""
    first = month.replace(day=1)
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return clinic.day_bounds(first)[0], clinic.day_bounds(after)[0]


def candidates(*, clinic: Clinic, coordinator: User, month: date) -> list[int]:
    """Return the ids of what the coordinator classified in the month, in order; merged-away records left out."""
    start, end = month_bounds(clinic, month)
    rows = ClassChange.objects.for_clinic(clinic).filter(by=coordinator, at__gte=start, at__lt=end)
    rows = rows.filter(patient__merged_into=None, patient__restricted_at=None).exclude(new_class="")
    return list(rows.order_by("pk").values_list("pk", flat=True))


def sample(ids: Iterable[int], *, size: int, seed: int) -> list[int]:
    """Draw `size` ids, all when there are fewer; the same seed over the same ids draws the same."""
    pool = sorted(ids)
    return random.Random(seed).sample(pool, min(size, len(pool)))  # noqa: S311 - repeatable, not secret


@transaction.atomic
def draw(*, clinic: Clinic, coordinator: User, month: date, size: int, by: User, seed: int | None = None) -> ClassAudit:
    """Draw a blind sample of a coordinator's classifications of one month.

    Args: size: 1 to 100; seed: repeats an earlier draw. Raises: Refused for another size, when there is nothing, or
    while an earlier sample of the same month waits for its first rating.
    """
    if not 1 <= size <= MOST:
        raise Refused(_("Draw between 1 and %(most)s.") % {"most": MOST})
    if seed is None:
        _only_once(clinic, coordinator, month)
    ids = candidates(clinic=clinic, coordinator=coordinator, month=month)
    if not ids:
        raise Refused(_("%(person)s classified nobody in this month.") % {"person": coordinator})
    chosen = secrets.randbits(SEED_BITS) if seed is None else seed
    facts = {"clinic": clinic, "coordinator": coordinator, "month": month.replace(day=1)}
    audit: ClassAudit = ClassAudit.objects.create(**facts, size=size, seed=chosen, drawn_by=by)
    drawn = sample(ids, size=size, seed=chosen)
    changes = ClassChange.objects.select_related("patient", "clinic").in_bulk(drawn)
    ClassAuditItem.objects.bulk_create(
        ClassAuditItem(audit=audit, class_change=changes[pk], position=place, facts=facts_of(changes[pk]))
        for place, pk in enumerate(drawn, 1)
    )
    record(
        action="class_audit_drawn",
        clinic=clinic,
        by=by,
        subject=coordinator,
        month=f"{audit.month:%Y-%m}",
        rows=len(drawn),
    )
    return audit


def _only_once(clinic: Clinic, coordinator: User, month: date) -> None:
    """Raise Refused while a sample lies unused; who draws at the same moment waits here, and is told."""
    list(Clinic.objects.select_for_update(no_key=True).filter(pk=clinic.pk).values_list("pk"))
    drawn = ClassAudit.objects.for_clinic(clinic).filter(coordinator=coordinator, month=month.replace(day=1))
    rated = ClassAuditItem.objects.filter(audit=OuterRef("pk"), rated_at__isnull=False)
    if drawn.filter(~Exists(rated)).exists():
        raise Refused(_("A sample of this month was drawn already and nobody has rated it yet. Rate that one first."))


def facts_of(change: ClassChange) -> dict[str, Any]:
    """Return what was known when the class was set, without class, awareness and trust. JSON-ready."""
    patient = change.patient
    visits = apps.get_model("consultations", "Visit").objects.for_clinic(change.clinic_id)
    visits = visits.filter(patient=patient, is_error=False, arrived_at__lte=change.at).select_related("consultation")
    known = list(visits.order_by("-arrived_at")[:6])
    latest = next((visit for visit in known if visit.classification_id == change.pk), known[0] if known else None)
    day = change.at.astimezone(change.clinic.tz).date()
    brought = Referral.objects.filter(referrer=patient, effective_at__lte=change.at).count()
    facts: dict[str, Any] = {
        "day": day.isoformat(),
        "sex": patient.sex,
        "age": patient.age_on(day),
        "occupation": patient.occupation,
        "brought": brought,
        "visits": [
            {"day": v.arrived_at.astimezone(change.clinic.tz).date().isoformat(), "decision": v.decision} for v in known
        ],
    }
    return facts | (_of_visit(latest) if latest is not None else {})


def _of_visit(visit: Any) -> dict[str, Any]:
    """Return what one visit says: complaint, how the patient decided and why, the form and the note."""
    handoffs = apps.get_model("consultations", "Handoff").objects.filter(visit=visit)
    note = handoffs.values("opinion", "told_patient").first() or {}
    return {
        "complaint": visit.consultation.complaint,
        "words": blind(visit.consultation.complaint_text),
        "is_first": visit.is_first,
        "number": visit.number,
        "decision": visit.decision,
        "obstacle": blind(visit.obstacle),
        "opinion": blind(note.get("opinion") or ""),
        "told": blind(note.get("told_patient") or ""),
        "form": _of_form(visit),
    }


def _of_form(visit: Any) -> list[list[str]]:
    """Return the form's answers as (question, answer) in words."""
    form = apps.get_model("consultations", "ConsultationForm").objects.filter(visit=visit).first()
    return [[label, blind(words)] for label, words in form.told(TOLD_IN_FORM)] if form is not None else []


@transaction.atomic
def rate(
    *, item: ClassAuditItem, rated_class: str, by: User, awareness: int | None = None, note: str = ""
) -> ClassAuditItem:
    """Judge one classification a second time.

    Raises: Refused for one's own classifications and for no class; RatedAlready.
    """
    fresh = (
        ClassAuditItem.objects.select_for_update(of=("self",)).select_related("audit", "class_change").get(pk=item.pk)
    )
    if by.pk in {fresh.audit.coordinator_id, fresh.class_change.by_id}:
        raise Refused(_("Nobody rates their own classifications."))
    if rated_class not in PatientClass.values:
        raise Refused(_("Choose a class."))
    if fresh.rated_at is not None:
        raise RatedAlready(_("Somebody else rated this one meanwhile."))
    fresh.rated_class, fresh.rated_awareness, fresh.note = rated_class, awareness, note.strip()[:300]
    fresh.rated_at, fresh.rated_by = timezone.now(), by
    fresh.save(update_fields=["rated_class", "rated_awareness", "note", "rated_at", "rated_by"])
    return fresh


@transaction.atomic
def unrate(*, audit: ClassAudit, by: User) -> ClassAuditItem:
    """Take one's last rating in this audit back, to give it anew. Raises: Refused when there is none."""
    mine = (
        ClassAuditItem.objects.select_for_update().filter(audit=audit, rated_by=by).order_by("-rated_at", "-position")
    )
    item: ClassAuditItem | None = mine.first()
    if item is None:
        raise Refused(_("You have rated nothing here yet."))
    now = timezone.now()
    item.former = [*item.former, {"class": item.rated_class, "at": _told(item.rated_at), "until": _told(now)}]
    item.rated_class, item.rated_awareness, item.note, item.rated_at, item.rated_by = "", None, "", None, None
    item.save(update_fields=["rated_class", "rated_awareness", "note", "rated_at", "rated_by", "former"])
    return item


def _told(at: datetime | None) -> str:
    return at.isoformat() if at is not None else ""


def result_of(items: Any) -> Agreement:
    """Return how far both raters agree over a queryset of items; what is not rated is left out."""
    rated = items.filter(rated_at__isnull=False)
    return agreement(rated.values_list("class_change__new_class", "rated_class").order_by(), PatientClass.values)


def by_coordinator(*, clinic: Clinic, since: datetime) -> list[tuple[str, Agreement]]:
    """Return the agreement of each coordinator over what was rated since; one statement."""
    rows = ClassAuditItem.objects.for_clinic(clinic).filter(rated_at__gte=since).select_related(None)
    told = rows.values_list(
        "audit__coordinator_id",
        "audit__coordinator__full_name",
        "audit__coordinator__username",
        "class_change__new_class",
        "rated_class",
    )
    pairs: dict[tuple[int, str], list[tuple[str, str]]] = {}
    for pk, name, username, first, second in told.order_by():
        pairs.setdefault((pk, name or username), []).append((first, second))
    found = [(name, agreement(both, PatientClass.values)) for (_pk, name), both in pairs.items()]
    return sorted(found, key=lambda row: row[0])

"""Inspecting service etiquette: the rubrics of a clinic, scoring a visit or a call-back, seeing one's own result."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from consultations.models import Visit
from followups.models import Contact, ContactChannel, ContactOutcome
from metrics import etiquette_rules as rules
from metrics.etiquette_audio import Recording
from metrics.models import EtiquetteInspection, EtiquetteRubric
from metrics.services.etiquette_recordings import keep

Subject = Visit | Contact
Answers = Mapping[str, Decimal | None]
SPOKEN = (
    ContactOutcome.REACHED,
    ContactOutcome.WILL_COME,
    ContactOutcome.CALL_LATER,
    ContactOutcome.REFUSES,
    ContactOutcome.NOT_INTERESTED,
)  # somebody was on the line
FIRST = 1  # the version of the built-in rubrics


class InspectionRefused(Exception):
    """A rule of inspecting was not kept; the message is for the person. `codes`: items concerned."""

    def __init__(self, message: str, codes: Iterable[str] = ()) -> None:
        self.codes = tuple(codes)
        super().__init__(message)

    @property
    def message(self) -> str:
        return str(self)


class InspectionConflict(InspectionRefused):
    """Somebody else scored the same meanwhile (HTTP 409); `standing` is their score."""

    def __init__(self, standing: EtiquetteInspection) -> None:
        self.standing = standing
        super().__init__(_("%(who)s scored this meanwhile.") % {"who": standing.inspected_by})


class RubricConflict(InspectionRefused):
    """Somebody else saved a newer version meanwhile (HTTP 409)."""

    def __init__(self, current: EtiquetteRubric) -> None:
        self.current = current
        super().__init__(_("Somebody else changed this rubric meanwhile. Reload it first."))


# --- rubrics ---------------------------------------------------------------------------------------


def current_rubric(clinic: Clinic, kind: str) -> EtiquetteRubric:
    """Return the rubric in force; the built-in one, unsaved, for a clinic that has none yet. Writes nothing."""
    row = EtiquetteRubric.objects.for_clinic(clinic).filter(kind=kind, is_active=True).first()
    return row or EtiquetteRubric(clinic=clinic, kind=kind, version=FIRST, items=rules.stored(rules.BUILTIN[kind]))


@transaction.atomic
def ensure_rubrics(clinic: Clinic) -> None:
    """Give a clinic the built-in rubrics it has none of yet. Safe to run any number of times, at once too."""
    for kind, items in rules.BUILTIN.items():
        if not EtiquetteRubric.objects.for_clinic(clinic).filter(kind=kind).exists():
            EtiquetteRubric.objects.get_or_create(
                clinic=clinic, kind=kind, version=FIRST, defaults={"items": rules.stored(items)}
            )


@transaction.atomic
def save_rubric(*, clinic: Clinic, kind: str, items: Sequence[rules.Item], expected: int, by: User) -> EtiquetteRubric:
    """Make changed items the next version of a rubric; inspections made before keep theirs.

    Args: expected: the version the person edited.
    Raises: InspectionRefused for a rubric that does not add up; RubricConflict.
    """
    ensure_rubrics(clinic)
    current = EtiquetteRubric.objects.select_for_update().for_clinic(clinic).get(kind=kind, is_active=True)
    if current.version != expected:
        raise RubricConflict(current)
    wrong = rules.problem(items)
    if wrong:
        raise InspectionRefused(wrong)
    if rules.items_of(current.items) == tuple(items):
        kept: EtiquetteRubric = current
        return kept
    EtiquetteRubric.objects.filter(pk=current.pk).update(is_active=False)
    row: EtiquetteRubric = EtiquetteRubric.objects.create(
        clinic=clinic, kind=kind, version=current.version + 1, items=rules.stored(items), created_by=by
    )
    record(action="etiquette_rubric_saved", clinic=clinic, by=by, subject=row, kind=kind, version=row.version)
    return row


def restore_rubric(*, clinic: Clinic, kind: str, expected: int, by: User) -> EtiquetteRubric:
    """Make the built-in items the next version. Raises: RubricConflict."""
    return save_rubric(clinic=clinic, kind=kind, items=rules.BUILTIN[kind], expected=expected, by=by)


# --- inspections -----------------------------------------------------------------------------------


def kind_of(subject: Subject) -> str:
    """Return which rubric a visit or a contact is scored by."""
    return rules.VISIT if isinstance(subject, Visit) else rules.CALL


def inspected_person(subject: Subject) -> User | None:
    """Return whose etiquette it was: who received the visit, or made the call."""
    return subject.coordinator if isinstance(subject, Visit) else subject.by


def refusal(subject: Subject, by: User) -> str:
    """Say why `by` may not score this; "" when they may."""
    who = inspected_person(subject)
    if who is None:
        return _("Nobody has received this patient yet.") if isinstance(subject, Visit) else _("Nobody made this call.")
    if who == by:
        return _("Nobody scores themselves. Ask another manager.")
    if isinstance(subject, Visit):
        return _("This visit was entered in error.") if subject.is_error else ""
    if subject.channel != ContactChannel.PHONE:
        return _("Only calls are inspected.")
    if subject.outcome not in SPOKEN:
        return _("Nobody was on the line: there is nothing to score.")
    undone = subject.undoes_id is not None or Contact.objects.filter(undoes=subject.pk).exists()
    return _("This contact was undone.") if undone else ""


def standing_of(subject: Subject) -> EtiquetteInspection | None:
    """Return the score in force of a visit (of who received it) or a call."""
    rows = EtiquetteInspection.objects.filter(replaced_at=None, **_named(subject)).select_related("inspected_by")
    if isinstance(subject, Visit):
        rows = rows.filter(staff=subject.coordinator_id)
    found: EtiquetteInspection | None = rows.first()
    return found


def _named(subject: Subject) -> dict[str, Any]:
    return {"visit": subject} if isinstance(subject, Visit) else {"contact": subject}


def locked(subject: Subject) -> Subject:
    """Return the visit or contact fresh, and locked against being scored twice at once."""
    fresh: Subject
    if isinstance(subject, Visit):
        fresh = Visit.objects.select_for_update(of=("self",)).select_related("coordinator").get(pk=subject.pk)
    else:
        fresh = Contact.objects.select_for_update(of=("self",)).select_related("by").get(pk=subject.pk)
    return fresh


@transaction.atomic
def inspect(
    *,
    subject: Subject,
    answers: Answers,
    by: User,
    version: int,
    note: str = "",
    expected: int | None = None,
    recordings: Sequence[Recording] = (),
) -> EtiquetteInspection:
    """Score a visit or a call-back; a former score of it is kept, as replaced.

    Sending the same twice (a second tap) gives the score that was made.
    Args: version: of the rubric that was answered; expected: the score that stood when the person looked, None for
    none; recordings: kept with the score.
    Raises: InspectionRefused (one's own, nothing to score, unanswered items); InspectionConflict.
    Source: DOMAIN §6.3.
    """
    fresh = locked(subject)
    staff, wrong = inspected_person(fresh), refusal(fresh, by)
    if staff is None or wrong:
        raise InspectionRefused(wrong)
    rubric = _rubric(fresh, version)
    try:
        result = rules.score(rules.items_of(rubric.items), answers)
    except rules.BadAnswers as error:
        raise InspectionRefused(str(error), error.codes)
    kept = {row["code"]: None if (given := answers[row["code"]]) is None else float(given) for row in rubric.items}
    facts = {"rubric": rubric, "answers": kept, "note": note.strip()[:500], "inspected_by": by}
    standing = standing_of(fresh)
    if standing is not None and standing.pk != expected:
        if all(getattr(standing, name) == value for name, value in facts.items()):
            return standing
        raise InspectionConflict(standing)
    now = timezone.now()
    if standing is not None:
        EtiquetteInspection.objects.filter(pk=standing.pk).update(replaced_at=now)
    row: EtiquetteInspection = EtiquetteInspection.objects.create(
        clinic_id=fresh.clinic_id, patient_id=fresh.patient_id, staff=staff, score=result.value,
        inspected_at=now, **_named(fresh), **facts,
    )  # fmt: skip
    for recording in recordings:
        keep(inspection=row, recording=recording, by=by)
    record(action="etiquette_inspected", clinic=row.clinic, by=by, subject=row, score=str(row.score))
    return row


def _rubric(subject: Subject, version: int) -> EtiquetteRubric:
    ensure_rubrics(subject.clinic)
    rows = EtiquetteRubric.objects.for_clinic(subject.clinic_id).filter(kind=kind_of(subject), version=version)
    found: EtiquetteRubric | None = rows.first()
    if found is None:
        raise InspectionRefused(_("There is no such version of the rubric."))
    return found


@transaction.atomic
def take_back(*, inspection: EtiquetteInspection, reason: str, by: User) -> None:
    """The score was given to the wrong visit or call: it counts no more; a frozen month keeps it.

    Raises: InspectionRefused without a reason, for one's own score, or for one that counts no more.
    """
    if not reason.strip():
        raise InspectionRefused(_("Give the reason."))
    if inspection.staff_id == by.pk:
        raise InspectionRefused(_("Nobody scores themselves. Ask another manager."))
    standing = EtiquetteInspection.objects.filter(pk=inspection.pk, replaced_at=None)
    if not standing.update(replaced_at=timezone.now()):
        raise InspectionRefused(_("This score counts no more."))
    record(
        action="etiquette_taken_back", clinic=inspection.clinic, by=by, subject=inspection, reason=reason.strip()[:200]
    )


def mark_seen(*, inspection: EtiquetteInspection, by: User) -> None:
    """Note that the person inspected has read it; the first time counts.

    Raises: InspectionRefused for anybody else.
    """
    if inspection.staff_id != by.pk:
        raise InspectionRefused(_("Only the person inspected marks it as read."))
    EtiquetteInspection.objects.filter(pk=inspection.pk, seen_at=None).update(seen_at=timezone.now())


def score_of(inspection: EtiquetteInspection) -> rules.Score:
    """Return how the score of an inspection comes about, by its own version of the rubric."""
    given = {code: None if value is None else Decimal(str(value)) for code, value in inspection.answers.items()}
    return rules.score(rules.items_of(inspection.rubric.items), given)

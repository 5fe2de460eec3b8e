"""Exams of a visit: ordered, done, with pictures and fee (stage 5)."""

import uuid
from collections.abc import Iterable
from decimal import Decimal
from functools import partial

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.audit import record
from accounts.models import User
from accounts.permissions import Permission
from consultations.errors import Refused, VisitError
from consultations.exam_rules import ExamState, lacking
from consultations.images import Picture
from consultations.models import Exam, ExamFile, ExamKind, Visit
from consultations.services.facts import actor_of
from consultations.services.moves import locked, move
from consultations.stages import Actor, Route, Stage

MOST_FILES = 60  # of one exam
BEFORE_RECEPTION = frozenset({Stage.ARRIVED})
AFTER_DOCTOR = frozenset({Stage.EXPLAINING, Stage.DECISION, Stage.LEAVING})


class ExamsLacking(VisitError):
    """Exam data is not whole: `states` says which kinds (HTTP 422)."""

    def __init__(self, states: list[ExamState]) -> None:
        self.states = states
        self.missing = tuple(state.code for state in states)
        super().__init__(
            _("Exam data still missing: %(what)s") % {"what": pgettext("list", ", ").join(s.name for s in states)}
        )


class FileThere(VisitError):
    """The same picture lies with this exam already."""

    def __init__(self) -> None:
        super().__init__(_("This picture is here already."))


def exam_states(visit: Visit) -> list[ExamState]:
    """Return how each kind of the clinic, and each exam of the visit, stands (four queries)."""
    exams = {exam.kind_id: exam for exam in visit.exams.prefetch_related("files")}
    kinds = ExamKind.objects.for_clinic(visit.clinic_id)
    return [state_of(kind, exams.get(kind.pk)) for kind in kinds if kind.is_active or kind.pk in exams]


def state_of(kind: ExamKind, exam: Exam | None) -> ExamState:
    """Return how one kind stands; give the exam with its `files` prefetched."""
    return ExamState(
        code=kind.code,
        name=kind.name,
        required=kind.is_required and kind.is_active,
        needs_files=kind.needs_files,
        one_of=kind.one_of,
        ordered=exam is not None,
        done=exam is not None and exam.done_at is not None,
        files=len(exam.pictures) if exam else 0,
    )


def _open(visit: Visit) -> Visit:
    """Return the visit locked, refusing one whose patient was not received yet or has left."""
    fresh = locked(visit)
    if fresh.stage in BEFORE_RECEPTION or not fresh.is_open:
        raise Refused(_("Exams belong between reception and the end of the visit."))
    return fresh


def _open_exam(exam: Exam) -> Exam:
    _open(exam.visit)
    fresh: Exam = Exam.objects.select_for_update(of=("self",)).select_related("kind", "visit__clinic").get(pk=exam.pk)
    return fresh


@transaction.atomic
def order_exams(*, visit: Visit, kinds: Iterable[ExamKind], by: User) -> list[Exam]:
    """Order exams that were not ordered yet; the doctor's leaving then waits for their data.

    An order after the data counted as complete opens it again, unless the doctor has left.
    Raises: Refused for another clinic's or a closed kind, or outside the visit.
    """
    fresh = _open(visit)
    here = set(fresh.exams.values_list("kind_id", flat=True))
    wanted = [kind for kind in kinds if kind.pk not in here]
    if any(kind.clinic_id != fresh.clinic_id or not kind.is_active for kind in wanted):
        raise Refused(_("This clinic does not do that exam."))
    made = [Exam.objects.create(visit=fresh, kind=kind, ordered_by=by, fee=Decimal(0)) for kind in wanted]
    if made and fresh.exams_completed_at and fresh.stage not in AFTER_DOCTOR:
        _set_complete(fresh, None)
    return made


@transaction.atomic
def exam_for(*, visit: Visit, kind: ExamKind, by: User) -> Exam:
    """Return the visit's exam of a kind, ordered now when it was not."""
    order_exams(visit=visit, kinds=[kind], by=by)
    exam: Exam = visit.exams.select_related("kind", "visit__clinic").get(kind=kind)
    return exam


def _set_complete(visit: Visit, at: object) -> None:
    Visit.objects.filter(pk=visit.pk).update(exams_completed_at=at, version=F("version") + 1, updated_at=timezone.now())


@transaction.atomic
def cancel_exam(*, exam: Exam, by: User) -> None:
    """Take back an order nothing was done for. Raises: Refused when it was done or has pictures."""
    fresh = _open_exam(exam)
    if fresh.done_at or fresh.files.filter(removed_at=None).exists():
        raise Refused(_("This exam was done; it cannot be taken back."))
    _take_out(fresh)


def _take_out(exam: Exam) -> None:
    """Remove an exam, and for good the pictures that were taken out of it: they belonged elsewhere."""
    for file in exam.files.all():
        for stored in (file.image, file.thumbnail):
            transaction.on_commit(partial(stored.storage.delete, stored.name))
    exam.files.all().delete()
    exam.delete()


@transaction.atomic
def mark_done(*, exam: Exam, by: User) -> Exam:
    """Record an exam as done; its fee is fixed now, by the kind and whether this is a first visit ([S1])."""
    fresh = _open_exam(exam)
    if fresh.done_at is None:
        fresh.done_at, fresh.done_by = timezone.now(), by
        fresh.fee = fresh.kind.fee(first_visit=fresh.visit.is_first)
        fresh.save(update_fields=["done_at", "done_by", "fee"])
    return fresh


@transaction.atomic
def unmark_done(*, exam: Exam, by: User) -> Exam:
    """Take back a done mark set by mistake, and its fee. Once the exam data counts as complete the exam goes whole.

    Raises: Refused when the data would not be complete without it, or it has pictures by then.
    """
    fresh = _open_exam(exam)
    visit, number = locked(fresh.visit), fresh.pk
    complete = visit.exams_completed_at is not None
    if complete and fresh.files.filter(removed_at=None).exists():
        raise Refused(_("This exam was done; it cannot be taken back."))
    fresh.done_at, fresh.done_by, fresh.fee = None, None, Decimal(0)
    fresh.save(update_fields=["done_at", "done_by", "fee"])
    if complete:
        _take_out(fresh)
        _check_complete(visit)
        record(action="exam_taken_back", clinic=visit.clinic, by=by, subject=visit, kind=fresh.kind.name)
        fresh.pk = number  # which one it was
    return fresh


def _check_complete(visit: Visit) -> None:
    states = exam_states(visit)
    if missing := lacking(states, visit.route):
        raise ExamsLacking(missing)
    if not any(state.whole for state in states):
        raise Refused(_("No exam was done in this visit."))


@transaction.atomic
def add_file(*, exam: Exam, picture: Picture, by: User, caption: str = "") -> ExamFile:
    """Keep a picture of an exam (see consultations.images.read_picture), which thereby is done.

    Raises: FileThere for a copy; Refused.
    """
    fresh = _open_exam(exam)
    kept = ExamFile.objects.kept().filter(exam=fresh)
    if kept.filter(sha256=picture.sha256).exists():
        raise FileThere
    if kept.count() >= MOST_FILES:
        raise Refused(_("An exam keeps at most %(count)d pictures.") % {"count": MOST_FILES})
    stored = _stored(fresh, picture, by, caption)
    if fresh.done_at is None:
        mark_done(exam=fresh, by=by)
    return stored


def _stored(exam: Exam, picture: Picture, by: User, caption: str) -> ExamFile:
    name = uuid.uuid4().hex
    row = ExamFile(exam=exam, sha256=picture.sha256, uploaded_by=by, caption=caption[:60])
    row.image.save(f"{name}.{picture.extension}", ContentFile(picture.content), save=False)
    row.thumbnail.save(f"{name}-s.jpg", ContentFile(picture.thumbnail), save=False)
    row.width, row.height = picture.width, picture.height
    row.save()
    return row


@transaction.atomic
def set_caption(*, file: ExamFile, caption: str, by: User) -> None:
    """Name what a picture shows."""
    ExamFile.objects.filter(pk=file.pk).update(caption=caption.strip()[:60])


def may_change_pictures(visit: Visit, by: User) -> bool:
    """Until the doctor has them, whoever takes exams; from then on a manager: it may be another person's picture."""
    before = visit.is_open and visit.stage not in BEFORE_RECEPTION and visit.handoff_at is None
    return before or by.may(Permission.APPROVE_WAIVER, visit.clinic_id)


@transaction.atomic
def remove_file(*, file: ExamFile, by: User) -> None:
    """Take a picture out; it can be put back, and the audit log keeps who did it.

    Raises: Refused for anyone but a manager once the doctor was sent the handoff note, or the visit has ended.
    """
    visit = locked(file.exam.visit)
    if not may_change_pictures(visit, by):
        raise Refused(_("The doctor has these pictures already; a manager can take one out."))
    ExamFile.objects.filter(pk=file.pk, removed_at=None).update(removed_at=timezone.now(), removed_by=by)
    record(action="exam_file_removed", clinic=visit.clinic, by=by, subject=file)


@transaction.atomic
def restore_file(*, file: ExamFile, by: User) -> None:
    """Put a removed picture back. Raises: FileThere when the same one was uploaded again meanwhile; Refused."""
    visit = locked(file.exam.visit)
    if not visit.is_open and not may_change_pictures(visit, by):
        raise Refused(_("Exams belong between reception and the end of the visit."))
    if ExamFile.objects.kept().filter(exam=file.exam_id, sha256=file.sha256).exclude(pk=file.pk).exists():
        raise FileThere
    ExamFile.objects.filter(pk=file.pk).update(removed_at=None, removed_by=None)


@transaction.atomic
def complete_exams(*, visit: Visit, by: User) -> Visit:
    """Declare the exam data complete; on the exam-first route a coordinator thereby goes on to consulting.

    Sets `Visit.exams_completed_at`. Raises: ExamsLacking with the kinds still to be had; Refused.
    Source: DOMAIN §2.5, [S1]: the full data must be obtained, it decides conversion and retention.
    """
    fresh = _open(visit)
    _check_complete(fresh)
    if fresh.exams_completed_at is None:
        _set_complete(fresh, timezone.now())
    fresh = locked(visit)
    first = fresh.route == Route.EXAM_FIRST and fresh.stage == Stage.EXAM
    if first and actor_of(by, fresh) == Actor.COORDINATOR:
        return move(visit=fresh, to=Stage.CONSULTING, by=by, expected=Stage.EXAM)
    return fresh

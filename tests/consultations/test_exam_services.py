"""Exams: what is lacking, fees, pictures, completion."""

import io
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts.models import Clinic, User
from accounts.permissions import Role
from consultations.errors import Refused
from consultations.exam_rules import ExamState, lacking
from consultations.images import read_picture
from consultations.models import ExamFile, ExamKind, Visit
from consultations.services import exams
from consultations.services.content import ensure_builtin_content
from consultations.stages import Route, Stage
from tests.factories import ClinicFactory, UserFactory, VisitFactory

PANORAMIC = ExamState("panoramic", "全景片", required=True)
SCAN = ExamState("scan", "口扫", required=True, one_of="model")
CAST = ExamState("impression", "取模", required=True, one_of="model", needs_files=False)
CBCT = ExamState("cbct", "CBCT")


def of(state: ExamState, **more: object) -> ExamState:
    return ExamState(**{**state.__dict__, **more})  # type: ignore[arg-type]


WHOLE = {"ordered": True, "done": True, "files": 1}


@pytest.mark.parametrize(
    ("states", "route", "missing"),
    [
        ([PANORAMIC, SCAN, CAST, CBCT], Route.EXAM_FIRST, ["panoramic", "scan"]),
        ([of(PANORAMIC, **WHOLE), SCAN, CAST], Route.EXAM_FIRST, ["scan"]),
        ([of(PANORAMIC, **WHOLE), SCAN, of(CAST, ordered=True, done=True)], Route.EXAM_FIRST, []),
        ([of(PANORAMIC, **WHOLE), SCAN, of(CAST, ordered=True)], Route.EXAM_FIRST, ["impression"]),
        ([of(PANORAMIC, ordered=True, done=True)], Route.EXAM_FIRST, ["panoramic"]),  # done without a picture
        ([of(PANORAMIC, **WHOLE), of(CBCT, ordered=True)], Route.EXAM_FIRST, ["cbct"]),
        ([PANORAMIC, SCAN, CBCT], Route.DOCTOR_FIRST, []),
        ([PANORAMIC, of(CBCT, ordered=True)], Route.DOCTOR_FIRST, ["cbct"]),
        ([of(CBCT, **WHOLE)], Route.DOCTOR_FIRST, []),
    ],
)
def test_what_exam_data_is_lacking(states: list[ExamState], route: str, missing: list[str]) -> None:
    assert [state.code for state in lacking(states, route)] == missing


pytestmark = pytest.mark.django_db


def jpeg(colour: str = "teal") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(out, "JPEG")
    return out.getvalue()


def picture(colour: str = "teal"):
    return read_picture(io.BytesIO(jpeg(colour)))


@pytest.fixture
def clinic() -> Clinic:
    clinic = ClinicFactory()
    ensure_builtin_content(clinic)
    return clinic


@pytest.fixture
def tc(clinic: Clinic) -> User:
    return UserFactory(role=Role.COORDINATOR, clinic=clinic)


@pytest.fixture
def nurse(clinic: Clinic) -> User:
    return UserFactory(role=Role.NURSE, clinic=clinic)


@pytest.fixture
def visit(clinic: Clinic, tc: User) -> Visit:
    return VisitFactory(
        clinic=clinic, stage=Stage.EXAM, route=Route.EXAM_FIRST, coordinator=tc, complaint_confirmed_at=timezone.now()
    )


def kind(clinic: Clinic, code: str) -> ExamKind:
    return clinic.exam_kinds.get(code=code)


@pytest.mark.parametrize(
    ("code", "first", "fee"),
    [
        ("panoramic", True, Decimal(0)),
        ("panoramic", False, Decimal(150)),
        ("cbct", True, Decimal(380)),  # not a basic exam
        ("cbct", False, Decimal(380)),
    ],
)
def test_basic_exams_are_free_on_a_first_visit_only(
    visit: Visit, nurse: User, code: str, first: bool, fee: Decimal
) -> None:
    Visit.objects.filter(pk=visit.pk).update(is_first=first)
    exam = exams.exam_for(visit=visit, kind=kind(visit.clinic, code), by=nurse)
    assert exams.mark_done(exam=exam, by=nurse).fee == fee


def test_the_fee_stays_when_the_price_changes_later(visit: Visit, nurse: User) -> None:
    exam = exams.exam_for(visit=visit, kind=kind(visit.clinic, "cbct"), by=nurse)
    exams.mark_done(exam=exam, by=nurse)
    visit.clinic.exam_kinds.update(price=999)
    exam.refresh_from_db()
    assert exams.mark_done(exam=exam, by=nurse).fee == Decimal(380)


def test_a_picture_makes_the_exam_done_and_a_copy_is_refused(visit: Visit, nurse: User) -> None:
    exam = exams.exam_for(visit=visit, kind=kind(visit.clinic, "panoramic"), by=nurse)
    kept = exams.add_file(exam=exam, picture=picture(), by=nurse)
    exam.refresh_from_db()
    assert exam.done_by == nurse
    assert (kept.width, kept.height) == (64, 64)
    assert "teal" not in kept.image.name
    with pytest.raises(exams.FileThere):
        exams.add_file(exam=exam, picture=picture(), by=nurse)


def test_a_removed_picture_comes_back_until_the_handoff(visit: Visit, nurse: User) -> None:
    exam = exams.exam_for(visit=visit, kind=kind(visit.clinic, "panoramic"), by=nurse)
    file = exams.add_file(exam=exam, picture=picture(), by=nurse)
    exams.remove_file(file=file, by=nurse)
    assert not ExamFile.objects.kept().exists()
    again = exams.add_file(exam=exam, picture=picture(), by=nurse)  # the same one, uploaded anew
    with pytest.raises(exams.FileThere):
        exams.restore_file(file=file, by=nurse)
    exams.remove_file(file=again, by=nurse)
    exams.restore_file(file=file, by=nurse)
    assert list(ExamFile.objects.kept()) == [file]
    Visit.objects.filter(pk=visit.pk).update(handoff_at=timezone.now())
    with pytest.raises(Refused):
        exams.remove_file(file=file, by=nurse)


def test_another_persons_picture_is_taken_out_by_a_manager_also_later(
    visit: Visit, nurse: User, client: Client
) -> None:
    manager = UserFactory(role=Role.MANAGER, clinic=visit.clinic)
    exam = exams.exam_for(visit=visit, kind=kind(visit.clinic, "panoramic"), by=nurse)
    file = exams.add_file(exam=exam, picture=picture(), by=nurse)
    Visit.objects.filter(pk=visit.pk).update(stage=Stage.CLOSED, handoff_at=timezone.now())
    with pytest.raises(Refused):
        exams.remove_file(file=file, by=nurse)
    address = f"/visits/{visit.pk}/exams/files/{file.pk}/"
    client.force_login(nurse)
    assert address not in client.get(f"/visits/{visit.pk}/?stage=exam").content.decode()
    client.force_login(manager)
    assert address in client.get(f"/visits/{visit.pk}/?stage=exam").content.decode()
    client.post(address, {"action": "remove"})
    assert not ExamFile.objects.kept().exists()
    with pytest.raises(Refused):
        exams.restore_file(file=file, by=nurse)
    exams.restore_file(file=file, by=manager)
    assert ExamFile.objects.kept().exists()


def complete_data(visit: Visit, by: User) -> None:
    for number, code in enumerate(("panoramic", "intraoral")):
        exam = exams.exam_for(visit=visit, kind=kind(visit.clinic, code), by=by)
        exams.add_file(exam=exam, picture=picture(("red", "blue")[number]), by=by)
    exams.mark_done(exam=exams.exam_for(visit=visit, kind=kind(visit.clinic, "impression"), by=by), by=by)


def test_an_exam_marked_by_mistake_goes_though_the_data_is_complete(visit: Visit, tc: User, nurse: User) -> None:
    Visit.objects.filter(pk=visit.pk).update(is_first=False)
    complete_data(visit, nurse)
    wrong = exams.exam_for(visit=visit, kind=kind(visit.clinic, "periodontal"), by=nurse)
    assert exams.mark_done(exam=wrong, by=nurse).fee > 0
    exams.complete_exams(visit=visit, by=tc)
    exams.unmark_done(exam=wrong, by=nurse)
    assert not visit.exams.filter(kind__code="periodontal").exists()
    needed = visit.exams.get(kind__code="impression")
    with pytest.raises(exams.ExamsLacking):
        exams.unmark_done(exam=needed, by=nurse)
    needed.refresh_from_db()
    assert needed.done_at is not None


def test_a_picture_put_with_the_wrong_exam_does_not_hold_the_visit_up(visit: Visit, tc: User, nurse: User) -> None:
    complete_data(visit, nurse)
    wrong = exams.exam_for(visit=visit, kind=kind(visit.clinic, "cbct"), by=nurse)
    file = exams.add_file(exam=wrong, picture=picture("green"), by=nurse)
    exams.remove_file(file=file, by=nurse)
    exams.unmark_done(exam=wrong, by=nurse)
    exams.cancel_exam(exam=wrong, by=nurse)
    assert not ExamFile.objects.filter(pk=file.pk).exists()
    assert exams.complete_exams(visit=visit, by=tc).stage == Stage.CONSULTING


def test_incomplete_data_is_refused_by_name(visit: Visit, tc: User) -> None:
    with pytest.raises(exams.ExamsLacking) as refusal:
        exams.complete_exams(visit=visit, by=tc)
    assert [state.name for state in refusal.value.states] == ["全景片", "口内照", "口扫"]
    visit.refresh_from_db()
    assert visit.exams_completed_at is None


def test_a_coordinator_completes_the_data_and_goes_on(visit: Visit, tc: User) -> None:
    complete_data(visit, tc)
    moved = exams.complete_exams(visit=visit, by=tc)
    assert moved.stage == Stage.CONSULTING
    assert moved.exams_completed_at


def test_a_nurse_completes_the_data_and_the_coordinator_goes_on(visit: Visit, nurse: User) -> None:
    complete_data(visit, nurse)
    moved = exams.complete_exams(visit=visit, by=nurse)
    assert moved.stage == Stage.EXAM
    assert moved.exams_completed_at


def test_another_order_opens_the_data_again(visit: Visit, nurse: User) -> None:
    complete_data(visit, nurse)
    exams.complete_exams(visit=visit, by=nurse)
    exams.order_exams(visit=visit, kinds=[kind(visit.clinic, "cbct")], by=nurse)
    visit.refresh_from_db()
    assert visit.exams_completed_at is None


def test_completing_without_any_exam_is_refused(clinic: Clinic, nurse: User) -> None:
    visit = VisitFactory(clinic=clinic, stage=Stage.EXAM, route=Route.DOCTOR_FIRST)
    with pytest.raises(Refused):
        exams.complete_exams(visit=visit, by=nurse)


def test_an_order_is_taken_back_only_while_nothing_was_done(visit: Visit, nurse: User) -> None:
    exam = exams.exam_for(visit=visit, kind=kind(visit.clinic, "cbct"), by=nurse)
    exams.cancel_exam(exam=exam, by=nurse)
    assert not visit.exams.exists()
    exam = exams.exam_for(visit=visit, kind=kind(visit.clinic, "cbct"), by=nurse)
    exams.mark_done(exam=exam, by=nurse)
    with pytest.raises(Refused):
        exams.cancel_exam(exam=exam, by=nurse)


def test_exams_of_another_clinic_or_out_of_use_are_refused(visit: Visit, nurse: User) -> None:
    other = ClinicFactory()
    ensure_builtin_content(other)
    with pytest.raises(Refused):
        exams.order_exams(visit=visit, kinds=[kind(other, "cbct")], by=nurse)
    visit.clinic.exam_kinds.filter(code="cbct").update(is_active=False)
    with pytest.raises(Refused):
        exams.order_exams(visit=visit, kinds=[kind(visit.clinic, "cbct")], by=nurse)


@pytest.mark.parametrize("stage", [Stage.ARRIVED, Stage.CLOSED, Stage.LEFT_UNSEEN])
def test_no_exams_before_reception_or_after_the_end(clinic: Clinic, nurse: User, stage: str) -> None:
    visit = VisitFactory(clinic=clinic, stage=stage)
    with pytest.raises(Refused):
        exams.order_exams(visit=visit, kinds=[kind(clinic, "cbct")], by=nurse)

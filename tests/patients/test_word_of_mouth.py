"""Word of mouth: asked at the checkout or on the patient page, done later, declined."""

import pytest
from django.utils import timezone

from accounts.permissions import Role
from consultations.services import leaving
from consultations.stages import Stage
from patients.models import WordOfMouth
from patients.services import word_of_mouth
from tests.factories import ClinicFactory, PatientFactory, UserFactory, VisitFactory
from tests.guards.routes import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def tc():
    return UserFactory(clinic=ClinicFactory())


@pytest.fixture
def clinic(tc):
    return tc.working_in


@pytest.fixture
def visit(clinic):
    return VisitFactory(clinic=clinic, stage=Stage.LEAVING, decision="accepted", decided_at=timezone.now())


def states(patient):
    return list(WordOfMouth.objects.filter(patient=patient).order_by("pk").values_list("platform", "state"))


@pytest.mark.parametrize(
    ("outcome", "kept"),
    [("moments", ("moments", "asked")), ("dianping", ("dianping", "asked")), ("declined", ("", "declined"))],
)
def test_the_checkout_notes_what_was_answered(visit, tc, outcome, kept):
    leaving.mark_done(visit=visit, code="word_of_mouth", outcome=outcome, by=tc)
    assert states(visit.patient) == [kept]


def test_a_later_answer_takes_the_place_of_the_first_and_undoing_takes_it_back(visit, tc):
    for outcome in ("moments", "friends"):
        leaving.mark_done(visit=visit, code="word_of_mouth", outcome=outcome, by=tc)
    assert states(visit.patient) == [("friends", "asked")]
    leaving.undo_done(visit=visit, code="word_of_mouth", by=tc)
    assert states(visit.patient) == []


def test_what_was_done_meanwhile_stays(visit, tc):
    leaving.mark_done(visit=visit, code="word_of_mouth", outcome="friends", by=tc)
    word_of_mouth.answer(row=WordOfMouth.objects.get(), state="done", by=tc)
    leaving.undo_done(visit=visit, code="word_of_mouth", by=tc)
    assert states(visit.patient) == [("friends", "done")]


def test_other_must_dos_note_no_word_of_mouth(clinic, tc):
    visit = VisitFactory(clinic=clinic, stage=Stage.LEAVING, decision="undecided", decided_at=timezone.now())
    leaving.mark_done(visit=visit, code="recheck_plan", by=tc)
    assert not WordOfMouth.objects.exists()


def test_the_patient_page_asks_marks_done_and_takes_back(clinic, tc):
    patient = PatientFactory(clinic=clinic)
    client, url = signed_in(tc), f"/patients/{patient.pk}/word-of-mouth/"
    client.post(url, {"platform": "dianping"})
    row = WordOfMouth.objects.get()
    client.post(url, {"row": row.pk, "state": "done"})
    row.refresh_from_db()
    assert (row.state, row.answered_by) == ("done", tc)
    assert row.answered_at is not None
    client.post(url, {"row": row.pk, "state": "asked"})
    row.refresh_from_db()
    assert (row.state, row.answered_at) == ("asked", None)
    assert client.post(url, {"platform": "?"}).status_code == 422
    assert client.post(url, {"row": row.pk, "state": "?"}).status_code == 422


def test_the_page_says_that_reviews_are_never_rewarded(clinic, tc):
    page = signed_in(tc).get(f"/patients/{PatientFactory(clinic=clinic).pk}/word-of-mouth/").content.decode()
    assert "不给任何奖励" in page


def test_another_patients_row_is_not_found(clinic, tc):
    other = WordOfMouth.objects.create(clinic=clinic, patient=PatientFactory(clinic=clinic), platform="moments")
    url = f"/patients/{PatientFactory(clinic=clinic).pk}/word-of-mouth/"
    assert signed_in(tc).post(url, {"row": other.pk, "state": "done"}).status_code == 404


def test_only_those_who_record_care_may(clinic):
    doctor = UserFactory(clinic=clinic, role=Role.DOCTOR)
    assert signed_in(doctor).get(f"/patients/{PatientFactory(clinic=clinic).pk}/word-of-mouth/").status_code == 403

"""What another program stumbles over: slashes, languages, versions, odd bodies, and places to go on from."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from threading import Barrier

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts.api.views import Resource
from accounts.permissions import Role
from consultations.models import Exam, ExamKind, StageChange
from tests.api.asking import problem
from tests.api.programs import PLACE, Program
from tests.factories import ClinicFactory, MembershipFactory, PatientFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def tc(clinic):
    return Program(UserFactory(clinic=clinic, role=Role.COORDINATOR))


@pytest.fixture
def manager(clinic):
    return Program(UserFactory(clinic=clinic, role=Role.MANAGER))


# --- addresses, languages, bodies ---------------------------------------------------------------------


def test_a_post_without_the_last_slash_is_sent_again_as_a_post(tc):
    answer = tc.post("patients", {"name": "沈雨薇"})
    assert (answer.status_code, answer["Location"]) == (308, f"{PLACE}patients/")


def test_refusals_before_it_is_known_who_asks_are_in_the_language_asked_for(tc):
    stranger = Client(headers={"authorization": "Token x", **ENGLISH})
    assert problem(stranger.get(f"{PLACE}me/"), 401)["title"] == "Not signed in"
    assert problem(tc.client.get(f"{PLACE}nothing/", headers=ENGLISH), 404)["title"] == "Not found"
    assert problem(tc.client.get(f"{PLACE}me/", headers=ENGLISH | {"accept": "text/csv"}), 406)["title"]
    assert problem(tc.client.get(f"{PLACE}me/", headers=ENGLISH | {"accept": "text/csv"}), 406)["title"] != "未找到"


def test_json_without_end_of_nesting_is_a_bad_request(tc):
    problem(tc.client.generic("POST", f"{PLACE}patients/", "[" * 100_000, "application/json"), 400, "bad-request")


def test_unknown_fields_of_inner_objects_are_refused_with_their_place(tc):
    body = {"name": "沈雨薇", "phones": [{"number": "19900001734", "kind": "home"}]}
    assert set(problem(tc.post("patients/", body), 422)["errors"]) == {"phones.0.kind"}


def test_a_filter_given_twice_is_refused_unless_it_takes_several(tc):
    assert set(problem(tc.get("patients/?owner=1&owner=2"), 400)["errors"]) == {"owner"}
    assert tc.get("patients/?class_code=C-A&class_code=C-B").status_code == 200
    assert set(problem(tc.get("patients/search/"), 400)["errors"]) == {"q"}


# --- versions -----------------------------------------------------------------------------------------


def jpeg() -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "JPEG")
    return out.getvalue()


def shot(clinic):
    visit = VisitFactory(clinic=clinic, stage="exam")
    kind = ExamKind.objects.create(clinic=clinic, code="face", name="面相")
    return Exam.objects.create(visit=visit, kind=kind, ordered_by=UserFactory(clinic=clinic, role=Role.NURSE))


def test_rows_without_a_version_are_guarded_by_what_is_told_of_them(clinic):
    nurse, exam = Program(UserFactory(clinic=clinic, role=Role.NURSE)), shot(clinic)
    at = f"exams/{exam.pk}/"
    tag = nurse.get(at)["ETag"]
    assert nurse.client.get(f"{PLACE}{at}", headers={"if-none-match": tag}).status_code == 304
    problem(nurse.delete(at), 428)
    assert problem(nurse.delete(at, if_match='"other"'), 412)["current"] == tag
    assert nurse.delete(at, if_match=tag).status_code == 204


def test_pictures_may_be_asked_for_as_pictures_and_bad_ones_name_their_field(clinic):
    nurse, exam = Program(UserFactory(clinic=clinic, role=Role.NURSE)), shot(clinic)
    at = f"exams/{exam.pk}/files/"
    bad = nurse.upload(at, file=SimpleUploadedFile("a.jpg", b"no picture", "image/jpeg"))
    assert set(problem(bad, 422)["errors"]) == {"file"}
    made = nurse.upload(at, file=SimpleUploadedFile("a.jpg", jpeg(), "image/jpeg")).json()
    content = f"{PLACE}exam-files/{made['id']}/content/"
    answer = nurse.client.get(content, headers={"accept": "image/jpeg"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert set(problem(nurse.client.get(f"{content}?size=huge"), 400)["errors"]) == {"size"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("protected", [True, False])
def test_of_several_who_write_allergies_at_once_one_does(clinic, monkeypatch, protected):
    """The control: without the lock before the comparison, each overwrites what the others wrote."""
    if not protected:
        monkeypatch.setattr("patients.api.patients.Patients.held", {})
        monkeypatch.setattr(Resource, "shown", slowly(Resource.shown))
    patient, user = PatientFactory(clinic=clinic), UserFactory(clinic=clinic, role=Role.COORDINATOR)
    at, start = f"patients/{patient.pk}/", Barrier(4)
    programs = [Program(user) for _n in range(4)]
    tag = programs[0].get(at)["ETag"]

    def write(program):
        start.wait()
        try:
            body = {"allergies": "青霉素", "medical_notes": str(id(program))}
            return program.post(f"{at}allergies/", body, if_match=tag).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        said = sorted(pool.map(write, programs))
    assert (said == [200, 412, 412, 412]) is protected


def slowly(shown):
    """Hold what was written a moment longer, as a slow answer does."""

    def wait(self, row):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.3)")
        return shown(self, row)

    return wait


# --- steps and bookings -------------------------------------------------------------------------------


def test_a_step_before_its_turn_names_its_lack_by_code_and_the_stage_that_comes(clinic, tc):
    visit = VisitFactory(clinic=clinic, coordinator=tc.user, stage="received")
    told = problem(tc.post(f"visits/{visit.pk}/move/", {"to": "decision"}, if_match="*"), 422)
    assert (told["missing"], told["next_stage"]) == (["order"], "intake")


def test_a_booking_outside_the_hours_is_refused_unless_one_insists(clinic, tc):
    doctor, patient = UserFactory(clinic=clinic, role=Role.DOCTOR), PatientFactory(clinic=clinic)
    night = (timezone.localtime(timezone=clinic.tz) + timedelta(days=2)).replace(hour=3, minute=0, second=0)
    body = {"patient": patient.pk, "doctor": doctor.pk, "kind": "first", "starts_at": night.isoformat()}
    told = problem(tc.post("appointments/", body), 409)
    assert (set(told["errors"]), told["may_insist"]) == ({"starts_at"}, True)
    assert tc.post("appointments/", body | {"insist": True}).status_code == 201


# --- figures and the warehouse ------------------------------------------------------------------------


def test_the_figures_take_a_clinics_code_and_refuse_what_they_do_not_know(clinic, manager):
    there = ClinicFactory()
    MembershipFactory(user=manager.user, clinic=there, role=Role.MANAGER)
    assert manager.get(f"kpis/?clinic={there.code}").json()["clinics"] == [there.code]
    named = manager.client.get(f"{PLACE}kpis/", headers={"x-clinic": there.code})
    assert named.json()["clinics"] == [there.code]
    problem(manager.client.get(f"{PLACE}kpis/", headers={"x-clinic": ClinicFactory().code}), 404)
    assert set(problem(manager.get("kpis/?foo=1"), 400)["errors"]) == {"foo"}
    assert set(problem(manager.get("kpis/closing/records/?foo=1"), 400)["errors"]) == {"foo"}


def test_a_log_is_read_on_from_its_cursor_and_its_newest_rows_again(clinic, manager):
    """Ids are given before a transaction ends: a row with a lower one may still appear behind the newest."""
    visit, now = VisitFactory(clinic=clinic), timezone.now()
    StageChange.objects.filter(visit=visit).delete()
    made = [
        StageChange.objects.create(visit=visit, old_stage="", new_stage="arrived", at=now - timedelta(minutes=age)).pk
        for age in (60, 30, 1)
    ]
    first = manager.get("bulk/stage-changes/").json()
    assert [row["id"] for row in first["results"]] == made
    assert first["next"] is None
    again = manager.get(f"bulk/stage-changes/?cursor={first['cursor']}").json()
    assert [row["id"] for row in again["results"]] == made[2:]
    assert again["cursor"] == first["cursor"]

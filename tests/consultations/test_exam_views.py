"""Capturing exams on the visit page, and who gets to see the pictures."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import Clinic, User
from accounts.permissions import Role
from consultations.models import ExamFile, Visit
from consultations.services.content import ensure_builtin_content
from consultations.stages import Route, Stage
from tests.factories import ClinicFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    clinic = ClinicFactory()
    ensure_builtin_content(clinic)
    return clinic


@pytest.fixture
def visit(clinic: Clinic) -> Visit:
    return VisitFactory(clinic=clinic, stage=Stage.EXAM, route=Route.EXAM_FIRST, complaint_confirmed_at=timezone.now())


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def nurse(clinic: Clinic) -> Client:
    return as_(UserFactory(role=Role.NURSE, clinic=clinic))


@pytest.fixture
def tc(clinic: Clinic) -> Client:
    return as_(UserFactory(role=Role.COORDINATOR, clinic=clinic))


def upload(name: str = "a.jpg", colour: str = "teal", content: bytes | None = None) -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(out, "JPEG")
    return SimpleUploadedFile(name, out.getvalue() if content is None else content, content_type="image/jpeg")


def send(client: Client, visit: Visit, *files: SimpleUploadedFile, code: str = "panoramic", **more: Any) -> Any:
    kind = visit.clinic.exam_kinds.get(code=code)
    return client.post(reverse("visit_exam_upload", args=[visit.pk, kind.pk]), {"files": files}, **more)


def test_a_nurse_uploads_several_pictures_at_once(visit: Visit, nurse: Client) -> None:
    answer = send(nurse, visit, upload("a.jpg", "red"), upload("b.jpg", "blue"))
    assert answer.status_code == 302
    exam = visit.exams.get()
    assert exam.done_at
    assert exam.files.count() == 2


def test_a_bad_file_is_named_and_the_others_are_kept(visit: Visit, nurse: Client) -> None:
    evil = "<b>x</b>.jpg"
    answer = send(
        nurse, visit, upload("good.jpg"), upload(evil, content=b"<svg onload=alert(1)>"), headers={"HX-Request": "true"}
    )
    text = answer.content.decode()
    assert answer.status_code == 422
    assert visit.exams.get().files.count() == 1
    assert "不是 JPEG" in text
    assert "<b>x</b>" not in text


def test_without_scripts_errors_show_on_the_whole_page(visit: Visit, nurse: Client) -> None:
    answer = send(nurse, visit, upload("no.txt", content=b"hello"))
    assert answer.status_code == 422
    assert "no.txt" in answer.content.decode()


def test_a_copy_is_named(visit: Visit, nurse: Client) -> None:
    send(nurse, visit, upload())
    answer = send(nurse, visit, upload(), headers={"HX-Request": "true"})
    assert "已经有了" in answer.content.decode()
    assert ExamFile.objects.count() == 1


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.COORDINATOR, 200),
        (Role.DOCTOR, 200),
        (Role.NURSE, 200),
        (Role.MANAGER, 200),
        (Role.FRONT_DESK, 403),
        (Role.ONLINE_CONSULTANT, 403),
    ],
)
def test_who_gets_to_see_a_picture(visit: Visit, nurse: Client, clinic: Clinic, role: str, status: int) -> None:
    send(nurse, visit, upload())
    file = ExamFile.objects.get()
    answer = as_(UserFactory(role=role, clinic=clinic)).get(reverse("exam_file", args=[file.pk]))
    assert answer.status_code == status
    if status == 200:
        assert answer["Content-Type"] == "image/jpeg"
        assert "private" in answer["Cache-Control"]
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert Image.open(io.BytesIO(b"".join(answer.streaming_content))).size == (64, 64)


def test_another_clinics_picture_is_not_there(visit: Visit, nurse: Client) -> None:
    send(nurse, visit, upload())
    file = ExamFile.objects.get()
    stranger = as_(UserFactory(role=Role.DOCTOR, clinic=ClinicFactory()))
    assert stranger.get(reverse("exam_file", args=[file.pk])).status_code == 404
    address = reverse("visit_exam_file", args=[visit.pk, file.pk])
    assert stranger.post(address, {"action": "remove"}).status_code == 404
    assert Client().get(reverse("exam_file", args=[file.pk])).status_code == 302


def test_a_file_of_another_visit_is_not_there(visit: Visit, nurse: Client, clinic: Clinic) -> None:
    send(nurse, visit, upload())
    other = VisitFactory(clinic=clinic, stage=Stage.EXAM)
    address = reverse("visit_exam_file", args=[other.pk, ExamFile.objects.get().pk])
    assert nurse.post(address, {"action": "remove"}).status_code == 404


def test_removing_can_be_undone(visit: Visit, nurse: Client) -> None:
    send(nurse, visit, upload())
    file = ExamFile.objects.get()
    nurse.post(reverse("visit_exam_file", args=[visit.pk, file.pk]), {"action": "remove"})
    assert nurse.get(reverse("exam_file", args=[file.pk])).status_code == 404
    nurse.post(reverse("exam_file_restore", args=[visit.pk, file.pk]))
    assert nurse.get(reverse("exam_file", args=[file.pk])).status_code == 200


def test_a_caption_stays_text(visit: Visit, nurse: Client) -> None:
    send(nurse, visit, upload())
    file = ExamFile.objects.get()
    evil = "<script>alert(1)</script>"
    nurse.post(reverse("visit_exam_file", args=[visit.pk, file.pk]), {"action": "caption", "caption": evil})
    text = nurse.get(reverse("visit_exams", args=[visit.pk])).content.decode()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_money_shows_to_those_who_may_see_it(visit: Visit, nurse: Client, tc: Client) -> None:
    Visit.objects.filter(pk=visit.pk).update(is_first=False)
    address = reverse("visit_exams", args=[visit.pk])
    assert "¥150" in tc.get(address).content.decode()
    assert "¥" not in nurse.get(address).content.decode()
    Visit.objects.filter(pk=visit.pk).update(is_first=True)
    assert "初诊免费" in tc.get(address).content.decode()


def test_completing_names_what_is_missing_and_goes_on_when_whole(visit: Visit, tc: Client) -> None:
    address = reverse("visit_exams_complete", args=[visit.pk])
    refused = tc.post(address)
    assert refused.status_code == 422
    assert "全景片" in refused.content.decode()
    send(tc, visit, upload("a.jpg", "red"))
    send(tc, visit, upload("b.jpg", "blue"), code="intraoral")
    impression = visit.clinic.exam_kinds.get(code="impression")
    tc.post(reverse("visit_exam", args=[visit.pk, impression.pk]), {"action": "done"})
    assert tc.post(address).status_code == 302
    visit.refresh_from_db()
    assert visit.stage == Stage.CONSULTING


@pytest.mark.parametrize("role", [Role.FRONT_DESK, Role.ONLINE_CONSULTANT])
def test_exams_are_closed_to_roles_that_do_not_capture(visit: Visit, clinic: Clinic, role: str) -> None:
    client = as_(UserFactory(role=role, clinic=clinic))
    assert client.get(reverse("visit_exams", args=[visit.pk])).status_code == 403
    assert send(client, visit, upload()).status_code == 403


def test_the_rows_queries_do_not_grow_with_the_pictures(
    visit: Visit, nurse: Client, django_assert_num_queries: Any
) -> None:
    address = reverse("visit_exams", args=[visit.pk])
    send(nurse, visit, upload("a.jpg", "red"))
    with CaptureQueriesContext(connection) as few:
        nurse.get(address)
    count = len(few)
    assert 0 < count <= 12
    send(nurse, visit, *(upload(f"{n}.jpg", f"#{n}00{n}") for n in range(20, 99, 8)))
    assert ExamFile.objects.count() == 11
    with django_assert_num_queries(count):
        nurse.get(address)

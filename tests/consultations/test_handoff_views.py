"""The coordinator's pages of the note."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from accounts.permissions import Role
from consultations.models import Exam, ExamKind, Handoff, Script
from consultations.services import handoff, questions
from tests.consultations.clinical import Room, note, posted

pytestmark = pytest.mark.django_db
MOST_QUERIES = 15


@pytest.fixture
def room():
    return Room()


@pytest.fixture
def tc(room, client):
    client.force_login(room.tc)
    return client


def page(client, visit, stage="handoff"):
    return client.get(f"{visit.get_absolute_url()}?stage={stage}")


def send(client, visit, **fields):
    return client.post(reverse("handoff_send", args=[visit.pk]), posted(expected=visit.stage, **fields))


def test_the_panel_offers_class_judgements_and_the_suggestion(room, tc):
    visit = room.visit()
    handoff.save_draft(visit=visit, content=note(), version=0, by=room.tc)
    html = page(tc, visit).content.decode()
    assert html.count('name="class_code"') == 5
    assert html.count('name="awareness"') == html.count('name="trust"') == 5
    assert "建议 C-C" in html
    assert "必填 7 项已齐" in html
    assert "交给谢美林医生" in html


def test_what_is_missing_is_named_with_links(room, tc):
    html = page(tc, room.visit()).content.decode()
    assert 'href="#id_wished_words"' in html
    assert "希望医生说的话" in html


def test_the_last_judgement_stands_beside(room, tc):
    earlier = room.sent(trust=4)
    type(earlier).objects.filter(pk=earlier.pk).update(stage="closed")
    later = room.visit(patient=earlier.patient, is_first=False)
    assert "上次 4" in page(tc, later).content.decode()


def test_sending_leads_to_the_doctors_panel(room, tc):
    visit = room.visit()
    response = send(tc, visit, doctor=room.doctor.pk)
    assert response.url == f"{visit.get_absolute_url()}?stage=doctor"
    visit.refresh_from_db()
    assert visit.stage == "doctor"


def test_an_incomplete_note_comes_back_with_what_was_typed(room, tc):
    visit = room.visit()
    response = send(tc, visit, doctor=room.doctor.pk, wished_words="", opinion="只写了一半")
    html = response.content.decode()
    assert response.status_code == 422
    assert "只写了一半" in html
    assert 'href="#id_wished_words"' in html
    visit.refresh_from_db()
    assert visit.stage == "handoff"


def test_a_missing_form_is_named_and_nothing_typed_is_lost(room, tc):
    visit = room.visit(form_completed_at=None)
    response = send(tc, visit, doctor=room.doctor.pk)
    html = response.content.decode()
    assert response.status_code == 422
    assert f"{visit.get_absolute_url()}?stage=intake" in html
    assert note().opinion in html


def test_sending_what_a_colleague_just_sent_changes_nothing(room, tc):
    visit = room.sent()
    response = tc.post(reverse("handoff_send", args=[visit.pk]), posted(expected="handoff", doctor=room.doctor.pk))
    assert response.status_code == 302
    assert Handoff.objects.get(visit=visit).version == 1
    assert visit.patient.class_changes.count() == 1


def test_a_note_changed_by_somebody_else_shows_both(room, tc):
    visit = room.visit()
    handoff.save_draft(visit=visit, content=note(opinion="同事写的"), version=0, by=room.person(Role.COORDINATOR))
    handoff.save_draft(visit=visit, content=note(opinion="同事改的"), version=1, by=room.person(Role.COORDINATOR))
    response = send(tc, visit, doctor=room.doctor.pk, opinion="我写的", version=1)
    html = response.content.decode()
    assert response.status_code == 409
    assert "同事改的" in html
    assert "我写的" in html
    again = send(tc, visit, doctor=room.doctor.pk, opinion="我写的", version=2)
    assert again.status_code == 302
    assert Handoff.objects.get(visit=visit).opinion == "我写的"


def test_a_draft_is_kept_while_typing(room, tc):
    visit = room.visit()
    url = reverse("handoff_draft", args=[visit.pk])
    first = json.loads(tc.post(url, posted(wished_words="", awareness=None)).content)
    second = json.loads(tc.post(url, posted(wished_words="您放心", version=first["version"])).content)
    assert (first["version"], second["version"]) == (1, 2)
    assert ":" in second["saved_at"]
    assert Handoff.objects.get(visit=visit).wished_words == "您放心"


def test_a_stale_draft_says_so_and_a_sent_one_too(room, tc):
    visit = room.visit()
    url = reverse("handoff_draft", args=[visit.pk])
    tc.post(url, posted())
    tc.post(url, posted(opinion="二", version=1))
    stale = tc.post(url, posted(opinion="三", version=1))
    assert stale.status_code == 409
    assert "看法" in json.loads(stale.content)["error"]
    send(tc, visit, doctor=room.doctor.pk, opinion="二", version=2)
    assert tc.post(url, posted(opinion="四", version=2)).status_code == 422


def test_the_check_names_words_and_follows_the_awareness(room, tc):
    visit = room.visit()
    url = reverse("handoff_check", args=[visit.pk])
    words = tc.post(f"{url}?part=words", {"wished_words": "保证治好，只要 6800 元"}).content.decode()
    assert "保证" in words
    assert "6800 元" in words
    low = tc.post(url, {"awareness": "2"}).content.decode()
    high = tc.post(url, {"awareness": "4", "class_code": "C-C"}).content.decode()
    assert "C-C" in low
    assert "C-E" in high
    assert 'name="class_reason"' in high


def test_what_a_person_typed_is_escaped(room, tc):
    visit = room.visit()
    evil = "<script>alert(1)</script>"
    tc.post(reverse("handoff_draft", args=[visit.pk]), posted(opinion=evil, stress_points=[evil]))
    html = page(tc, visit).content.decode()
    assert evil not in html
    assert "&lt;script&gt;" in html


def test_the_preview_shows_the_form_as_it_stands_and_keeps_nothing(room, tc):
    visit = room.visit()
    response = tc.post(reverse("handoff_preview", args=[visit.pk]), posted(opinion="预览的看法"))
    assert "预览的看法" in response.content.decode()
    assert not Handoff.objects.filter(visit=visit).exists()


def test_the_status_shows_reading_questions_and_a_change(room, tc):
    visit = room.sent()
    url = reverse("handoff_status", args=[visit.pk])
    assert "还没看" in tc.get(url).content.decode()
    question = questions.ask_coordinator(visit=visit, question="有没有高血压？", by=room.doctor)
    asked = tc.get(url).content.decode()
    assert "有没有高血压？" in asked
    assert reverse("question_answer", args=[visit.pk, question.pk]) in asked
    tc.post(reverse("question_answer", args=[visit.pk, question.pk]), {"answer": "没有"})
    handoff.acknowledge(visit=visit, version=1, by=room.doctor)
    read = tc.get(url).content.decode()
    assert "已阅" in read
    assert "没有" in read
    handoff.change_sent(visit=visit, content=note(opinion="补充"), version=1, by=room.tc)
    assert "有修改" in tc.get(url).content.decode()


def test_a_sent_note_is_changed_with_the_button(room, tc):
    visit = room.sent()
    html = page(tc, visit).content.decode()
    assert "保存修改" in html
    assert "data-autosave" not in html
    assert send(tc, visit, opinion="补充", version=1, doctor=room.doctor.pk).status_code == 302
    assert Handoff.objects.get(visit=visit).opinion == "补充"


def test_another_clinics_note_is_not_found(room):
    stranger = Client()
    stranger.force_login(Room().tc)
    visit = room.sent()
    for name in ("handoff_status", "handoff_print"):
        assert stranger.get(reverse(name, args=[visit.pk])).status_code == 404
    assert send(stranger, visit).status_code == 404


@pytest.mark.parametrize("role", [Role.DOCTOR, Role.NURSE, Role.FRONT_DESK, Role.ONLINE_CONSULTANT])
def test_nobody_else_writes(room, client, role):
    client.force_login(room.person(role))
    visit = room.visit()
    assert send(client, visit, doctor=room.doctor.pk).status_code == 403
    assert client.post(reverse("handoff_draft", args=[visit.pk]), posted()).status_code == 403


@pytest.mark.parametrize(("role", "status"), [(Role.NURSE, 200), (Role.DOCTOR, 200), (Role.FRONT_DESK, 403)])
def test_who_reads_the_printed_note(room, client, role, status):
    visit = room.sent()
    client.force_login(room.person(role))
    assert client.get(reverse("handoff_print", args=[visit.pk])).status_code == status


def test_the_page_needs_few_statements(room, tc, django_assert_max_num_queries):
    visit = room.visit()
    kinds = [ExamKind.objects.create(clinic=room.clinic, code=f"k{n}", name=f"检查{n}") for n in range(5)]
    exams = [Exam.objects.create(visit=visit, kind=kind, ordered_by=room.tc) for kind in kinds]
    for number in range(6):
        Script.objects.create(clinic=room.clinic, stage="handoff", title=f"话术{number}", body="您好")
    content = note(attached_exams=tuple(sorted(exam.pk for exam in exams)))
    handoff.save_draft(visit=visit, content=content, version=0, by=room.tc)
    page(tc, visit)
    with django_assert_max_num_queries(MOST_QUERIES):
        page(tc, visit)


def test_a_note_given_to_the_wrong_doctor_is_given_to_another_until_it_is_read(room, tc):
    other = room.person(Role.DOCTOR)
    visit = room.sent()
    assert f'value="{other.pk}"' in page(tc, visit).content.decode()
    assert send(tc, visit, version=1, doctor=other.pk).status_code == 302
    visit.refresh_from_db()
    assert (visit.doctor, visit.stage) == (other, "doctor")
    handoff.acknowledge(visit=visit, version=1, by=other)
    assert send(tc, visit, version=1, doctor=room.doctor.pk).status_code == 302  # a page from before it was read
    visit.refresh_from_db()
    assert visit.doctor == other


def test_a_note_is_given_to_nobody_who_is_no_doctor(room, tc):
    visit = room.sent()
    assert send(tc, visit, version=1, doctor=room.tc.pk).status_code == 422
    visit.refresh_from_db()
    assert visit.doctor == room.doctor

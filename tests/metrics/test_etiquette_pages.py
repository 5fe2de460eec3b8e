"""The pages of etiquette: who sees what, conflicts shown, recordings in and out, rubrics edited."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.permissions import Role
from metrics import etiquette_lists as lists
from metrics import etiquette_rules as rules
from metrics.models import EtiquetteInspection, EtiquetteRubric, InspectionRecording
from tests.factories import ClinicFactory, MembershipFactory, UserFactory
from tests.metrics.etiquette import ALL_YES, CALL_YES, WAV, Stage, sent, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return Stage()


def wav(name: str = "电话.wav", content: bytes = WAV) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


# --- scoring ---------------------------------------------------------------------------------------


def test_a_visit_is_scored_from_its_own_page_in_one_post(stage):
    client, url = signed_in(stage.manager), f"/etiquette/visits/{stage.visit.pk}/"
    assert url in client.get(f"/visits/{stage.visit.pk}/").content.decode()
    page = client.get(url).content.decode()
    assert page.count("<fieldset") == len(ALL_YES)
    assert "等候 6 分钟" in page  # what the records know helps the memory
    assert not EtiquetteRubric.objects.exists()  # looking writes nothing
    answer = client.post(url, sent(ALL_YES | {"farewell": rules.NO}, note="没有送到门口"))
    row = EtiquetteInspection.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/etiquette/{row.pk}/")
    assert row.score == 92
    told = client.get(f"/etiquette/{row.pk}/").content.decode()
    assert "没有送到门口" in told
    assert "92" in told


def test_a_call_is_opened_from_the_patient_s_timeline_by_managers_alone(stage):
    url = f"/etiquette/calls/{stage.call.pk}/"
    patient = f"/patients/{stage.call.patient_id}/"
    assert url in signed_in(stage.manager).get(patient).content.decode()
    assert url not in signed_in(stage.tc).get(patient).content.decode()


def test_what_was_answered_stays_when_something_lacks(stage):
    client, url = signed_in(stage.manager), f"/etiquette/visits/{stage.visit.pk}/"
    data = sent(ALL_YES, note="别丢")
    del data["a-greeting"]
    answer = client.post(url, data)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "别丢" in page
    assert page.count(" checked") == len(ALL_YES) - 1
    assert not EtiquetteInspection.objects.exists()


def test_without_scripts_the_rest_can_be_filled_with_yes(stage):
    client, url = signed_in(stage.manager), f"/etiquette/visits/{stage.visit.pk}/"
    page = client.post(url, {"a-greeting": "0", "note": "x", "fill": "1", "version": "1"}).content.decode()
    assert page.count(" checked") == len(ALL_YES)
    assert not EtiquetteInspection.objects.exists()


def test_the_second_of_two_managers_sees_both_scores_and_may_then_replace(stage):
    first = stage.score(note="第一次")
    client, url = signed_in(stage.other), f"/etiquette/visits/{stage.visit.pk}/"
    mine = sent(ALL_YES | {"farewell": rules.NO}, note="第二次")
    answer = client.post(url, mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert all(words in page for words in ("何静宜", "第一次", "第二次", ">92<", ">100<"))
    assert f'name="expected" value="{first.pk}"' in page
    assert client.post(url, mine | {"expected": str(first.pk)}).status_code == 302
    first.refresh_from_db()
    assert first.replaced_at is not None


def test_a_score_given_to_the_wrong_visit_is_taken_back_and_counts_nowhere(stage):
    row, manager = stage.score(), signed_in(stage.manager)
    url = f"/etiquette/{row.pk}/take-back/"
    assert url in manager.get(f"/etiquette/{row.pk}/").content.decode()
    assert signed_in(stage.tc).post(url, {"reason": "太低"}).status_code == 403
    assert manager.post(url, {"reason": " "}).status_code == 422
    assert manager.post(url, {"reason": "评错了到诊"}).status_code == 302
    assert not lists.standing(stage.clinic).exists()
    assert manager.post(url, {"reason": "再来一次"}).status_code == 422
    assert url not in manager.get(f"/etiquette/{row.pk}/").content.decode()
    assert stage.score(note="这次评对了").replaced_at is None


def test_one_s_own_visit_offers_no_form(stage):
    visit = stage.received(stage.manager)
    client, url = signed_in(stage.manager), f"/etiquette/visits/{visit.pk}/"
    assert "<fieldset" not in client.get(url).content.decode()
    assert client.post(url, sent(ALL_YES)).status_code == 422
    assert not EtiquetteInspection.objects.exists()


@pytest.mark.parametrize("role", [role for role in Role.values if role not in (Role.MANAGER, Role.ADMIN)])
def test_others_do_not_score(stage, role):
    client = signed_in(UserFactory(role=role, clinic=stage.clinic))
    for url in (f"/etiquette/visits/{stage.visit.pk}/", f"/etiquette/calls/{stage.call.pk}/"):
        assert client.get(url).status_code == 403
        assert client.post(url, sent(ALL_YES)).status_code == 403


def test_another_clinic_s_are_not_found(stage):
    row = stage.score(stage.call, recordings=[])
    client = signed_in(UserFactory(role=Role.MANAGER, clinic=ClinicFactory()))
    for url in (f"visits/{stage.visit.pk}/", f"calls/{stage.call.pk}/", f"{row.pk}/"):
        assert client.get(f"/etiquette/{url}").status_code == 404


# --- reading ---------------------------------------------------------------------------------------


def test_the_person_inspected_sees_theirs_and_marks_it_read_and_nobody_else_does(stage):
    row = stage.score(note="值得学习")
    mine, colleague = signed_in(stage.tc), signed_in(UserFactory(clinic=stage.clinic))
    assert f"/etiquette/{row.pk}/" in mine.get("/etiquette/mine/").content.decode()
    assert mine.get("/etiquette/").headers["Location"] == "/etiquette/mine/"
    assert "值得学习" in mine.get(f"/etiquette/{row.pk}/").content.decode()
    row.refresh_from_db()
    assert row.seen_at is None  # opening it is not marking it
    mine.post(f"/etiquette/{row.pk}/seen/")
    row.refresh_from_db()
    assert row.seen_at is not None
    assert colleague.get(f"/etiquette/{row.pk}/").status_code == 404
    assert colleague.post(f"/etiquette/{row.pk}/seen/").status_code == 404
    assert f"/etiquette/{row.pk}/" not in colleague.get("/etiquette/mine/").content.decode()


def test_the_list_tells_by_person_and_opens_the_records(stage):
    stage.score()
    stage.score(stage.call, answers=CALL_YES | {"tone": rules.NO})
    client = signed_in(stage.manager)
    page = client.get("/etiquette/").content.decode()
    assert "100.0" in page
    assert "85.0" in page
    found = client.get(f"/etiquette/records/?staff={stage.tc.pk}&kind=call&version=1").content.decode()
    assert found.count("data-inspection=") == 1
    assert client.get(f"/etiquette/records/?staff={stage.manager.pk}").content.decode().count("data-inspection=") == 0


@pytest.mark.parametrize(
    "query", ["start=2026-11-22&end=2026-11-01", "start=nonsense", "staff=999999", "kind=x", "version=0"]
)
def test_filters_that_mean_nothing_are_refused_beside_the_field_and_kept(stage, query):
    client = signed_in(stage.manager)
    for url in ("/etiquette/", "/etiquette/records/"):
        answer = client.get(f"{url}?{query}")
        assert answer.status_code == 422
    answer = client.get("/etiquette/?start=2026-11-22&end=2026-11-01").content.decode()
    assert 'value="2026-11-01"' in answer
    assert "is-invalid" in answer


def test_the_pages_need_as_many_statements_for_many(stage, django_assert_max_num_queries):
    client = signed_in(stage.manager)
    for _ in range(12):
        stage.score(stage.called(UserFactory(clinic=stage.clinic)))
        stage.score(stage.called(stage.tc))
    for url in ("/etiquette/", "/etiquette/records/"):
        client.get(url)
        with django_assert_max_num_queries(15):
            client.get(url)


# --- recordings ------------------------------------------------------------------------------------


def test_a_recording_is_uploaded_with_the_score_and_played_by_pieces(stage):
    client = signed_in(stage.manager)
    client.post(f"/etiquette/calls/{stage.call.pk}/", sent(CALL_YES, recordings=wav()))
    row = InspectionRecording.objects.get()
    url = f"/etiquette/recordings/{row.pk}/"
    assert url in client.get(f"/etiquette/{row.inspection_id}/").content.decode()
    whole = client.get(url)
    assert (whole.status_code, b"".join(whole.streaming_content)) == (200, WAV)
    assert whole.headers["Content-Type"] == "audio/wav"
    assert (whole.headers["Accept-Ranges"], whole.headers["X-Content-Type-Options"]) == ("bytes", "nosniff")
    part = client.get(url, HTTP_RANGE="bytes=4-7")
    assert (part.status_code, b"".join(part.streaming_content)) == (206, WAV[4:8])
    assert part.headers["Content-Range"] == f"bytes 4-7/{len(WAV)}"
    assert client.get(url, HTTP_RANGE="bytes=99999-").status_code == 416


def test_a_recording_is_heard_by_managers_and_the_person_inspected_alone(stage):
    signed_in(stage.manager).post(f"/etiquette/calls/{stage.call.pk}/", sent(CALL_YES, recordings=wav()))
    url = f"/etiquette/recordings/{InspectionRecording.objects.get().pk}/"
    assert signed_in(stage.tc).get(url).status_code == 200
    assert signed_in(UserFactory(clinic=stage.clinic)).get(url).status_code == 404
    assert signed_in(UserFactory(role=Role.MANAGER, clinic=ClinicFactory())).get(url).status_code == 404


def test_what_is_no_recording_is_refused_and_the_answers_stay(stage):
    client, url = signed_in(stage.manager), f"/etiquette/calls/{stage.call.pk}/"
    for bad in (wav("a.mp3", b"<html>"), wav("b.wav", b"MZ\x90"), wav("c.wav", b"")):
        answer = client.post(url, sent(CALL_YES, recordings=bad))
        assert answer.status_code == 422
        assert answer.content.decode().count(" checked") == len(CALL_YES)
    assert not EtiquetteInspection.objects.exists()
    many = client.post(url, sent(CALL_YES, recordings=[wav(content=WAV + bytes([n])) for n in range(4)]))
    assert many.status_code == 422


def test_a_recording_can_follow_later(stage):
    row, client = stage.score(stage.call), signed_in(stage.manager)
    url = f"/etiquette/{row.pk}/recordings/"
    assert client.post(url).status_code == 422
    assert client.post(url, {"recordings": wav("x.wav", b"nothing")}).status_code == 422
    for _ in range(2):
        assert client.post(url, {"recordings": BytesIO(WAV)}).status_code == 302
    assert row.recordings.count() == 1
    assert signed_in(stage.tc).post(url, {"recordings": BytesIO(WAV)}).status_code == 403


# --- rubrics ---------------------------------------------------------------------------------------


def fields(items, **more):
    told = {"version": "1", "total": str(len(items))} | more
    for n, item in enumerate(items):
        told |= {f"i{n}-{name}": str(getattr(item, name)) for name in ("code", "label", "label_zh", "points")}
    return told


def test_a_manager_edits_a_rubric_and_it_becomes_a_version(stage):
    client, items = signed_in(stage.manager), list(rules.BUILTIN["visit"])
    assert client.get("/etiquette/rubrics/visit/").status_code == 200
    data = fields(items) | {"i0-points": "8", "total": "12", "i11-label_zh": "微笑", "i11-points": "2"}
    assert client.post("/etiquette/rubrics/visit/", data).status_code == 302
    made = EtiquetteRubric.objects.get(kind="visit", is_active=True)
    assert (made.version, made.items[0]["points"], made.items[-1]["code"]) == (2, 8, "own-1")
    page = client.get(f"/etiquette/visits/{stage.visit.pk}/").content.decode()
    assert "微笑" in page
    client.post("/etiquette/rubrics/visit/restore/", {"version": "2"})
    assert EtiquetteRubric.objects.get(kind="visit", is_active=True).version == 3


def test_points_that_do_not_add_up_are_told_and_what_was_typed_stays(stage):
    client, items = signed_in(stage.manager), list(rules.BUILTIN["visit"])
    answer = client.post("/etiquette/rubrics/visit/", fields(items) | {"i0-label_zh": "迎接", "i0-points": "9"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "99" in page
    assert "迎接" in page
    answer = client.post("/etiquette/rubrics/visit/", fields(items) | {"i0-points": "many"})
    assert answer.status_code == 422
    assert not EtiquetteRubric.objects.filter(version=2).exists()


def test_items_are_moved_left_out_and_added_before_saving(stage):
    client, items = signed_in(stage.manager), list(rules.BUILTIN["call"])
    url = "/etiquette/rubrics/call/"
    for op, count in (("add", 9), ("remove 0", 7), ("up 1", 8), ("down 0", 8), ("up 0", 8)):
        page = client.post(url, fields(items, op=op)).content.decode()
        assert page.count("-label_zh") // 1 >= count, op
        assert f'name="total" value="{count}"' in page, op
    assert not EtiquetteRubric.objects.exists()


def test_a_rubric_changed_by_another_meanwhile_is_a_conflict(stage):
    items = list(rules.BUILTIN["call"])
    changed = fields(items) | {"i0-label_zh": "时段"}
    assert signed_in(stage.manager).post("/etiquette/rubrics/call/", changed).status_code == 302
    answer = signed_in(stage.other).post("/etiquette/rubrics/call/", fields(items) | {"i0-label_zh": "另一个"})
    assert answer.status_code == 409
    assert "另一个" in answer.content.decode()


def test_rubrics_are_for_managers_and_of_two_kinds(stage):
    assert signed_in(stage.tc).get("/etiquette/rubrics/visit/").status_code == 403
    assert signed_in(stage.manager).get("/etiquette/rubrics/letter/").status_code == 404


def test_a_manager_of_two_clinics_sees_the_current_one_s_alone(stage):
    row = stage.score()
    elsewhere = ClinicFactory()
    MembershipFactory(user=stage.manager, clinic=elsewhere, role=Role.MANAGER)
    stage.manager.current_clinic = elsewhere
    stage.manager.save()
    client = signed_in(stage.manager)
    assert client.get(f"/etiquette/{row.pk}/").status_code == 404
    assert "data-inspection" not in client.get("/etiquette/records/").content.decode()

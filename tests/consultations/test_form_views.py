"""The coordinator's form panel and the content pages."""

import json
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from accounts.models import Clinic, User
from accounts.permissions import Role
from consultations.models import ConsultationForm, FormTemplate, Visit
from consultations.services.content import ensure_builtin_content
from consultations.services.forms import complete_form, save_answers, start_form
from consultations.services.reception import receive
from consultations.stages import Stage
from tests.consultations.test_form_services import WHOLE
from tests.factories import ClinicFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    clinic = ClinicFactory()
    ensure_builtin_content(clinic)
    return clinic


@pytest.fixture
def tc(clinic: Clinic) -> User:
    return UserFactory(role=Role.COORDINATOR, clinic=clinic)


@pytest.fixture
def visit(clinic: Clinic, tc: User) -> Visit:
    return receive(visit=VisitFactory(clinic=clinic), by=tc)


@pytest.fixture
def form(visit: Visit, tc: User) -> ConsultationForm:
    return start_form(visit=visit, by=tc)


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def panel(visit: Visit) -> str:
    return f"{visit.get_absolute_url()}?stage=intake"


def sent(answers: dict[str, Any], **more: str) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for code, value in answers.items():
        if isinstance(value, dict):
            data |= {f"q_{code}": value["value"], f"q_{code}_detail": value.get("detail", "")}
        else:
            data[f"q_{code}"] = value
    return data | more


def test_the_panel_offers_to_begin_and_beginning_moves_the_visit(visit: Visit, tc: User) -> None:
    client = as_(tc)
    assert reverse("visit_form_start", args=[visit.pk]) in client.get(panel(visit)).content.decode()
    assert client.post(reverse("visit_form_start", args=[visit.pk]), {"kind": "dental"}).url == panel(visit)
    visit.refresh_from_db()
    assert visit.stage == Stage.INTAKE


def test_the_wrong_question_set_is_exchanged_with_nothing_lost(form: ConsultationForm, visit: Visit, tc: User) -> None:
    client = as_(tc)
    save_answers(form=form, sent=WHOLE, seen={}, by=tc)
    start = reverse("visit_form_start", args=[visit.pk])
    assert 'name="instead" value="aesthetic"' in client.get(panel(visit)).content.decode()
    for kind in ("aesthetic", "dental"):
        assert client.post(start, {"instead": kind}).url == panel(visit)
        form.refresh_from_db()
        assert (form.template.kind, form.answers) == (kind, WHOLE)
        for page in (panel(visit), reverse("visit_form", args=[visit.pk])):
            assert client.get(page).status_code == 200
    assert client.post(start, {"instead": "nonsense"}).status_code == 422
    complete_form(form=form, by=tc)
    assert client.post(start, {"instead": "aesthetic"}).status_code == 422
    assert 'name="instead"' not in client.get(panel(visit)).content.decode()


def test_looking_at_the_panel_writes_nothing(visit: Visit, tc: User) -> None:
    as_(tc).get(panel(visit))
    visit.refresh_from_db()
    assert visit.stage == Stage.RECEIVED
    assert not ConsultationForm.objects.exists()


def test_the_panel_shows_all_groups_progress_and_a_qr_code(form: ConsultationForm, tc: User) -> None:
    text = as_(tc).get(panel(form.visit)).content.decode()
    for group in form.template.groups:
        assert group["title"]["zh"] in text
    assert "<svg" in text
    assert "/f/" in text
    assert 'style="' not in text
    assert "还缺 9 题" in text


def test_autosave_answers_with_what_this_page_now_knows(form: ConsultationForm, tc: User) -> None:
    save_answers(form=form, sent={"heard": "wechat"}, seen={}, by=None)  # the patient, meanwhile
    answer = as_(tc).post(
        reverse("visit_form_save", args=[form.visit_id]),
        sent({"occupation": "老师"}, version="{}"),
        headers={"X-Autosave": "1"},
    )
    assert json.loads(answer.json()["version"]) == {"occupation": "老师"}
    form.refresh_from_db()
    assert form.answers == {"heard": "wechat", "occupation": "老师"}


def test_the_live_fragment_carries_the_patients_answers_as_data(form: ConsultationForm, tc: User) -> None:
    save_answers(form=form, sent={"occupation": "</script><b>x"}, seen={}, by=None)
    page = as_(tc).get(reverse("visit_form_live", args=[form.visit_id]))
    text = page.content.decode()
    assert "</script><b>" not in text
    data = text.split('id="live-answers" type="application/json">')[1].split("</script>")[0]
    assert json.loads(data) == {"occupation": "</script><b>x"}
    assert page["Cache-Control"] == "no-store"


def test_completing_an_incomplete_form_marks_what_is_missing_and_keeps_the_rest(
    form: ConsultationForm, tc: User
) -> None:
    page = as_(tc).post(
        reverse("visit_form_complete", args=[form.visit_id]), sent({"occupation": "老师"}, version="{}")
    )
    text = page.content.decode()
    assert page.status_code == 422
    assert "请回答这一题" in text
    assert "#id_q_main_complaint" in text
    assert 'value="老师"' in text
    form.refresh_from_db()
    assert form.answers == {"occupation": "老师"}


def test_completing_goes_on_to_the_complaint(form: ConsultationForm, tc: User) -> None:
    client = as_(tc)
    done = client.post(reverse("visit_form_complete", args=[form.visit_id]), sent(WHOLE, version="{}", fill="1"))
    assert done.status_code == 302
    visit = Visit.objects.select_related("patient").get(pk=form.visit_id)
    assert visit.stage == Stage.COMPLAINT
    assert visit.form_completed_at
    assert visit.patient.allergies == "青霉素"
    text = client.get(panel(visit)).content.decode()
    assert "/f/" not in text


def test_handing_the_device_over_ends_the_session_first(form: ConsultationForm, tc: User) -> None:
    client = as_(tc)
    gone = client.post(reverse("visit_form_hand_over", args=[form.visit_id]))
    assert gone.url.startswith("/f/")
    assert gone.url.endswith("?tablet=1")
    assert client.get(panel(form.visit)).status_code == 302  # to sign in
    assert client.get(gone.url).status_code == 200


def test_the_link_is_renewed_and_taken_back(form: ConsultationForm, tc: User) -> None:
    client, address = as_(tc), reverse("visit_form_link", args=[form.visit_id])
    client.post(address, {"action": "new"})
    fresh = ConsultationForm.objects.get().link_key
    assert fresh not in {"", form.link_key}
    client.post(address, {"action": "revoke"})
    assert ConsultationForm.objects.get().link_key == ""


def test_a_link_made_afresh_is_not_said_to_replace_another(form: ConsultationForm, tc: User) -> None:
    client, address = as_(tc), reverse("visit_form_link", args=[form.visit_id])
    ConsultationForm.objects.update(link_key="")
    told = [str(m) for _n in range(2) for m in get_messages(client.post(address, {"action": "new"}).wsgi_request)]
    assert told[0] == "链接已生成，请患者扫码"
    assert told[-1] == "已换新链接，旧的失效"


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.COORDINATOR, 200),
        (Role.DOCTOR, 200),
        (Role.NURSE, 200),
        (Role.FRONT_DESK, 403),
        (Role.ONLINE_CONSULTANT, 403),
    ],
)
def test_who_may_read_the_answers(form: ConsultationForm, clinic: Clinic, role: str, status: int) -> None:
    reader = as_(UserFactory(role=role, clinic=clinic))
    assert reader.get(reverse("visit_form", args=[form.visit_id])).status_code == status


@pytest.mark.parametrize(
    "name", ["visit_form_start", "visit_form_save", "visit_form_complete", "visit_form_link", "visit_form_hand_over"]
)
@pytest.mark.parametrize("role", [Role.DOCTOR, Role.NURSE, Role.FRONT_DESK])
def test_only_coordinators_write_the_form(form: ConsultationForm, clinic: Clinic, name: str, role: str) -> None:
    assert as_(UserFactory(role=role, clinic=clinic)).post(reverse(name, args=[form.visit_id])).status_code == 403


def test_another_clinics_form_is_not_there(form: ConsultationForm) -> None:
    stranger = as_(UserFactory(role=Role.COORDINATOR, clinic=ClinicFactory()))
    for name in ("visit_form", "visit_form_live"):
        assert stranger.get(reverse(name, args=[form.visit_id])).status_code == 404
    assert stranger.post(reverse("visit_form_save", args=[form.visit_id])).status_code == 404


def test_the_form_reads_on_one_page_for_printing(form: ConsultationForm, tc: User) -> None:
    save_answers(form=form, sent=WHOLE, seen={}, by=tc)
    text = as_(tc).get(reverse("visit_form", args=[form.visit_id])).content.decode()
    assert "左下后牙缺失一年，想种植" in text
    assert "青霉素" in text


def test_the_panels_queries_do_not_grow_with_the_answers(
    form: ConsultationForm, tc: User, django_assert_max_num_queries: Any
) -> None:
    client = as_(tc)
    save_answers(form=form, sent=WHOLE, seen={}, by=tc)
    client.get(panel(form.visit))
    with django_assert_max_num_queries(15):
        client.get(panel(form.visit))


# --- content pages -------------------------------------------------------------------------------


@pytest.fixture
def manager(clinic: Clinic) -> Client:
    return as_(UserFactory(role=Role.MANAGER, clinic=clinic))


@pytest.mark.parametrize("name", ["script_list", "script_add", "exam_kinds", "exam_kind_add", "form_template_list"])
def test_content_pages_are_the_managers(clinic: Clinic, manager: Client, tc: User, name: str) -> None:
    assert manager.get(reverse(name)).status_code == 200
    assert as_(tc).get(reverse(name)).status_code == 403


def test_scripts_are_changed_added_deleted_and_put_back(clinic: Clinic, manager: Client) -> None:
    first = clinic.scripts.filter(stage="received").first()
    edit = {"stage": "received", "title": first.title, "body": "改过的话"}
    manager.post(reverse("script_edit", args=[first.pk]), edit)
    manager.post(reverse("script_add"), {"stage": "received", "title": "我们的话", "body": "{salutation}您好"})
    first.refresh_from_db()
    assert first.body == "改过的话"
    manager.post(reverse("scripts_reset"), {"stage": "received"})
    bodies = list(clinic.scripts.filter(stage="received").order_by("position").values_list("body", flat=True))
    assert "改过的话" not in bodies
    assert bodies[-1] == "{salutation}您好"
    own = clinic.scripts.get(title="我们的话")
    manager.post(reverse("script_delete", args=[own.pk]))
    assert not clinic.scripts.filter(title="我们的话").exists()


def test_another_clinics_content_is_not_there(clinic: Clinic) -> None:
    stranger = as_(UserFactory(role=Role.MANAGER, clinic=ClinicFactory()))
    assert stranger.get(reverse("script_edit", args=[clinic.scripts.first().pk])).status_code == 404
    assert stranger.get(reverse("exam_kind_edit", args=[clinic.exam_kinds.first().pk])).status_code == 404
    assert stranger.get(reverse("form_template_edit", args=[clinic.form_templates.first().pk])).status_code == 404


def test_exam_prices_are_changed_and_kinds_added(clinic: Clinic, manager: Client) -> None:
    kind = clinic.exam_kinds.get(code="cbct")
    manager.post(reverse("exam_kind_edit", args=[kind.pk]), {"name": "CBCT", "price": "420", "is_active": "on"})
    kind.refresh_from_db()
    assert (kind.price, kind.is_basic) == (420, False)
    refused = manager.post(reverse("exam_kind_edit", args=[kind.pk]), {"name": "CBCT", "price": "-1"})
    assert refused.status_code == 422
    manager.post(reverse("exam_kind_add"), {"name": "唾液检查", "price": "60", "is_active": "on"})
    assert clinic.exam_kinds.get(name="唾液检查").code == "own-1"


def posted(template: FormTemplate, **more: str) -> dict[str, str]:
    """What the editor page would send unchanged."""
    data = {"version": str(template.version)}
    for group in template.groups:
        data |= {f"title-{lang}-{group['code']}": group["title"][lang] for lang in ("zh", "en")}
        for question in group["questions"]:
            data |= {f"{lang}-{question['code']}": question["label"][lang] for lang in ("zh", "en")}
            data |= {f"on-{question['code']}": "1"} if not question.get("off") else {}
            data |= {f"required-{question['code']}": "1"} if question.get("required") else {}
    return data | more


def test_an_unchanged_question_set_stays_the_same_version(clinic: Clinic, manager: Client) -> None:
    template = clinic.form_templates.get(kind="dental")
    manager.post(reverse("form_template_edit", args=[template.pk]), posted(template))
    assert clinic.form_templates.get(kind="dental").version == 1


def test_a_changed_question_set_is_a_new_version_and_a_stale_editor_is_refused(
    form: ConsultationForm, clinic: Clinic, manager: Client
) -> None:
    template = form.template
    address = reverse("form_template_edit", args=[template.pk])
    data = posted(template, **{"new-zh-pain": "牙龈出血吗", "new-type-pain": "yes_no", "op": "add:pain"})
    manager.post(address, data)
    fresh = clinic.form_templates.get(kind="dental", is_active=True)
    assert (fresh.version, fresh.groups[1]["questions"][-1]["label"]["zh"]) == (2, "牙龈出血吗")
    stale = manager.post(address, posted(template, **{"zh-pain": "疼吗"}))
    assert stale.status_code == 422
    assert "疼吗" in stale.content.decode()
    assert clinic.form_templates.filter(kind="dental").count() == 2


def test_answers_are_changed_and_too_few_are_refused_with_the_words_kept(clinic: Clinic, manager: Client) -> None:
    template = clinic.form_templates.get(kind="dental")
    address = reverse("form_template_edit", args=[template.pk])
    page = manager.post(address, posted(template, **{"answers-pain": "只有一个", "zh-pain": "疼不疼呀"}))
    assert page.status_code == 422
    assert "只有一个" in page.content.decode()
    assert "疼不疼呀" in page.content.decode()
    words = "不疼 | No\n有时疼 | At times\n正在疼 | Right now\n夜里疼"
    manager.post(address, posted(template, **{"answers-pain": words}))
    fresh = clinic.form_templates.get(kind="dental", is_active=True)
    pain = next(q for g in fresh.groups for q in g["questions"] if q["code"] == "pain")
    assert [option["label"]["zh"] for option in pain["options"]] == ["不疼", "有时疼", "正在疼", "夜里疼"]


def test_a_clinic_without_content_begins_with_the_builtin_one() -> None:
    clinic = ClinicFactory()
    manager = as_(UserFactory(role=Role.MANAGER, clinic=clinic))
    assert reverse("content_load") in manager.get(reverse("form_template_list")).content.decode()
    assert not clinic.form_templates.exists()
    manager.post(reverse("content_load"), {"next": "form_template_list"})
    assert clinic.form_templates.count() == 2

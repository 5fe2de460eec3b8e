"""The plan's pages: editor, prices, presentation, paper."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.permissions import Role
from consultations.models import PlanItem, Visit
from consultations.plan_forms import PlanEditor
from consultations.services import plan_terms, plans
from consultations.services.plans import draft_of
from tests.consultations.clinical import Room, draft, signature, stored

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def room():
    return Room()


@pytest.fixture
def doctor(room, client):
    client.force_login(room.doctor)
    return client


@pytest.fixture
def tc(room):
    signed_in = Client()
    signed_in.force_login(room.tc)
    return signed_in


def fields(**changes):
    """One new option with one new item, as the editor posts it."""
    typed = {
        "version": 0, "title": "左下后牙", "findings": "", "principles": "", "option": ["n1"], "n1-name": "种植",
        "n1-is_suggested": "on", "n1-duration": "约 4 个月", "n1-pain": "0", "n1-item": ["n2"], "n1-n2-name": "植入",
        "n1-n2-quantity": 1, "n1-n2-sessions": 3, "n1-n2-teeth": ["36", "37"],
    }  # fmt: skip
    return typed | changes


def edit(client, visit, **changes):
    return client.post(reverse("plan_edit", args=[visit.pk]), fields(**changes))


# --- the editor ---------------------------------------------------------------------------------


def test_the_doctor_writes_a_plan_and_is_led_back(room, doctor):
    visit = room.acknowledged()
    response = edit(doctor, visit, action="finish")
    assert response.url == reverse("doctor_visit", args=[visit.pk])
    option = stored(visit).options.all()[0]
    item = option.items.all()[0]
    assert (option.name, option.is_suggested, option.pain) == ("种植", True, 0)
    assert (item.name, item.teeth, item.sessions) == ("植入", [36, 37], 3)


def test_the_editor_knows_no_money(room, doctor):
    visit, plan = room.planned()
    PlanItem.objects.filter(option__plan=plan).update(unit_price=12_345)
    html = doctor.get(reverse("plan_edit", args=[visit.pk])).content.decode()
    assert "12345" not in html
    assert "12,345" not in html
    for name in ("price", "discount", "payment", "deposit"):
        assert f"-{name}" not in html


def test_money_posted_by_the_doctor_is_ignored(room, doctor):
    visit = room.acknowledged()
    edit(doctor, visit, **{"n1-n2-unit_price": "1", "n1-discount": "1", "unit_price": "1"})
    option = stored(visit).options.all()[0]
    assert (option.discount, option.items.all()[0].unit_price) == (0, 0)


def test_rows_are_added_and_taken_out_with_what_was_typed(room, doctor):
    url = reverse("plan_edit", args=[room.acknowledged().pk])
    more = doctor.post(url, fields(add_option="1"), **HTMX).content.decode()
    assert more.count('name="option"') == 2
    assert 'value="植入"' in more
    items = doctor.post(url, fields(add_item="n1"), **HTMX).content.decode()
    assert items.count('name="n1-item"') == 2
    gone = doctor.post(url, fields(drop="n1-n2"), **HTMX).content.decode()
    assert 'name="n1-item"' not in gone
    assert "<html" not in gone


def test_a_wrong_tooth_is_named_beside_its_item(room, doctor):
    visit = room.acknowledged()
    response = edit(doctor, visit, **{"n1-n2-teeth": ["36", "99"]})
    assert response.status_code == 422
    assert "99 不是 FDI 牙位" in response.content.decode()
    assert not hasattr(visit, "plan")


def test_a_plan_that_is_not_whole_comes_back_with_what_was_typed(room, doctor):
    visit = room.acknowledged()
    response = edit(doctor, visit, title="", findings="写过的所见", action="finish")
    html = response.content.decode()
    assert response.status_code == 422
    assert "还缺：标题" in html
    assert "写过的所见" in html


def test_an_item_without_a_name_is_an_error_an_empty_one_is_nothing(room, doctor):
    visit = room.acknowledged()
    assert edit(doctor, visit, **{"n1-n2-name": ""}).status_code == 422
    empty = {"n1-item": ["n2", "n3"], "n1-n3-name": "", "n1-n3-quantity": 1, "n1-n3-sessions": 1}
    assert edit(doctor, visit, **empty).status_code == 302
    assert PlanItem.objects.count() == 1


def test_an_old_version_answers_409_with_the_difference_and_keeps_what_was_typed(room, doctor):
    visit, plan = room.planned()
    response = edit(doctor, visit, version=plan.version - 1, title="我的标题")
    html = response.content.decode()
    assert response.status_code == 409
    assert "左下第一磨牙缺失" in html
    assert 'value="我的标题"' in html
    assert edit(doctor, visit, version=plan.version, title="我的标题").status_code == 302


def test_the_stored_plan_comes_back_as_it_was(room):
    visit, _plan = room.planned()
    plan = stored(visit)
    editor = PlanEditor(draft=draft_of(plan), version=plan.version)
    assert [option.key for option in editor.options] == [str(option.pk) for option in plan.options.all()]
    assert editor.options[0].items[0].picked == [36]


def test_no_treatment_indicated_is_a_switch(room, doctor):
    visit = room.acknowledged()
    nothing = {"n1-name": "", "n1-n2-name": "", "n1-n2-teeth": [], "n1-duration": "", "title": ""}
    response = edit(doctor, visit, no_treatment="on", findings="牙齿健康", action="finish", **nothing)
    assert response.status_code == 302
    assert stored(visit).no_treatment


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.MANAGER, Role.NURSE])
def test_the_editor_is_the_doctors(room, client, role):
    client.force_login(room.person(role))
    assert edit(client, room.acknowledged()).status_code == 403


# --- prices -------------------------------------------------------------------------------------


def terms_of(plan, **changes):
    typed = {"version": plan.version, "deposit": "3000"}
    for option in plan.options.all():
        typed |= {f"{option.pk}-discount": "", f"{option.pk}-payment_note": "", f"{option.pk}-duration": "约 5 个月"}
        typed |= {f"{option.pk}-price-{item.pk}": "4000" for item in option.items.all()}
    return typed | changes


def test_the_coordinator_sets_prices(room, tc):
    visit, plan = room.explaining()
    url = reverse("plan_terms", args=[visit.pk])
    assert 'value="4000' not in tc.get(url).content.decode()
    first = plan.options.all()[0]
    response = tc.post(url, terms_of(plan, **{f"{first.pk}-discount": "500"}))
    assert response.url == visit.get_absolute_url()
    option = stored(visit).options.all()[0]
    assert (option.subtotal, option.total, option.duration) == (8_000, 7_500, "约 5 个月")
    assert Visit.objects.get(pk=visit.pk).deposit_amount == 3_000


def test_clinical_fields_posted_with_the_prices_are_ignored(room, tc):
    visit, plan = room.explaining()
    before = draft_of(plan)
    first = plan.options.all()[0]
    item = first.items.all()[0]
    extra = {f"{first.pk}-name": "换掉", f"{first.pk}-pain": "5", f"{first.pk}-{item.pk}-teeth": "11", "title": "换掉"}
    tc.post(reverse("plan_terms", args=[visit.pk]), terms_of(plan, **extra))
    after = draft_of(stored(visit))
    assert after.title == before.title
    assert [(o.name, o.pain, o.items) for o in after.options] == [(o.name, o.pain, o.items) for o in before.options]


def test_a_discount_above_the_sum_comes_back(room, tc):
    visit, plan = room.explaining()
    first = plan.options.all()[0]
    response = tc.post(reverse("plan_terms", args=[visit.pk]), terms_of(plan, **{f"{first.pk}-discount": "8001"}))
    assert response.status_code == 422
    assert 'value="8001"' in response.content.decode()


def test_a_plan_changed_by_the_doctor_meanwhile_answers_409(room, tc):
    visit, plan = room.explaining()
    plans.save_plan(visit=visit, draft=draft(title="新标题"), version=plan.version, by=room.doctor)
    response = tc.post(reverse("plan_terms", args=[visit.pk]), terms_of(plan))
    assert response.status_code == 409


@pytest.mark.parametrize("role", [Role.DOCTOR, Role.NURSE, Role.FRONT_DESK, Role.ONLINE_CONSULTANT])
def test_prices_are_not_for_others(room, client, role):
    visit, plan = room.explaining()
    client.force_login(room.person(role))
    assert client.get(reverse("plan_terms", args=[visit.pk])).status_code == 403
    assert client.post(reverse("plan_terms", args=[visit.pk]), terms_of(plan)).status_code == 403


# --- before the patient -------------------------------------------------------------------------


def present(client, visit):
    return client.get(reverse("plan_present", args=[visit.pk]))


def priced(room):
    visit, plan = room.explaining()
    prices = {item.pk: 4_321 for option in plan.options.all() for item in option.items.all()}
    plan_terms.set_terms(visit=visit, prices=prices, terms={}, deposit=None, version=plan.version, by=room.tc)
    return visit, stored(visit)


def test_the_presentation_shows_options_and_no_codes(room, tc):
    visit, _plan = priced(room)
    html = present(tc, visit).content.decode()
    for words in ("种植单冠", "三单位固定桥", "医生建议", "¥8,642", "选这个", "价格已说明"):
        assert words in html
    assert "C-C" not in html
    assert 'class="rail' not in html


def test_without_a_given_plan_there_is_nothing_to_present(room, tc):
    visit, _plan = room.planned()
    assert present(tc, visit).url == visit.get_absolute_url()


@pytest.mark.parametrize(("role", "status"), [(Role.NURSE, 403), (Role.FRONT_DESK, 403), (Role.MANAGER, 200)])
def test_who_sees_plans(room, client, role, status):
    visit, _plan = priced(room)
    client.force_login(room.person(role))
    assert present(client, visit).status_code == status
    assert client.get(reverse("plan_print", args=[visit.pk])).status_code == status


def test_a_doctor_sees_the_plan_without_money(room, doctor):
    visit, _plan = priced(room)
    for name in ("plan_present", "plan_print"):
        html = doctor.get(reverse(name, args=[visit.pk])).content.decode()
        assert "种植单冠" in html
        assert "¥" not in html
        assert "8,642" not in html


def test_choosing_ticking_and_signing(room, tc):
    visit, plan = priced(room)
    html = present(tc, visit).content.decode()
    assert "disabled" in html.split('id="sign-open"')[0].rsplit("<button", 1)[1]
    for point in ("price", "time", "pain", "alternatives"):
        tc.post(reverse("plan_tick", args=[visit.pk, point]), {"on": "1"})
    part = tc.post(reverse("plan_choose", args=[visit.pk, plan.options.all()[0].pk]), **HTMX).content.decode()
    assert "已选" in part
    assert "<html" not in part
    data = {"signature": signature(), "version": stored(visit).version}
    tc.post(reverse("plan_sign", args=[visit.pk]), data)
    assert stored(visit).signed_at is not None
    assert "已签字" in present(tc, visit).content.decode()
    tc.post(reverse("plan_sign", args=[visit.pk]), {"action": "take_back"})
    assert stored(visit).signed_at is None


def test_signing_early_is_refused_in_words(room, tc):
    visit, plan = priced(room)
    response = tc.post(reverse("plan_sign", args=[visit.pk]), {"signature": signature(), "version": plan.version})
    assert response.status_code == 422
    assert stored(visit).signed_at is None


def test_a_doctor_neither_chooses_nor_ticks_nor_signs(room, doctor):
    visit, plan = priced(room)
    option = plan.options.all()[0]
    for url in (
        reverse("plan_choose", args=[visit.pk, option.pk]),
        reverse("plan_tick", args=[visit.pk, "price"]),
        reverse("plan_sign", args=[visit.pk]),
        reverse("plan_change_request", args=[visit.pk]),
    ):
        assert doctor.post(url, {"on": "1"}).status_code == 403


def test_another_clinics_plan_is_not_found(room):
    visit, plan = priced(room)
    stranger = Client()
    stranger.force_login(Room().tc)
    assert present(stranger, visit).status_code == 404
    assert stranger.post(reverse("plan_choose", args=[visit.pk, plan.options.all()[0].pk])).status_code == 404


def test_another_visits_option_is_not_found(room, tc):
    visit, _plan = priced(room)
    _other, foreign = priced(room)
    response = tc.post(reverse("plan_choose", args=[visit.pk, foreign.options.all()[0].pk]))
    assert response.status_code == 404


def test_asking_the_doctor_for_a_change(room, tc):
    visit, _plan = priced(room)
    tc.post(reverse("plan_change_request", args=[visit.pk]), {"question": "不想植骨"})
    assert visit.handoff.questions.get().for_doctor


def test_the_presentation_needs_few_statements(room, tc, django_assert_max_num_queries):
    visit, _plan = priced(room)
    present(tc, visit)
    with django_assert_max_num_queries(9):
        present(tc, visit)

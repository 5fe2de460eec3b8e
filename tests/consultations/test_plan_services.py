"""The plan: the doctor's content, the coordinator's terms, choice, ticks, signature."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.permissions import Role
from consultations import plan_rules
from consultations.errors import MoveRefused, Refused, StageConflict
from consultations.models import Exam, ExamKind, Plan, PlanItem, PlanOption, Visit
from consultations.plan_rules import ItemDraft, Lack, OptionDraft, PlanDraft, drawing_of, is_signature, plan_lacks
from consultations.services import plan_terms, plans
from consultations.services.plan_terms import Terms
from consultations.services.plans import PlanChanged, PlanIncomplete, draft_of
from consultations.stages import Missing
from tests.consultations.clinical import Room, draft, signature, stored

MONEY = st.decimals(0, 99_999, places=2)


# --- rules --------------------------------------------------------------------------------------


def test_no_field_belongs_to_both_but_the_schedule():
    both = set(plan_rules.OPTION_CLINICAL) & set(plan_rules.OPTION_MONEY)
    assert both == {"duration"}
    assert not set(plan_rules.ITEM_CLINICAL) & set(plan_rules.ITEM_MONEY)


@pytest.mark.parametrize(
    ("plan", "lacks"),
    [
        (draft(), ()),
        (draft(title=" "), (Lack.TITLE,)),
        (draft(options=()), (Lack.OPTIONS,)),
        (draft(options=(OptionDraft("甲"),)), (Lack.ITEMS,)),
        (draft(options=(OptionDraft(" ", (ItemDraft("冠"),)),)), (Lack.NAMES,)),
        (PlanDraft(), (Lack.TITLE, Lack.OPTIONS)),
        (PlanDraft(no_treatment=True), (Lack.FINDINGS,)),
        (PlanDraft(no_treatment=True, findings="牙齿健康"), ()),
    ],
)
def test_what_a_plan_lacks(plan, lacks):
    assert plan_lacks(plan) == lacks


@given(st.lists(st.tuples(MONEY, st.integers(1, 32)), max_size=6), MONEY)
def test_the_total_is_the_sum_less_a_discount_within_it(lines, discount):
    whole = sum((price * quantity for price, quantity in lines), Decimal(0))
    if discount <= whole:
        assert plan_rules.total(lines, discount) == whole - discount
    else:
        with pytest.raises(ValueError, match="discount"):
            plan_rules.total(lines, discount)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("种植单冠", "implant"), ("三单位固定桥", "bridge"), ("种植桥", "bridge"), ("可摘局部义齿", "denture"),
     ("全瓷冠", "crown"), ("隐形矫治", "ortho"), ("根管治疗", "root"), ("洗牙", "generic"), ("Implant crown", "implant")],
)  # fmt: skip
def test_a_drawing_fits_the_words(name, kind):
    assert drawing_of(name) == kind


def test_the_options_own_name_decides_before_its_items():
    assert drawing_of("可摘局部义齿", "种植体植入") == "denture"
    assert drawing_of("方案一", "种植体植入") == "implant"


@pytest.mark.parametrize(
    "path",
    ["", "M1 1", "M1 1L2 2", "<script>", "M0 0" + "L1 1" * 20 + "Z", "M0 0" + "L1 1" * 20 + '" onload="x',
     "M-1 0" + "L1 1" * 20, "M0 0" + "L1 1" * 20_000],
)  # fmt: skip
def test_only_a_drawn_path_is_a_signature(path):
    assert not is_signature(path)


def test_a_drawn_path_is_a_signature():
    assert is_signature(signature())


# --- the doctor's part --------------------------------------------------------------------------

pytestmark = pytest.mark.django_db


@pytest.fixture
def room():
    return Room()


def test_the_doctor_writes_options_with_items_and_teeth(room):
    _visit, plan = room.planned()
    first, second = stored(plan.visit).options.all()
    assert (first.name, first.is_suggested, second.pain) == ("种植单冠", True, 0)
    assert [(item.name, item.teeth, item.sessions) for item in first.items.all()] == [
        ("种植体植入", [36], 3), ("全瓷冠", [36], 2),
    ]  # fmt: skip
    assert (first.sessions, first.drawing, second.drawing) == (5, "implant", "bridge")
    assert plan.finished_at is None


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.MANAGER, Role.ADMIN, Role.NURSE])
def test_clinical_content_is_the_doctors_alone(room, role):
    visit = room.acknowledged()
    with pytest.raises(MoveRefused) as refused:
        plans.save_plan(visit=visit, draft=draft(), version=0, by=room.person(role))
    assert refused.value.missing == (Missing.DOCTOR,)


def test_no_plan_before_the_note_was_read(room):
    with pytest.raises(MoveRefused) as refused:
        plans.save_plan(visit=room.sent(), draft=draft(), version=0, by=room.doctor)
    assert refused.value.missing == (Missing.ACKNOWLEDGEMENT,)


def test_a_draft_may_lack_anything_but_a_given_plan_nothing(room):
    visit = room.acknowledged()
    half = plans.save_plan(visit=visit, draft=PlanDraft(findings="36"), version=0, by=room.doctor)
    with pytest.raises(PlanIncomplete) as refused:
        plans.save_plan(visit=visit, draft=PlanDraft(findings="36"), version=half.version, by=room.doctor, finish=True)
    assert Lack.TITLE in refused.value.lacks


def test_rows_keep_their_identity_and_prices_through_a_clinical_change(room):
    visit, plan = room.explaining()
    implant = plan.options.all()[0].items.all()[0]
    PlanItem.objects.filter(pk=implant.pk).update(unit_price=12_000)
    changed = draft_of(plan)
    first = changed.options[0]
    items = (replace(first.items[0], teeth=(37,)), *first.items[1:])
    options = (replace(first, items=items), *changed.options[1:])
    plans.save_plan(visit=visit, draft=replace(changed, options=options), version=plan.version, by=room.doctor)
    implant.refresh_from_db()
    assert (implant.teeth, implant.unit_price) == ([37], 12_000)


def test_options_and_items_go_and_come(room):
    visit, plan = room.planned()
    kept = draft_of(stored(visit)).options[1]
    new = OptionDraft("可摘义齿", (ItemDraft("义齿"),))
    plans.save_plan(visit=visit, draft=draft(options=(new, kept)), version=plan.version, by=room.doctor)
    assert [option.name for option in stored(visit).options.all()] == ["可摘义齿", "三单位固定桥"]
    assert PlanOption.objects.filter(pk=kept.id).exists()


def test_another_plans_rows_cannot_be_taken_over(room):
    _visit, foreign = room.planned()
    row = stored(foreign.visit).options.all()[0]
    stolen = replace(draft_of(stored(foreign.visit)).options[0], name="偷来的")
    _mine, plan = room.planned(options=(stolen,))
    row.refresh_from_db()
    assert row.name == "种植单冠"
    assert stored(plan.visit).options.all()[0].pk != row.pk


def test_an_old_version_gets_the_difference_and_overwrites_nothing(room):
    visit, plan = room.planned()
    newer = replace(draft_of(stored(visit)), title="别人的标题")
    plans.save_plan(visit=visit, draft=newer, version=plan.version, by=room.person(Role.DOCTOR))
    mine = replace(newer, title="我的标题")
    with pytest.raises(PlanChanged) as stale:
        plans.save_plan(visit=visit, draft=mine, version=plan.version, by=room.doctor)
    assert [(d.mine, d.theirs) for d in stale.value.differences] == [("我的标题", "别人的标题")]
    assert stored(visit).title == "别人的标题"


def test_the_doctor_leaves_with_a_whole_plan_only(room):
    visit = room.acknowledged()
    with pytest.raises(MoveRefused) as refused:
        plans.leave_room(visit=visit, by=room.doctor)
    assert refused.value.missing == (Missing.PLAN,)
    plan = plans.save_plan(visit=visit, draft=PlanDraft(title="只有标题"), version=0, by=room.doctor)
    with pytest.raises(PlanIncomplete):
        plans.leave_room(visit=visit, by=room.doctor)
    plans.save_plan(visit=visit, draft=draft(), version=plan.version, by=room.doctor)
    left = plans.leave_room(visit=visit, by=room.doctor)
    assert left.stage == "explaining"
    assert left.doctor_left_at == left.explaining_started_at is not None


def test_leaving_is_the_doctors_step(room):
    visit, _plan = room.planned()
    with pytest.raises(MoveRefused) as refused:
        plans.leave_room(visit=visit, by=room.tc)
    assert refused.value.missing == (Missing.DOCTOR,)


def test_leaving_twice_is_a_conflict(room):
    visit, _plan = room.explaining()
    with pytest.raises(StageConflict):
        plans.leave_room(visit=visit, by=room.doctor, expected="doctor")


def test_no_treatment_indicated_needs_no_options(room):
    visit, _plan = room.planned(no_treatment=True, options=(), findings="牙齿健康")
    assert plans.leave_room(visit=visit, by=room.doctor).stage == "explaining"
    assert stored(visit).no_treatment


def test_doctor_first_the_patient_goes_to_the_exams_ordered(room):
    visit = room.acknowledged(
        room.sent(room.visit(complaint="pain", route="doctor_first", exams_completed_at=None), class_code="C-E")
    )
    with pytest.raises(Refused):
        plans.send_to_exam(visit=visit, by=room.doctor)
    kind = ExamKind.objects.create(clinic=room.clinic, code="pano", name="全景片")
    Exam.objects.create(visit=visit, kind=kind, ordered_by=room.doctor)
    with pytest.raises(MoveRefused):
        plans.send_to_exam(visit=visit, by=room.tc)
    there = plans.send_to_exam(visit=visit, by=room.doctor)
    assert there.stage == "exam"
    plans.save_plan(visit=there, draft=draft(), version=0, by=room.doctor)
    with pytest.raises(MoveRefused) as refused:
        plans.leave_room(visit=there, by=room.doctor)
    assert refused.value.missing == (Missing.EXAMS,)


# --- the coordinator's part ---------------------------------------------------------------------


def priced(room, visit, plan, *, discount=0, deposit=None, by=None):
    """Price the first option at 12,000 + 4,800 and the second at 3 × 3,200."""
    first, second = plan.options.all()
    prices = dict(zip([item.pk for item in first.items.all()], [Decimal(12_000), Decimal(4_800)], strict=True))
    prices |= {item.pk: Decimal(3_200) for item in second.items.all()}
    terms = {first.pk: Terms(Decimal(discount), "分 12 期", "约 5 个月")}
    plan_terms.set_terms(
        visit=visit, prices=prices, terms=terms, deposit=deposit, version=stored(visit).version, by=by or room.tc
    )
    return stored(visit)


def test_the_coordinator_sets_price_discount_and_schedule(room):
    visit, plan = room.explaining()
    first, second = priced(room, visit, plan, discount=800, deposit=Decimal(3_000)).options.all()
    assert (first.subtotal, first.total, second.total) == (16_800, 16_000, 9_600)
    assert (first.duration, first.payment_note) == ("约 5 个月", "分 12 期")
    assert Visit.objects.get(pk=visit.pk).deposit_amount == 3_000


def test_setting_terms_leaves_the_clinical_content_alone(room):
    visit, plan = room.explaining()
    before = draft_of(plan)
    after = draft_of(priced(room, visit, plan))
    without_schedule = [replace(o, duration="") for o in before.options]
    assert [replace(o, duration="") for o in after.options] == without_schedule
    assert replace(after, options=()) == replace(before, options=())


@pytest.mark.parametrize("role", [Role.DOCTOR, Role.NURSE, Role.FRONT_DESK, Role.ONLINE_CONSULTANT])
def test_prices_are_the_coordinators(room, role):
    visit, plan = room.explaining()
    with pytest.raises(MoveRefused):
        priced(room, visit, plan, by=room.person(role))


@pytest.mark.parametrize(("discount", "deposit"), [(-1, None), (16_801, None), (0, 16_801), (0, -1)])
def test_discount_and_deposit_lie_within_the_sum(room, discount, deposit):
    visit, plan = room.explaining()
    with pytest.raises(Refused):
        priced(room, visit, plan, discount=discount, deposit=None if deposit is None else Decimal(deposit))
    assert stored(visit).options.all()[0].subtotal == 0  # nothing was written


def test_a_negative_price_is_refused(room):
    visit, plan = room.explaining()
    item = plan.options.all()[0].items.all()[0]
    with pytest.raises(Refused):
        plan_terms.set_terms(
            visit=visit, prices={item.pk: Decimal(-1)}, terms={}, deposit=None, version=plan.version, by=room.tc
        )


def test_prices_on_an_old_version_get_the_difference(room):
    visit, plan = room.explaining()
    priced(room, visit, plan)
    item = plan.options.all()[0].items.all()[0]
    with pytest.raises(PlanChanged) as stale:
        plan_terms.set_terms(
            visit=visit, prices={item.pk: Decimal(1)}, terms={}, deposit=None, version=plan.version, by=room.tc
        )
    assert [(d.mine, d.theirs) for d in stale.value.differences] == [("1", "12000.00")]


def test_prices_of_another_plan_are_left_alone(room):
    _there, foreign = room.explaining()
    visit, plan = room.explaining()
    item = foreign.options.all()[0].items.all()[0]
    plan_terms.set_terms(
        visit=visit, prices={item.pk: Decimal(1)}, terms={}, deposit=None, version=plan.version, by=room.tc
    )
    item.refresh_from_db()
    assert item.unit_price == 0


def test_a_smaller_plan_keeps_its_discount_within_the_sum(room):
    visit, plan = room.explaining()
    fresh = priced(room, visit, plan, discount=9_000)
    changed = draft_of(fresh)
    smaller = replace(changed.options[0], items=changed.options[0].items[1:])
    new = replace(changed, options=(smaller, changed.options[1]))
    plans.save_plan(visit=visit, draft=new, version=fresh.version, by=room.doctor)
    option = stored(visit).options.all()[0]
    assert (option.subtotal, option.discount, option.total) == (4_800, 4_800, 0)


def test_one_option_is_chosen_at_a_time(room):
    visit, plan = room.explaining()
    for option in plan.options.all():
        plan_terms.choose_option(visit=visit, option=option, by=room.tc)
    assert [option.is_chosen for option in stored(visit).options.all()] == [False, True]
    with pytest.raises(IntegrityError), transaction.atomic():
        PlanOption.objects.filter(plan=plan).update(is_chosen=True)


def test_another_plans_option_is_not_chosen(room):
    _there, foreign = room.explaining()
    visit, _plan = room.explaining()
    with pytest.raises(Refused):
        plan_terms.choose_option(visit=visit, option=foreign.options.all()[0], by=room.tc)


def tick_all(visit, by):
    for point in ("price", "time", "pain", "alternatives"):
        plan_terms.tick_point(visit=visit, point=point, on=True, by=by)


def test_points_are_ticked_and_unticked(room):
    visit, _plan = room.explaining()
    for on, kept in [(True, ["price"]), (True, ["price"]), (False, []), (False, [])]:
        assert plan_terms.tick_point(visit=visit, point="price", on=on, by=room.tc).explained_points == kept
    with pytest.raises(Refused):
        plan_terms.tick_point(visit=visit, point="weather", on=True, by=room.tc)
    with pytest.raises(MoveRefused):
        plan_terms.tick_point(visit=visit, point="price", on=True, by=room.doctor)


def test_nothing_is_explained_before_the_doctor_left(room):
    visit, _plan = room.planned()
    with pytest.raises(Refused):
        plan_terms.tick_point(visit=visit, point="price", on=True, by=room.tc)


def test_signing_waits_for_four_ticks_and_a_choice(room):
    visit, plan = room.explaining()

    def sign():
        return plan_terms.sign(visit=visit, path=signature(), version=stored(visit).version, by=room.tc)

    with pytest.raises(MoveRefused) as refused:
        sign()
    assert refused.value.missing == (Missing.EXPLAINED,)
    tick_all(visit, room.tc)
    with pytest.raises(Refused):
        sign()
    plan_terms.choose_option(visit=visit, option=plan.options.all()[0], by=room.tc)
    assert sign().signed_at is not None


def signed(room):
    visit, plan = room.explaining()
    tick_all(visit, room.tc)
    plan_terms.choose_option(visit=visit, option=plan.options.all()[0], by=room.tc)
    plan_terms.sign(visit=visit, path=signature(), version=stored(visit).version, by=room.tc)
    return visit, stored(visit)


def test_a_signed_plan_stands(room):
    visit, plan = signed(room)
    other = plan.options.all()[1]
    for change in (
        lambda: plans.save_plan(visit=visit, draft=draft(), version=plan.version, by=room.doctor),
        lambda: priced(room, visit, plan),
        lambda: plan_terms.choose_option(visit=visit, option=other, by=room.tc),
        lambda: plan_terms.tick_point(visit=visit, point="price", on=False, by=room.tc),
    ):
        with pytest.raises(Refused):
            change()


def test_a_signature_is_taken_back_and_kept_in_the_history(room):
    visit, plan = signed(room)
    plan_terms.take_signature_back(visit=visit, by=room.tc)
    assert stored(visit).signed_at is None
    assert signature() in Plan.objects.get(pk=plan.pk).events.values_list("signature", flat=True)
    with pytest.raises(Refused):
        plan_terms.take_signature_back(visit=visit, by=room.tc)


def test_what_was_signed_is_what_was_seen(room):
    visit, plan = room.explaining()
    tick_all(visit, room.tc)
    plan_terms.choose_option(visit=visit, option=plan.options.all()[0], by=room.tc)
    with pytest.raises(PlanChanged):
        plan_terms.sign(visit=visit, path=signature(), version=plan.version, by=room.tc)


def test_a_clinical_change_is_explained_anew(room):
    visit, plan = room.explaining()
    tick_all(visit, room.tc)
    changed = replace(draft_of(plan), principles="先植骨")
    plans.save_plan(visit=visit, draft=changed, version=plan.version, by=room.doctor)
    assert Visit.objects.get(pk=visit.pk).explained_points == []

"""Merging two records and taking it back: everything moves, nothing is doubled, everything is restored."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.permissions import Role
from clinic_crm.workbench import merging
from clinic_crm.workbench.merging import merge_patients, undo_merge
from consultations.models import Visit
from followups.models import Message, PlaybookRun, Task
from patients.errors import Refused
from patients.merging import own
from patients.merging.relations import CHILDREN, relations, set_aside
from patients.models import (
    ChartNumber,
    ClassChange,
    Consent,
    NotTheSame,
    Patient,
    PatientMerge,
    PatientPhone,
    Referral,
    Registration,
)
from patients.services.merging import strategies, tell_apart, written_since
from tests.factories import (
    ConsentFactory,
    MembershipFactory,
    PatientFactory,
    PhoneFactory,
    ReferralFactory,
    RegistrationFactory,
    TaskFactory,
    UserFactory,
    VisitFactory,
)
from tests.patients.merge_rows import MAKERS, Cast, dump

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english():
    """Refusals are matched in the language of the code."""
    with translation.override("en"):
        yield


@pytest.fixture
def cast() -> Cast:
    return Cast()


def merge(cast: Cast, **choices: str) -> PatientMerge:
    return merge_patients(winner=cast.winner, loser=cast.loser, clinic=cast.clinics[0], by=cast.by, choices=choices)


# --- nothing is forgotten -------------------------------------------------------------------------


def test_every_row_that_a_constraint_could_refuse_has_a_strategy_of_its_own():
    named = {**own.STRATEGIES, **merging.STRATEGIES}
    lacking = [relation.key for relation in relations() if relation.may_clash and relation.key not in named]
    assert not lacking, f"say how these move when records are merged: {lacking}"


def test_strategies_name_relations_that_exist():
    known = {relation.key for relation in relations()}
    assert not {*own.STRATEGIES, *merging.STRATEGIES} - known
    assert set(strategies(merging.PLAN)) == known


def test_the_property_test_makes_rows_of_every_kind_that_points_at_a_patient():
    kinds = {relation.model._meta.label for relation in relations()} - {"patients.PatientMerge"}
    assert kinds == set(MAKERS)


def test_only_append_only_triggers_and_those_that_refuse_merged_records_are_set_aside():
    ours = (":append_only", "_living", ":merged_stays")
    assert set_aside()
    assert all(name.endswith(ours) for name in set_aside())
    assert CHILDREN.keys() <= {name.partition(":")[0] for name in set_aside()} | {
        "patients.ChartNumber",
        "patients.ReferralThanks",
    }


ROWS = st.lists(
    st.tuples(st.sampled_from(sorted(MAKERS)), st.sampled_from(["winner", "loser", "third"]), st.integers(0, 3)),
    max_size=40,
)
CHOICES = st.dictionaries(
    st.sampled_from(["name", "class_code", "birth_date", "notes", "allergies"]),
    st.sampled_from(["winner", "loser", "both"]),
)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS, choices=CHOICES)
def test_merge_then_undo_restores_every_row_of_every_table(rows: Any, choices: Any):
    with transaction.atomic():
        cast = Cast()
        for row in rows:
            cast.add(*row)
        before = dump()
        made = merge(cast, **choices)
        assert not Registration.objects.filter(patient=cast.loser).exists()
        left = [
            relation.key
            for relation in relations()
            if relation.model._base_manager.filter(**{relation.field.name: cast.loser}).exists()
        ]
        assert set(left) <= {"patients.PatientMerge.loser", "patients.PublicLink.patient"}
        assert undo_merge(merge=made, by=cast.by) == []
        assert dump() == before
        transaction.set_rollback(True)


def test_all_kinds_of_rows_at_once_come_back(cast: Cast):
    for what in MAKERS:
        for who in ("winner", "loser", "third"):
            for n in range(4):
                cast.add(what, who, n)
    before = dump()
    made = merge(cast)
    assert dump() != before
    assert undo_merge(merge=made, by=cast.by) == []
    assert dump() == before


# --- what the one record is -----------------------------------------------------------------------


def test_the_loser_goes_and_its_number_is_kept_as_a_chart_number(cast: Cast):
    theirs = Registration.objects.get(patient=cast.loser)
    merge(cast)
    ours = Registration.objects.get(patient=cast.winner)
    assert ChartNumber.objects.get(registration=ours).number == theirs.number
    cast.loser.refresh_from_db()
    assert cast.loser.merged_into == cast.winner
    assert cast.loser not in Patient.objects.living()


def test_registrations_in_other_clinics_move_and_figures_are_the_widest(cast: Cast):
    RegistrationFactory(patient=cast.loser, clinic=cast.clinics[1])
    today = timezone.localdate()
    Registration.objects.filter(patient=cast.loser).update(
        last_visit_on=today, last_contact_on=today, first_visit_on=today - timedelta(days=9), tags=["a", "b"]
    )
    Registration.objects.filter(patient=cast.winner).update(last_visit_on=today - timedelta(days=3), tags=["b"])
    merge(cast)
    rows = {row.clinic: row for row in Registration.objects.filter(patient=cast.winner)}
    assert set(rows) == set(cast.clinics)
    here = rows[cast.clinics[0]]
    assert (here.first_visit_on, here.last_visit_on, here.last_contact_on) == (today - timedelta(days=9), today, today)
    assert sorted(here.tags) == ["a", "b"]


def test_numbers_of_both_are_kept_once_each(cast: Cast):
    for patient, number in (
        (cast.winner, "19900000001"),
        (cast.loser, "19900000001"),
        (cast.loser, "19900000002"),
    ):
        PhoneFactory(patient=patient, number=number)
    merge(cast)
    assert [p.number for p in PatientPhone.objects.filter(patient=cast.winner)] == ["19900000001", "19900000002"]


def test_allergies_of_both_are_never_lost(cast: Cast):
    Patient.objects.filter(pk=cast.winner.pk).update(allergies="青霉素")
    Patient.objects.filter(pk=cast.loser.pk).update(allergies="碘")
    merge(cast)
    cast.winner.refresh_from_db()
    assert cast.winner.allergies == "青霉素；碘"


def test_an_allergy_that_is_not_chosen_goes_into_the_medical_history(cast: Cast):
    Patient.objects.filter(pk=cast.winner.pk).update(allergies="青霉素")
    Patient.objects.filter(pk=cast.loser.pk).update(allergies="碘")
    merge(cast, allergies="winner")
    cast.winner.refresh_from_db()
    assert (cast.winner.allergies, cast.winner.medical_notes) == ("青霉素", "碘")


def test_the_class_stays_the_winners_unless_chosen(cast: Cast):
    merge(cast)
    cast.winner.refresh_from_db()
    assert cast.winner.class_code == "C-E"
    assert not ClassChange.objects.exists()


def test_a_chosen_class_is_a_correction(cast: Cast):
    merge(cast, class_code="loser")
    change = ClassChange.objects.get()
    assert (change.old_class, change.new_class, change.is_correction, change.by) == ("C-E", "C-A", True, cast.by)
    cast.winner.refresh_from_db()
    assert (cast.winner.class_code, cast.winner.awareness) == ("C-A", 4)


def test_visits_are_numbered_again_in_their_order(cast: Cast):
    now = timezone.now()
    for patient, days in ((cast.winner, 5), (cast.loser, 9), (cast.loser, 2)):
        at = now - timedelta(days=days)
        VisitFactory(clinic=cast.clinics[0], patient=patient, stage="closed", arrived_at=at, received_at=at)
    merge(cast)
    rows = Visit.objects.filter(patient=cast.winner).order_by("arrived_at").values_list("number", "is_first")
    assert list(rows) == [(1, True), (2, False), (3, False)]


# --- nobody is contacted twice or against their word -----------------------------------------------


def test_a_no_of_either_record_holds_and_is_obeyed_at_once(cast: Cast):
    now = timezone.now()
    ConsentFactory(clinic=cast.clinics[0], patient=cast.winner, given=True, at=now)
    ConsentFactory(clinic=cast.clinics[0], patient=cast.loser, given=False, at=now - timedelta(days=5))
    task = TaskFactory(clinic=cast.clinics[0], patient=cast.winner)
    cast.add("followups.Message", "winner", 0)
    merge(cast)
    latest = Consent.objects.filter(patient=cast.winner, purpose="contact").latest("at")
    assert (latest.given, latest.channel, latest.by) == (False, "merge", cast.by)
    task.refresh_from_db()
    assert (task.status, task.closed_reason) == ("closed", "consent")
    assert Message.objects.get().suppressed_reason == "consent"


def test_an_open_task_that_both_have_is_open_once(cast: Cast):
    for patient in (cast.winner, cast.loser):
        TaskFactory(clinic=cast.clinics[0], patient=patient, title="问候")
    TaskFactory(clinic=cast.clinics[0], patient=cast.loser, title="问刀口")
    merge(cast)
    assert sorted(Task.objects.open().values_list("patient", "title")) == sorted(
        [(cast.winner.pk, "问候"), (cast.winner.pk, "问刀口")]
    )
    assert Task.objects.get(closed_reason="merged").patient == cast.winner


def test_one_playbook_goes_on_in_a_clinic_and_the_others_tasks_close(cast: Cast):
    cast.loser.class_code = "C-E"
    cast.loser.save()
    cast.add("followups.PlaybookRun", "winner", 0)
    cast.add("followups.PlaybookRun", "loser", 0)
    cast.add("followups.PlaybookRun", "loser", 1)
    merge(cast)
    running = PlaybookRun.objects.filter(patient=cast.winner, ended_at=None)
    assert {run.clinic for run in running} == set(cast.clinics)
    assert PlaybookRun.objects.get(end_reason="merged").clinic == cast.clinics[0]
    assert Task.objects.open().filter(patient=cast.winner).count() == 2


def test_the_playbook_of_the_chosen_class_goes_on(cast: Cast):
    cast.add("followups.PlaybookRun", "winner", 0)
    cast.add("followups.PlaybookRun", "loser", 2)
    merge(cast, class_code="loser")
    assert PlaybookRun.objects.get(ended_at=None).playbook.class_code == "C-A"


def test_a_message_that_both_would_get_leaves_once(cast: Cast):
    for who in ("winner", "loser"):
        assert cast.add("followups.Message", who, 0)
    merge(cast)
    rows = Message.objects.filter(patient=cast.winner).order_by("pk")
    assert [(row.state, row.suppressed_reason) for row in rows] == [("queued", ""), ("suppressed", "merged")]


def test_who_had_a_campaigns_message_does_not_get_it_again(cast: Cast):
    cast.add("followups.Message", "loser", 3)
    Message.objects.update(campaign=cast.campaigns[0])
    cast.add("followups.Message", "winner", 1)
    cast.add("followups.CampaignMember", "winner", 0)
    merge(cast)
    assert not Message.objects.filter(state="queued").exists()
    assert cast.campaigns[0].members.get().left_out == "lately"


# --- referrals ---------------------------------------------------------------------------------------


def test_who_brought_themselves_by_a_merge_did_not(cast: Cast):
    ReferralFactory(clinic=cast.clinics[0], referrer=cast.winner, referred=cast.loser)
    merge(cast)
    assert not Referral.objects.exists()


def test_a_circle_that_a_merge_would_close_is_cut(cast: Cast):
    ReferralFactory(clinic=cast.clinics[0], referrer=cast.third, referred=cast.winner)
    ReferralFactory(clinic=cast.clinics[0], referrer=cast.loser, referred=cast.third)
    made = merge(cast)
    assert Referral.objects.get().referred == cast.winner
    undo_merge(merge=made, by=cast.by)
    assert Referral.objects.count() == 2


def test_the_losers_referrer_is_the_winners_unless_there_is_one(cast: Cast):
    ReferralFactory(clinic=cast.clinics[0], referrer=cast.third, referred=cast.loser)
    merge(cast)
    assert Referral.objects.get().referred == cast.winner


# --- refusals ------------------------------------------------------------------------------------------


def test_two_visits_under_way_are_refused_with_words(cast: Cast):
    for patient in (cast.winner, cast.loser):
        VisitFactory(clinic=cast.clinics[0], patient=patient)
    with pytest.raises(Refused, match="visit under way"):
        merge(cast)


def test_one_visit_under_way_moves(cast: Cast):
    VisitFactory(clinic=cast.clinics[0], patient=cast.loser)
    merge(cast)
    assert Visit.objects.get().patient == cast.winner


def test_a_clinic_where_one_may_not_merge_refuses(cast: Cast):
    elsewhere = RegistrationFactory(patient=cast.loser).clinic
    with pytest.raises(Refused, match=elsewhere.name):
        merge(cast)
    MembershipFactory(user=cast.by, clinic=elsewhere, role=Role.MANAGER)
    merge_patients(
        winner=cast.winner, loser=cast.loser, clinic=cast.clinics[0], by=type(cast.by).objects.get(pk=cast.by.pk)
    )


def test_a_record_merged_before_or_closed_is_refused(cast: Cast):
    merge(cast)
    with pytest.raises(Refused, match="merged into"):
        merge(cast)
    closed = PatientFactory(clinic=cast.clinics[0], restricted_at=timezone.now())
    with pytest.raises(Refused, match="erasure"):
        merge_patients(winner=cast.winner, loser=closed, clinic=cast.clinics[0], by=cast.by)


# --- undo -----------------------------------------------------------------------------------------------


def test_what_was_written_since_stays_with_the_winner_and_is_named(cast: Cast):
    TaskFactory(clinic=cast.clinics[0], patient=cast.loser)
    made = merge(cast)
    since = TaskFactory(clinic=cast.clinics[0], patient=cast.winner, title="新的")
    assert [n for _name, n in written_since(made)] == [1]
    undo_merge(merge=made, by=cast.by)
    since.refresh_from_db()
    assert since.patient == cast.winner
    assert Task.objects.filter(patient=cast.loser).count() == 1


def test_a_field_changed_since_is_left_as_it_is(cast: Cast):
    made = merge(cast, name="loser")
    Patient.objects.filter(pk=cast.winner.pk).update(name="沈雨维")
    kept = undo_merge(merge=made, by=cast.by)
    cast.winner.refresh_from_db()
    assert cast.winner.name == "沈雨维"
    assert kept == [["patients_patient", cast.winner.pk]]


def test_undo_ends_after_thirty_days_and_works_once(cast: Cast, time_machine: Any):
    made = merge(cast)
    time_machine.move_to(timezone.now() + timedelta(days=30, minutes=1))
    with pytest.raises(Refused, match="30 days"):
        undo_merge(merge=made, by=cast.by)
    time_machine.move_to(timezone.now() - timedelta(days=1))
    undo_merge(merge=made, by=cast.by)
    with pytest.raises(Refused, match="already"):
        undo_merge(merge=made, by=cast.by)


def test_merges_are_taken_back_last_first(cast: Cast):
    first = merge(cast)
    second = merge_patients(winner=cast.winner, loser=cast.third, clinic=cast.clinics[0], by=cast.by)
    with pytest.raises(Refused, match=cast.third.name):
        undo_merge(merge=first, by=cast.by)
    undo_merge(merge=second, by=cast.by)
    undo_merge(merge=first, by=cast.by)
    assert Patient.objects.living().count() == 3


def test_somebody_of_another_clinic_may_not_undo(cast: Cast):
    made = merge(cast)
    with pytest.raises(Refused, match="may not merge"):
        undo_merge(merge=made, by=UserFactory(role=Role.COORDINATOR, clinic=cast.clinics[0]))


def test_two_people_are_told_apart_once(cast: Cast):
    for one, other in ((cast.winner, cast.loser), (cast.loser, cast.winner)):
        tell_apart(one=one, other=other, clinic=cast.clinics[0], by=cast.by)
    assert NotTheSame.objects.get().first_id == min(cast.winner.pk, cast.loser.pk)

"""A month is frozen once, as it was known at its end, and counts the same when it is counted again as of then."""

import threading
from datetime import date, datetime, timedelta
from decimal import Decimal

import pgtrigger
import pytest
import time_machine
from django.db import connections

from accounts.permissions import Role
from clinic_crm.workbench.merging import merge_patients
from consultations.services.mistakes import mark_error
from consultations.services.refunds import refund
from followups.services.classes import set_class
from metrics.counting import figures
from metrics.figures import Figure
from metrics.kpis import DEFINITIONS, KPIS
from metrics.models import Snapshot, SnapshotFigure
from metrics.scope import Scope
from metrics.services import snapshots
from metrics.services.snapshots import NotOver, beside_live, freeze, freeze_due, months_due, replay, window_of
from metrics.tasks import freeze_months
from patients.services.contact import link_wechat
from tests.factories import ClinicFactory, UserFactory
from tests.guards.routes import signed_in
from tests.metrics.story import AFTER, MONTH, Story

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    with time_machine.travel(AFTER, tick=False):
        return Story()


def frozen(story: Story) -> Snapshot:
    return freeze(clinic=story.clinic, month=MONTH, now=AFTER)


def test_a_month_is_frozen_with_every_figure_and_the_records_behind_it(story):
    made = frozen(story)
    whole = {row.slug: row for row in made.figures.filter(coordinator=None)}
    assert set(whole) == {kpi.slug for kpi in KPIS} | {c.slug for kpi in KPIS for c in kpi.companions}
    for figure in figures(Scope((story.clinic,), as_of=made.as_of), window_of(MONTH))[None]:
        row = whole[figure.of.slug]
        assert (row.numerator, row.denominator) == (figure.numerator, figure.denominator), figure.of.slug
    form = whole["form"]
    assert sorted(form.counted) == sorted(f"visit:{v.pk}" for v in story.visits if v.form_completed_at)
    assert sorted(form.failing) == sorted(f"visit:{v.pk}" for v in story.visits if not v.form_completed_at)
    assert (made.definitions, made.month) == (DEFINITIONS, MONTH)


def test_each_coordinators_figures_are_frozen_too(story):
    made = frozen(story)
    theirs = {row.coordinator_id: row for row in made.figures.filter(slug="form").exclude(coordinator=None)}
    assert (theirs[story.one.pk].numerator, theirs[story.one.pk].denominator) == (2, 2)
    assert (theirs[story.two.pk].numerator, theirs[story.two.pk].denominator) == (1, 3)


def test_what_it_was_known_by_is_the_months_last_instant_in_the_clinics_zone():
    clinic = ClinicFactory(zone="America/New_York")
    made = freeze(clinic=clinic, month=date(2026, 10, 17), now=AFTER)
    assert made.as_of == datetime.fromisoformat("2026-10-31T23:59:59.999999-04:00")
    assert made.month == MONTH


def test_a_month_that_has_not_ended_is_refused(story):
    with pytest.raises(NotOver):
        freeze(clinic=story.clinic, month=date(2026, 11, 1), now=AFTER)
    almost = story.clinic.day_bounds(date(2026, 11, 1))[0] - timedelta(microseconds=1)
    with pytest.raises(NotOver):
        freeze(clinic=story.clinic, month=MONTH, now=almost)


def test_freezing_twice_or_late_changes_nothing(story):
    first = frozen(story)
    rows = list(SnapshotFigure.objects.order_by("pk").values())
    story.late_facts()
    again = freeze(clinic=story.clinic, month=MONTH, by=story.manager, now=AFTER + timedelta(days=20))
    assert again == first
    assert list(SnapshotFigure.objects.order_by("pk").values()) == rows


def test_frozen_late_it_is_the_same_as_frozen_at_once(story):
    story.late_facts()
    late = {(r.slug, r.coordinator_id): (r.numerator, r.denominator) for r in frozen(story).figures.all()}
    other = figures(Scope((story.clinic,), as_of=snapshots.as_of(story.clinic, MONTH)), window_of(MONTH))[None]
    assert late["closing", None] == (2, 4)
    assert [late[f.of.slug, None] for f in other] == [(f.numerator, f.denominator) for f in other]


def test_counted_again_as_of_then_it_is_what_was_frozen(story):
    made = frozen(story)
    story.late_facts()
    found = replay(made)
    assert found.faults == ()
    assert found.equal == made.figures.count()


def test_whatever_services_write_later_the_replay_is_what_was_frozen(story):
    made = frozen(story)
    with time_machine.travel(AFTER, tick=False):
        one, two, three, four, five = story.visits
        mark_error(visit=five, reason="录错", by=story.manager)
        refund(consultation=two.consultation, amount=Decimal(8000), is_full=True, reason="退", by=story.manager)
        link_wechat(patient=one.patient, clinic=story.clinic, by=story.one)
        facts = {"awareness": 4, "trust": 4, "by": story.one}
        set_class(patient=one.patient, clinic=story.clinic, code="C-C", **facts)
        merge_patients(winner=four.patient, loser=three.patient, choices={}, clinic=story.clinic, by=story.manager)
    assert sum(pair.differs for pair in beside_live(made)) > 3
    assert replay(made).faults == ()


def test_a_frozen_figure_that_was_tampered_with_is_found(story):
    made = frozen(story)
    form = made.figures.get(slug="form", coordinator=None)
    with pgtrigger.ignore("metrics.SnapshotFigure:append_only"):
        made.figures.filter(pk=form.pk).update(counted=form.counted[1:])
    assert replay(made).faults == ("form",)


def test_live_beside_frozen_names_the_records_that_made_the_difference(story):
    made = frozen(story)
    assert not any(pair.differs for pair in beside_live(made))
    story.late_facts()
    pairs = {pair.kpi.slug: pair for pair in beside_live(made)}
    closing = pairs["closing"]
    assert (closing.frozen.numerator, closing.live.numerator) == (2, 3)
    assert [(m.key, m.was, m.now) for m in closing.moves] == [
        (f"consultation:{story.visits[2].consultation_id}", "failing", "counted")
    ]
    assert not pairs["form"].moves


# --- by itself ------------------------------------------------------------------------------------


def test_it_freezes_by_itself_from_two_in_the_morning_of_the_first(story):
    first = story.clinic.day_bounds(date(2026, 11, 1))[0]
    assert months_due(story.clinic, now=first + timedelta(hours=1, minutes=59)) == []
    assert months_due(story.clinic, now=first + timedelta(hours=2)) == [MONTH]


def test_after_an_outage_every_finished_month_since_the_first_visit_is_caught_up_on_a_few_at_a_time(story):
    late = datetime.fromisoformat("2027-02-10T10:00:00+08:00")
    ClinicFactory()  # nobody ever came: nothing to freeze
    months = [date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)]
    assert months_due(story.clinic, now=late) == months
    assert freeze_due(now=late, limit=3) == 3
    assert freeze_due(now=late, limit=3) == 1
    assert freeze_due(now=late, limit=3) == 0
    assert list(Snapshot.objects.order_by("month").values_list("month", flat=True)) == months


def test_one_clinics_trouble_is_not_the_others(story, monkeypatch):
    with time_machine.travel(AFTER, tick=False):
        other = Story()
    real = snapshots.freeze

    def broken(*, clinic, **more):
        if clinic == story.clinic:
            raise RuntimeError
        return real(clinic=clinic, **more)

    monkeypatch.setattr(snapshots, "freeze", broken)
    assert freeze_due(now=AFTER) == 1
    assert Snapshot.objects.get().clinic == other.clinic


def test_beat_freezes(story, settings):
    assert settings.CELERY_BEAT_SCHEDULE["frozen months"]["task"] == freeze_months.name
    with time_machine.travel(AFTER, tick=False):
        freeze_months()
    assert Snapshot.objects.get().month == MONTH


def freeze_together(story: Story) -> list[object]:
    """Two workers freeze the same month at the same time."""
    both, results = threading.Barrier(2), []

    def work() -> None:
        try:
            both.wait(60)
            results.append(freeze(clinic=story.clinic, month=MONTH, now=AFTER).pk)
        except Exception as error:
            results.append(error)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    return results


@pytest.mark.django_db(transaction=True)
def test_two_workers_freeze_a_month_once():
    with time_machine.travel(AFTER, tick=False):
        story = Story()
    results = freeze_together(story)
    assert len(set(results)) == 1, results
    assert Snapshot.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_one_of_two_workers_fails(monkeypatch):
    """The control: what keeps the second worker out of trouble is the lock; the constraint keeps the data right."""
    with time_machine.travel(AFTER, tick=False):
        story = Story()
    gate = threading.Barrier(2)
    monkeypatch.setattr(snapshots, "_wait_for_others", lambda clinic: gate.wait(60))
    results = freeze_together(story)
    assert any(isinstance(result, Exception) for result in results)
    assert Snapshot.objects.count() == 1


# --- pages ----------------------------------------------------------------------------------------


def test_the_list_shows_months_with_frozen_and_live_where_they_differ(story):
    frozen(story)
    client = signed_in(story.manager)
    with time_machine.travel(AFTER, tick=False):
        before = client.get("/kpis/frozen/")
        story.late_facts()
        after = client.get("/kpis/frozen/")
    assert before.status_code == 200
    assert not any(month.differing for month in before.context["months"])
    assert after.context["months"][0].differing
    assert "75.0%" in after.content.decode()


def test_the_month_links_the_records_and_recomputes(story):
    made = frozen(story)
    story.late_facts()
    client = signed_in(story.manager)
    with time_machine.travel(AFTER, tick=False):
        page = client.get(f"/kpis/frozen/{made.pk}/").content.decode()
        again = client.get(f"/kpis/frozen/{made.pk}/?again=1").content.decode()
    assert f'data-record="consultation:{story.visits[2].consultation_id}"' in page
    assert f'href="/patients/{story.visits[2].patient_id}/"' in page
    assert "data-replay" not in page
    assert 'data-replay="equal"' in again


def test_another_clinics_month_is_not_found_and_a_coordinator_is_refused(story):
    made = frozen(story)
    stranger = UserFactory(role=Role.MANAGER)
    assert signed_in(stranger).get(f"/kpis/frozen/{made.pk}/").status_code == 404
    assert signed_in(story.one).get(f"/kpis/frozen/{made.pk}/").status_code == 403
    assert signed_in(story.one).get("/kpis/frozen/").status_code == 403


def test_the_list_takes_as_many_statements_for_many_months_as_for_one(story, django_assert_max_num_queries):
    frozen(story)
    client = signed_in(story.manager)
    with time_machine.travel(AFTER, tick=False):
        client.get("/kpis/frozen/")
        with django_assert_max_num_queries(60) as one:
            client.get("/kpis/frozen/")
        for month in range(1, 10):
            freeze(clinic=story.clinic, month=date(2026, month, 1), now=AFTER)
        with django_assert_max_num_queries(60) as many:
            client.get("/kpis/frozen/")
    assert len(many) == len(one)


def test_a_figure_of_nobody_is_a_dash():
    clinic = ClinicFactory()
    made = freeze(clinic=clinic, month=MONTH, now=AFTER)
    assert all(figure.value is None for figure in snapshots.frozen_figures(made).values())
    assert isinstance(snapshots.frozen_figures(made)["form"], Figure)


def test_a_frozen_month_keeps_the_words_it_was_defined_by(story):
    made = frozen(story)
    assert set(made.wording) == {"en", "zh-hans"}
    assert set(made.wording["en"]) == {kpi.slug for kpi in KPIS}
    client, url = signed_in(story.manager), f"/kpis/frozen/{made.pk}/"
    same = client.get(url).content.decode()
    assert "data-reworded" not in same
    words = {language: texts | {"form": f"旧口径 {language}"} for language, texts in made.wording.items()}
    Snapshot.objects.filter(pk=made.pk).update(wording=words)
    told = client.get(url).content.decode()
    assert "data-reworded" in told
    assert "旧口径 zh-hans" in told
    Snapshot.objects.filter(pk=made.pk).update(wording=None)  # frozen before words were kept
    assert client.get(url).status_code == 200

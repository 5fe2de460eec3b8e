"""The weekly digest: whoever wants it, once a week, on Monday morning, and nobody else."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from accounts.models import Membership
from accounts.permissions import Role
from followups import wanted
from followups.models import Message
from followups.services import sending
from metrics.figures import Figure
from metrics.kpis import BY_SLUG, KPIS
from metrics.models import DigestSubscription
from metrics.services import digest
from metrics.services.digest import queue_due, subscribe, unsubscribe
from metrics.tasks import queue_digests
from tests.factories import ClinicFactory, UserFactory
from tests.guards.routes import signed_in
from tests.metrics.story import Story

pytestmark = pytest.mark.django_db
MONDAY = datetime.fromisoformat("2026-10-12T08:00:00+08:00")


@pytest.fixture
def story() -> Story:
    with time_machine.travel(MONDAY, tick=False):
        return Story()


def test_a_subscriber_gets_one_message_a_week(story):
    subscribe(clinic=story.clinic, by=story.manager)
    assert queue_due(now=MONDAY) == 1
    assert queue_due(now=MONDAY + timedelta(hours=1)) == 0
    assert queue_due(now=MONDAY + timedelta(days=7)) == 1
    message = Message.objects.order_by("due_at").first()
    assert (message.staff, message.due_at, message.purpose) == (story.manager, MONDAY, "kpi_digest")
    assert "2026-10-05" in message.variables["title"]
    assert f"/kpis/?clinic={story.clinic.pk}&window=week&day=2026-10-05" in message.variables["text"]


def test_it_is_monday_at_eight_in_the_clinics_own_zone():
    clinic = ClinicFactory(zone="America/New_York")
    manager = UserFactory(clinic=clinic, role=Role.MANAGER)
    subscribe(clinic=clinic, by=manager)
    eight = datetime.fromisoformat("2026-10-12T08:00:00-04:00")
    assert queue_due(now=eight - timedelta(seconds=1)) == 0
    assert queue_due(now=eight) == 1


def test_after_an_outage_it_leaves_late_but_not_after_two_days(story):
    subscribe(clinic=story.clinic, by=story.manager)
    assert queue_due(now=MONDAY + timedelta(days=2)) == 0
    assert queue_due(now=MONDAY + timedelta(days=1, hours=23)) == 1


def test_nobody_is_sent_what_they_did_not_ask_for(story):
    assert queue_due(now=MONDAY) == 0


def test_it_leaves_rendered(story):
    subscribe(clinic=story.clinic, by=story.manager)
    queue_due(now=MONDAY)
    sending.send_due(now=MONDAY)
    message = Message.objects.get()
    assert message.state == "accepted"
    assert message.body.startswith(f"{story.clinic.name}：")
    assert len(message.body.splitlines()) == 1 + len(KPIS) + 1


def test_who_stopped_it_gets_nothing_even_when_it_waits_already(story):
    subscribe(clinic=story.clinic, by=story.manager)
    queue_due(now=MONDAY)
    unsubscribe(clinic=story.clinic, by=story.manager)
    sending.send_due(now=MONDAY)
    message = Message.objects.get()
    assert (message.state, message.suppressed_reason) == ("suppressed", "ended")


def test_a_wish_that_vanished_while_it_waited_suppresses_it(story):
    subscribe(clinic=story.clinic, by=story.manager)
    queue_due(now=MONDAY)
    DigestSubscription.objects.all().delete()
    sending.send_due(now=MONDAY)
    assert Message.objects.get().suppressed_reason == "ended"


@pytest.mark.parametrize("when", ["before", "waiting"])
def test_who_lost_the_role_gets_nothing(story, when):
    subscribe(clinic=story.clinic, by=story.manager)
    if when == "waiting":
        queue_due(now=MONDAY)
    Membership.objects.filter(user=story.manager).update(role=Role.NURSE)
    queue_due(now=MONDAY)
    sending.send_due(now=MONDAY)
    assert not Message.objects.exclude(state="suppressed").exists()


def test_without_asking_again_it_would_leave(story, monkeypatch):
    """The control: the question at the moment of sending is what holds it back."""
    subscribe(clinic=story.clinic, by=story.manager)
    queue_due(now=MONDAY)
    Membership.objects.filter(user=story.manager).update(role=Role.NURSE)
    monkeypatch.setattr(digest, "still_wanted", lambda pairs: pairs)
    sending.send_due(now=MONDAY)
    assert Message.objects.get().state == "accepted"


def figure(slug: str, numerator: int, denominator: int, target: int | None = None) -> Figure:
    kpi = BY_SLUG[slug]
    return Figure(kpi, Decimal(numerator), Decimal(denominator), kpi.target if target is None else Decimal(target))


def test_the_worst_comes_first_and_nothing_counted_before_what_is_met():
    last = [
        figure("closing", 9, 10), figure("form", 0, 0), figure("wechat", 97, 100), figure("referral", 1, 10),
        figure("next_appointment", 1, 10), figure("cancellation", 50, 100),
    ]  # fmt: skip
    order = [one.of.slug for one in sorted(last, key=digest.badness)]
    assert order == ["next_appointment", "cancellation", "referral", "wechat", "form", "closing"]


def test_each_line_has_the_value_the_target_and_the_week_before(settings):
    settings.SITE_URL = "https://crm.example"
    text = digest.text_of([figure("closing", 8, 10)], [figure("closing", 0, 0)], "/kpis/?window=week")
    line, link = text.splitlines()
    assert "80.0%" in line
    assert line.endswith("—")
    assert link == "https://crm.example/kpis/?window=week"


def test_the_switch_is_the_persons_own_and_for_managers(story):
    client = signed_in(story.manager)
    assert client.post("/kpis/digest/", {"wanted": "1"}).status_code == 302
    assert client.post("/kpis/digest/", {"wanted": "1"}).status_code == 302
    assert DigestSubscription.objects.get().user == story.manager
    client.post("/kpis/digest/", {"wanted": "0"})
    assert not DigestSubscription.objects.exists()
    assert signed_in(story.one).post("/kpis/digest/", {"wanted": "1"}).status_code == 403


def test_beat_queues_it(story, settings):
    assert settings.CELERY_BEAT_SCHEDULE["weekly digest"]["task"] == queue_digests.name
    subscribe(clinic=story.clinic, by=story.manager)
    with time_machine.travel(MONDAY, tick=False):
        queue_digests()
    assert Message.objects.count() == 1


def test_a_batch_without_digests_asks_nothing_more(story, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert wanted.unwanted([("digest", story.clinic.pk, story.manager.pk)]) == set()

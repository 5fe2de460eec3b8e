"""Due messages leave: the rules when they do, crashes half-way, several workers, and what is in doubt."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from accounts.permissions import Role
from followups.models import Campaign, Message, MessagingSettings, SenderAccount
from followups.senders.webhook import WebhookSender
from followups.services import outbox, reconciling, sending, sending_sql
from tests.factories import AppointmentFactory, ClinicFactory, ConsentFactory, UserFactory
from tests.followups.messaging import NOON, later, person, queued, webhook
from tests.followups.provider import ABORT, running

pytestmark = pytest.mark.django_db
State = Message.State


@pytest.fixture(autouse=True)
def _noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def provider():
    with running() as server:
        server.usual = server.as_gateway
        yield server


def sent(message: Message, now=NOON) -> Message:
    sending.send_due(now=now)
    message.refresh_from_db()
    return message


def story(message: Message) -> list[str]:
    return list(message.events.order_by("id").values_list("new_state", flat=True))


# --- the rules at sending time ------------------------------------------------------------------


def test_a_due_message_is_sent_with_its_words_filled_in():
    message = sent(queued())
    assert message.state == State.ACCEPTED
    assert message.provider == "log"
    assert "刷牙" in message.body
    assert message.accepted_at == NOON
    assert story(message) == ["queued", "accepted"]


def test_nothing_leaves_before_it_is_due():
    message = queued()
    assert sent(message, now=later(seconds=-1)).state == State.QUEUED
    assert sent(message).state == State.ACCEPTED


def suppressed(message: Message, now=NOON) -> str:
    return sent(message, now).suppressed_reason


def test_merged_since_it_was_queued():
    clinic = ClinicFactory()
    message = queued(clinic)
    message.patient.merged_into = person(clinic, phone="19900000002")
    message.patient.save()
    assert suppressed(message) == "merged"


def test_stale_from_its_moment_on():
    assert suppressed(queued(stale_at=NOON)) == "stale"
    assert sent(queued(stale_at=later(seconds=1))).state == State.ACCEPTED


@pytest.mark.parametrize(
    ("status", "reason"), [("booked", ""), ("confirmed", ""), ("kept", "gone"), ("no_show", "gone")]
)
def test_reminders_of_appointments_that_are_not_expected_any_more(status, reason):
    clinic = ClinicFactory()
    patient = person(clinic)
    appointment = AppointmentFactory(clinic=clinic, patient=patient, status=status)
    message = queued(clinic, patient, purpose="reminder_day", appointment=appointment)
    assert suppressed(message) == reason


def test_aftercare_is_sent_although_its_appointment_is_over():
    clinic = ClinicFactory()
    patient = person(clinic)
    appointment = AppointmentFactory(clinic=clinic, patient=patient, status="kept")
    assert sent(queued(clinic, patient, appointment=appointment)).state == State.ACCEPTED


def test_never_for_a_class_that_was_set_after_queueing():
    clinic = ClinicFactory()
    message = queued(clinic, nature="marketing", purpose="campaign")
    message.patient.class_code = "C-A"
    message.patient.save()
    assert suppressed(message) == "never"


def test_consent_withdrawn_after_queueing_and_never_asked():
    clinic = ClinicFactory()
    message = queued(clinic)
    ConsentFactory(clinic=clinic, patient=message.patient, purpose="contact", given=False)
    assert suppressed(message) == "consent"
    asked = person(clinic, phone="19900000002", marketing=False)
    assert suppressed(queued(clinic, asked, nature="marketing", purpose="campaign")) == "consent"
    assert sent(queued(clinic, asked)).state == State.ACCEPTED


def test_a_channel_that_is_switched_off():
    clinic = ClinicFactory()
    SenderAccount.objects.create(clinic=clinic, channel="sms", provider="log", is_on=False)
    assert suppressed(queued(clinic)) == "off"


def test_nobody_to_send_to():
    clinic = ClinicFactory()
    assert suppressed(queued(clinic, person(clinic, phone=None))) == "no_address"
    assert suppressed(queued(clinic, person(clinic, wechat_id="shen"), channel="wecom")) == "no_address"
    assert sent(queued(clinic, person(clinic, wechat_id="wmABC"), channel="wecom", subject="x")).state == State.ACCEPTED


def test_a_stopped_campaign_sends_nothing_more():
    clinic = ClinicFactory()
    campaign = Campaign.objects.create(clinic=clinic, name="讲座", text="讲座", starts_at=NOON, status="stopped")
    message = queued(clinic, nature="marketing", purpose="campaign", campaign=campaign)
    assert suppressed(message) == "ended"


def test_quiet_hours_put_off_until_they_end():
    late = NOON.replace(hour=21)
    message = sent(queued(due_at=late), now=late)
    assert (message.state, message.not_before) == (State.QUEUED, NOON.replace(hour=9) + timedelta(days=1))
    assert sent(message, now=late + timedelta(hours=11, minutes=59)).state == State.QUEUED
    assert sent(message, now=late + timedelta(hours=12)).state == State.ACCEPTED


def test_staff_are_written_to_at_night():
    clinic = ClinicFactory()
    manager = UserFactory(clinic=clinic, role=Role.MANAGER)
    late = NOON.replace(hour=23)
    assert sent(queued(clinic, staff=manager, purpose="digest", due_at=late), now=late).state == State.ACCEPTED


def test_after_the_days_limit_advertising_waits_and_service_leaves():
    clinic = ClinicFactory()
    MessagingSettings.objects.create(clinic=clinic, daily_cap=2)
    marketing = {"nature": "marketing", "purpose": "campaign"}
    people = [person(clinic, phone=f"1990000001{n}") for n in range(4)]
    rows = [queued(clinic, p, due_at=later(seconds=n - 9), **marketing) for n, p in enumerate(people[:3])]
    service = queued(clinic, people[3])
    sending.send_due(now=NOON)
    states = [Message.objects.get(pk=m.pk) for m in rows]
    assert [m.state for m in states] == ["accepted", "accepted", "queued"]
    assert states[2].not_before == NOON.replace(hour=9) + timedelta(days=1)
    assert sent(service).state == State.ACCEPTED
    tomorrow = NOON + timedelta(days=1)
    assert sent(rows[2], now=tomorrow).state == State.ACCEPTED


def test_a_weekend_off_does_not_flood():
    """What was of use on Saturday alone is suppressed on Monday; the rest leaves."""
    stale = [queued(subject=f"s:{n}", stale_at=later(hours=5)) for n in range(3)]
    lasting = queued(subject="l")
    monday = later(days=2)
    sending.send_due(now=monday)
    assert {Message.objects.get(pk=m.pk).suppressed_reason for m in stale} == {"stale"}
    assert sent(lasting, now=monday).state == State.ACCEPTED


def test_a_claim_takes_the_same_statements_for_ten_and_a_thousand():
    def statements(count: int) -> int:
        clinic = ClinicFactory()
        patient = person(clinic)
        for n in range(3):
            queued(clinic, patient, subject=f"one:{n}")
        Message.objects.bulk_create(
            Message(clinic=clinic, patient=patient, purpose="care", nature="service", channel="sms", subject=f"b:{n}",
                    due_at=NOON, not_before=NOON)
            for n in range(count)
        )  # fmt: skip
        with CaptureQueriesContext(connections["default"]) as caught:
            claimed = sending.claim(now=NOON, limit=count + 3)
        assert claimed.seen == count + 3
        return len(caught)

    assert statements(10) == statements(1000) <= 14


# --- providers, and what goes wrong --------------------------------------------------------------


def out(provider, **facts) -> Message:
    clinic = ClinicFactory()
    webhook(clinic, provider.url, **facts)
    return queued(clinic)


def test_a_provider_takes_a_message(provider):
    message = sent(out(provider))
    assert message.state == State.ACCEPTED
    assert message.provider_id.startswith("ref-")
    assert story(message) == ["queued", "sending", "accepted"]


def test_the_provider_hears_of_nothing_that_is_not_committed_as_being_sent(provider, monkeypatch):
    message = out(provider)
    seen = []
    send = WebhookSender.send
    monkeypatch.setattr(
        WebhookSender,
        "send",
        lambda self, one: seen.append(Message.objects.get(pk=message.pk).state) or send(self, one),
    )
    monkeypatch.setattr(sending, "ThreadPoolExecutor", Serial)
    sent(message)
    assert seen == [State.SENDING]


class Serial:
    """A pool without threads, so that a test's transaction is seen."""

    def __init__(self, *_args):
        self.map = map

    def __enter__(self):
        return self

    def __exit__(self, *_args): ...


def test_a_refusal_is_final(provider):
    provider.answers = [(400, {"error": "bad number"})]
    message = sent(out(provider))
    assert (message.state, message.failure) == (State.FAILED, "HTTP 400")


def test_nobody_there_is_tried_again_later_and_given_up_in_the_end(settings):
    settings.MESSAGE_TIMEOUT_SECONDS = 1
    clinic = ClinicFactory()
    webhook(clinic, "http://127.0.0.1:9")  # nobody listens on the discard port
    message = sent(queued(clinic))
    assert (message.state, message.attempts) == (State.QUEUED, 1)
    assert later(seconds=30) <= message.not_before <= later(minutes=1)
    for n in range(4):
        sent(message, now=later(hours=n + 2))
    assert (message.state, message.attempts) == (State.FAILED, 5)


@pytest.mark.parametrize("answer", [(500, {}), (200, b"<html>"), (200, {"id": "another"}), ABORT])
def test_an_unclear_answer_is_unknown_and_not_sent_again_before_it_was_asked_about(provider, answer):
    provider.answers = [answer]
    message = sent(out(provider))
    assert message.state == State.UNKNOWN
    assert sent(message, now=later(hours=1)).state == State.UNKNOWN


def test_too_late_an_answer_is_unknown_and_then_found_delivered(provider, settings):
    settings.MESSAGE_TIMEOUT_SECONDS = 1
    message = out(provider)
    provider.answers = [lambda request: (*provider.as_gateway(request), 1.5)]
    assert sent(message).state == State.UNKNOWN
    settings.MESSAGE_TIMEOUT_SECONDS = 10  # for asking, on a busy machine too
    reconciling.reconcile(now=later(hours=1))
    message.refresh_from_db()
    assert message.state == State.DELIVERED
    assert sum(provider.calls.values()) == 1


def test_what_never_came_is_sent_again(provider):
    message = out(provider)
    provider.answers = [ABORT]
    assert sent(message).state == State.UNKNOWN
    reconciling.reconcile(now=later(hours=1))
    assert sent(message, now=later(hours=1)).state == State.ACCEPTED
    assert story(message) == ["queued", "sending", "unknown", "queued", "sending", "accepted"]
    assert set(provider.effects.values()) == {1}


def test_a_provider_that_cannot_tell_leaves_it_to_a_person(provider):
    message = out(provider, status=False)
    provider.answers = [(500, {})]
    assert sent(message).state == State.UNKNOWN
    reconciling.reconcile(now=later(hours=1))
    message.refresh_from_db()
    assert message.state == State.UNKNOWN
    assert message.not_before > NOON
    assert message.lease_until is None


def crashed(message: Message, monkeypatch) -> None:
    """The worker dies after the provider has got the message and before its answer is written."""

    def die(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sending, "record", die)
        with pytest.raises(KeyboardInterrupt):
            sending.send_due(now=NOON)
    message.refresh_from_db()
    assert message.state == State.SENDING


def test_a_crash_between_sending_and_the_answer_is_reconciled(provider, monkeypatch, settings):
    message = out(provider)
    crashed(message, monkeypatch)
    lease = timedelta(seconds=settings.MESSAGE_LEASE_SECONDS)
    reconciling.reconcile(now=NOON + lease)
    message.refresh_from_db()
    assert message.state == State.SENDING  # the lease still holds at its last moment
    reconciling.reconcile(now=NOON + lease + timedelta(seconds=1))
    message.refresh_from_db()
    assert message.state == State.DELIVERED
    assert story(message) == ["queued", "sending", "unknown", "delivered"]
    assert sum(provider.calls.values()) == 1


def test_without_reconciling_the_crash_would_send_it_twice(provider, monkeypatch):
    """The control: a sweep that takes what is in doubt for unsent reaches the provider a second time."""
    message = out(provider)
    crashed(message, monkeypatch)
    Message.objects.filter(pk=message.pk).update(state=State.QUEUED)
    sending.send_due(now=NOON)
    assert max(provider.calls.values()) == 2


def test_an_answer_that_comes_after_the_lease_was_taken_over_changes_nothing(provider, monkeypatch):
    message = out(provider)
    taken = []
    record = sending.record
    monkeypatch.setattr(sending, "record", lambda token, results: taken.append((token, results)) or 0)
    sending.send_due(now=NOON)
    reconciling.give_up_leases(now=later(hours=1), limit=10)
    assert record(*taken[0]) == 0
    message.refresh_from_db()
    assert message.state == State.UNKNOWN


def test_a_lease_too_short_for_another_call_gives_the_rest_back(provider, monkeypatch, settings):
    settings.MESSAGE_LEASE_SECONDS = settings.MESSAGE_TIMEOUT_SECONDS + 1
    message = sent(out(provider))
    assert (message.state, message.attempts) == (State.QUEUED, 0)
    assert not provider.requests


def test_an_open_circuit_holds_messages_back_without_counting_tries(provider):
    clinic = ClinicFactory()
    webhook(clinic, provider.url)
    provider.usual = (500, {})
    people = [person(clinic, phone=f"1990000002{n}") for n in range(9)]
    rows = [queued(clinic, p) for p in people]
    sending.send_due(now=NOON)
    states = Counter(Message.objects.filter(pk__in=[m.pk for m in rows]).values_list("state", flat=True))
    assert states[State.QUEUED] >= 1
    assert states[State.QUEUED] + states[State.UNKNOWN] == 9
    assert all(m.attempts == 0 for m in Message.objects.filter(state=State.QUEUED))


def test_a_report_that_came_first_is_not_overwritten(provider, monkeypatch):
    message = out(provider)
    results = []
    record = sending.record
    monkeypatch.setattr(sending, "record", lambda token, got: results.append((token, got)) or 0)
    sending.send_due(now=NOON)
    outbox.move(message, State.DELIVERED)
    assert record(*results[0]) == 0
    message.refresh_from_db()
    assert message.state == State.DELIVERED


# --- several workers at the same time --------------------------------------------------------------

WORKERS, MANY = 4, 60


def race(provider) -> Counter[str]:
    """Several workers at once over the same messages; returns how often each reached the provider."""
    clinic = ClinicFactory()
    webhook(clinic, provider.url)
    for n in range(MANY):
        queued(clinic, person(clinic, phone=f"19900001{n:03d}"))
    barrier = Barrier(WORKERS)

    def work(_n: int) -> None:
        try:
            barrier.wait()
            sending.send_due(now=NOON)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS)))
    return provider.calls


@pytest.mark.django_db(transaction=True)
def test_several_workers_send_each_message_once(provider):
    calls = race(provider)
    assert len(calls) == MANY
    assert set(calls.values()) == {1}
    assert set(Message.objects.values_list("state", flat=True)) == {State.ACCEPTED}


@pytest.mark.django_db(transaction=True)
def test_without_the_claim_messages_are_sent_twice(provider, monkeypatch):
    """The control: were each still sent once, the test above would prove nothing."""
    monkeypatch.setattr(sending_sql, "CLAIM", sending_sql.CLAIM.replace("FOR NO KEY UPDATE OF m SKIP LOCKED", ""))
    assert max(race(provider).values()) > 1

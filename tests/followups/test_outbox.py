"""Queueing, withdrawing, and the states of a message."""

from itertools import product

import pytest

from accounts.permissions import Role
from followups.errors import Outdated, Refused
from followups.models import Message, MessageEvent
from followups.services import outbox
from tests.factories import ClinicFactory, UserFactory
from tests.followups.messaging import NOON, later, person, queued

pytestmark = pytest.mark.django_db
State = Message.State


def test_a_message_is_queued_once_by_recipient_purpose_subject_and_time():
    clinic = ClinicFactory()
    patient = person(clinic)
    assert queued(clinic, patient)
    again = {"clinic": clinic, "purpose": "care", "nature": "service", "patient": patient}
    assert outbox.queue(**again, subject="test:1", due_at=NOON) is None
    assert outbox.queue(**again, subject="test:2", due_at=NOON)
    assert outbox.queue(**again, subject="test:1", due_at=later(minutes=1))
    assert outbox.queue(**(again | {"purpose": "task"}), subject="test:1", due_at=NOON)
    assert Message.objects.count() == 4
    assert MessageEvent.objects.count() == 4


def test_nulls_count_as_equal_so_that_a_staff_message_is_queued_once_too():
    clinic = ClinicFactory()
    staff = UserFactory(clinic=clinic, role=Role.MANAGER)
    assert queued(clinic, staff=staff, purpose="digest").channel == "wecom"
    again = outbox.queue(clinic=clinic, staff=staff, purpose="digest", subject="test:1", due_at=NOON, nature="service")
    assert again is None


def test_what_must_never_reach_the_class_is_not_queued():
    clinic = ClinicFactory()
    patient = person(clinic, class_code="C-A")
    with pytest.raises(Refused):
        queued(clinic, patient, nature="marketing", purpose="campaign")
    assert queued(clinic, patient)
    with pytest.raises(Refused):
        queued(clinic, person(clinic, phone="19900000002", class_code="C-B"), nature="closing")


def test_dropping_suppresses_what_waits_and_nothing_else():
    waiting, sent = queued(), queued()
    Message.objects.filter(pk=sent.pk).update(state=State.ACCEPTED)
    assert outbox.drop(Message.objects.all(), reason="gone") == 1
    waiting.refresh_from_db()
    assert (waiting.state, waiting.suppressed_reason) == (State.SUPPRESSED, "gone")
    assert list(waiting.events.order_by("id").values_list("old_state", "new_state")) == [
        ("", "queued"), ("queued", "suppressed"),
    ]  # fmt: skip
    assert outbox.drop(Message.objects.all(), reason="gone") == 0


LEGAL = {
    ("queued", "sending"), ("queued", "accepted"), ("queued", "suppressed"), ("queued", "failed"),
    ("sending", "accepted"), ("sending", "delivered"), ("sending", "failed"), ("sending", "unknown"),
    ("sending", "queued"), ("unknown", "queued"), ("unknown", "accepted"), ("unknown", "delivered"),
    ("unknown", "failed"), ("accepted", "delivered"), ("accepted", "failed"), ("failed", "queued"),
    ("suppressed", "queued"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new"), list(product(State.values, State.values)))
def test_only_known_changes_of_state_are_made(old, new):
    assert outbox.may_move(old, new) is ((old, new) in LEGAL)


def test_a_failed_message_is_sent_again_by_hand_and_a_sent_one_is_not(time_machine):
    time_machine.move_to(NOON, tick=False)
    by, message = UserFactory(), queued()
    Message.objects.filter(pk=message.pk).update(state=State.FAILED, attempts=5, failure="x")
    message.refresh_from_db()
    again = outbox.retry(message=message, by=by)
    assert (again.state, again.attempts, again.failure, again.not_before) == (State.QUEUED, 0, "", NOON)
    with pytest.raises(Outdated):
        outbox.retry(message=again, by=by)


def test_what_is_past_its_time_is_not_sent_again(time_machine):
    message = queued(stale_at=later(hours=1))
    Message.objects.filter(pk=message.pk).update(state=State.FAILED)
    message.refresh_from_db()
    time_machine.move_to(later(hours=1))
    with pytest.raises(Refused):
        outbox.retry(message=message, by=UserFactory())


def test_a_waiting_message_is_withdrawn_once():
    by, message = UserFactory(), queued()
    outbox.cancel(message=message, by=by)
    with pytest.raises(Outdated):
        outbox.cancel(message=message, by=by)


@pytest.mark.parametrize("to", ["accepted", "failed", "queued"])
def test_a_person_settles_what_the_provider_could_not_tell(to):
    by, message = UserFactory(), queued()
    Message.objects.filter(pk=message.pk).update(state=State.UNKNOWN)
    message.refresh_from_db()
    settled = outbox.settle(message=message, to=to, by=by)
    assert settled.state == to
    assert settled.events.latest("id").by == by
    with pytest.raises(Outdated):
        outbox.settle(message=settled, to="accepted", by=by)


def test_settling_takes_no_other_end():
    message = queued()
    Message.objects.filter(pk=message.pk).update(state=State.UNKNOWN)
    with pytest.raises(Refused):
        outbox.settle(message=message, to="suppressed", by=UserFactory())


def test_history_cannot_be_changed():
    event = queued().events.get()
    event.detail = "x"
    with pytest.raises(Exception, match="append_only"):
        event.save()

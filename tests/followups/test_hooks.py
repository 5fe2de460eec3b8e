"""Webhooks: told with what happened, signed, tried again, told again by hand, and safe when a worker dies."""

import json
import uuid
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.permissions import Role
from consultations.models import Visit
from consultations.services.decision import leave_unseen, take_decision_back
from consultations.services.mistakes import mark_error, undo_check_in
from followups.errors import Refused
from followups.models import Hook, HookDelivery, HookEvent
from followups.senders.webhook import is_signed
from followups.services import hook_sending, hooks
from followups.services.booking import book, cancel
from tests.api.programs import Program
from tests.factories import ClinicFactory, PatientFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db
State = HookDelivery.State


class Ear(BaseHTTPRequestHandler):
    """Another system that listens; answers with the next of `server.answers`, else 204."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        return


@pytest.fixture
def ear(settings: Any) -> Any:
    settings.MESSAGE_ALLOW_PRIVATE = True
    server = HTTPServer(("127.0.0.1", 0), Ear)
    server.heard, server.answers = [], []
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class Told:
    """A clinic with a webhook to `ear` for some events."""

    def __init__(self, ear: Any, *events: str) -> None:
        self.clinic = ClinicFactory()
        self.by = UserFactory(clinic=self.clinic, role=Role.MANAGER)
        self.hook, self.secret = hooks.save_hook(
            clinic=self.clinic,
            name="仓库",
            url=f"http://127.0.0.1:{ear.server_port}/in",
            events=events or HookEvent.values,
            is_active=True,
            by=self.by,
        )

    def happen(self) -> HookDelivery:
        told = {"visit": 1, "patient": 2, "stage": "closed", "decision": ""}
        hooks.emit(clinic_id=self.clinic.pk, event=HookEvent.VISIT_CLOSED, data=told)
        return HookDelivery.objects.filter(hook=self.hook).latest("pk")


def test_an_event_arrives_signed_and_names_nobody(ear: Any):
    here = Told(ear)
    row = here.happen()
    assert hook_sending.send_due(now=timezone.now()) == 1
    headers, body = ear.heard[0]
    assert is_signed(here.secret, headers, body)
    assert headers["Idempotency-Key"] == str(row.event_id)
    assert json.loads(body) == row.payload
    assert set(row.payload) == {"id", "event", "clinic", "at", "data"}
    row.refresh_from_db()
    assert (row.state, row.attempts, row.last_status) == (State.DELIVERED, 1, 204)
    assert [one.status for one in row.tries.all()] == [204]


def test_a_refusal_is_tried_again_later_and_given_up_at_last(ear: Any):
    here = Told(ear)
    row = here.happen()
    now = timezone.now()
    for n in range(hook_sending.MOST_TRIES):
        ear.answers.append(500)
        assert hook_sending.send_due(now=now) == 1
        row.refresh_from_db()
        assert row.attempts == n + 1
        now = row.not_before + timedelta(seconds=1)
    assert row.state == State.FAILED
    assert hook_sending.send_due(now=now + timedelta(days=9)) == 0


def test_before_its_time_nothing_is_tried_again(ear: Any):
    here = Told(ear)
    ear.answers.append(503)
    here.happen()
    now = timezone.now()
    assert hook_sending.send_due(now=now) == 1
    assert hook_sending.send_due(now=now + timedelta(seconds=5)) == 0


def test_a_worker_that_dies_while_telling_loses_nothing(ear: Any):
    """The lease runs out, and the event is told under the same id."""
    here = Told(ear)
    row = here.happen()
    now = timezone.now()
    assert [one.pk for one in hook_sending.claim(now=now, token=uuid.uuid4(), limit=9)] == [row.pk]
    assert hook_sending.send_due(now=now) == 0  # somebody is at it
    assert hook_sending.send_due(now=now + timedelta(minutes=30)) == 1
    assert ear.heard[0][0]["Idempotency-Key"] == str(row.event_id)


def test_what_another_worker_took_over_is_not_written_twice(ear: Any):
    here = Told(ear)
    row = here.happen()
    first = hook_sending.claim(now=timezone.now(), token=(mine := uuid.uuid4()), limit=9)
    HookDelivery.objects.filter(pk=row.pk).update(lease_token=uuid.uuid4())
    hook_sending.record(mine, first, [hook_sending.Answer(204)])
    row.refresh_from_db()
    assert (row.state, row.attempts, row.tries.count()) == (State.SENDING, 0, 0)


def test_nothing_is_told_of_what_was_rolled_back(ear: Any):
    here = Told(ear)
    with transaction.atomic():
        here.happen()
        transaction.set_rollback(True)
    assert HookDelivery.objects.count() == 0


def test_only_the_events_asked_for_of_the_own_clinic_are_told(ear: Any):
    here = Told(ear, HookEvent.VISIT_DECIDED)
    hooks.emit(clinic_id=here.clinic.pk, event=HookEvent.VISIT_CLOSED, data={})
    hooks.emit(clinic_id=ClinicFactory().pk, event=HookEvent.VISIT_DECIDED, data={})
    assert HookDelivery.objects.count() == 0
    hooks.remove_hook(hook=here.hook, by=here.by)
    hooks.emit(clinic_id=here.clinic.pk, event=HookEvent.VISIT_DECIDED, data={})
    assert HookDelivery.objects.count() == 0


def test_visits_and_appointments_tell_what_becomes_of_them(ear: Any):
    here = Told(ear)
    visit: Visit = VisitFactory(clinic=here.clinic, stage="arrived")
    leave_unseen(visit=visit, reason="等不及", by=UserFactory(clinic=here.clinic, role=Role.COORDINATOR))
    doctor = UserFactory(clinic=here.clinic, role=Role.DOCTOR)
    start = timezone.now() + timedelta(days=3)
    booked = book(
        clinic=here.clinic, patient=PatientFactory(clinic=here.clinic), doctor=doctor, room=None, kind="first",
        starts_at=start, ends_at=start + timedelta(minutes=30), by=here.by,
    )  # fmt: skip
    cancel(appointment=booked, outcome="cancelled_clinic", reason="停诊", by=here.by)
    told = [(row.event, row.payload["data"].get("status") or row.payload["data"].get("stage")) for row in _all()]
    assert told == [
        ("visit.closed", "left_unseen"), ("appointment.changed", "booked"), ("appointment.changed", "cancelled_clinic"),
    ]  # fmt: skip


def test_what_is_taken_back_is_told_too(ear: Any):
    here = Told(ear, HookEvent.VISIT_DECIDED, HookEvent.VISIT_CLOSED)
    tc = UserFactory(clinic=here.clinic, role=Role.COORDINATOR)
    undo_check_in(visit=VisitFactory(clinic=here.clinic, stage="arrived"), by=tc)
    ended = leave_unseen(visit=VisitFactory(clinic=here.clinic, stage="arrived"), reason="等不及", by=tc)
    mark_error(visit=ended, reason="登记错人", by=here.by)
    decided = VisitFactory(clinic=here.clinic, stage="leaving", decision="undecided", decided_at=timezone.now())
    take_decision_back(visit=decided, by=tc)
    told = [(row.event, row.payload["data"].get("is_error"), row.payload["data"]["decision"]) for row in _all()]
    assert told == [
        ("visit.closed", True, ""), ("visit.closed", False, ""), ("visit.closed", True, ""), ("visit.decided", None, ""),
    ]  # fmt: skip


def _all() -> list[HookDelivery]:
    return list(HookDelivery.objects.order_by("pk"))


def test_an_event_is_told_again_by_hand_but_not_while_it_is_on_its_way(ear: Any):
    here = Told(ear)
    row = here.happen()
    with pytest.raises(Refused):
        hooks.replay(delivery=row, by=here.by)
    hook_sending.send_due(now=timezone.now())
    hooks.replay(delivery=row, by=here.by)
    hook_sending.send_due(now=timezone.now())
    assert [headers["Idempotency-Key"] for headers, _body in ear.heard] == [str(row.event_id)] * 2


@pytest.mark.parametrize("url", ["ftp://x.example/a", "nonsense", "http://127.0.0.1/in", "https://localhost/in"])
def test_an_address_inside_our_own_network_is_refused(url: str, settings: Any):
    settings.MESSAGE_ALLOW_PRIVATE = False
    clinic = ClinicFactory()
    by = UserFactory(clinic=clinic, role=Role.MANAGER)
    with pytest.raises(Refused):
        hooks.save_hook(clinic=clinic, name="x", url=url, events=["visit.closed"], is_active=True, by=by)


def test_the_page_makes_shows_the_secret_once_changes_and_removes(ear: Any, client: Client):
    clinic = ClinicFactory()
    client.force_login(UserFactory(clinic=clinic, role=Role.MANAGER))
    body = {
        "name": "仓库",
        "url": f"http://127.0.0.1:{ear.server_port}/",
        "events": ["visit.closed"],
        "is_active": "on",
    }
    made = client.post(reverse("hook_new"), body)
    row = Hook.objects.get(clinic=clinic)
    assert row.secret in made.content.decode()
    page = client.get(reverse("hook", args=[row.pk]))
    assert row.secret not in page.content.decode()
    assert client.post(reverse("hook", args=[row.pk]), body | {"events": []}).status_code == 422
    assert client.post(reverse("hook", args=[row.pk]), body | {"name": "数仓"}).status_code == 302
    assert Hook.objects.get(pk=row.pk).name == "数仓"
    old = row.secret
    client.post(reverse("hook_secret", args=[row.pk]))
    assert Hook.objects.get(pk=row.pk).secret != old
    client.post(reverse("hook_remove", args=[row.pk]))
    assert client.get(reverse("hook", args=[row.pk])).status_code == 404


def test_the_api_makes_reads_and_replays(ear: Any):
    clinic = ClinicFactory()
    manager = Program(UserFactory(clinic=clinic, role=Role.MANAGER))
    body = {"name": "仓库", "url": f"http://127.0.0.1:{ear.server_port}/", "events": ["visit.closed"]}
    made = manager.post("webhooks/", body)
    assert made.status_code == 201, made.content.decode()
    secret = made.json()["secret"]
    at = f"webhooks/{made.json()['id']}/"
    assert "secret" not in manager.get(at).json()
    assert manager.post("webhooks/", body | {"events": ["all"]}).status_code == 422
    hooks.emit(clinic_id=clinic.pk, event=HookEvent.VISIT_CLOSED, data={"visit": 1})
    hook_sending.send_due(now=timezone.now())
    assert is_signed(secret, *ear.heard[0])
    row = manager.get("webhook-deliveries/").json()["results"][0]
    assert row["state"] == "delivered"
    assert manager.get(f"webhook-deliveries/{row['id']}/tries/").json()[0]["status"] == 204
    assert manager.post(f"webhook-deliveries/{row['id']}/replay/", {}).json()["state"] == "queued"
    assert Program(UserFactory(clinic=clinic, role=Role.COORDINATOR)).get("webhooks/").status_code == 403
    assert Program(UserFactory(role=Role.MANAGER)).get(at).status_code == 404

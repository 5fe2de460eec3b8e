"""Chats that another system pushes: signed, fresh, once."""

import json
import time

import pytest
from django.urls import reverse

from accounts.models import AuditEvent
from accounts.permissions import Role
from conversations.models import Conversation, WebhookKey
from conversations.services import webhooks
from conversations.services.webhooks import make_key, sign
from tests.conversations.chats import chat_json
from tests.factories import ClinicFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    return UserFactory(clinic=ClinicFactory(), role=Role.MANAGER)


@pytest.fixture
def key(manager):
    return make_key(clinic=manager.working_in, by=manager)


@pytest.fixture
def push(client, key):
    """Push something; signed with the clinic's secret unless said otherwise."""

    def post(said, *, secret=None, at=0, event="", signature=None, address=None):
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        stamp = str(int(time.time()) + at) if isinstance(at, int) else at
        headers = {
            "X-Timestamp": stamp,
            "X-Signature": signature or "sha256=" + sign(secret or key.secret, stamp, body),
        }
        headers |= {"X-Event-Id": event} if event else {}
        url = reverse("chat_webhook", args=[address or key.key])
        return client.post(url, body, content_type="application/json", headers=headers)

    return post


def test_a_signed_chat_is_taken_in_and_inspected(push, key):
    answer = push(chat_json())
    assert (answer.status_code, answer.json()["created"]) == (200, 1)
    chat = Conversation.objects.get()
    assert (chat.clinic, chat.inspected_at is None) == (key.clinic, False)


def test_lists_and_objects_of_chats(push):
    assert push([chat_json("a"), chat_json("b")]).json()["created"] == 2
    assert push({"conversations": [chat_json("b"), chat_json("c")]}).json()["unchanged"] == 1


def test_the_same_delivery_is_answered_alike_and_changes_nothing(push):
    first, second = (push(chat_json(), event="e1").json() for _time in range(2))
    assert second == first | {"repeated": True}
    assert Conversation.objects.count() == 1


def test_an_events_id_with_other_content_is_a_conflict(push):
    push(chat_json(), event="e1")
    assert push(chat_json("other"), event="e1").status_code == 409
    assert Conversation.objects.count() == 1


def test_a_longer_version_replaces(push):
    push(chat_json(lines=[("visitor", "您好")]))
    assert push(chat_json()).json()["updated"] == 1


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"secret": "another"}, "signature"),
        ({"signature": "ß"}, "signature"),
        ({"at": "x"}, "timestamp"),
        ({"at": ""}, "timestamp"),
        ({"at": -2000}, "expired"),
        ({"at": 2000}, "expired"),
    ],
)
def test_what_is_not_signed_now_is_refused(push, options, error):
    answer = push(chat_json(), **options)
    assert (answer.status_code, answer.json()["error"]) == (401, error)
    assert not Conversation.objects.exists()


def test_an_unknown_or_old_address_is_unknown(push, key, manager):
    assert push(chat_json(), address="nobody").status_code == 404
    old = key.key
    make_key(clinic=key.clinic, by=manager)
    assert push(chat_json(), address=old).status_code == 404


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"{", "not_json"), (b"\xff", "not_json"), (b"[" * 9000, "not_json"), ([], "no_conversations"),
        ("x", "no_conversations"), ({"id": "1"}, "no_messages"), ([1], "no_messages"), ({"messages": []}, "no_id"),
        ({"id": "1", "messages": []}, "rejected"), ({"id": "1", "messages": [5]}, "rejected"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_told(push, said, error):
    answer = push(said)
    assert (answer.status_code, answer.json()["error"]) == (422, error)


def test_too_much_is_refused(push, monkeypatch):
    monkeypatch.setattr(webhooks, "MOST_CHATS", 2)
    assert push([chat_json(f"{n}") for n in range(3)]).status_code == 413
    monkeypatch.setattr(webhooks, "MOST_BYTES", 50)
    assert push(chat_json()).status_code == 413


def test_the_page_makes_shows_renews_and_closes(client, manager):
    client.force_login(manager, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = reverse("chat_webhook_settings")
    assert "还没有推送接口" in client.get(page).content.decode()
    client.post(reverse("chat_webhook_make"))
    first = WebhookKey.objects.get()
    shown = client.get(page).content.decode()
    assert first.key in shown
    assert first.secret not in shown
    assert bytes(first.secret_encrypted) != first.secret.encode()
    assert first.secret in client.post(reverse("chat_webhook_secret")).content.decode()
    client.post(reverse("chat_webhook_make"))
    assert WebhookKey.objects.get().key != first.key
    client.post(reverse("chat_webhook_end"))
    assert not WebhookKey.objects.exists()
    actions = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert actions == [f"chat_webhook_{what}" for what in ("made", "secret_shown", "rotated", "ended")]

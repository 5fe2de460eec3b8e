"""The pages of messages, and what providers report."""

import json
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.permissions import Role
from followups import consents
from followups.models import Message, MessageTemplate, MessagingSettings, SenderAccount
from followups.senders.registry import config_of, sealed
from followups.senders.webhook import signature
from followups.services import messaging
from patients.models import Consent
from tests.factories import ClinicFactory, UserFactory
from tests.followups.messaging import NOON, SECRET, later, person, queued, webhook

pytestmark = pytest.mark.django_db
State = Message.State


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def manager(clinic, client):
    user = UserFactory(clinic=clinic, role=Role.MANAGER)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return user


@pytest.fixture
def coordinator(clinic, client):
    user = UserFactory(clinic=clinic, role=Role.COORDINATOR)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return user


def put(message, **values):
    Message.objects.filter(pk=message.pk).update(**values)
    message.refresh_from_db()
    return message


# --- the outbox ----------------------------------------------------------------------------------


def test_numbers_are_masked_and_the_reason_is_said(client, manager, clinic, time_machine):
    time_machine.move_to(NOON)
    put(queued(clinic), state=State.SUPPRESSED, suppressed_reason="consent")
    page = client.get("/outbox/").content.decode()
    assert "199****0001" in page
    assert "19900000001" not in page
    assert str(Message.Suppressed.CONSENT.label) in page


def test_filters_by_state_purpose_day_and_patient(client, manager, clinic, time_machine):
    time_machine.move_to(NOON)
    one = queued(clinic, person(clinic, phone="19900000002", name="甲某"))
    queued(clinic, person(clinic, phone="19900000003", name="乙某"), purpose="task", due_at=later(days=1))
    put(one, state=State.ACCEPTED)

    def names(query: str) -> str:
        page = client.get(f"/outbox/?{query}").content.decode()
        return "".join(name for name in ("甲", "乙") if f"{name}某</a>" in page)

    assert names("") == "甲"
    assert names("when=coming") == "乙"
    assert names("state=accepted") == "甲"
    assert names("purpose=task") == "乙"
    assert names("day=2026-11-23") == "乙"
    assert names(f"patient={one.patient_id}") == "甲"


@pytest.mark.parametrize("when", ["past", "coming"])
def test_pages_follow_one_another_without_gaps(client, manager, clinic, when, time_machine):
    time_machine.move_to(NOON - timedelta(days=when == "coming"))
    patient = person(clinic)
    Message.objects.bulk_create(
        Message(clinic=clinic, patient=patient, purpose="care", channel="sms", subject=f"{n}", due_at=later(minutes=n // 2),
                not_before=NOON)
        for n in range(120)
    )  # fmt: skip
    seen, url = [], f"/outbox/?when={when}"
    while url:
        response = client.get(url)
        seen += [m.pk for m in response.context["rows"]]
        url = response.context["next_url"] and f"/outbox/{response.context['next_url']}"
    assert len(seen) == len(set(seen)) == 120


def test_the_list_takes_the_same_statements_for_ten_and_a_thousand(client, manager, clinic, time_machine):
    time_machine.move_to(NOON)
    patient = person(clinic)

    def statements(count: int) -> int:
        Message.objects.bulk_create(
            Message(clinic=clinic, patient=patient, purpose="care", channel="sms", subject=f"{count}:{n}", due_at=NOON,
                    not_before=NOON)
            for n in range(count)
        )  # fmt: skip
        with CaptureQueriesContext(connection) as caught:
            assert client.get("/outbox/").status_code == 200
        return len(caught)

    statements(1)
    assert statements(10) == statements(1000) <= 10


def test_a_message_shows_its_history_and_another_clinics_does_not_exist(client, manager, clinic):
    message = put(queued(clinic), state=State.UNKNOWN)
    url = reverse("outbox_message", args=[message.pk])
    assert "settle" in client.get(url).content.decode()
    assert client.get(url, headers={"HX-Request": "true"}).content.strip().startswith(b"<dialog")
    assert client.get(reverse("outbox_message", args=[queued().pk])).status_code == 404


def test_sending_again_withdrawing_and_settling_by_hand(client, manager, clinic):
    failed = put(queued(clinic), state=State.FAILED)
    assert client.post(f"/outbox/{failed.pk}/retry/").status_code == 302
    assert Message.objects.get(pk=failed.pk).state == State.QUEUED
    assert client.post(f"/outbox/{failed.pk}/retry/").status_code == 409
    assert client.post(f"/outbox/{failed.pk}/cancel/").status_code == 302
    unknown = queued(clinic, person(clinic, phone="19900000005"))
    put(unknown, state=State.UNKNOWN)
    assert client.post(f"/outbox/{unknown.pk}/settle/", {"to": "delivered"}).status_code == 422
    assert client.post(f"/outbox/{unknown.pk}/settle/", {"to": "accepted"}).status_code == 302
    assert client.post(f"/outbox/{unknown.pk}/settle/", {"to": "accepted"}).status_code == 409


def test_coordinators_look_and_do_not_touch(client, coordinator, clinic):
    message = put(queued(clinic), state=State.FAILED)
    assert client.get("/outbox/").status_code == 200
    assert "retry" not in client.get(f"/outbox/{message.pk}/").content.decode()
    for path in (f"/outbox/{message.pk}/retry/", f"/outbox/{message.pk}/cancel/", f"/outbox/{message.pk}/settle/"):
        assert client.post(path).status_code == 403
    for path in ("/messages/texts/", "/messages/settings/", "/messages/senders/", "/outbox/jobs/"):
        assert client.get(path).status_code == 403


# --- texts, settings, senders ---------------------------------------------------------------------

TEXT = "/messages/texts/campaign/zh-hans/sms/"


def test_a_text_is_saved_previewed_and_reset(client, manager, clinic):
    assert "沈雨薇" in client.get(TEXT).content.decode()
    preview = client.post(TEXT, {"body": "您好{name}：{text}", "preview": "1"})
    assert "您好沈雨薇" in preview.content.decode()
    assert not MessageTemplate.objects.exists()
    assert client.post(TEXT, {"body": "您好{name}：{text}", "is_active": "on"}).status_code == 302
    assert MessageTemplate.objects.get().body == "您好{name}：{text}"
    assert client.post(f"{TEXT}reset/").status_code == 302
    assert not MessageTemplate.objects.exists()


@pytest.mark.parametrize(
    ("body", "named"), [("{price}元", "{price}"), ("保证治愈{text}", "保证治愈"), ("免费{text}", "免费")]
)
def test_a_text_that_breaks_a_rule_is_kept_as_typed_with_the_reason(client, manager, body, named):
    response = client.post(TEXT, {"body": body, "is_active": "on"})
    assert response.status_code == 422
    page = response.content.decode()
    assert body in page
    assert named in page
    assert not MessageTemplate.objects.exists()


def test_flagged_words_are_saved_when_ticked(client, manager):
    assert client.post(TEXT, {"body": "免费{text}", "is_active": "on", "confirmed": "on"}).status_code == 302


@pytest.mark.parametrize(
    "path", ["/messages/texts/care/fr/sms/", "/messages/texts/x/en/sms/", "/messages/senders/fax/"]
)
def test_unknown_texts_and_channels_do_not_exist(client, manager, path):
    assert client.get(path).status_code == 404


def test_settings_are_kept(client, manager, clinic):
    page = client.get("/messages/settings/")
    values = {name: page.context["form"][name].value() for name in page.context["form"].fields}
    values |= {"quiet_from": "20:00", "remind_hours": "3", "refused": "最好\n特价\n特价\n"}
    assert client.post("/messages/settings/", values).status_code == 302
    kept = MessagingSettings.objects.get(clinic=clinic)
    assert (kept.quiet_from.hour, kept.remind_hours, kept.ad_words["refused"]) == (20, 3, ["最好", "特价"])
    assert client.post("/messages/settings/", values | {"daily_cap": "-1"}).status_code == 422


WEBHOOK = {"provider": "webhook", "is_on": "on", "endpoint": "http://127.0.0.1:1/x", "secret": "plum-kernel-41"}


def test_a_senders_settings_are_encrypted_and_its_secret_is_not_shown_again(client, manager, clinic):
    assert client.post("/messages/senders/sms/", WEBHOOK).status_code == 302
    account = SenderAccount.objects.get()
    assert b"plum-kernel" not in bytes(account.config_encrypted)
    assert config_of(account)["secret"] == "plum-kernel-41"
    page = client.get("/messages/senders/sms/").content.decode()
    assert "plum-kernel" not in page
    shown = client.get("/messages/senders/sms/").context["form"]["secret"].value()
    client.post("/messages/senders/sms/", WEBHOOK | {"secret": shown, "endpoint": "http://127.0.0.1:2/x"})
    account.refresh_from_db()
    assert config_of(account) == {"secret": "plum-kernel-41", "endpoint": "http://127.0.0.1:2/x"}


def test_a_sender_refuses_what_is_missing_unfit_or_inside_our_network(client, manager, settings):
    settings.MESSAGE_ALLOW_PRIVATE = False
    assert client.post("/messages/senders/sms/", WEBHOOK | {"secret": ""}).status_code == 422
    assert client.post("/messages/senders/sms/", WEBHOOK).status_code == 422
    assert client.post("/messages/senders/sms/", {"provider": "wecom", "is_on": "on"}).status_code == 422
    assert not SenderAccount.objects.exists()


def test_the_jobs_page_says_what_never_ran(client, manager):
    assert client.get("/outbox/jobs/").status_code == 200


# --- reports and replies -----------------------------------------------------------------------------


def callback(client, account, items, *, secret=SECRET, token=None):
    url = reverse("message_callback", args=[account.pk, token or messaging.callback_token(account)])
    body = json.dumps(items).encode()
    now = str(int(time.time()))
    headers = {"X-Timestamp": now, "X-Signature": signature(secret, now, body)}
    return client.post(url, body, content_type="application/json", headers=headers)


def sms_account(clinic, provider):
    return SenderAccount.objects.create(clinic=clinic, channel="sms", provider=provider, config_encrypted=sealed({}))


def test_a_delivery_report_counts_once_however_often_it_comes(client, clinic):
    account = webhook(clinic, "http://127.0.0.1:1")
    message = put(queued(clinic), state=State.ACCEPTED, provider="webhook", accepted_at=NOON)
    report = {"id": f"{clinic.code}-{message.pk}", "status": "delivered", "reference": "r1"}
    for _n in range(2):
        assert callback(client, account, [report]).status_code == 200
    message.refresh_from_db()
    assert (message.state, message.provider_id) == (State.DELIVERED, "r1")
    assert message.events.filter(new_state="delivered").count() == 1


def test_reports_of_aliyun_and_tencent(client, clinic):
    one = put(queued(clinic), state=State.ACCEPTED, provider="aliyun")
    aliyun = sms_account(clinic, "aliyun")
    report = {"out_id": f"{clinic.code}-{one.pk}", "biz_id": "b", "success": False, "err_msg": "空号"}
    assert callback(client, aliyun, [report]).json() == {"code": 0, "msg": "OK"}
    one.refresh_from_db()
    assert (one.state, one.failure) == (State.FAILED, "空号")
    other = ClinicFactory()
    two = put(queued(other), state=State.UNKNOWN, provider="tencent", provider_id="5000:1")
    callback(client, sms_account(other, "tencent"), [{"sid": "5000:1", "report_status": "SUCCESS"}])
    two.refresh_from_db()
    assert two.state == State.DELIVERED


def test_a_report_about_another_clinics_message_changes_nothing(client, clinic):
    message = put(queued(), state=State.ACCEPTED, provider="webhook")
    report = {"id": f"{message.clinic.code}-{message.pk}", "status": "failed"}
    callback(client, webhook(clinic, "http://127.0.0.1:1"), [report])
    message.refresh_from_db()
    assert message.state == State.ACCEPTED


@pytest.mark.parametrize("text", ["T", "td", " 退订 ", "TD。"])
def test_a_reply_withdraws_advertising_and_what_waits_at_once(client, clinic, text):
    account = webhook(clinic, "http://127.0.0.1:1")
    patient = person(clinic)
    advertising = queued(clinic, patient, nature="marketing", purpose="campaign")
    reminder = queued(clinic, patient, subject="r")
    assert callback(client, account, {"from": "+8619900000001", "reply": text}).status_code == 200
    assert Message.objects.get(pk=advertising.pk).suppressed_reason == "consent"
    assert Message.objects.get(pk=reminder.pk).state == State.QUEUED
    assert not consents.agrees(patient, "marketing")
    assert consents.agrees(patient, "service")


def test_a_reply_may_withdraw_everything(client, clinic):
    patient = person(clinic)
    reminder = queued(clinic, patient)
    callback(client, webhook(clinic, "http://127.0.0.1:1"), {"from": "19900000001", "reply": "退订全部"})
    assert Message.objects.get(pk=reminder.pk).suppressed_reason == "consent"
    assert not consents.agrees(patient, "service")


def test_any_other_reply_changes_nothing(client, clinic):
    person(clinic)
    before = Consent.objects.count()
    callback(client, webhook(clinic, "http://127.0.0.1:1"), {"from": "19900000001", "reply": "好的，谢谢"})
    assert Consent.objects.count() == before


def test_strangers_are_not_heard(client, clinic):
    account = webhook(clinic, "http://127.0.0.1:1")
    assert callback(client, account, {}, token="x").status_code == 404
    assert callback(client, account, {}, secret="wrong").status_code == 401
    old = messaging.callback_token(account)
    SenderAccount.objects.filter(pk=account.pk).update(provider="aliyun")
    account.refresh_from_db()
    assert callback(client, account, {}, token=old).status_code == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff", b'"x"', b"[" * 100_000])
def test_garbage_is_refused_politely(client, clinic, body):
    account = sms_account(clinic, "aliyun")
    url = reverse("message_callback", args=[account.pk, messaging.callback_token(account)])
    assert client.post(url, body, content_type="application/json").status_code == 400

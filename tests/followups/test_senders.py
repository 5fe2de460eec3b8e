"""Each provider's format, against a local server that also answers wrongly or not at all."""

import json

import pytest

from followups.senders import Found, Outcome, Outgoing
from followups.senders.addresses import ForbiddenAddress, check_address
from followups.senders.aliyun import EMPTY, AliyunSender, query_string, signed_headers
from followups.senders.log import LogSender
from followups.senders.tencent import TencentSender, authorization
from followups.senders.webhook import WebhookSender, is_signed, signature
from followups.senders.wecom import WeComSender
from tests.followups.provider import ABORT, running

SMS = Outgoing(
    uid="QH-7",
    to="19900000001",
    body="您好，明天见",
    variables={"name": "沈雨薇", "day": "11月23日"},
    template_code="SMS_1",
)
TO_STAFF = Outgoing(uid="QH-8", to="manager", body="3项逾期", channel="wecom", to_staff=True)
TO_PATIENT = Outgoing(uid="QH-9", to="wmABC", body="您好", channel="wecom", agent="tc1")


@pytest.fixture
def provider():
    with running() as server:
        yield server


def aliyun(provider) -> AliyunSender:
    return AliyunSender(
        {"access_key_id": "id", "access_key_secret": "key", "sign_name": "青禾", "endpoint": provider.url},
        key=provider.url,
    )


def tencent(provider) -> TencentSender:
    config = {"secret_id": "id", "secret_key": "key", "app_id": "1400", "sign_name": "青禾", "endpoint": provider.url}
    return TencentSender(config, key=provider.url)


def wecom(provider) -> WeComSender:
    return WeComSender({"corp_id": "c", "secret": "s", "agent_id": "1", "endpoint": provider.url}, key=provider.url)


def webhook(provider, **more) -> WebhookSender:
    return WebhookSender({"endpoint": f"{provider.url}/in", "secret": "s", **more}, key=provider.url)


SENDERS = [(aliyun, SMS), (tencent, SMS), (wecom, TO_STAFF), (webhook, SMS)]


# --- Aliyun --------------------------------------------------------------------------------------


def test_the_published_example_of_aliyuns_signature():
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": EMPTY,
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    query = query_string({"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"})
    signed = signed_headers(headers, query, key="YourAccessKeyId", secret="YourAccessKeySecret")
    assert signed["Authorization"].endswith("06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0")


def test_aliyun_sends_signature_template_and_our_id(provider):
    provider.usual = (200, {"Code": "OK", "Message": "OK", "BizId": "9006^0"})
    result = aliyun(provider).send(SMS)
    assert (result.outcome, result.provider_id) == (Outcome.ACCEPTED, "9006^0")
    asked = provider.requests[0]
    assert asked["headers"]["x-acs-action"] == "SendSms"
    assert asked["headers"]["Authorization"].startswith("ACS3-HMAC-SHA256 Credential=id,")
    assert {k: asked["query"][k] for k in ("PhoneNumbers", "SignName", "TemplateCode", "OutId")} == {
        "PhoneNumbers": "19900000001", "SignName": "青禾", "TemplateCode": "SMS_1", "OutId": "QH-7",
    }  # fmt: skip
    assert json.loads(asked["query"]["TemplateParam"]) == SMS.variables


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((200, {"Code": "isv.MOBILE_NUMBER_ILLEGAL", "Message": "no"}), Outcome.REJECTED),
        ((200, {"Code": "Throttling.User", "Message": "later"}), Outcome.RETRY),
        ((400, {"Code": "SignatureDoesNotMatch", "Message": "no"}), Outcome.REJECTED),
    ],
)
def test_aliyuns_refusals(provider, answer, outcome):
    provider.usual = answer
    assert aliyun(provider).send(SMS).outcome == outcome


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([], Found.ABSENT),
        ([{"OutId": "QH-6", "SendStatus": 3}], Found.ABSENT),
        ([{"OutId": "QH-7", "SendStatus": 1}], Found.ACCEPTED),
        ([{"OutId": "QH-7", "SendStatus": 2, "ErrCode": "MK:0001"}], Found.FAILED),
        ([{"OutId": "QH-6", "SendStatus": 2}, {"OutId": "QH-7", "SendStatus": 3}], Found.DELIVERED),
    ],
)
def test_aliyun_is_asked_by_our_id(provider, rows, found):
    provider.usual = (200, {"Code": "OK", "SmsSendDetailDTOs": {"SmsSendDetailDTO": rows}})
    assert aliyun(provider).query(SMS).found == found


# --- Tencent -------------------------------------------------------------------------------------


def test_tencents_signature_is_stable_and_depends_on_everything():
    asked = {"key": "id", "secret": "key", "host": "sms.tencentcloudapi.com", "payload": "{}", "at": 1_551_113_065}
    first = authorization(**asked)
    assert first.startswith(
        "TC3-HMAC-SHA256 Credential=id/2019-02-25/sms/tc3_request, SignedHeaders=content-type;host, "
    )
    changes = ({"secret": "x"}, {"payload": "[]"}, {"at": 1_551_113_066}, {"host": "x"})
    assert len({first, *(authorization(**(asked | change)) for change in changes)}) == 5


def test_tencent_sends_parameters_in_order_and_our_id(provider):
    provider.usual = (200, {"Response": {"SendStatusSet": [{"SerialNo": "5000:1", "Code": "Ok"}], "RequestId": "r"}})
    result = tencent(provider).send(SMS)
    assert (result.outcome, result.provider_id) == (Outcome.ACCEPTED, "5000:1")
    assert provider.requests[0]["headers"]["X-TC-Action"] == "SendSms"
    body = provider.requests[0]["json"]
    assert body["PhoneNumberSet"] == ["+8619900000001"]
    assert body["TemplateParamSet"] == ["沈雨薇", "11月23日"]
    assert body["SessionContext"] == "QH-7"


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"Error": {"Code": "AuthFailure.SignatureFailure", "Message": "no"}}, Outcome.REJECTED),
        ({"Error": {"Code": "RequestLimitExceeded", "Message": "later"}}, Outcome.RETRY),
        ({"Error": {"Code": "InternalError.Timeout", "Message": "?"}}, Outcome.UNKNOWN),
        ({"SendStatusSet": [{"Code": "FailedOperation.PhoneNumberInBlacklist", "Message": "no"}]}, Outcome.REJECTED),
        ({}, Outcome.UNKNOWN),
    ],
)
def test_tencents_refusals(provider, said, outcome):
    provider.usual = (200, {"Response": said})
    assert tencent(provider).send(SMS).outcome == outcome


def test_tencent_cannot_say_that_something_never_came(provider):
    provider.usual = (200, {"Response": {"PullSmsSendStatusSet": []}})
    assert tencent(provider).query(SMS).found == Found.CANNOT_TELL
    row = {"SessionContext": "QH-7", "ReportStatus": "SUCCESS", "SerialNo": "5000:1"}
    provider.usual = (200, {"Response": {"PullSmsSendStatusSet": [row]}})
    assert tencent(provider).query(SMS).found == Found.DELIVERED


def test_sms_providers_want_a_template(provider):
    bare = Outgoing(uid="QH-1", to="19900000001", body="x")
    assert aliyun(provider).send(bare).outcome == tencent(provider).send(bare).outcome == Outcome.REJECTED
    assert not provider.requests


# --- WeCom ---------------------------------------------------------------------------------------


def office(request):
    if request["path"].endswith("gettoken"):
        return 200, {"errcode": 0, "access_token": "t1", "expires_in": 7200}
    return 200, {"errcode": 0, "errmsg": "ok", "msgid": "m1"}


def test_wecom_writes_to_staff_and_fetches_its_token_once(provider):
    provider.usual = office
    sender = wecom(provider)
    assert sender.send(TO_STAFF).outcome == sender.send(TO_STAFF).outcome == Outcome.ACCEPTED
    paths = [r["path"] for r in provider.requests]
    assert paths == ["/cgi-bin/gettoken", "/cgi-bin/message/send", "/cgi-bin/message/send"]
    assert provider.requests[1]["json"]["touser"] == "manager"
    assert provider.requests[1]["json"]["enable_duplicate_check"] == 1


def test_wecom_makes_a_task_for_the_coordinator_of_a_patient(provider):
    provider.usual = office
    assert wecom(provider).send(TO_PATIENT).provider_id == "m1"
    body = provider.requests[1]["json"]
    assert (body["external_userid"], body["sender"]) == (["wmABC"], "tc1")


def test_wecom_renews_a_token_that_expired(provider):
    provider.answers = [office, (200, {"errcode": 42001, "errmsg": "expired"}), office, office]
    assert wecom(provider).send(TO_STAFF).outcome == Outcome.ACCEPTED
    assert [r["path"].rpartition("/")[2] for r in provider.requests] == ["gettoken", "send", "gettoken", "send"]


def test_without_a_token_nothing_has_left(provider):
    provider.usual = (200, {"errcode": 40001, "errmsg": "invalid credential"})
    assert wecom(provider).send(TO_STAFF).outcome == Outcome.RETRY


def test_wecom_drops_duplicates_to_staff_so_that_they_may_be_sent_again(provider):
    assert wecom(provider).query(TO_STAFF).found == Found.ABSENT
    assert wecom(provider).query(TO_PATIENT).found == Found.CANNOT_TELL


# --- webhook -------------------------------------------------------------------------------------


def test_a_webhook_is_signed_and_carries_our_id(provider):
    provider.usual = provider.as_gateway
    assert webhook(provider).send(SMS).outcome == Outcome.ACCEPTED
    asked = provider.requests[0]
    assert asked["headers"]["Idempotency-Key"] == "QH-7"
    assert is_signed("s", asked["headers"], asked["body"])
    assert not is_signed("other", asked["headers"], asked["body"])
    assert not is_signed("s", asked["headers"], asked["body"] + b" ")


@pytest.mark.parametrize(("age", "fresh"), [(300, True), (301, False), (-300, True), (-301, False)])
def test_an_old_signature_is_no_signature(age, fresh):
    headers = {"X-Timestamp": "1000000", "X-Signature": signature("s", "1000000", b"x")}
    assert is_signed("s", headers, b"x", now=1_000_000 + age) is fresh


def test_the_same_message_twice_has_one_effect(provider):
    provider.usual = provider.as_gateway
    sender = webhook(provider, status_endpoint=f"{provider.url}/status")
    assert sender.query(SMS).found == Found.ABSENT
    assert sender.send(SMS).outcome == sender.send(SMS).outcome == Outcome.ACCEPTED
    assert (provider.calls["QH-7"], provider.effects["QH-7"]) == (2, 1)
    assert sender.query(SMS).found == Found.DELIVERED


# --- all of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("make", "message"), SENDERS)
@pytest.mark.parametrize(
    "answer", [(500, {}), (502, b"bad gateway"), (200, b"<html>"), (200, b"[]"), (200, {}), (200, {}, 1.6), ABORT],
    ids=["500", "502", "html", "list", "empty", "late", "none"],
)  # fmt: skip
def test_what_is_unclear_is_never_taken_for_sent_or_unsent(provider, settings, make, message, answer):
    late = answer is not ABORT and answer[2:]
    settings.MESSAGE_TIMEOUT_SECONDS = 1 if late else settings.MESSAGE_TIMEOUT_SECONDS

    def token_or_answer(request):
        return office(request) if request["path"].endswith("gettoken") else answer

    provider.usual = token_or_answer
    assert make(provider).send(message).outcome == Outcome.UNKNOWN
    assert make(provider).query(SMS if make is not wecom else TO_PATIENT).found == Found.CANNOT_TELL


@pytest.mark.parametrize(("make", "message"), SENDERS)
def test_too_many_requests_are_tried_again(provider, make, message):
    provider.usual = (429, {})
    assert make(provider).send(message).outcome == Outcome.RETRY


def test_missing_settings_are_named():
    result = AliyunSender({"access_key_id": "x"}).send(SMS)
    assert result.outcome == Outcome.REJECTED
    assert "access_key_secret" in result.detail


def test_the_circuit_opens_after_five_failures_and_lets_one_try_after_a_while(provider, settings):
    settings.MESSAGE_CIRCUIT_SECONDS = 60
    provider.usual = (500, {})
    sender = webhook(provider)
    assert [sender.send(SMS).outcome for _n in range(7)] == [Outcome.UNKNOWN] * 5 + [Outcome.HELD] * 2
    assert len(provider.requests) == 5
    sender.breaker.reset_timeout = 0
    provider.usual = provider.as_gateway
    assert sender.send(SMS).outcome == Outcome.ACCEPTED
    assert sender.breaker.current_state == "closed"


def test_the_log_calls_nobody():
    assert LogSender({}).send(SMS).outcome == Outcome.ACCEPTED


@pytest.mark.parametrize(
    "url",
    ["http://93.184.215.14/", "https://127.0.0.1/", "https://10.0.0.8/x", "https://[::1]/", "ftp://x", "file:///etc"],
)
def test_in_production_only_https_outside_our_network_is_called(settings, url):
    settings.MESSAGE_ALLOW_PRIVATE = False
    with pytest.raises(ForbiddenAddress):
        check_address(url)
    assert check_address("https://93.184.215.14/") is None


def test_a_forbidden_address_is_never_called(provider, settings):
    settings.MESSAGE_ALLOW_PRIVATE = False
    assert webhook(provider).send(SMS).outcome == Outcome.RETRY
    assert not provider.requests

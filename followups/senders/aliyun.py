"""Aliyun SMS: SendSms and QuerySendDetails of the API of 2017-05-25, signed by ACS3-HMAC-SHA256."""

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, urlsplit

from followups.senders.base import Found, NotTaken, Outcome, Outgoing, Reply, Result, Sender, Unclear

ALGORITHM = "ACS3-HMAC-SHA256"
EMPTY = hashlib.sha256(b"").hexdigest()
BEIJING = timezone(timedelta(hours=8))
# The provider has not taken it and says to come back later.
BUSY = frozenset({"Throttling", "Throttling.User", "Throttling.Api", "ServiceUnavailable", "SERVICE_UNAVAILABLE"})
STATES = {1: Found.ACCEPTED, 2: Found.FAILED, 3: Found.DELIVERED}


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")


def query_string(parameters: Mapping[str, str]) -> str:
    """Return the parameters sorted and quoted as the signature wants them."""
    return "&".join(f"{_quoted(k)}={_quoted(v)}" for k, v in sorted(parameters.items()))


def signed_headers(headers: Mapping[str, str], query: str, *, key: str, secret: str) -> dict[str, str]:
    """Return the headers with the Authorization that signs them, for a POST without a body to `/`."""
    names = sorted(headers)
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    canonical = "\n".join(["POST", "/", query, lines, ";".join(names), headers["x-acs-content-sha256"]])
    told = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), told.encode(), hashlib.sha256).hexdigest()
    value = f"{ALGORITHM} Credential={key},SignedHeaders={';'.join(names)},Signature={signature}"
    return {**headers, "Authorization": value}


class AliyunSender(Sender):
    provider = "aliyun"
    required = ("access_key_id", "access_key_secret", "sign_name")
    endpoint = "https://dysmsapi.aliyuncs.com"

    def _send(self, message: Outgoing) -> Result:
        if not message.template_code:
            return Result(Outcome.REJECTED, detail="template code missing")
        said = self._call(
            "SendSms",
            PhoneNumbers=message.to,
            SignName=self.config["sign_name"],
            TemplateCode=message.template_code,
            TemplateParam=json.dumps(dict(message.variables), ensure_ascii=False),
            OutId=message.uid,
        )
        code, words = str(said.get("Code", "")), str(said.get("Message", ""))
        if code == "OK":
            return Result(Outcome.ACCEPTED, provider_id=str(said.get("BizId", ""))[:80])
        if code in BUSY:
            raise NotTaken(f"{code}: {words}")
        if not code:
            raise Unclear("no Code in the answer")
        return Result(Outcome.REJECTED, detail=f"{code}: {words}"[:300])

    def _query(self, message: Outgoing) -> Reply:
        tried = (message.tried_at or datetime.now(UTC)).astimezone(BEIJING)
        said = self._call(
            "QuerySendDetails", PhoneNumber=message.to, SendDate=f"{tried:%Y%m%d}", PageSize="50", CurrentPage="1"
        )
        if said.get("Code") != "OK":
            return Reply(Found.CANNOT_TELL, detail=f"{said.get('Code')}: {said.get('Message')}"[:300])
        rows = (said.get("SmsSendDetailDTOs") or {}).get("SmsSendDetailDTO") or []
        for row in rows:
            if row.get("OutId") == message.uid:
                return Reply(STATES.get(int(row["SendStatus"]), Found.CANNOT_TELL), detail=str(row.get("ErrCode", "")))
        return Reply(Found.ABSENT)

    def _call(self, action: str, **parameters: str) -> dict[str, Any]:
        query = query_string(parameters)
        headers = {
            "host": urlsplit(self.base).netloc,
            "x-acs-action": action,
            "x-acs-content-sha256": EMPTY,
            "x-acs-date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "x-acs-signature-nonce": uuid.uuid4().hex,
            "x-acs-version": "2017-05-25",
        }
        key, secret = self.config["access_key_id"], self.config["access_key_secret"]
        signed = signed_headers(headers, query, key=key, secret=secret)
        return self._json(self._ask("POST", f"{self.base}/?{query}", headers=signed))

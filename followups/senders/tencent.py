"""Tencent Cloud SMS: the API of 2021-01-11, signed by TC3-HMAC-SHA256."""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from followups.senders.base import Found, NotTaken, Outcome, Outgoing, Reply, Result, Sender, Unclear

SERVICE, VERSION = "sms", "2021-01-11"
HOUR = 3600
STATES = {"SUCCESS": Found.DELIVERED, "FAIL": Found.FAILED}


def authorization(*, key: str, secret: str, host: str, payload: str, at: int, service: str = SERVICE) -> str:
    """Return the Authorization of a JSON POST to `/`. Args: at: Unix seconds, as in X-TC-Timestamp."""
    day = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
    kind = "application/json; charset=utf-8"
    hashed = hashlib.sha256(payload.encode()).hexdigest()
    canonical = f"POST\n/\n\ncontent-type:{kind}\nhost:{host}\n\ncontent-type;host\n{hashed}"
    scope = f"{day}/{service}/tc3_request"
    told = f"TC3-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    step = f"TC3{secret}".encode()
    for part in (day, service, "tc3_request"):
        step = hmac.new(step, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(step, told.encode(), hashlib.sha256).hexdigest()
    return f"TC3-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders=content-type;host, Signature={signature}"


class TencentSender(Sender):
    provider = "tencent"
    required = ("secret_id", "secret_key", "app_id", "sign_name")
    endpoint = "https://sms.tencentcloudapi.com"

    def _send(self, message: Outgoing) -> Result:
        if not message.template_code:
            return Result(Outcome.REJECTED, detail="template code missing")
        said = self._call("SendSms", {
            "PhoneNumberSet": [f"+86{message.to}"],
            "SmsSdkAppId": self.config["app_id"],
            "SignName": self.config["sign_name"],
            "TemplateId": message.template_code,
            "TemplateParamSet": list(message.variables.values()),
            "SessionContext": message.uid,
        })  # fmt: skip
        if error := said.get("Error"):
            return self._refused(error)
        states = said.get("SendStatusSet") or []
        if not states:
            raise Unclear("no SendStatusSet in the answer")
        if states[0].get("Code") == "Ok":
            return Result(Outcome.ACCEPTED, provider_id=str(states[0].get("SerialNo", ""))[:80])
        return self._refused(states[0])

    @staticmethod
    def _refused(error: dict[str, Any]) -> Result:
        code, words = str(error.get("Code", "")), str(error.get("Message", ""))
        if code.startswith("RequestLimitExceeded"):
            raise NotTaken(f"{code}: {words}")
        if not code or code.startswith("InternalError"):
            raise Unclear(f"{code}: {words}")
        return Result(Outcome.REJECTED, detail=f"{code}: {words}"[:300])

    def _query(self, message: Outgoing) -> Reply:
        """Look for the message among those reported; one that is not reported yet may still be under way."""
        began = int(message.tried_at.timestamp() if message.tried_at else time.time()) - HOUR
        said = self._call("PullSmsSendStatusByPhoneNumber", {
            "BeginTime": began, "EndTime": int(time.time()), "Offset": 0, "Limit": 100,
            "PhoneNumber": f"+86{message.to}", "SmsSdkAppId": self.config["app_id"],
        })  # fmt: skip
        for row in said.get("PullSmsSendStatusSet") or []:
            ours = row.get("SessionContext") == message.uid
            if ours or (message.provider_id and row.get("SerialNo") == message.provider_id):
                found = STATES.get(row.get("ReportStatus"), Found.CANNOT_TELL)
                return Reply(found, str(row.get("SerialNo", ""))[:80], str(row.get("Description", ""))[:300])
        return Reply(Found.CANNOT_TELL)

    def _call(self, action: str, body: dict[str, Any]) -> dict[str, Any]:
        payload, at, host = json.dumps(body, ensure_ascii=False), int(time.time()), urlsplit(self.base).netloc
        signed = authorization(
            key=self.config["secret_id"], secret=self.config["secret_key"], host=host, payload=payload, at=at
        )
        headers = {
            "Authorization": signed, "Content-Type": "application/json; charset=utf-8", "Host": host,
            "X-TC-Action": action, "X-TC-Version": VERSION, "X-TC-Timestamp": str(at),
            "X-TC-Region": self.config.get("region") or "ap-guangzhou",
        }  # fmt: skip
        said = self._json(self._ask("POST", f"{self.base}/", content=payload.encode(), headers=headers)).get("Response")
        if not isinstance(said, dict):
            raise Unclear("no Response in the answer")
        return said

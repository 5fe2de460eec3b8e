"""WeCom: an application message for staff; for a patient a group-send task that a coordinator confirms in WeCom."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from followups.senders.base import Found, NotTaken, Outcome, Outgoing, Reply, Result, Sender, Unclear

TOKEN_EXPIRED = frozenset({40014, 42001})
BUSY = frozenset({-1, 45009})  # system busy; too often
DUPLICATES_DROPPED = timedelta(hours=4)
_tokens: dict[tuple[str, str, str], tuple[str, float]] = {}


class WeComSender(Sender):
    provider = "wecom"
    required = ("corp_id", "secret", "agent_id")
    endpoint = "https://qyapi.weixin.qq.com"

    def __init__(self, config: Mapping[str, str], *, key: str = "") -> None:
        super().__init__(config, key=key)
        self._account = (self.base, str(config.get("corp_id")), str(config.get("secret")))

    def _send(self, message: Outgoing) -> Result:
        said = self._with_token(*(self._to_staff(message) if message.to_staff else self._to_patient(message)))
        code = said.get("errcode")
        if code in BUSY:
            raise NotTaken(f"{code}: {said.get('errmsg')}")
        if code is None:
            raise Unclear("no errcode in the answer")
        if code == 0 and not said.get("invaliduser") and not said.get("fail_list"):
            return Result(Outcome.ACCEPTED, provider_id=str(said.get("msgid", ""))[:80])
        return Result(Outcome.REJECTED, detail=f"{code}: {said.get('errmsg')}"[:300])

    def _to_staff(self, message: Outgoing) -> tuple[str, dict[str, Any]]:
        return "message/send", {
            "touser": message.to, "msgtype": "text", "agentid": self.config["agent_id"],
            "text": {"content": message.body}, "enable_duplicate_check": 1,
            "duplicate_check_interval": int(DUPLICATES_DROPPED.total_seconds()),
        }  # fmt: skip

    def _to_patient(self, message: Outgoing) -> tuple[str, dict[str, Any]]:
        return "externalcontact/add_msg_template", {
            "chat_type": "single", "external_userid": [message.to], "sender": message.agent,
            "text": {"content": message.body},
        }  # fmt: skip

    def _query(self, message: Outgoing) -> Reply:
        """WeCom cannot be asked; but what it drops as a duplicate within four hours may be sent again."""
        tried = message.tried_at or datetime.now(UTC)
        if message.to_staff and datetime.now(UTC) - tried < DUPLICATES_DROPPED - timedelta(minutes=10):
            return Reply(Found.ABSENT, detail="duplicates are dropped")
        return Reply(Found.CANNOT_TELL)

    def _with_token(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        for fresh in (False, True):
            token = self._token(fresh=fresh)
            said = self._json(self._ask("POST", f"{self.base}/cgi-bin/{path}?access_token={token}", json=body))
            if said.get("errcode") not in TOKEN_EXPIRED:
                break
        return said

    def _token(self, *, fresh: bool) -> str:
        kept, until = _tokens.get(self._account, ("", 0.0))
        if kept and not fresh and time.time() < until:
            return kept
        asked = {"corpid": self.config["corp_id"], "corpsecret": self.config["secret"]}
        try:
            said = self._json(self._ask("GET", f"{self.base}/cgi-bin/gettoken", params=asked))
        except Unclear as error:
            raise NotTaken(f"token: {error}") from error  # the message itself has not left
        token = str(said.get("access_token") or "")
        if not token:
            raise NotTaken(f"token: {said.get('errcode')} {said.get('errmsg')}")
        _tokens[self._account] = (token, time.time() + int(said.get("expires_in", 7200)) - 300)
        return token

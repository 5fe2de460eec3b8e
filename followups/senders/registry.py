"""Which class sends for which provider."""

import json
from typing import Any

from cryptography.exceptions import InvalidTag

from followups.senders.aliyun import AliyunSender
from followups.senders.base import Sender
from followups.senders.log import LogSender
from followups.senders.tencent import TencentSender
from followups.senders.webhook import WebhookSender
from followups.senders.wecom import WeComSender
from patients import crypto

PROVIDERS: dict[str, type[Sender]] = {
    cls.provider: cls for cls in (LogSender, AliyunSender, TencentSender, WeComSender, WebhookSender)
}


def config_of(account: Any) -> dict[str, str]:
    """Return an account's decrypted settings; none when there are none, or the key is another."""
    if not account.config_encrypted:
        return {}
    try:
        kept = json.loads(crypto.decrypt(account.config_encrypted))
    except (InvalidTag, ValueError):
        return {}
    return {str(k): str(v) for k, v in kept.items()} if isinstance(kept, dict) else {}


def sealed(config: dict[str, str]) -> bytes:
    """Return an account's settings as they are kept."""
    return crypto.encrypt(json.dumps(config))


def sender_of(account: Any | None) -> Sender:
    """Return what sends for an account; without one, the log."""
    if account is None:
        return LogSender({})
    return PROVIDERS[account.provider](config_of(account), key=f"{account.pk}:{account.updated_at}")

"""How a clinic's messages leave: quiet hours, limits, words, senders."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from followups.errors import Refused
from followups.models import MessagingSettings, SenderAccount
from followups.models.messages import MessageChannel
from followups.senders.registry import PROVIDERS, sealed

FITTING: Mapping[str, tuple[str, ...]] = {
    MessageChannel.SMS: ("log", "aliyun", "tencent", "webhook"),
    MessageChannel.WECOM: ("log", "wecom", "webhook"),
    MessageChannel.WEBHOOK: ("log", "webhook"),
}
CHOICES = (
    "quiet_from",
    "quiet_until",
    "daily_cap",
    "remind_day_before",
    "remind_day_at",
    "remind_hours",
    "step_aside_days",
)
_signer = Signer(salt="followups.callback")


@transaction.atomic
def save_settings(*, clinic: Clinic, by: User, words: Mapping[str, Sequence[str]], **values: Any) -> MessagingSettings:
    """Keep a clinic's settings of messages. Args: words: the list of medical advertising; values: see CHOICES."""
    kept, _made = MessagingSettings.objects.select_for_update().get_or_create(clinic=clinic)
    for name in CHOICES:
        if name in values:
            setattr(kept, name, values[name])
    kept.ad_words = {name: list(found) for name, found in words.items()}
    kept.save()
    record(action="messaging_settings_saved", clinic=clinic, by=by, subject=kept)
    return kept


@transaction.atomic
def save_sender(
    *, clinic: Clinic, channel: str, provider: str, is_on: bool, config: Mapping[str, str], by: User
) -> SenderAccount:
    """Keep who sends a channel. Raises: Refused for a provider that cannot, or settings that are missing."""
    if provider not in FITTING.get(channel, ()):
        raise Refused(_("This provider cannot send this."), field="provider")
    missing = [name for name in PROVIDERS[provider].required if not config.get(name)]
    if missing:
        raise Refused(_("This field is required."), field=missing[0])
    values = {"provider": provider, "is_on": is_on, "config_encrypted": sealed(dict(config)), "updated_by": by}
    account, _made = SenderAccount.objects.update_or_create(clinic=clinic, channel=channel, defaults=values)
    told = {"channel": str(account.get_channel_display()), "provider": str(account.get_provider_display())}
    record(action="sender_saved", clinic=clinic, by=by, subject=account, **told)
    return account


def callback_token(account: SenderAccount) -> str:
    """Return the secret part of the address that a provider reports to; another when the provider changes."""
    return _signer.signature(f"{account.pk}:{account.provider}")


def is_callback_token(account: SenderAccount, token: str) -> bool:
    """Tell whether an address is the one we gave the provider."""
    try:
        _signer.unsign(f"{account.pk}:{account.provider}:{token}")
    except BadSignature:
        return False
    return True

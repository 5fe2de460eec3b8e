"""Forms of the outbox: filters, texts, quiet hours, senders."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic
from followups import ad_words
from followups.models import Message, MessagingSettings, SenderAccount
from followups.models.messages import MessageChannel, MessagePurpose
from followups.senders.addresses import ForbiddenAddress, check_address
from followups.senders.registry import PROVIDERS, config_of
from followups.services.messaging import FITTING

LANGUAGES = [("zh-hans", _("Chinese (Simplified)")), ("en", _("English"))]
KEEP = "••••••••"  # stands for a secret that is kept as it is


class OutboxFilterForm(forms.Form):
    """What of the outbox is shown."""

    state = forms.ChoiceField(label=_("State"), required=False)
    purpose = forms.ChoiceField(label=_("What for"), required=False)
    day = forms.DateField(
        label=_("Date"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    patient = forms.IntegerField(required=False, widget=forms.HiddenInput, min_value=1, max_value=10**15)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = [("", _("All")), *Message.State.choices]  # type: ignore[attr-defined]
        self.fields["purpose"].choices = [("", _("All")), *MessagePurpose.choices]  # type: ignore[attr-defined]


class TemplateForm(forms.Form):
    """A clinic's own words for a purpose."""

    body = forms.CharField(label=_("Text"), max_length=500, widget=forms.Textarea(attrs={"rows": 5}))
    provider_code = forms.CharField(
        label=_("Template code at the provider"), max_length=60, required=False,
        help_text=_("Aliyun and Tencent send approved templates alone; name theirs here."),
    )  # fmt: skip
    is_active = forms.BooleanField(label=_("Use this text"), required=False, initial=True)
    confirmed = forms.BooleanField(label=_("The flagged words are meant"), required=False)


class TemplateKeyForm(forms.Form):
    """Which text: purpose, language and channel, as the address says."""

    purpose = forms.ChoiceField(choices=MessagePurpose.choices)
    language = forms.ChoiceField(choices=LANGUAGES)
    channel = forms.ChoiceField(choices=MessageChannel.choices)


class MessagingSettingsForm(forms.ModelForm):
    """Quiet hours, the day's limit, reminders and the list of words."""

    refused = forms.CharField(
        label=_("Refused in advertising"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("One word a line."),
    )  # fmt: skip
    flagged = forms.CharField(
        label=_("Flagged"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("One word a line. Saved only when confirmed."),
    )  # fmt: skip

    class Meta:
        model = MessagingSettings
        fields = [
            "quiet_from", "quiet_until", "daily_cap", "remind_day_before", "remind_day_at", "remind_hours",
            "step_aside_days",
        ]  # fmt: skip
        widgets = {name: forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
                   for name in ("quiet_from", "quiet_until", "remind_day_at")}  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = ad_words.words_of(self.instance.ad_words)
        self.fields["refused"].initial = ad_words.lines(words.refused)
        self.fields["flagged"].initial = ad_words.lines(words.flagged)
        for name, most in (("daily_cap", 100_000), ("remind_hours", 23), ("step_aside_days", 60)):
            self.fields[name] = forms.IntegerField(label=self.fields[name].label, min_value=0, max_value=most)

    def words(self) -> dict[str, list[str]]:
        """Return the list as it is kept."""
        kept = {}
        for name in ("refused", "flagged"):
            kept[name] = list(dict.fromkeys(w.strip()[:40] for w in self.cleaned_data[name].splitlines() if w.strip()))
        return kept


LABELS = {
    "access_key_id": _("AccessKey ID"), "access_key_secret": _("AccessKey secret"), "sign_name": _("SMS signature"),
    "secret_id": _("SecretId"), "secret_key": _("SecretKey"), "app_id": _("SDK app ID"), "corp_id": _("Corp ID"),
    "secret": _("Secret"), "agent_id": _("Agent ID"), "endpoint": _("Web address"), "region": _("Region"),
    "status_endpoint": _("Address to ask what became of a message"),
}  # fmt: skip
SECRETS = frozenset({"access_key_secret", "secret_key", "secret"})
OPTIONAL = {
    "tencent": ("region", "endpoint"),
    "aliyun": ("endpoint",),
    "wecom": ("endpoint",),
    "webhook": ("status_endpoint",),
}


class SenderForm(forms.Form):
    """Which provider sends a channel, with its settings. Secrets are never shown again."""

    is_on = forms.BooleanField(label=_("switched on"), required=False)

    def __init__(self, data: Any = None, *, provider: str, account: SenderAccount | None, clinic: Clinic) -> None:
        super().__init__(data, initial={"is_on": account is None or account.is_on})
        same = account is not None and account.provider == provider
        self._kept = config_of(account) if same else {}
        required = PROVIDERS[provider].required
        for name in (*required, *OPTIONAL.get(provider, ())):
            secret, kept = name in SECRETS, self._kept.get(name, "")
            field = forms.CharField(label=LABELS[name], required=name in required, max_length=300)
            if secret:
                field.widget = forms.PasswordInput(render_value=True, attrs={"autocomplete": "new-password"})
            field.initial = KEEP if secret and kept else kept
            if name == "endpoint" and name not in required:
                field.help_text = _("Empty: %(address)s") % {"address": PROVIDERS[provider].endpoint}
            self.fields[name] = field
        self.names = [*required, *OPTIONAL.get(provider, ())]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for name in ("endpoint", "status_endpoint"):
            if data.get(name):
                try:
                    check_address(data[name])
                except (ForbiddenAddress, ValueError) as error:
                    self.add_error(name, str(error))
        return data

    def config(self) -> dict[str, str]:
        """Return the settings to keep; a secret that was not typed anew stays."""
        said = {name: self.cleaned_data.get(name, "") for name in self.names}
        return {k: self._kept.get(k, "") if k in SECRETS and v == KEEP else v for k, v in said.items() if v}


class ProviderForm(forms.Form):
    """Which provider, as the address says; only those that fit the channel."""

    provider = forms.ChoiceField()

    def __init__(self, *args: Any, channel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["provider"].choices = providers_for(channel)  # type: ignore[attr-defined]


def providers_for(channel: str) -> list[tuple[str, str]]:
    """Return the providers that can send a channel."""
    return [(p.value, str(p.label)) for p in SenderAccount.Provider if p.value in FITTING[channel]]

"""What is asked for to write a reading or a campaign."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic
from accounts.reading import YEARS
from followups.models import Campaign, ContactChannel, Material

CHANNELS = (ContactChannel.SMS, ContactChannel.WECHAT)


class MaterialForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Material
        fields = ("kind", "complaint", "title", "body", "is_active")
        widgets = {"body": forms.Textarea({"rows": 14})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        complaint: Any = self.fields["complaint"]
        complaint.choices = [("", _("Any")), *(c for c in complaint.choices if c[0])]


class CampaignForm(forms.Form):
    """An activity notice: what it says, how and from when it goes out. To whom stands in the address."""

    name = forms.CharField(label=_("Name of the campaign"), max_length=80)
    text = forms.CharField(
        label=_("Text"),
        max_length=300,
        widget=forms.Textarea({"rows": 4}),
        help_text=_("The greeting, the clinic's name and how to opt out are added to an SMS."),
    )
    by_channel = forms.ChoiceField(label=_("How"), choices=[(c.value, c.label) for c in CHANNELS])
    day = forms.DateField(label=_("Send from"))
    at = forms.TimeField(label=_("Time"))
    per_hour = forms.IntegerField(label=_("At most per hour"), min_value=1, max_value=10_000)

    def __init__(self, *args: Any, clinic: Clinic, campaign: Campaign | None = None, **kwargs: Any) -> None:
        self.clinic = clinic
        if campaign is not None:
            local = campaign.starts_at.astimezone(clinic.tz)
            known = {name: getattr(campaign, name) for name in ("name", "text", "per_hour")}
            known |= {"day": local.date(), "at": local.time(), "by_channel": campaign.channel}
            kwargs["initial"] = known | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        day, at = data.get("day"), data.get("at")
        if day and at:
            if day.year not in YEARS:
                self.add_error("day", gettext("Choose a day."))
            else:
                data["starts_at"] = datetime.combine(day, at, self.clinic.tz)
                if data["starts_at"].date() < timezone.now().astimezone(self.clinic.tz).date():
                    self.add_error("day", gettext("This day is past."))
        return data

"""Forms of what was captured: taking over, correcting, filing a contact."""

import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.reading import YEARS
from conversations.importing.chat import VISITOR
from conversations.importing.senders import role_of_name
from conversations.models import Capture, CapturedContact, Conversation
from conversations.services.capturing import Wish
from followups.forms import doctors_of
from followups.models import Room
from patients.models import Patient
from patients.phones import clean_number

Kind = CapturedContact.Kind
NEW = "new"
_WECHAT = re.compile(r"[A-Za-z][A-Za-z0-9_-]{5,19}|1[3-9]\d{9}|[1-9]\d{4,11}", re.ASCII)
_QQ = re.compile(r"[1-9]\d{4,11}", re.ASCII)
AT = "%Y-%m-%dT%H:%M"


def name_of(conversation: Conversation) -> str:
    """Return what the visitor is called, where it is a name: 访客2046 is none."""
    said = conversation.visitor_name
    return "" if role_of_name(said, "", frozenset()) == VISITOR else said


def future(at: datetime | None) -> datetime | None:
    """Return a time that can still be booked."""
    return at if at is not None and at > timezone.now() else None


class TakeOverForm(forms.Form):
    """Whom the contact belongs to, and which time to book."""

    patient = forms.ChoiceField(label=_("Whose contact it is"), required=False)
    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    at = forms.DateTimeField(
        label=_("Appointment"), required=False, input_formats=[AT, "%Y-%m-%dT%H:%M:%S%z"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=AT),
        help_text=_("Leave it empty to book later."),
    )  # fmt: skip
    doctor = forms.ModelChoiceField(
        User.objects.none(), label=_("Doctor"), required=False, empty_label=_("Whoever is free")
    )
    room = forms.ModelChoiceField(Room.objects.none(), label=_("Room"), required=False, empty_label=_("No room yet"))
    insist = forms.BooleanField(label=_("Outside the working hours too"), required=False)

    def __init__(
        self, *args: Any, clinic: Clinic, conversation: Conversation, known: list[Patient], **kwargs: Any
    ) -> None:
        booking = getattr(getattr(conversation, "capture", None), "booking_at", None)
        at = future(booking)
        kwargs["initial"] = {
            "name": name_of(conversation),
            "patient": str(known[0].pk) if len(known) == 1 else "" if known else NEW,
            "at": timezone.localtime(at, clinic.tz).strftime(AT) if at else None,
        } | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self.clinic, self.conversation, self.known = clinic, conversation, {str(one.pk): one for one in known}
        self.fields["doctor"].queryset = doctors_of(clinic)  # type: ignore[attr-defined]
        self.fields["room"].queryset = Room.objects.for_clinic(clinic).filter(is_active=True)  # type: ignore[attr-defined]
        here = set(Patient.objects.for_clinic(clinic).filter(pk__in=[p.pk for p in known]).values_list("pk", flat=True))
        people = [(key, _shown(one, one.pk in here)) for key, one in self.known.items()]
        self.fields["patient"].choices = [*people, (NEW, gettext("A new person"))]  # type: ignore[attr-defined]
        if conversation.patient_id:
            del self.fields["patient"], self.fields["name"]

    def clean_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["at"]
        if at is not None and at.year not in YEARS:
            raise ValidationError(gettext("Choose a time."))
        return at

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if (
            "name" in self.fields
            and not data.get("name")
            and (data.get("patient") or NEW) == NEW
            and not self._joins(data)
        ):
            self.add_error("name", gettext("Say what the visitor is called."))
        return data

    def _joins(self, data: dict[str, Any]) -> bool:
        return not data.get("patient") and len(self.known) == 1

    def wish(self) -> Wish:
        """Return what is wanted."""
        data = self.cleaned_data
        chosen = data.get("patient", "")
        return Wish(
            name=data.get("name", ""), patient=self.known.get(chosen), new_person=chosen == NEW, starts_at=data["at"],
            doctor=data["doctor"], room=data["room"], insist=data["insist"],
        )  # fmt: skip


def _shown(person: Patient, here: bool) -> str:
    """Return how a person is named who has the number; of another clinic's only the surname."""
    return str(person) if here else gettext("%(surname)s**, registered in another clinic") % {"surname": person.surname}


class CorrectForm(forms.Form):
    """What was really captured."""

    phone = forms.CharField(label=Kind.PHONE.label, max_length=40, required=False)
    wechat = forms.CharField(label=Kind.WECHAT.label, max_length=40, required=False)
    qq = forms.CharField(label=Kind.QQ.label, max_length=20, required=False)
    booking_at = forms.DateTimeField(
        label=_("Booked for"), required=False, input_formats=[AT],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=AT),
    )  # fmt: skip

    def clean_phone(self) -> str:
        return clean_number(self.cleaned_data["phone"])

    def clean_wechat(self) -> str:
        said: str = self.cleaned_data["wechat"].strip()
        if said and not _WECHAT.fullmatch(said):
            raise ValidationError(gettext("This is no WeChat id: 6 to 20 letters, digits, - and _."))
        return said

    def clean_qq(self) -> str:
        said: str = self.cleaned_data["qq"].strip()
        if said and not _QQ.fullmatch(said):
            raise ValidationError(gettext("This is no QQ number: 5 to 12 digits."))
        return said

    def clean_booking_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["booking_at"]
        if at is not None and not (at.year in YEARS and at < timezone.now() + timedelta(days=3660)):
            raise ValidationError(gettext("Choose a time."))
        return at

    @property
    def values(self) -> dict[str, str]:
        return {kind: self.cleaned_data[kind] for kind in ("phone", "wechat", "qq")}

    @staticmethod
    def held(capture: Capture) -> dict[str, Any]:
        """Return what is stored, for the form; showing it is logged by the caller."""
        at = capture.booking_at
        held: dict[str, Any] = {contact.kind: contact.value for contact in capture.contacts.order_by("pk")}
        return held | {
            "booking_at": timezone.localtime(at, capture.conversation.clinic.tz).strftime(AT) if at else None
        }


class FileForm(forms.Form):
    """The group a contact was put into, and its remark."""

    group_name = forms.CharField(label=_("Group"), max_length=60)
    remark = forms.CharField(label=_("Remark"), max_length=120)

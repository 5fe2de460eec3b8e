"""What is asked for to book, move or cancel."""

import json
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.permissions import Role
from accounts.reading import YEARS
from followups.models import AbsenceReason, Appointment, Room, Side
from followups.outcomes import ASKED, USUAL_SIDE
from followups.services import length_of

MINUTES = (15, 30, 45, 60, 90, 120, 180)
Status = Appointment.Status


def doctors_of(clinic: Clinic | int) -> Any:
    """Return the doctors who work in the clinic, by name."""
    return User.objects.working_in(clinic, Role.DOCTOR)


class SlotForm(forms.Form):
    """Where and when: a doctor, a room, a day and a time of it; a suggested slot stands for day and time."""

    doctor = forms.ModelChoiceField(User.objects.none(), label=_("Doctor"), empty_label=_("Choose"))
    room = forms.ModelChoiceField(Room.objects.none(), label=_("Room"), required=False, empty_label=_("No room yet"))
    minutes = forms.TypedChoiceField(label=_("Length"), coerce=int, required=False, empty_value=None)
    day = forms.DateField(label=_("Date"), required=False)
    at = forms.TimeField(label=_("Time"), required=False)
    slot = forms.DateTimeField(required=False, widget=forms.HiddenInput, input_formats=["%Y-%m-%dT%H:%M:%S%z"])

    def __init__(self, *args: Any, clinic: Clinic, kind: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic = clinic
        self.kind_of_old = kind
        self.fields["doctor"].queryset = doctors_of(clinic)  # type: ignore[attr-defined]
        self.fields["room"].queryset = Room.objects.for_clinic(clinic).filter(is_active=True)  # type: ignore[attr-defined]
        every = [("", gettext("as usual"))] + [(n, gettext("%(count)s min") % {"count": n}) for n in MINUTES]
        self.fields["minutes"].choices = every  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        starts_at = data.get("slot") or self._chosen(data.get("day"), data.get("at"))
        if starts_at is not None and starts_at.year not in YEARS:
            starts_at = None
        if starts_at is None and not {"day", "at"} & set(self.errors):
            self.add_error("at", gettext("Choose a time."))
        data["starts_at"] = starts_at
        if starts_at is not None:
            data["ends_at"] = starts_at + self.length(data)
        return data

    def length(self, data: dict[str, Any]) -> timedelta:
        """Return how long the appointment takes: as chosen, else as usual for its kind."""
        minutes = data.get("minutes")
        return (
            timedelta(minutes=minutes)
            if minutes
            else length_of(data.get("kind") or self.kind_of_old, clinic=self.clinic)
        )

    def _chosen(self, day: date | None, at: time | None) -> datetime | None:
        return datetime.combine(day, at, self.clinic.tz) if day and at else None


class BookingForm(SlotForm):
    kind = forms.ChoiceField(label=_("Kind"), choices=Appointment.Kind.choices)
    purpose = forms.CharField(label=_("What for"), max_length=200, required=False)

    field_order = ["kind", "doctor", "room", "minutes", "purpose", "day", "at", "slot"]


class WhyFields(forms.Form):
    """Why a patient does not come, whose side that is on, and a note. Without a side, the reason's usual one."""

    absence_reason = forms.ChoiceField(label=_("Why not"), choices=AbsenceReason.choices, required=False)
    absence_side = forms.ChoiceField(label=_("It lies on the side of"), choices=Side.choices, required=False)
    reason = forms.CharField(label=_("In their own words"), max_length=300, required=False)

    @property
    def usual_sides(self) -> str:
        """The side that goes with each reason, for the page that chooses it as soon as the reason is."""
        return json.dumps({str(reason): str(side) for reason, side in USUAL_SIDE.items()})


class MoveForm(WhyFields, SlotForm):
    field_order = ["doctor", "room", "minutes", "day", "at", "slot", "absence_reason", "absence_side", "reason"]


class WhyForm(WhyFields):
    """Asks afterwards, or corrects, why a patient did not come."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["absence_reason"].required = True


class CancelForm(WhyFields):
    """How an appointment fell through, and why: one gesture."""

    outcome = forms.ChoiceField(label=_("What happened"))

    def __init__(self, *args: Any, past: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [
            (Status.CANCELLED_PATIENT.value, gettext("The patient cancels")),
            (Status.CANCELLED_CLINIC.value, gettext("We cancel")),
            (Status.ERROR.value, gettext("Entered in error")),
        ]
        if past:
            choices.insert(0, (Status.NO_SHOW.value, gettext("The patient did not come")))
        self.fields["outcome"].choices = choices  # type: ignore[attr-defined]
        self.fields["outcome"].initial = choices[0][0]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        asked = data.get("outcome") in ASKED
        if asked and not data.get("absence_reason") and "absence_reason" not in self.errors:
            self.add_error("absence_reason", gettext("Choose the reason."))
        if data.get("outcome") and not asked and not data.get("reason", "").strip() and "reason" not in self.errors:
            self.add_error("reason", gettext("Give the reason."))
        return data


class CorrectForm(CancelForm):
    """The same, asked again of an appointment that fell through; nothing chosen leaves what happened as it was noted."""

    def __init__(self, *args: Any, row: Appointment, **kwargs: Any) -> None:
        super().__init__(*args, past=row.starts_at <= timezone.now(), **kwargs)
        self.noted = row.status
        self.fields["outcome"].required = False
        self.fields["outcome"].initial = row.status

    def clean_outcome(self) -> str:
        return self.cleaned_data["outcome"] or self.noted

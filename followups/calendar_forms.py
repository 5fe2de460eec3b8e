"""What is asked for on the calendar's own pages."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.reading import YEARS
from followups.forms import MINUTES, doctors_of
from followups.hours import LENGTHS, Span, parse_spans, spans_text
from followups.models import Absence, Appointment, Room, WaitingEntry, Weekday

GRIDS = (10, 15, 20, 30, 60)


class DropForm(forms.Form):
    """Where something was dropped: a column, a day and a time of it."""

    by = forms.ChoiceField(choices=[("doctor", ""), ("room", "")])
    col = forms.IntegerField(min_value=0, max_value=2**53)
    day = forms.DateField()
    at = forms.TimeField()

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic = clinic

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        if day.year not in YEARS:
            raise forms.ValidationError(gettext("Choose a time."))
        return day

    @property
    def starts_at(self) -> datetime:
        return datetime.combine(self.cleaned_data["day"], self.cleaned_data["at"], self.clinic.tz)


class HoursForm(forms.Form):
    """The hours of a week, a line for each weekday."""

    def __init__(self, *args: Any, week: dict[int, list[Span]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for weekday, name in Weekday.choices:
            initial = spans_text((week or {}).get(weekday, ()))
            self.fields[f"day_{weekday}"] = forms.CharField(
                label=name,
                required=False,
                max_length=100,
                initial=initial,
                widget=forms.TextInput(attrs={"data-hours": ""}),
            )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        self.week: dict[int, list[Span]] = {}
        for weekday in Weekday.values:
            try:
                self.week[weekday] = parse_spans(data.get(f"day_{weekday}", ""))
            except ValueError:
                self.add_error(f"day_{weekday}", gettext("Write it like 9-12 14-18; each part ends after it begins."))
        return data


class AbsenceForm(forms.Form):
    """Who is away, from when until when. Without times it is whole days."""

    who = forms.ChoiceField(label=_("Who"))
    kind = forms.ChoiceField(label=_("Kind"), choices=Absence.Kind.choices)
    from_day = forms.DateField(label=_("From"))
    from_time = forms.TimeField(label=_("From what time"), required=False)
    until_day = forms.DateField(label=_("Until and including"))
    until_time = forms.TimeField(label=_("Until what time"), required=False)
    note = forms.CharField(label=_("Note"), max_length=120, required=False)

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic = clinic
        self.owners = owners_of(clinic)
        self.fields["who"].choices = [(key, name) for key, (name, _facts) in self.owners.items()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        first, last = data.get("from_day"), data.get("until_day")
        for name, day in (("from_day", first), ("until_day", last)):
            if day is not None and day.year not in YEARS:
                self.add_error(name, gettext("There is no such day."))
        if first is None or last is None or self.errors:
            return data
        tz = self.clinic.tz
        data["starts_at"] = datetime.combine(first, data.get("from_time") or time(0), tz)
        until = data.get("until_time")
        data["ends_at"] = (
            datetime.combine(last, until, tz) if until else datetime.combine(last + timedelta(days=1), time(0), tz)
        )
        if data["ends_at"] <= data["starts_at"]:
            self.add_error("until_day", gettext("It ends before it begins."))
        return data

    @property
    def owner(self) -> dict[str, Any]:
        return self.owners[self.cleaned_data["who"]][1]


def owners_of(clinic: Clinic) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return who has hours: the clinic, its doctors and rooms; key → name and what a row refers to (two queries)."""
    found: dict[str, tuple[str, dict[str, Any]]] = {"clinic": (gettext("The whole clinic"), {})}
    for doctor in doctors_of(clinic):
        found[f"doctor-{doctor.pk}"] = (str(doctor), {"doctor": doctor})
    for room in Room.objects.for_clinic(clinic).filter(is_active=True):
        found[f"room-{room.pk}"] = (room.name, {"room": room})
    return found


class SettingsForm(forms.Form):
    """Grid, lengths, and which public holidays close the clinic."""

    grid_minutes = forms.TypedChoiceField(label=_("Grid, minutes"), choices=[(n, n) for n in GRIDS], coerce=int)
    closed_on_holidays = forms.BooleanField(label=_("Closed on public holidays"), required=False)
    open_on_makeup_days = forms.BooleanField(label=_("Open on make-up workdays"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind, label in Appointment.Kind.choices:
            self.fields[f"length_{kind}"] = forms.IntegerField(
                label=label, min_value=5, max_value=480, initial=LENGTHS[kind]
            )

    @property
    def lengths(self) -> dict[str, int]:
        return {kind: self.cleaned_data[f"length_{kind}"] for kind in Appointment.Kind.values}

    @property
    def length_fields(self) -> list[Any]:
        return [self[f"length_{kind}"] for kind in Appointment.Kind.values]


class RoomForm(forms.Form):
    name = forms.CharField(label=pgettext_lazy("of a thing", "Name"), max_length=40)


class WaitingForm(forms.Form):
    """What somebody on the waiting list would take."""

    kind = forms.ChoiceField(label=_("Kind"), choices=Appointment.Kind.choices)
    doctor = forms.ModelChoiceField(User.objects.none(), label=_("Doctor"), required=False, empty_label=_("Any doctor"))
    minutes = forms.TypedChoiceField(label=_("Length"), coerce=int, required=False, empty_value=None)
    from_day = forms.DateField(label=_("Not before"))
    until_day = forms.DateField(label=_("Not after"))
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic = clinic
        self.fields["doctor"].queryset = doctors_of(clinic)  # type: ignore[attr-defined]
        every = [("", gettext("as usual"))] + [(n, gettext("%(count)s min") % {"count": n}) for n in MINUTES]
        self.fields["minutes"].choices = every  # type: ignore[attr-defined]


def waiting_initial(clinic: Clinic, params: Any) -> dict[str, Any]:
    """Return what the form opens with: from tomorrow, for two weeks, and what the address names."""
    tomorrow = clinic.today() + timedelta(days=1)
    usual = {"kind": Appointment.Kind.RECHECK, "from_day": tomorrow, "until_day": tomorrow + timedelta(days=13)}
    given = {key: params[key] for key in ("kind", "doctor", "minutes", "note") if params.get(key)}
    return usual | given


OPEN = (WaitingEntry.Status.WAITING, WaitingEntry.Status.OFFERED)

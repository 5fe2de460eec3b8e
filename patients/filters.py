"""The filters of the patient list: a form over the URL that narrows a queryset and names itself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Clinic, User
from patients.classification import PatientClass
from patients.models import Channel, Registration
from patients.queries import expected_appointments, owners, recent_tags

MINE, NOBODY, UNCLASSIFIED = "me", "none", "none"
AGES = (30, 60, 90, 180, 365)  # days


@dataclass(frozen=True)
class Chip:
    """A filter that is set, and where its removal leads."""

    label: str
    remove: str


class PatientFilterForm(forms.Form):
    """Reads the filters from the URL. What is not valid there is left out, never an error page."""

    klass = forms.MultipleChoiceField(label=gettext_lazy("Class"), required=False)
    owner = forms.ChoiceField(label=gettext_lazy("Coordinator"), required=False)
    channel = forms.ChoiceField(label=gettext_lazy("Channel"), required=False)
    last_from = forms.DateField(label=gettext_lazy("Last visit from"), required=False)
    last_to = forms.DateField(label=gettext_lazy("Last visit until"), required=False)
    away = forms.TypedChoiceField(label=gettext_lazy("Not here for"), coerce=int, empty_value=None, required=False)
    no_next = forms.BooleanField(label=gettext_lazy("No next appointment"), required=False)
    tag = forms.CharField(
        label=gettext_lazy("Tag"), max_length=40, required=False, widget=forms.TextInput({"list": "tags-known"})
    )

    def __init__(self, data: QueryDict, *, clinic: Clinic, user: User, contact: bool, shown: bool = False) -> None:
        """Read `data`. shown: the form is printed, so that all choices are needed, chosen from or not."""
        super().__init__(data)
        self.clinic, self.user, self.params = clinic, user, data
        asked = shown or data.get("owner") not in (None, "", MINE, NOBODY)
        people = [(MINE, _("Mine")), *(owners(clinic) if asked else ()), (NOBODY, _("Nobody's"))]
        fields: dict[str, Any] = self.fields
        fields["klass"].choices = [*PatientClass.choices, (UNCLASSIFIED, _("No class"))]
        fields["owner"].choices = [("", _("Anybody's")), *people]
        fields["channel"].choices = [("", _("Any")), *Channel.choices]
        fields["away"].choices = [("", _("Any time")), *((n, _("%(count)d days or more") % {"count": n}) for n in AGES)]
        if not contact:  # what care does not need
            del fields["channel"], fields["tag"]
        self.is_valid()

    @property
    def usual_sort(self) -> str:
        """The order that fits what is asked: who was here when is read by visit, everything else by activity."""
        return "-visit" if any(map(self.chosen, ("away", "last_from", "last_to"))) else "-active"

    @property
    def tags(self) -> list[str]:
        """Tags to choose from; asked for only where the form is shown."""
        return recent_tags(self.clinic) if "tag" in self.fields else []

    def chosen(self, name: str) -> Any:
        return self.cleaned_data.get(name) or None

    def apply(self, rows: QuerySet[Registration]) -> QuerySet[Registration]:
        """Narrow a queryset of registrations to what is set."""
        for name, narrow in NARROW.items():
            value = self.chosen(name)
            if value is not None:
                rows = narrow(rows, value, self)
        return rows

    def chips(self, base: str) -> list[Chip]:
        """Return the filters that are set; removing one keeps the others, the sort and the columns."""
        found: list[Chip] = []
        for name in NARROW:
            value = self.chosen(name)
            values = value if isinstance(value, list) else [value] if value is not None else []
            found += [Chip(self._words(name, one), self._without(base, name, one)) for one in values]
        return found

    def _words(self, name: str, value: Any) -> str:
        field: Any = self.fields[name]
        label = str(field.label)
        if name == "no_next":
            return label
        if name in {"last_from", "last_to"}:
            shown = date_format(value, "SHORT_DATE_FORMAT")
        else:
            shown = str(dict(getattr(field, "choices", ())).get(value, value))
        return _("%(label)s: %(value)s") % {"label": label, "value": shown}

    def _without(self, base: str, name: str, value: Any) -> str:
        rest = without_cursor(self.params)
        rest.setlist(name, [v for v in rest.getlist(name) if name == "klass" and v != value])
        return f"{base}?{rest.urlencode()}" if rest else base


def without_cursor(params: QueryDict) -> QueryDict:
    """Return a copy of the URL's parameters without the place in the list."""
    rest = params.copy()
    for name in ("after", "before"):
        rest.pop(name, None)
    return rest


Narrow = Callable[[QuerySet[Registration], Any, PatientFilterForm], QuerySet[Registration]]


def _klass(rows: QuerySet[Registration], value: list[str], form: PatientFilterForm) -> QuerySet[Registration]:
    return rows.filter(patient__class_code__in=["" if code == UNCLASSIFIED else code for code in value])


def _owner(rows: QuerySet[Registration], value: str, form: PatientFilterForm) -> QuerySet[Registration]:
    if value == NOBODY:
        return rows.filter(owner=None)
    return rows.filter(owner=form.user.pk if value == MINE else int(value))


def _away(rows: QuerySet[Registration], value: int, form: PatientFilterForm) -> QuerySet[Registration]:
    limit = form.clinic.today() - timedelta(days=value)
    return rows.filter(Q(last_visit_on__lte=limit))


def _no_next(rows: QuerySet[Registration], value: bool, form: PatientFilterForm) -> QuerySet[Registration]:
    return rows.filter(~Exists(expected_appointments(form.clinic).filter(patient=OuterRef("patient"))))


NARROW: dict[str, Narrow] = {
    "klass": _klass,
    "owner": _owner,
    "channel": lambda rows, value, form: rows.filter(channel=value),
    "last_from": lambda rows, value, form: rows.filter(last_visit_on__gte=value),
    "last_to": lambda rows, value, form: rows.filter(last_visit_on__lte=value),
    "away": _away,
    "no_next": _no_next,
    "tag": lambda rows, value, form: rows.filter(tags__contains=[value]),
}

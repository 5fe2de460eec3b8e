"""The styleguide: every component in its states, for who builds pages. Shown in debug only."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from accounts.access import requires
from accounts.models import Clinic
from accounts.permissions import Permission

CLASSES = [(code, code) for code in ("C-E", "C-D", "C-C", "C-B", "C-A")]
ROUTES = [
    ("exam_first", gettext_lazy("Examination first, then the doctor")),
    ("doctor_first", gettext_lazy("The doctor first, then examination")),
]


class SampleForm(forms.Form):
    """One field of every kind, filled so that two of them are wrong."""

    name = forms.CharField(label=gettext_lazy("Name"), help_text=gettext_lazy("As on the identity card"))
    wechat = forms.CharField(
        label=gettext_lazy("WeChat"), required=False, widget=forms.TextInput(attrs={"placeholder": "shen_yw"})
    )
    phone = forms.RegexField(
        r"^\d{11}$",
        label=gettext_lazy("Phone"),
        widget=forms.TextInput(attrs={"type": "tel"}),
        error_messages={"invalid": gettext_lazy("A mobile number has 11 digits.")},
    )
    complaint = forms.ChoiceField(
        label=gettext_lazy("Chief complaint"),
        choices=[("", gettext_lazy("Choose")), ("implant", gettext_lazy("Implant")), ("pain", gettext_lazy("Pain"))],
        error_messages={"required": gettext_lazy("Choose one; it decides whether examination or doctor comes first.")},
    )
    number = forms.CharField(label=gettext_lazy("Patient number"), disabled=True, required=False)
    on = forms.DateField(label=gettext_lazy("Date"))
    at = forms.TimeField(label=gettext_lazy("Time"))
    words = forms.CharField(label=gettext_lazy("What the doctor should say"), widget=forms.Textarea)
    explained = forms.MultipleChoiceField(
        label=gettext_lazy("Explained"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[("price", gettext_lazy("Price")), ("time", gettext_lazy("Duration")), ("pain", gettext_lazy("Pain"))],
    )
    route = forms.ChoiceField(label=gettext_lazy("Route"), widget=forms.RadioSelect, choices=ROUTES)
    reminders = forms.BooleanField(label=gettext_lazy("Wants reminders"), required=False)
    klass = forms.ChoiceField(label=gettext_lazy("Class"), choices=CLASSES)
    awareness = forms.TypedChoiceField(
        label=gettext_lazy("Awareness"), coerce=int, choices=[(n, str(n)) for n in range(1, 6)]
    )


def sample_form() -> SampleForm:
    return SampleForm(
        {
            "name": "沈雨薇",
            "phone": "1990000173",
            "complaint": "",
            "on": "2026-11-25",
            "at": "10:00",
            "words": _("“The bone is good; this is a convenient time for an implant.”"),
            "explained": ["price"],
            "route": "exam_first",
            "reminders": "on",
            "klass": "C-C",
            "awareness": "2",
        },
        initial={"number": "QH2604-0173"},
    )


def _stage(label: str, state: str, note: str = "") -> dict[str, str]:
    return {"label": label, "state": state, "note": note}


def sample_stages() -> list[dict[str, str]]:
    """A visit whose handoff takes too long."""
    minutes = _("%(count)s min")
    return [
        _stage(_("Arrived"), "done", "09:52"),
        _stage(_("Received"), "done", minutes % {"count": 4}),
        _stage(_("Form"), "done", minutes % {"count": 9}),
        _stage(_("Complaint"), "done", _("examination first")),
        _stage(_("Examination"), "done", minutes % {"count": 18}),
        _stage(_("Consulting"), "skipped", _("skipped")),
        _stage(_("Handoff"), "late", _("23 min, limit 20")),
        _stage(_("Doctor"), "future", "谢美林"),
        _stage(_("Explaining"), "future"),
        _stage(_("Decision"), "future"),
        _stage(_("Leaving"), "future"),
    ]


def _context() -> dict[str, Any]:
    return {
        "form": sample_form(),
        "stages": sample_stages(),
        "classes": CLASSES,
        "reasons": [
            ("forced", _("Forced booking")),
            ("weather", _("Weather")),
            ("callback", _("Time or tone of the call")),
            ("income", _("Not yet paid")),
            ("other", _("Other")),
        ],
        "sides": [("us", _("Us")), ("patient", _("The patient")), ("chance", _("Chance"))],
        "missing": [{"label": _("Consultation form"), "url": "#fields"}, {"label": _("WeChat"), "url": "#marks"}],
        "points": [_("Say in person whether an implant is possible"), _("Tooth 37 is tilting into the gap")],
        "falling": [14, 12.5, 12.9, 11, 9.6, 10.2, 9, 8.8, 8.4],
        "rising": [66, 68, 67, 70, 69, 72, 71, 73],
        "rows": [
            ("庄小雨", "C-D", _("Gum recheck"), 3600, "watch", 16),
            ("杜若涵", "C-B", _("Four veneers"), 31200, "", 13),
            ("周岚", "C-A", _("Cleaning, the whole family"), 2000, "", 10),
            ("林书瑶", "C-C", _("Implant, upper left"), 17200, "", 6),
        ],
    }


@requires(Permission.SIGNED_IN)
@require_GET
def styleguide(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    """Show every component; not there at all outside debug."""
    if not settings.DEBUG:
        raise Http404
    return render(request, "styleguide/page.html", _context())

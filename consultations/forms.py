"""Forms of the visit's stages."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consultations.models import Consultation, Visit
from consultations.services.decision import Answer
from consultations.stages import Decision, Route, route_for
from patients.classification import Complaint, PatientClass


def _told(case: Consultation) -> str:
    day = timezone.localtime(case.opened_at).date().isoformat()
    return " ".join(filter(None, [day, str(case.get_complaint_display()), case.complaint_text[:40]]))


class ComplaintForm(forms.Form):
    """The confirmed complaint and, where the coordinator departs from it, the route."""

    complaint_text = forms.CharField(label=gettext_lazy("In the patient's words"), max_length=300)
    complaint = forms.ChoiceField(label=gettext_lazy("Chief complaint"), choices=Complaint.choices)
    route = forms.ChoiceField(
        label=gettext_lazy("Route"),
        choices=[("", gettext_lazy("as the complaint sets it")), *Route.choices],
        required=False,
    )
    route_reason = forms.CharField(label=gettext_lazy("Reason for another route"), max_length=200, required=False)
    new_case = forms.BooleanField(
        label=gettext_lazy("This is a new complaint, not a recheck of the last one"), required=False
    )
    rejoins = forms.TypedChoiceField(
        label=gettext_lazy("Recheck of an earlier complaint"), coerce=int, empty_value=None, required=False
    )

    def __init__(self, *args: Any, earlier: Iterable[Consultation] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rejoins = self.fields["rejoins"]
        assert isinstance(rejoins, forms.TypedChoiceField)
        rejoins.choices = [("", _("no, a new one")), *((case.pk, _told(case)) for case in earlier)]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        complaint, route = data.get("complaint"), data.get("route")
        if complaint and route and route != route_for(complaint) and not (data.get("route_reason") or "").strip():
            self.add_error("route_reason", _("Another route than the complaint sets needs a reason."))
        return data


class DecisionForm(forms.Form):
    """How the patient decided."""

    decision = forms.ChoiceField(label=gettext_lazy("Decision"), choices=Decision.choices)
    amount = forms.DecimalField(
        label=gettext_lazy("Plan amount, yuan"), min_value=Decimal(0), max_digits=10, decimal_places=2, required=False
    )
    deposit = forms.DecimalField(
        label=gettext_lazy("Deposit, yuan"), min_value=Decimal(0), max_digits=10, decimal_places=2, required=False
    )
    treat_today = forms.ChoiceField(
        label=gettext_lazy("Treatment"),
        choices=[
            ("", gettext_lazy("to be arranged")),
            ("today", gettext_lazy("today")),
            ("waiting", gettext_lazy("waits for the doctor")),
            ("booked", gettext_lazy("booked for another day")),
        ],
        required=False,
    )
    obstacle = forms.CharField(label=gettext_lazy("What holds them back"), max_length=200, required=False)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        decision = data.get("decision")
        if decision == Decision.DEPOSIT and not data.get("deposit"):
            self.add_error("deposit", _("A deposit needs its amount."))
        if decision in {Decision.UNDECIDED, Decision.REFUSED} and not (data.get("obstacle") or "").strip():
            self.add_error("obstacle", _("Say what holds the patient back."))
        return data

    def answer(self) -> Answer:
        """Return the cleaned values as the service takes them."""
        data = self.cleaned_data
        return Answer(
            decision=data["decision"],
            amount=data["amount"],
            deposit=data["deposit"],
            obstacle=data["obstacle"],
            treat_today=data["treat_today"],
        )


class ClassifyForm(forms.Form):
    """Class, awareness and trust as the coordinator judges them."""

    class_code = forms.ChoiceField(label=gettext_lazy("Class"), choices=PatientClass.choices)
    awareness = forms.TypedChoiceField(
        label=gettext_lazy("Awareness"), choices=[(n, str(n)) for n in range(1, 6)], coerce=int
    )
    trust = forms.TypedChoiceField(label=gettext_lazy("Trust"), choices=[(n, str(n)) for n in range(1, 6)], coerce=int)
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300, required=False)

    def __init__(self, *args: Any, visit: Visit | None = None, **kwargs: Any) -> None:
        if visit is not None and not args:
            patient = visit.patient
            kwargs["initial"] = {
                "class_code": patient.class_code,
                "awareness": patient.awareness,
                "trust": patient.trust,
            }
        super().__init__(*args, **kwargs)


class RefundForm(forms.Form):
    """Money paid back."""

    amount = forms.DecimalField(
        label=gettext_lazy("Refund, yuan"), min_value=Decimal("0.01"), max_digits=10, decimal_places=2
    )
    is_full = forms.BooleanField(
        label=gettext_lazy("Refunded in full: the treatment was given up"),
        help_text=gettext_lazy("The case then no longer counts as closed."),
        required=False,
    )
    reason = forms.CharField(label=gettext_lazy("Why the money goes back"), max_length=200)


class MistakeForm(forms.Form):
    """Why a visit was entered in error."""

    reason = forms.CharField(label=gettext_lazy("What was wrong"), max_length=200)

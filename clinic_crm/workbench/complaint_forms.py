"""Forms for complaints."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, Membership, User
from accounts.permissions import ROLE_PERMISSIONS, Permission
from patients.forms import PhoneField
from patients.models import ComplaintCase

TAKEN_FROM = ("patient_page", "visit", "conversation", "phone")
MOST = Decimal("10000000")


SETTLING = [role for role, granted in ROLE_PERMISSIONS.items() if Permission.SETTLE_COMPLAINTS in granted]


def _people(clinic: Clinic, **having: Any) -> list[tuple[str, str]]:
    rows = Membership.objects.for_clinic(clinic).people().filter(**having).select_related("user")
    return [(str(row.user.pk), str(row.user)) for row in rows.order_by("user__full_name", "pk")]


def staff_of(clinic: Clinic) -> list[tuple[str, str]]:
    """Return who works in the clinic, for choosing."""
    return _people(clinic)


def settlers_of(clinic: Clinic) -> list[tuple[str, str]]:
    """Return who may settle complaints in the clinic."""
    return _people(clinic, role__in=SETTLING)


def person_of(pk: str) -> User | None:
    """Return the chosen member of staff; the form has checked that they may be chosen."""
    return User.objects.get(pk=int(pk)) if pk else None


class TakeForm(forms.Form):
    """A complaint as a member of staff hears it."""

    category = forms.ChoiceField(label=_("Category"), choices=ComplaintCase.Category.choices)
    severity = forms.ChoiceField(
        label=_("Severity"), choices=ComplaintCase.Severity.choices, initial=ComplaintCase.Severity.MEDIUM
    )
    what = forms.CharField(label=_("What happened"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4}))
    wish = forms.CharField(label=_("What the patient wishes"), max_length=300, required=False)
    about = forms.ChoiceField(label=_("About whom"), required=False)
    owner = forms.ChoiceField(
        label=_("Who settles it"), required=False, help_text=_("Without a choice: the manager, who is told at once.")
    )
    source = forms.ChoiceField(
        label=_("Taken from"),
        choices=[pair for pair in ComplaintCase.Source.choices if pair[0] in TAKEN_FROM],
        initial=ComplaintCase.Source.PHONE,
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["about"].choices = [("", _("Nobody in particular")), *staff_of(clinic)]
        fields["owner"].choices = [("", _("The manager")), *settlers_of(clinic)]


class PublicComplaintForm(forms.Form):
    """What somebody says on the public page. `website` is a trap: people do not see it, programs fill it in."""

    category = forms.ChoiceField(
        label=_("What is it about?"), choices=ComplaintCase.Category.choices, widget=forms.RadioSelect
    )
    what = forms.CharField(label=_("What happened?"), max_length=2000, widget=forms.Textarea(attrs={"rows": 5}))
    wish = forms.CharField(label=_("What should we do?"), max_length=300, required=False)
    name = forms.CharField(label=_("Your name"), max_length=60, required=False)
    phone = PhoneField(label=_("Your phone"), required=False)
    website = forms.CharField(max_length=200, required=False)


class ChangeForm(forms.Form):
    """Who settles a case, how grave it is, whom it is about."""

    owner = forms.ChoiceField(label=_("Who settles it"), required=False)
    severity = forms.ChoiceField(label=_("Severity"), choices=ComplaintCase.Severity.choices)
    about = forms.ChoiceField(label=_("About whom"), required=False)

    def __init__(self, *args: Any, case: ComplaintCase, **kwargs: Any) -> None:
        initial = {"owner": str(case.owner_id or ""), "severity": case.severity, "about": str(case.about_id or "")}
        super().__init__(*args, **({"initial": initial} | kwargs))
        fields: dict[str, Any] = self.fields
        people = {"owner": (_("Nobody yet"), settlers_of(case.clinic), case.owner)}
        people["about"] = (_("Nobody in particular"), staff_of(case.clinic), case.about)
        for name, (nobody, staff, now) in people.items():
            former = [(str(now.pk), str(now))] if now and str(now.pk) not in dict(staff) else []
            fields[name].choices = [("", nobody), *staff, *former]


class CloseForm(forms.Form):
    """How a complaint ended."""

    outcome = forms.ChoiceField(label=_("Outcome"), choices=[("", _("Choose")), *ComplaintCase.Outcome.choices])
    upheld = forms.ChoiceField(
        label=_("Was it justified?"),
        choices=[("yes", _("Upheld")), ("no", _("Not upheld"))],
        widget=forms.RadioSelect,
    )
    cost = forms.DecimalField(
        label=_("Cost, yuan"), min_value=Decimal(0), max_value=MOST, max_digits=10, decimal_places=2, required=False
    )
    text = forms.CharField(
        label=_("In words"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

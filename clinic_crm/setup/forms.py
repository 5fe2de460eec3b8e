"""What the first start asks, on its page."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.forms import FIRST_ZONES, zone_choices
from accounts.models import User
from clinic_crm.setup.code import is_code
from clinic_crm.setup.services import FirstClinic
from metrics.kpis import KPIS
from metrics.words import plain


class SetupForm(forms.Form):
    """The code, the clinic, the administrator, and what differs from the usual."""

    setup_code = forms.CharField(
        label=gettext_lazy("Code of this start"),
        max_length=20,
        help_text=gettext_lazy("It stands where the server was started: beside “First start”."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    group = forms.CharField(
        label=gettext_lazy("Name of the group"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("Of all clinics together; left empty, the clinic’s own."),
    )
    name = forms.CharField(label=gettext_lazy("Clinic name"), max_length=80)
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=8,
        help_text=gettext_lazy("2 to 8 capital letters or digits; patient numbers begin with it. It stays for good."),
    )
    zone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=zone_choices, initial=FIRST_ZONES[0])
    rooms = forms.IntegerField(label=gettext_lazy("Consulting rooms"), min_value=0, max_value=60, initial=3)
    full_name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    username = forms.CharField(
        label=gettext_lazy("Username"), max_length=30, validators=[User.username_validator],
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )  # fmt: skip
    password1 = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least 10 characters, and not a common word."),
    )
    password2 = forms.CharField(
        label=gettext_lazy("Password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kpi in KPIS:
            self.fields[f"target_{kpi.slug}"] = forms.DecimalField(
                label=str(kpi.name), min_value=0, max_value=100, max_digits=5, decimal_places=2, required=False,
                widget=forms.NumberInput(attrs={"placeholder": plain(kpi.target), "inputmode": "decimal"}),
            )  # fmt: skip

    def target_fields(self) -> list[forms.BoundField]:
        return [self[f"target_{kpi.slug}"] for kpi in KPIS]

    def clean_setup_code(self) -> str:
        typed: str = self.cleaned_data["setup_code"]
        if not is_code(typed):
            raise ValidationError(
                _("This is not the code. A new one is printed by: python manage.py setup_clinic --page")
            )
        return typed

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).upper()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("password1") and data.get("password2") and data["password1"] != data["password2"]:
            self.add_error("password2", _("The two are not the same."))
        return data

    def first_clinic(self) -> FirstClinic:
        """Return what was asked for."""
        data = self.cleaned_data
        names = ("code", "name", "zone", "full_name", "username", "rooms")
        group = data["group"] or data["name"][:60]
        chosen = {name: data[name] for name in names} | {"group": group, "targets": _targets(data)}
        return FirstClinic(**chosen, password=data["password1"])


def _targets(data: Mapping[str, Any]) -> dict[str, Decimal]:
    typed = {kpi.slug: data[f"target_{kpi.slug}"] for kpi in KPIS}
    return {slug: value for slug, value in typed.items() if value is not None}

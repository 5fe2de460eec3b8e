"""Forms of API access: tokens, and the accounts of other programs."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Clinic, User
from accounts.rules import assignable_roles
from accounts.scopes import EVERYTHING, SCOPES, label_of

DAYS = (30, 90, 365)


class TokenForm(forms.Form):
    """A new token. Days 0: it does not expire."""

    name = forms.CharField(label=gettext_lazy("Purpose of the token"), max_length=60)
    scopes = forms.MultipleChoiceField(label=gettext_lazy("What it may do"), widget=forms.CheckboxSelectMultiple)
    days = forms.TypedChoiceField(label=gettext_lazy("Expires"), coerce=int, initial=365)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields = cast("dict[str, Any]", self.fields)
        fields["scopes"].choices = [(scope, label_of(scope)) for scope in SCOPES]
        fields["scopes"].initial = [EVERYTHING]
        days = [(str(n), _("in %(days)s days") % {"days": n}) for n in DAYS]
        fields["days"].choices = [*days, ("0", _("never"))]


class ServiceForm(forms.Form):
    """An account for another program."""

    name = forms.CharField(label=gettext_lazy("Name of the program"), max_length=60)
    role = forms.ChoiceField(label=gettext_lazy("Role"))

    def __init__(self, *args: Any, clinic: Clinic, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = assignable_roles(by.role_in(clinic))
        cast("forms.ChoiceField", self.fields["role"]).choices = [(role.value, role.label) for role in roles]

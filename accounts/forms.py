"""Forms of signing in, staff, teams and clinics."""

from typing import Any, cast
from zoneinfo import available_timezones

from allauth.account.forms import ChangePasswordForm, LoginForm, ReauthenticateForm
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as ReauthenticateWithAppForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Clinic, Membership, Team, User, validate_zone
from accounts.permissions import Permission
from accounts.rules import assignable_roles

# The stages that a clinic may limit, and the usual limits in minutes, as `consultations.stages` has them
# (a test holds the two together).
LIMITED_STAGES = (
    ("arrived", gettext_lazy("Arrived"), 10),
    ("received", gettext_lazy("Received"), 15),
    ("intake", gettext_lazy("Form"), 15),
    ("complaint", gettext_lazy("Complaint"), 15),
    ("exam", gettext_lazy("Exam"), 30),
    ("consulting", gettext_lazy("Consulting"), 20),
    ("handoff", gettext_lazy("Handoff"), 20),
    ("doctor", gettext_lazy("Doctor"), 30),
    ("explaining", gettext_lazy("Explaining"), 60),
    ("decision", gettext_lazy("Decision"), 60),
    ("leaving", gettext_lazy("Leaving"), 10),
)
FIRST_ZONES = ("Asia/Shanghai", "Asia/Urumqi", "Asia/Hong_Kong", "Asia/Macau")


class SignInForm(LoginForm):
    """Username and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login, password = self.fields["login"], self.fields["password"]
        login.label, password.label = gettext_lazy("Username"), gettext_lazy("Password")
        password.help_text = ""
        login.widget.attrs |= {"autofocus": True, "autocapitalize": "none", "spellcheck": "false"}
        for field in (login, password):
            field.widget.attrs.pop("placeholder", None)


def _as_code(field: forms.Field) -> None:
    """Put a field for an app's code into words and onto the right keyboard; recovery codes are digits too."""
    field.label = gettext_lazy("Code from the app")
    attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "maxlength": 16}
    field.widget = forms.TextInput(attrs=attrs)
    cast("forms.CharField", field).max_length = 16


class CodeForm(AuthenticateForm):
    """The app's code, or a recovery code, after the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _as_code(self.fields["code"])


class CodeAgainForm(ReauthenticateWithAppForm):
    """A code, to prove again who one is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _as_code(self.fields["code"])


class PasswordAgainForm(ReauthenticateForm):
    """The password, to prove again who one is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        password = self.fields["password"]
        password.label, password.help_text = gettext_lazy("Password"), ""
        password.widget.attrs.pop("placeholder", None)
        password.widget.attrs["autofocus"] = True


class AppCodeForm(ActivateTOTPForm):
    """The first code of an app that is being set up."""

    def __init__(self, *args: Any, secret: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.secret = secret
        _as_code(self.fields["code"])


class OwnPasswordForm(ChangePasswordForm):
    """The current password, and a new one twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = {
            "oldpassword": gettext_lazy("Current password"),
            "password1": gettext_lazy("New password"),
            "password2": gettext_lazy("New password again"),
        }
        for name, label in names.items():
            self.fields[name].label = label
            self.fields[name].help_text = ""
            self.fields[name].widget.attrs.pop("placeholder", None)
        self.fields["password1"].help_text = gettext_lazy("At least 10 characters; not your name, not a common word.")


class InvitationForm(forms.Form):
    """The password that an invited person chooses."""

    password1 = forms.CharField(
        label=gettext_lazy("New password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text=gettext_lazy("At least 10 characters; not your name, not a common word."),
    )
    password2 = forms.CharField(
        label=gettext_lazy("New password again"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password1(self) -> str:
        password: str = self.cleaned_data["password1"]
        validate_password(password, self.user)
        return password

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("password1") and data.get("password2") and data["password1"] != data["password2"]:
            self.add_error("password2", _("The two passwords differ."))
        return data


class MemberForm(forms.Form):
    """Name, role and team of somebody in one clinic."""

    full_name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    role = forms.ChoiceField(label=gettext_lazy("Role"))
    team = forms.ModelChoiceField(
        label=gettext_lazy("Team"), queryset=Team.objects.none(), required=False, empty_label=gettext_lazy("no team")
    )

    def __init__(self, *args: Any, clinic: Clinic, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = assignable_roles(by.role_in(clinic))
        cast("forms.ChoiceField", self.fields["role"]).choices = [(role.value, role.label) for role in roles]
        cast("forms.ModelChoiceField[Team]", self.fields["team"]).queryset = Team.objects.for_clinic(clinic)


class InviteForm(MemberForm):
    """Somebody new."""

    username = forms.CharField(
        label=gettext_lazy("Username"),
        max_length=30,
        required=False,
        validators=[User.username_validator],
        help_text=gettext_lazy("For signing in. Left empty it becomes the pinyin of the name."),
    )
    field_order = ("full_name", "role", "team", "username")


class JoinForm(MemberForm):
    """Somebody who works in another clinic of the group already."""

    full_name = None  # type: ignore[assignment]
    user = forms.ModelChoiceField(
        label=gettext_lazy("Staff member"), queryset=User.objects.none(), empty_label=gettext_lazy("Choose")
    )
    field_order = ("user", "role", "team")

    def __init__(self, *args: Any, clinic: Clinic, by: User, **kwargs: Any) -> None:
        super().__init__(*args, clinic=clinic, by=by, **kwargs)
        others = User.objects.for_user(by, Permission.MANAGE_STAFF).filter(is_active=True, is_service=False)
        here = Membership.objects.for_clinic(clinic).values("user")
        self.candidates = others.exclude(pk__in=here).order_by("full_name", "pk")
        cast("forms.ModelChoiceField[User]", self.fields["user"]).queryset = self.candidates


class TeamForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Team name"), max_length=40)


def zone_choices() -> list[tuple[str, str]]:
    """Every time zone, the likely ones first."""
    others = sorted(zone for zone in available_timezones() if "/" in zone and zone not in FIRST_ZONES)
    return [(zone, zone) for zone in (*FIRST_ZONES, *others)]


class GroupForm(forms.Form):
    """What all clinics together are called."""

    group_name = forms.CharField(
        label=gettext_lazy("Name of the group"),
        max_length=60,
        help_text=gettext_lazy("Shown where people sign in, and in their authenticator apps."),
    )


class ClinicForm(forms.Form):
    """A clinic's name, how to find it, zone and limits."""

    OWN = ("name", "address", "phone", "zone", "late_cancel_hours")

    name = forms.CharField(label=gettext_lazy("Clinic name"), max_length=80)
    address = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("Printed on what patients get, and named in messages."),
    )
    phone = forms.CharField(
        label=gettext_lazy("Telephone"),
        max_length=40,
        required=False,
        validators=[RegexValidator(r"^[0-9+() /转-]*\Z", gettext_lazy("Digits, spaces and + - ( ) / only."))],
    )
    zone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=zone_choices, validators=[validate_zone])
    late_cancel_hours = forms.IntegerField(
        label=gettext_lazy("Late cancellation, hours"),
        min_value=1,
        max_value=336,
        help_text=gettext_lazy("A cancellation or move with less notice counts as late."),
    )

    def __init__(self, data: Any = None, *, clinic: Clinic) -> None:
        first = {name: getattr(clinic, name) for name in self.OWN}
        first |= {f"limit_{stage}": clinic.stage_limits.get(stage) for stage, *_rest in LIMITED_STAGES}
        super().__init__(data, initial=first)
        for stage, label, usual in LIMITED_STAGES:
            self.fields[f"limit_{stage}"] = forms.IntegerField(
                label=label,
                min_value=1,
                max_value=600,
                required=False,
                widget=forms.NumberInput(attrs={"placeholder": usual}),
            )

    def limit_fields(self) -> list[forms.BoundField]:
        return [self[f"limit_{stage}"] for stage, *_rest in LIMITED_STAGES]

    def changes(self) -> dict[str, Any]:
        """The settings as `edit_clinic` takes them; stages left empty keep the product's limit."""
        data = self.cleaned_data
        limits = {stage: data[f"limit_{stage}"] for stage, *_rest in LIMITED_STAGES}
        return {name: data[name] for name in self.OWN} | {
            "stage_limits": {stage: minutes for stage, minutes in limits.items() if minutes}
        }


class NewClinicForm(forms.Form):
    """A clinic to open."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=8,
        help_text=gettext_lazy("2 to 8 capital letters or digits; patient numbers begin with it. It stays for good."),
    )
    name = forms.CharField(label=gettext_lazy("Clinic name"), max_length=80)
    zone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=zone_choices, initial=FIRST_ZONES[0])

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"].upper()
        return code


class AuditFilterForm(forms.Form):
    """Whose actions, which, and when (clinic-local dates, both included)."""

    actor = forms.ModelChoiceField(
        label=gettext_lazy("Who"), queryset=User.objects.none(), required=False, empty_label=gettext_lazy("everyone")
    )
    action = forms.ChoiceField(label=gettext_lazy("What"), required=False)
    since = forms.DateField(label=gettext_lazy("From"), required=False, widget=forms.DateInput())
    until = forms.DateField(label=gettext_lazy("To"), required=False, widget=forms.DateInput())

    def __init__(self, *args: Any, clinic: Clinic, actions: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.for_clinic(clinic).order_by("full_name", "pk")
        cast("forms.ModelChoiceField[User]", self.fields["actor"]).queryset = people
        chosen = sorted(actions.items(), key=lambda pair: pair[1])
        cast("forms.ChoiceField", self.fields["action"]).choices = [("", _("everything")), *chosen]


def show_refusal(form: forms.Form, error: ValidationError) -> None:
    """Put a service's refusal where it belongs: beside the field it names, else on top."""
    if hasattr(error, "error_dict"):
        for field, problems in error.error_dict.items():
            form.add_error(field if field in form.fields else None, problems)
    else:
        form.add_error(None, error)

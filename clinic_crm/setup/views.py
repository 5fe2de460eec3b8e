"""The page of the first start, and the page that lists what a clinic may change."""

from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import StaffRequest, public, requires
from accounts.forms import show_refusal
from accounts.models import Clinic, User
from accounts.permissions import Permission
from accounts.views.me import BACKEND
from clinic_crm.setup.code import forget_code
from clinic_crm.setup.defaults import RESTORERS, restore_defaults
from clinic_crm.setup.forms import SetupForm
from clinic_crm.setup.index import entry_of, first_steps, groups_for
from clinic_crm.setup.services import is_set_up, set_up
from patients.models import Registration


@public("nobody can be signed in before the first account; the printed code is the key, and afterwards it is not found")
@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters()
def first_start(request: HttpRequest) -> HttpResponse:
    """Open the first clinic with its administrator, who is signed in."""
    if is_set_up():
        raise Http404
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        admin = _set_up(form)
        if admin is not None:
            forget_code()
            login(request, admin, backend=BACKEND)
            messages.success(request, _("The clinic is open. Here is what it may change; begin with its staff."))
            return redirect("settings")
    context = {"form": form}
    return render(request, "setup/first_start.html", context, status=422 if form.errors else 200)


def _set_up(form: SetupForm) -> User | None:
    try:
        return set_up(first=form.first_clinic(), by=None)
    except ValidationError as error:
        if hasattr(error, "error_dict") and "password" in error.error_dict:
            error.error_dict["password1"] = error.error_dict.pop("password")
        show_refusal(form, error)
        return None


@requires(Permission.EDIT_CONTENT)
@require_GET
def settings_index(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """List what this person may change in the clinic, by subject."""
    groups = groups_for(request.user, clinic)
    is_new = not Registration.objects.for_clinic(clinic).exists()
    context = {"groups": groups, "restorers": RESTORERS, "steps": first_steps(groups) if is_new else []}
    return render(request, "setup/settings.html", context)


@requires(Permission.EDIT_CONTENT)
@require_http_methods(["GET", "POST"])
def settings_restore(request: StaffRequest, clinic: Clinic, what: str) -> HttpResponse:
    """Ask, and then put a subject's settings back to the built-in ones."""
    entry = entry_of(what)
    if entry is None or what not in RESTORERS:
        raise Http404
    if not request.user.may(entry.permission, clinic):
        raise PermissionDenied
    if request.method == "POST":
        restore_defaults(clinic=clinic, what=what, by=request.user)
        messages.success(
            request,
            _("%(what)s: the built-in settings are back.") % {"what": entry.name},
            extra_tags=f"see {entry.url}",
        )
        return redirect("settings")
    return render(request, "setup/restore.html", {"entry": entry})

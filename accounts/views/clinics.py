"""The clinics of the group, for administrators."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.forms import ClinicForm, GroupForm, NewClinicForm, show_refusal
from accounts.models import Clinic, Group
from accounts.permissions import Permission
from accounts.services.clinics import create_clinic, edit_clinic, name_group

# Administrators see the whole group, closed clinics too; hence no `for_user` here.


@requires(Permission.MANAGE_CLINICS)
@require_http_methods(["GET", "POST"])
def clinic_list(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """List all clinics, open and closed; posting names the group."""
    form = GroupForm(request.POST if request.method == "POST" else None, initial={"group_name": Group.named()})
    if request.method == "POST" and form.is_valid():
        name_group(name=form.cleaned_data["group_name"], clinic=clinic, by=request.user)
        messages.success(request, _("Saved."))
        return redirect("clinic_list")
    active = Q(memberships__is_active=True, memberships__user__is_active=True)
    clinics = Clinic.objects.annotate(people=Count("memberships", filter=active)).order_by("-is_active", "pk")
    context = {"clinics": clinics, "form": form}
    return render(request, "accounts/clinic_list.html", context, status=422 if form.errors else 200)


@requires(Permission.MANAGE_CLINICS)
@require_http_methods(["GET", "POST"])
def clinic_new(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Open a clinic."""
    form = NewClinicForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            opened = create_clinic(by=request.user, **form.cleaned_data)
        except ValidationError as error:
            show_refusal(form, error)
        else:
            messages.success(request, _("%(name)s is open. Now invite its staff.") % {"name": opened})
            return redirect("clinic_list")
    status = 422 if form.errors else 200
    return render(request, "accounts/clinic_form.html", {"form": form}, status=status)


@requires(Permission.MANAGE_CLINICS)
@require_http_methods(["GET", "POST"])
def clinic_edit(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Change a clinic's name, zone and limits."""
    edited = get_object_or_404(Clinic, pk=pk)
    form = ClinicForm(request.POST or None, clinic=edited)
    if request.method == "POST" and form.is_valid():
        try:
            edit_clinic(clinic=edited, by=request.user, **form.changes())
        except ValidationError as error:
            show_refusal(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("clinic_list")
    status = 422 if form.errors else 200
    return render(request, "accounts/clinic_form.html", {"form": form, "edited": edited}, status=status)


@requires(Permission.MANAGE_CLINICS)
@require_POST
def clinic_close(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Close a clinic: nobody works in it, its records stay."""
    return _set_open(request, pk, is_open=False)


@requires(Permission.MANAGE_CLINICS)
@require_POST
def clinic_reopen(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Open a closed clinic again."""
    return _set_open(request, pk, is_open=True)


def _set_open(request: StaffRequest, pk: int, *, is_open: bool) -> HttpResponse:
    try:
        edit_clinic(clinic=get_object_or_404(Clinic, pk=pk), is_active=is_open, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("clinic_list")

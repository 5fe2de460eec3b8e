"""Teams of a clinic."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.forms import TeamForm, show_refusal
from accounts.models import Clinic, Membership, Team
from accounts.permissions import Permission
from accounts.services.clinics import create_team, delete_team, rename_team


@requires(Permission.MANAGE_STAFF)
@require_http_methods(["GET", "POST"])
def team_list(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """List the clinic's teams with their people; posting adds one."""
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            create_team(clinic=clinic, name=form.cleaned_data["name"], by=request.user)
        except ValidationError as error:
            show_refusal(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("team_list")
    people = Prefetch("memberships", Membership.objects.active().select_related("user"), to_attr="people")
    teams = Team.objects.for_user(request.user).for_clinic(clinic).prefetch_related(people)
    status = 422 if form.errors else 200
    return render(request, "accounts/team_list.html", {"teams": list(teams), "form": form}, status=status)


@requires(Permission.MANAGE_STAFF)
@require_http_methods(["GET", "POST"])
def team_edit(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Rename a team."""
    team = get_object_or_404(Team.objects.for_user(request.user, Permission.MANAGE_STAFF), pk=pk)
    form = TeamForm(request.POST or None, initial={"name": team.name})
    if request.method == "POST" and form.is_valid():
        try:
            rename_team(team=team, name=form.cleaned_data["name"], by=request.user)
        except ValidationError as error:
            show_refusal(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("team_list")
    status = 422 if form.errors else 200
    return render(request, "accounts/team_form.html", {"team": team, "form": form}, status=status)


@requires(Permission.MANAGE_STAFF)
@require_POST
def team_delete(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Dissolve a team, unless chats are counted under it."""
    team = get_object_or_404(Team.objects.for_user(request.user, Permission.MANAGE_STAFF), pk=pk)
    name = team.name
    try:
        delete_team(team=team, by=request.user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("team_edit", pk)
    messages.success(request, _("The team %(name)s is dissolved; its people stay.") % {"name": name})
    return redirect("team_list")

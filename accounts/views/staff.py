"""The staff of a clinic: who works here, as what, and since when."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.forms import InviteForm, JoinForm, MemberForm, show_refusal
from accounts.models import Clinic, Membership, MembershipQuerySet, User
from accounts.permissions import Permission, Role
from accounts.rules import assignable_roles
from accounts.second_step import has_second_step
from accounts.services.invitations import issue_invitation
from accounts.services.members import (
    add_to_clinic,
    disable_member,
    enable_member,
    invite_member,
    may_manage_person,
    update_member,
)
from accounts.services.second_step import reset_second_step

LINK = "staff_link"  # session: the invitation link to show once
Members = MembershipQuerySet


def managed(user: User) -> Members:
    """The memberships in the clinics whose staff this person manages."""
    return Membership.objects.for_user(user, Permission.MANAGE_STAFF).select_related("user", "clinic", "team")


def _filtered(members: Members, show: str, role: str) -> Members:
    if show == "disabled":
        members = members.filter(is_active=False)
    elif show == "waiting":
        members = members.filter(is_active=True).waiting()
    else:
        members = members.filter(is_active=True)
    return members.filter(role=role) if role in Role.values else members


@requires(Permission.MANAGE_STAFF)
@require_GET
def staff_list(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """List the clinic's people; a fresh invitation link is shown once, on top."""
    show, role = request.GET.get("show", "active"), request.GET.get("role", "")
    here = managed(request.user).filter(clinic=clinic)
    rights = assignable_roles(request.user.role_in(clinic))
    members = list(_filtered(here, show, role).order_by("role", "user__full_name", "pk"))
    for member in members:
        member.editable = member.role in rights  # type: ignore[attr-defined]
        member.own = member.user_id == request.user.pk  # type: ignore[attr-defined]
    context = {
        "members": members,
        "show": show,
        "role": role,
        "roles": Role.choices,
        "counts": _counts(here),
        "link": request.session.pop(LINK, None),
        "link_days": settings.PASSWORD_RESET_TIMEOUT // 86400,
        "may_join": JoinForm(clinic=clinic, by=request.user).candidates.exists(),
    }
    return render(request, "accounts/staff_list.html", context)


def _counts(members: Members) -> dict[str, int]:
    active = members.filter(is_active=True)
    return {
        "active": active.count(),
        "waiting": active.waiting().count(),
        "disabled": members.filter(is_active=False).count(),
    }


@requires(Permission.MANAGE_STAFF)
@require_http_methods(["GET", "POST"])
def staff_invite(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Add somebody new and make their invitation link."""
    form = InviteForm(request.POST or None, clinic=clinic, by=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            member = invite_member(clinic=clinic, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            show_refusal(form, error)
        else:
            return _show_link(request, member)
    status = 422 if form.errors else 200
    return render(request, "accounts/staff_form.html", {"form": form, "clinic": clinic}, status=status)


@requires(Permission.MANAGE_STAFF)
@require_http_methods(["GET", "POST"])
def staff_join(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Give somebody of another clinic a role here too."""
    form = JoinForm(request.POST or None, clinic=clinic, by=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            add_to_clinic(clinic=clinic, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            show_refusal(form, error)
        else:
            messages.success(request, _("%(name)s works here too now.") % {"name": form.cleaned_data["user"]})
            return redirect("staff_list")
    status = 422 if form.errors else 200
    return render(request, "accounts/staff_form.html", {"form": form, "clinic": clinic, "join": True}, status=status)


@requires(Permission.MANAGE_STAFF)
@require_http_methods(["GET", "POST"])
def staff_edit(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Change somebody's name, role or team."""
    member = get_object_or_404(managed(request.user), pk=pk)
    if member.role not in assignable_roles(request.user.role_in(member.clinic)):
        raise PermissionDenied(_("Only an administrator changes an administrator."))
    first = {"full_name": member.user.full_name, "role": member.role, "team": member.team_id}
    form = MemberForm(request.POST or None, initial=first, clinic=member.clinic, by=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            update_member(membership=member, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            show_refusal(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("staff_list")
    context = {"form": form, "member": member, "clinic": member.clinic, "own": member.user_id == request.user.pk}
    context["may_link"] = (
        member.is_active and not member.user.is_service and may_manage_person(request.user, member.user)
    )
    context["has_app"] = context["may_link"] and has_second_step(member.user)
    return render(request, "accounts/staff_form.html", context, status=422 if form.errors else 200)


@requires(Permission.MANAGE_STAFF)
@require_POST
def staff_reset_app(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take away the authenticator app of somebody who lost the phone; they are signed out."""
    member = get_object_or_404(managed(request.user), pk=pk)
    try:
        reset_second_step(membership=member, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        said = _("%(name)s signs in with the password alone, and sets up a new app.")
        messages.success(request, said % {"name": member.user})
    return redirect("staff_edit", member.pk)


@requires(Permission.MANAGE_STAFF)
@require_POST
def staff_disable(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take somebody out of the clinic; they are signed out at once."""
    member = get_object_or_404(managed(request.user), pk=pk)
    try:
        disable_member(membership=member, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("%(name)s is disabled and signed out.") % {"name": member.user})
    return redirect("staff_list")


@requires(Permission.MANAGE_STAFF)
@require_POST
def staff_enable(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Let somebody work in the clinic again."""
    member = get_object_or_404(managed(request.user), pk=pk)
    try:
        enable_member(membership=member, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("%(name)s may sign in again.") % {"name": member.user})
    return redirect("staff_list")


@requires(Permission.MANAGE_STAFF)
@require_POST
def staff_link(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Make a new invitation link for somebody who lost theirs, or their password."""
    return _show_link(request, get_object_or_404(managed(request.user), pk=pk))


def _show_link(request: StaffRequest, member: Membership) -> HttpResponse:
    """Make the link and go back to the list, which shows it once."""
    try:
        path = issue_invitation(membership=member, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        request.session[LINK] = {
            "name": member.user.full_name,
            "username": member.user.username,
            "url": request.build_absolute_uri(path),
        }
    return redirect("staff_list")

"""API access: one's own tokens; and for managers, the accounts of other programs with theirs."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.forms import show_refusal
from accounts.models import ApiToken, Clinic, Membership, User
from accounts.permissions import Permission
from accounts.scopes import label_of
from accounts.services.tokens import create_service_account, create_token, revoke_token
from accounts.token_forms import ServiceForm, TokenForm


@requires(Permission.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def api_access(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """List one's own tokens; posting makes one, which is shown this once."""
    return _tokens_page(request, request.user, program=None)


@requires(Permission.MANAGE_STAFF)
@require_http_methods(["GET", "POST"])
def service_account(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """List a program's tokens; posting makes one, which is shown this once."""
    member = get_object_or_404(_programs(request, clinic), pk=pk)
    return _tokens_page(request, member.user, program=member)


@requires(Permission.MANAGE_STAFF)
@require_http_methods(["GET", "POST"])
def service_accounts(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """List the accounts of other programs; posting makes one."""
    form = ServiceForm(request.POST or None, clinic=clinic, by=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            user = create_service_account(clinic=clinic, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            show_refusal(form, error)
        else:
            made = Membership.objects.for_user(request.user).get(user=user, clinic=clinic)
            return redirect("service_account", made.pk)
    programs = list(_programs(request, clinic).order_by("-is_active", "user__full_name", "pk"))
    context = {"form": form, "programs": programs}
    return render(request, "accounts/service_accounts.html", context, status=422 if form.errors else 200)


@requires(Permission.SIGNED_IN)
@require_POST
def token_revoke(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """End a token at once."""
    token = get_object_or_404(ApiToken.objects.for_user(request.user).select_related("user"), pk=pk)
    try:
        revoke_token(token=token, by=request.user)
    except PermissionDenied as error:
        raise Http404 from error
    messages.success(request, _("Revoked: %(name)s") % {"name": token.name})
    if token.user_id == request.user.pk:
        return redirect("api_access")
    member = _programs(request, clinic).filter(user=token.user_id).first()
    return redirect("service_account", member.pk) if member else redirect("service_accounts")


def _programs(request: StaffRequest, clinic: Clinic) -> Any:
    rows = Membership.objects.for_user(request.user, Permission.MANAGE_STAFF).for_clinic(clinic)
    return rows.filter(user__is_service=True).select_related("user")


def _tokens_page(request: StaffRequest, user: User, *, program: Membership | None) -> HttpResponse:
    form, secret = TokenForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            _row, secret = create_token(
                user=user, name=data["name"], scopes=data["scopes"], days=data["days"] or None, by=request.user
            )
        except ValidationError as error:
            show_refusal(form, error)
        else:
            form = TokenForm()
    rows = ApiToken.objects.filter(user=user).select_related("created_by").order_by("-created", "-pk")
    tokens = [{"row": row, "scopes": [label_of(scope) for scope in row.scopes]} for row in rows[:100]]
    context = {"form": form, "tokens": tokens, "secret": secret, "program": program}
    return render(request, "accounts/api_access.html", context, status=422 if form.errors else 200)

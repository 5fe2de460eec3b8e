"""Webhooks: which systems are told what, what was delivered, and telling it again."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from followups.errors import BookingError, Refused
from followups.models import Hook, HookDelivery, HookEvent
from followups.services import hooks

SHOWN = 50  # of the latest deliveries


class HookForm(forms.Form):
    """An address, and what it wants to hear of."""

    name = forms.CharField(label=gettext_lazy("Other system"), max_length=60)
    url = forms.CharField(label=gettext_lazy("Web address"), max_length=500)
    events = forms.MultipleChoiceField(label=gettext_lazy("What is told"), choices=HookEvent.choices)
    is_active = forms.BooleanField(label=gettext_lazy("Switched on"), required=False, initial=True)


def _hook(request: StaffRequest, clinic: Clinic, pk: int) -> Hook:
    rows = Hook.objects.for_user(request.user).for_clinic(clinic).filter(removed_at=None)
    found: Hook = get_object_or_404(rows.select_related("clinic"), pk=pk)
    return found


@requires(Permission.MANAGE_MESSAGES)
@require_GET
def hook_list(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The clinic's webhooks."""
    rows = Hook.objects.for_clinic(clinic).filter(removed_at=None)
    return render(request, "followups/hooks.html", {"rows": rows, "may_manage": True})


def _saved(request: StaffRequest, clinic: Clinic, form: HookForm, hook: Hook | None) -> tuple[Hook, str] | None:
    """Save a valid form; None when the service refuses, with its words beside the field."""
    try:
        return hooks.save_hook(clinic=clinic, by=request.user, hook=hook, **form.cleaned_data)
    except Refused as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return None


@requires(Permission.MANAGE_MESSAGES)
@require_http_methods(["GET", "POST"])
def hook_new(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Make a webhook; its secret is shown once."""
    form = HookForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and (saved := _saved(request, clinic, form, None)):
        return _show(request, saved[0], HookForm(initial=_initial(saved[0])), secret=saved[1])
    return render(request, "followups/hook_new.html", {"form": form}, status=422 if form.is_bound else 200)


def _initial(hook: Hook) -> dict[str, Any]:
    return {name: getattr(hook, name) for name in ("name", "url", "events", "is_active")}


def _show(request: StaffRequest, hook: Hook, form: HookForm, *, secret: str = "", status: int = 200) -> HttpResponse:
    rows = HookDelivery.objects.filter(hook=hook).order_by("-created_at", "-id")[:SHOWN]
    context = {"hook": hook, "form": form, "deliveries": rows, "secret": secret, "shown": SHOWN}
    return render(request, "followups/hook.html", context, status=status)


@requires(Permission.MANAGE_MESSAGES)
@require_http_methods(["GET", "POST"])
def hook(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """One webhook: what it is told, and the latest deliveries."""
    row = _hook(request, clinic, pk)
    if request.method == "GET":
        return _show(request, row, HookForm(initial=_initial(row)))
    form = HookForm(request.POST)
    if form.is_valid() and _saved(request, clinic, form, row):
        messages.success(request, _("Webhook saved"))
        return redirect("hook", pk)
    return _show(request, row, form, status=422)


@requires(Permission.MANAGE_MESSAGES)
@require_POST
def hook_secret(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Another secret, shown once."""
    row = _hook(request, clinic, pk)
    secret = hooks.new_secret(hook=row, by=request.user)
    return _show(request, row, HookForm(initial=_initial(row)), secret=secret)


@requires(Permission.MANAGE_MESSAGES)
@require_POST
def hook_remove(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Tell it nothing any more."""
    row = _hook(request, clinic, pk)
    hooks.remove_hook(hook=row, by=request.user)
    messages.success(request, _("%(name)s is told nothing any more.") % {"name": row.name})
    return redirect("hook_list")


@requires(Permission.MANAGE_MESSAGES)
@require_POST
def hook_replay(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Tell an event again."""
    rows = HookDelivery.objects.for_user(request.user).for_clinic(clinic)
    row: HookDelivery = get_object_or_404(rows, pk=pk)
    try:
        hooks.replay(delivery=row, by=request.user)
        messages.success(request, _("It is queued again"))
    except BookingError as error:
        messages.error(request, error.message)
    return redirect("hook", row.hook_id) if row.hook.removed_at is None else redirect("hook_list")

"""Playbooks: which contacts each class asks for; editing makes a new version."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import whole_number
from followups.errors import BookingError
from followups.models import Nature
from followups.never import NEVER
from followups.playbook_sets import BUILTIN
from followups.services.builtin import MOST_STEPS, draft_of, ensure_builtin_playbooks, restore_builtin, save_playbook
from followups.services.playbooks import current_playbooks
from followups.task_forms import StepForm, initial_of
from followups.task_panel import PLACEHOLDERS
from patients.classification import PatientClass

MOVES = {"up": -1, "down": 1}


def _never_words(code: str) -> list[str]:
    return [str(Nature(nature).label) for nature in Nature.values if nature in NEVER.get(code, ())]


@requires(Permission.EDIT_PLAYBOOKS)
@require_GET
def playbooks(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The five playbooks, step by step."""
    found = current_playbooks(clinic)
    if len(found) < len(BUILTIN):
        ensure_builtin_playbooks(clinic)
        found = current_playbooks(clinic)
    shown = [{"code": code, "playbook": found[code], "never": _never_words(code)} for code in PatientClass.values]
    return render(request, "followups/playbooks.html", {"shown": shown})


def _code(code: str) -> str:
    if code not in PatientClass.values:
        raise Http404
    return code


def _read(request: StaffRequest, forbidden: frozenset[str]) -> list[StepForm]:
    total = min(whole_number(request.POST.get("total")) or 0, MOST_STEPS + 1)
    return [StepForm(request.POST, prefix=f"s{n}", forbidden=forbidden) for n in range(total)]


def _typed(forms: list[StepForm]) -> list[dict[str, Any]]:
    """Return what was typed so far, to be shown again in another order."""
    return [{name: form[name].value() for name in form.fields} for form in forms]


def _rearranged(request: StaffRequest, forms: list[StepForm]) -> list[dict[str, Any]] | None:
    """Return the steps in the order wished for, or with one more; None when the form is to be saved."""
    typed = _typed(forms)
    if "add" in request.POST:
        return [*typed, {"offset_days": 1, "title": ""}]
    move, _space, index = request.POST.get("move", "").partition(" ")
    at = whole_number(index)
    if move not in MOVES or at is None or at >= len(typed):
        return None
    to = min(max(at + MOVES[move], 0), len(typed) - 1)
    typed[at], typed[to] = typed[to], typed[at]
    return typed


def _shown(initials: list[dict[str, Any]], forbidden: frozenset[str]) -> list[StepForm]:
    return [StepForm(initial=row, prefix=f"s{n}", forbidden=forbidden) for n, row in enumerate(initials)]


@requires(Permission.EDIT_PLAYBOOKS)
@require_http_methods(["GET", "POST"])
def playbook(request: StaffRequest, clinic: Clinic, code: str) -> HttpResponse:
    """Edit one class's steps; saving makes a version, runs under way keep theirs."""
    forbidden = NEVER.get(_code(code), frozenset())
    ensure_builtin_playbooks(clinic)
    current = current_playbooks(clinic)[code]
    error, status = "", 200
    version = current.version
    if request.method == "POST":
        version = whole_number(request.POST.get("version")) or 0
        forms = _read(request, forbidden)
        order = _rearranged(request, forms)
        if order is not None:
            forms = _shown(order, forbidden)
        elif not [form for form in forms if not form.is_valid()]:  # each is checked, so that each shows its faults
            try:
                steps = [form.draft() for form in forms if form.is_kept]
                made = save_playbook(clinic=clinic, code=code, steps=steps, version=version, by=request.user)
            except BookingError as refused:
                error, status = refused.message, 422
            else:
                messages.success(request, _("Saved: %(code)s version %(n)s.") % {"code": code, "n": made.version})
                return redirect("playbooks")
        else:
            status = 422
    else:
        forms = _shown([initial_of(draft_of(step)) for step in current.steps.all()], forbidden)
    context = {
        "code": code,
        "playbook": current,
        "version": version,
        "forms": forms,
        "error": error,
        "never": _never_words(code),
        "placeholders": sorted(PLACEHOLDERS),
    }
    return render(request, "followups/playbook.html", context, status=status)


@requires(Permission.EDIT_PLAYBOOKS)
@require_POST
def playbook_restore(request: StaffRequest, clinic: Clinic, code: str) -> HttpResponse:
    """Make the built-in steps a new version."""
    version = whole_number(request.POST.get("version")) or 0
    ensure_builtin_playbooks(clinic)
    try:
        made = restore_builtin(clinic=clinic, code=_code(code), version=version, by=request.user)
        messages.success(request, _("Saved: %(code)s version %(n)s.") % {"code": code, "n": made.version})
    except BookingError as error:
        messages.error(request, error.message)
    return redirect("playbooks")

"""The rubrics of a clinic: what is looked for, and how much it is worth; saving makes a new version."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import whole_number
from metrics import etiquette_rules as rules
from metrics.forms import RubricItemForm, draft_of
from metrics.models import EtiquetteRubric
from metrics.services import etiquette as service

MOST_PAST = 20
MOVES = {"up": -1, "down": 1}
Typed = list[dict[str, object]]


def _kind(kind: str) -> str:
    if kind not in rules.BUILTIN:
        raise Http404
    return kind


def _shown(rows: Typed) -> list[RubricItemForm]:
    return [RubricItemForm(initial=row, prefix=f"i{n}") for n, row in enumerate(rows)]


def _rearranged(request: StaffRequest, forms: list[RubricItemForm]) -> Typed | None:
    """Return the items in the order wished for, one more or one less; None when the rubric is to be saved."""
    typed: Typed = [{name: form[name].value() or "" for name in form.fields} for form in forms]
    name, _space, index = request.POST.get("op", "").partition(" ")
    if name == "add":
        return [*typed, {}]
    at = whole_number(index)
    if at is None or at >= len(typed):
        return None
    if name == "remove":
        return typed[:at] + typed[at + 1 :]
    if name not in MOVES:
        return None
    to = min(max(at + MOVES[name], 0), len(typed) - 1)
    typed[at], typed[to] = typed[to], typed[at]
    return typed


@requires(Permission.INSPECT_ETIQUETTE)
@require_http_methods(["GET", "POST"])
def etiquette_rubric(request: StaffRequest, clinic: Clinic, kind: str) -> HttpResponse:
    """Edit what is looked for in person, or by telephone."""
    current = service.current_rubric(clinic, _kind(kind))
    if request.method == "GET":
        return _page(request, clinic, kind, current, _shown(list(current.items)), version=current.version)
    version = whole_number(request.POST.get("version")) or 0
    total = min(whole_number(request.POST.get("total")) or 0, rules.MOST_ITEMS + 1)
    forms = [RubricItemForm(request.POST, prefix=f"i{n}") for n in range(total)]
    order = _rearranged(request, forms)
    if order is not None:
        return _page(request, clinic, kind, current, _shown(order), version=version)
    if [form for form in forms if not form.is_valid()]:  # each is checked, so that each shows its faults
        return _page(request, clinic, kind, current, forms, version=version, status=422)
    try:
        made = service.save_rubric(clinic=clinic, kind=kind, items=draft_of(forms), expected=version, by=request.user)
    except service.InspectionRefused as error:
        status = 409 if isinstance(error, service.RubricConflict) else 422
        return _page(request, clinic, kind, current, forms, version=version, status=status, error=error.message)
    messages.success(request, _("Version %(number)d is used from the next inspection on.") % {"number": made.version})
    return redirect("etiquette_rubric", kind)


def _page(
    request: StaffRequest,
    clinic: Clinic,
    kind: str,
    current: EtiquetteRubric,
    forms: list[RubricItemForm],
    *,
    version: int,
    status: int = 200,
    error: str = "",
) -> HttpResponse:
    total = sum(whole_number(str(form["points"].value() or "")) or 0 for form in forms)
    context = {
        "kind": kind,
        "rubric": current,
        "version": version,
        "forms": forms,
        "total": total,
        "whole": rules.WHOLE,
        "error": error,
        "past": _past(clinic, current),
        "tab": kind,
    }
    return render(request, "metrics/etiquette_rubric.html", context, status=status)


def _past(clinic: Clinic, current: EtiquetteRubric) -> list[dict[str, object]]:
    """Return the former versions, the newest first, with their items in words."""
    rows = EtiquetteRubric.objects.for_clinic(clinic).filter(kind=current.kind).exclude(pk=current.pk)
    language = get_language() or ""
    return [
        {"row": row, "told": [f"{item.words(language)} {item.points}" for item in rules.items_of(row.items)]}
        for row in rows.select_related("created_by")[:MOST_PAST]
    ]


@requires(Permission.INSPECT_ETIQUETTE)
@require_POST
def etiquette_rubric_restore(request: StaffRequest, clinic: Clinic, kind: str) -> HttpResponse:
    """Make the built-in items the next version."""
    version = whole_number(request.POST.get("version")) or 0
    try:
        made = service.restore_rubric(clinic=clinic, kind=_kind(kind), expected=version, by=request.user)
    except service.InspectionRefused as error:
        messages.error(request, error.message)
    else:
        words = _("Version %(number)d is used from the next inspection on.")
        messages.success(request, words % {"number": made.version})
    return redirect("etiquette_rubric", kind)

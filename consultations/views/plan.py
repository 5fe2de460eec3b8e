"""The doctor's plan editor."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from consultations.errors import VisitError
from consultations.models import Visit
from consultations.plan_forms import PlanEditor
from consultations.services.plans import PlanChanged, PlanIncomplete, draft_of, plan_of, save_plan
from consultations.teeth import DECIDUOUS_ROWS, PERMANENT_ROWS, offers_deciduous
from consultations.views.doctor import queue_context
from consultations.views.workspace import get_visit

ITEM_NAMES = (
    "种植体植入", "种植单冠", "植骨", "全瓷冠", "三单位固定桥", "可摘局部义齿", "嵌体", "贴面", "树脂充填",
    "根管治疗", "桩核", "拔牙", "智齿拔除", "龈上洁治", "龈下刮治", "牙周手术", "窝沟封闭", "隐形矫治", "固定矫治",
    "牙齿美白",
)  # fmt: skip


def _context(request: StaffRequest, clinic: Clinic, visit: Visit, editor: PlanEditor, **extra: Any) -> dict[str, Any]:
    marked = list(visit.tooth_findings.filter(removed_at=None).order_by("tooth", "id"))
    rows: list[tuple[int, ...]] = [*PERMANENT_ROWS]
    if offers_deciduous(visit.patient.age, [finding.tooth for finding in marked]):
        rows += [*DECIDUOUS_ROWS]
    return {
        "visit": visit,
        "patient": visit.patient,
        "editor": editor,
        "findings": marked,
        "tooth_rows": rows,
        "item_names": ITEM_NAMES,
        "letters": "ABCDEFGH",
        "explaining": visit.doctor_left_at is not None,
    } | extra


def _show(
    request: StaffRequest, clinic: Clinic, visit: Visit, editor: PlanEditor, status: int = 200, **extra: Any
) -> HttpResponse:
    context = _context(request, clinic, visit, editor, **extra)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "consultations/plan/_editor.html", context, status=status)
    context |= queue_context(request, clinic, visit.pk)
    return render(request, "consultations/plan/edit.html", context, status=status)


def _reshaped(editor: PlanEditor, data: Any) -> bool:
    """Add or take out an option or item, as the button says. Returns whether a button did."""
    if "add_option" in data:
        editor.add_option()
    elif "add_item" in data:
        editor.add_item(data["add_item"])
    elif "drop" in data:
        editor.drop(data["drop"])
    else:
        return False
    return True


@requires(Permission.TREAT)
@require_http_methods(["GET", "POST"])
def plan_edit(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Write the plan's clinical content: options side by side, items with teeth. No prices here."""
    visit = get_visit(request, pk)
    if request.method == "GET":
        plan = plan_of(visit)
        editor = PlanEditor(draft=draft_of(plan) if plan else None, version=plan.version if plan else 0)
        return _show(request, clinic, visit, editor)
    editor = PlanEditor(request.POST)
    if _reshaped(editor, request.POST):
        return _show(request, clinic, visit, editor)
    if not editor.is_valid():
        return _show(request, clinic, visit, editor, 422)
    finish = request.POST.get("action") == "finish"
    try:
        save_plan(visit=visit, draft=editor.draft(), version=editor.version, by=request.user, finish=finish)
    except PlanChanged as error:
        return _compare(request, clinic, visit, error)
    except PlanIncomplete as error:
        return _show(request, clinic, visit, editor, 422, problem=error.message)
    except VisitError as error:
        messages.error(request, error.message)
        return _show(request, clinic, visit, editor, 422)
    messages.success(request, _("Plan kept"))
    return redirect("doctor_visit" if finish else "plan_edit", visit.pk)


def _compare(request: StaffRequest, clinic: Clinic, visit: Visit, error: PlanChanged) -> HttpResponse:
    """Keep what was typed, show what differs; saving again is then a choice made knowingly."""
    data = request.POST.copy()
    data["version"] = str(error.plan.version)
    extra = {"differences": error.differences, "problem": error.message}
    return _show(request, clinic, visit, PlanEditor(data), 409, **extra)

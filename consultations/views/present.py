"""The plan before the patient's eyes, and the coordinator's prices: explain, choose, sign, print."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import whole_number
from consultations.errors import VisitError
from consultations.models import Plan, PlanOption, Visit
from consultations.plan_forms import PlanTermsEditor
from consultations.points import ALL_POINTS, Point
from consultations.scripts import salutation
from consultations.services import plan_terms, questions
from consultations.services.plan_terms import EXPLAINED_IN
from consultations.services.plans import PlanChanged, plan_of
from consultations.stages import Stage
from consultations.views.workspace import get_visit, may_of, visit_errors


def finished_plan(visit: Visit) -> Plan | None:
    """Return the plan when the doctor has given it."""
    plan = plan_of(visit)
    return plan if plan and plan.finished_at else None


def present_context(request: StaffRequest, clinic: Clinic, visit: Visit, plan: Plan) -> dict[str, Any]:
    """Options, ticks, sums and signature."""
    options = list(plan.options.all())
    chosen = next((option for option in options if option.is_chosen), None)
    ticked = set(visit.explained_points)
    may = may_of(request.user, clinic)
    return {
        "visit": visit,
        "patient": visit.patient,
        "salutation": salutation(visit.patient),
        "plan": plan,
        "options": options,
        "chosen": chosen,
        "may": may,
        "active": may.coordinate and visit.stage in EXPLAINED_IN and not plan.signed_at,
        "points": [{"code": p.value, "label": p.label, "on": p.value in ticked} for p in Point],
        "all_ticked": ticked >= ALL_POINTS,
        "unpriced": may.view_money and any(option.subtotal == 0 for option in options),
    }


def present_errors(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Turn a refusal into words on the plan's page."""

    @wraps(view)
    def wrapper(request: StaffRequest, clinic: Clinic, pk: int, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, clinic, pk, *args, **kwargs)
        except VisitError as error:
            messages.error(request, error.message)
            visit = get_visit(request, pk)
            plan = finished_plan(visit)
            if plan is None:
                return redirect(visit)
            return _page(request, clinic, visit, plan, 409 if isinstance(error, PlanChanged) else 422)

    return wrapper


def _page(request: StaffRequest, clinic: Clinic, visit: Visit, plan: Plan, status: int = 200) -> HttpResponse:
    name = "_present" if request.htmx else "present"  # type: ignore[attr-defined]
    context = present_context(request, clinic, visit, plan)
    return render(request, f"consultations/plan/{name}.html", context, status=status)


def _answer(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Show the plan as it is now: the part alone for htmx, else by going back to the page."""
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("plan_present", pk)
    visit = get_visit(request, pk)
    plan = get_object_or_404(Plan.objects.select_related("made_by").prefetch_related("options__items"), visit=visit)
    return _page(request, clinic, visit, plan)


@requires(Permission.VIEW_PLAN)
@require_GET
def plan_present(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The options side by side."""
    visit = get_visit(request, pk)
    plan = finished_plan(visit)
    if plan is None or plan.no_treatment:
        messages.info(request, _("There is no plan to present."))
        return redirect(visit)
    return _page(request, clinic, visit, plan)


@requires(Permission.COORDINATE)
@require_POST
@present_errors
def plan_choose(request: StaffRequest, clinic: Clinic, pk: int, option: int) -> HttpResponse:
    """The patient chose this one."""
    visit = get_visit(request, pk)
    row = get_object_or_404(PlanOption.objects.for_user(request.user).filter(plan__visit=visit), pk=option)
    plan_terms.choose_option(visit=visit, option=row, by=request.user)
    return _answer(request, clinic, pk)


@requires(Permission.COORDINATE)
@require_POST
@present_errors
def plan_tick(request: StaffRequest, clinic: Clinic, pk: int, point: str) -> HttpResponse:
    """A point was explained, or not after all."""
    visit = get_visit(request, pk)
    plan_terms.tick_point(visit=visit, point=point, on=request.POST.get("on") == "1", by=request.user)
    return _answer(request, clinic, pk)


@requires(Permission.COORDINATE)
@require_POST
@present_errors
def plan_sign(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The patient signs, or takes the signature back."""
    visit, by = get_visit(request, pk), request.user
    if request.POST.get("action") == "take_back":
        plan_terms.take_signature_back(visit=visit, by=by)
        return redirect("plan_present", pk)
    version = whole_number(request.POST.get("version")) or 0
    plan_terms.sign(visit=visit, path=request.POST.get("signature", ""), version=version, by=by)
    messages.success(request, _("Signed"))
    return redirect("plan_present", pk)


@requires(Permission.VIEW_PLAN)
@require_GET
def plan_print(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The plan on A4."""
    visit = get_visit(request, pk)
    plan = finished_plan(visit)
    if plan is None:
        return redirect(visit)
    return render(request, "consultations/print/plan.html", present_context(request, clinic, visit, plan))


@requires(Permission.COORDINATE)
@require_http_methods(["GET", "POST"])
def plan_terms_edit(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Prices, discount, payment and schedule; the clinical content is only read here."""
    visit = get_visit(request, pk)
    plan = finished_plan(visit)
    if plan is None or plan.no_treatment:
        return redirect(visit)
    editor = PlanTermsEditor(request.POST or None, plan=plan, deposit=visit.deposit_amount)
    if request.method == "GET" or not editor.is_valid():
        return _terms(request, visit, plan, editor, 200 if request.method == "GET" else 422)
    head = editor.head.cleaned_data
    try:
        plan_terms.set_terms(
            visit=visit,
            prices=editor.prices(),
            terms=editor.terms(),
            deposit=head["deposit"],
            version=head["version"],
            by=request.user,
        )
    except PlanChanged as error:
        data = request.POST.copy()
        data["version"] = str(error.plan.version)
        again = PlanTermsEditor(data, plan=error.plan)
        return _terms(request, visit, error.plan, again, 409, differences=error.differences, problem=error.message)
    except VisitError as error:
        return _terms(request, visit, plan, editor, 422, problem=error.message)
    messages.success(request, _("Prices kept"))
    return redirect("plan_present", pk) if request.POST.get("action") == "present" else redirect(visit)


def _terms(
    request: StaffRequest, visit: Visit, plan: Plan, editor: PlanTermsEditor, status: int, **extra: Any
) -> HttpResponse:
    context = {"visit": visit, "patient": visit.patient, "plan": plan, "editor": editor}
    return render(request, "consultations/plan/terms.html", context | extra, status=status)


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def plan_change_request(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Ask the doctor to change the plan's clinical content."""
    visit = get_visit(request, pk)
    questions.ask_for_change(visit=visit, question=request.POST.get("question", ""), by=request.user)
    messages.success(request, _("Asked %(doctor)s") % {"doctor": visit.doctor or _("the doctor")})
    return redirect(f"{visit.get_absolute_url()}?stage={Stage.EXPLAINING}")

"""The coordinator's panels from reception to checkout, and what they post."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import moment
from consultations import checkout
from consultations.errors import Refused, StageConflict, VisitError
from consultations.forms import ClassifyForm, ComplaintForm, DecisionForm
from consultations.models import CheckoutItem, Consultation, Plan, Visit
from consultations.points import Point
from consultations.services import leaving
from consultations.services.complaint import confirm_complaint, correct_complaint, earlier_cases
from consultations.services.decision import take_decision, take_decision_back
from consultations.services.facts import checkout_lines, items_of, later_appointment
from consultations.services.handoff import suggestion_of
from consultations.stages import UNDECIDED, Decision, Stage, route_for
from consultations.views.workspace import get_visit, missing_for_next, render_visit, visit_errors
from followups.errors import BookingError
from followups.models import Appointment
from followups.services import book, length_of, suggest_slots
from followups.services.wechat import add_wechat
from followups.slots import Slot
from patients.classification import SPECIALIST, Complaint

AGREED = frozenset({Decision.ACCEPTED, Decision.DEPOSIT})


def arrived_panel(request: StaffRequest, clinic: Clinic, visit: Visit) -> dict[str, Any]:
    return {}


def received_panel(request: StaffRequest, clinic: Clinic, visit: Visit) -> dict[str, Any]:
    return {"has_form": hasattr(visit, "form")}


def complaint_panel(request: StaffRequest, clinic: Clinic, visit: Visit) -> dict[str, Any]:
    case = visit.consultation
    initial = {"complaint": case.complaint, "complaint_text": case.complaint_text}
    open_to_change = visit.stage in {Stage.RECEIVED, Stage.INTAKE, Stage.COMPLAINT}
    earlier = _could_recheck(visit) if open_to_change else []
    return {
        "form": ComplaintForm(initial=initial, earlier=earlier),
        "earlier": earlier,
        "open_to_change": open_to_change,
        "exam_first": [value for value in Complaint.values if value in SPECIALIST],
        "is_recheck": case.visits.exclude(pk=visit.pk).exists(),
    }


def _could_recheck(visit: Visit) -> list[Consultation]:
    """Return the latest few consultations that a return visit with one of its own may recheck instead."""
    if visit.is_first or visit.consultation.visits.exclude(pk=visit.pk).exists():
        return []
    return list(earlier_cases(visit)[:6])


def consulting_panel(request: StaffRequest, clinic: Clinic, visit: Visit) -> dict[str, Any]:
    return {"exams": visit.exams.select_related("kind").prefetch_related("files")}


def explaining_panel(request: StaffRequest, clinic: Clinic, visit: Visit) -> dict[str, Any]:
    plan = Plan.objects.filter(visit=visit).prefetch_related("options__items").first()
    ticked = set(visit.explained_points)
    end = visit.explaining_ended_at or timezone.now()
    started = visit.explaining_started_at
    return {
        "plan": plan,
        "points": [{"code": p.value, "label": p.label, "on": p.value in ticked} for p in Point],
        "explained_minutes": int((end - started).total_seconds() // 60) if started else None,
        "missing": missing_for_next(visit, request.user) if visit.stage == Stage.EXPLAINING else [],
    }


def chosen_total(visit: Visit) -> Decimal | None:
    """Return the price of the chosen option after discount, None while none is chosen."""
    plan = Plan.objects.filter(visit=visit).prefetch_related("options__items").first()
    chosen = next((o for o in plan.options.all() if o.is_chosen), None) if plan else None
    return sum((i.total for i in chosen.items.all()), Decimal(0)) - chosen.discount if chosen else None


def decision_panel(request: StaffRequest, clinic: Clinic, visit: Visit) -> dict[str, Any]:
    initial = {"amount": chosen_total(visit), "decision": visit.decision, "deposit": visit.deposit_amount}
    return {
        "form": DecisionForm(initial=initial),
        "specialist": visit.consultation.complaint in SPECIALIST,
        "missing": missing_for_next(visit, request.user) if visit.stage == Stage.EXPLAINING else [],
    }


def leaving_panel(request: StaffRequest, clinic: Clinic, visit: Visit) -> dict[str, Any]:
    later, recorded = later_appointment(visit), items_of(visit)
    items = {item.code: item for item in recorded}
    rows = [
        {
            "code": line.code,
            "label": CheckoutItem.Code(line.code).label,
            "state": line.state,
            "needs_manager": line.needs_manager,
            "of_class": line.code in checkout.CLASS_MUST_DOS.get(visit.patient.class_code, ()),
            "item": items.get(line.code),
        }
        for line in checkout_lines(visit, comes_again=later is not None, items=recorded)
    ]
    open_rows = [row for row in rows if row["state"] in {"open", "waiting"}]
    return {
        "rows": sorted(rows, key=lambda row: row["state"] not in {"open", "waiting"}),
        "open_rows": open_rows,
        "met_count": len(rows) - len(open_rows),
        "undecided": visit.decision in UNDECIDED,
        "next_appointment": later,
        "next_kind": Appointment.Kind(next_kind(visit)).label,
        "slots": next_slots(visit) if visit.stage == Stage.LEAVING and later is None else [],
        "classify_form": ClassifyForm(visit=visit),
        "suggestion": suggestion_of(visit, visit.patient.awareness),
        "outcomes": word_of_mouth_outcomes(),
    }


def next_kind(visit: Visit) -> str:
    """Return what the next appointment is: the treatment once it was accepted, else a recheck."""
    return Appointment.Kind.TREATMENT if visit.decision in AGREED else Appointment.Kind.RECHECK


def next_slots(visit: Visit) -> list[Slot]:
    """Return three times to offer at checkout; none while no doctor is named."""
    if visit.doctor is None:
        return []
    treatment = visit.consultation.complaint if visit.decision in AGREED else ""
    return suggest_slots(
        clinic=visit.clinic, patient=visit.patient, doctor=visit.doctor, kind=next_kind(visit), treatment=treatment
    )


def book_next(request: StaffRequest, clinic: Clinic, visit: Visit) -> HttpResponse:
    """Book one of the times that were offered; when it was taken meanwhile, say so and offer others."""
    start = moment(request.POST.get("slot"))
    if start is None:
        raise Refused(_("Choose one of the times."))
    kind = next_kind(visit)
    try:
        booked = book(
            clinic=clinic,
            patient=visit.patient,
            doctor=visit.doctor,
            room=None,
            kind=kind,
            starts_at=start,
            ends_at=start + length_of(kind, clinic=clinic),
            purpose=visit.consultation.complaint_text,
            by=request.user,
        )
    except BookingError as error:
        messages.error(request, error.message)
        return render_visit(request, clinic, visit, stage=Stage.LEAVING, status=409)
    at = date_format(timezone.localtime(booked.starts_at, clinic.tz), "SHORT_DATETIME_FORMAT")
    undo = reverse("appointment_undo", args=[booked.pk])
    messages.success(request, _("Booked: %(when)s") % {"when": at}, extra_tags=f"undo {undo}")
    return redirect(visit)


def word_of_mouth_outcomes() -> list[tuple[str, str]]:
    """What a patient may answer when asked to pass the word on (DOMAIN §2.11)."""
    labels = (
        _("will share on Moments"),
        _("will recommend friends"),
        _("will review on Dianping"),
        _("asked, declined"),
    )
    return list(zip(checkout.WORD_OF_MOUTH, labels, strict=True))


def closed_panel(request: StaffRequest, clinic: Clinic, visit: Visit) -> dict[str, Any]:
    return leaving_panel(request, clinic, visit) if visit.decision else {}


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def complaint_confirm(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Confirm the chief complaint; the visit goes on to its route's next stage."""
    visit = get_visit(request, pk)
    earlier = {case.pk: case for case in _could_recheck(visit)}
    form = ComplaintForm(request.POST, earlier=earlier.values())
    if not form.is_valid():
        return render_visit(request, clinic, visit, stage=Stage.COMPLAINT, status=422, form=form)
    data = form.cleaned_data
    if request.POST.get("action") == "correct":
        return _complaint_corrected(request, visit, form)
    try:
        moved = confirm_complaint(
            visit=visit,
            complaint=data["complaint"],
            text=data["complaint_text"],
            route=data["route"] or route_for(data["complaint"]),
            route_reason=data["route_reason"],
            new_case=data["new_case"],
            rejoins=earlier.get(data["rejoins"]),
            by=request.user,
            expected=request.POST.get("expected"),
        )
    except StageConflict:
        raise
    except VisitError as error:
        form.add_error(None, error.message)  # what was typed stays
        return render_visit(request, clinic, visit, stage=Stage.COMPLAINT, status=422, form=form)
    return redirect(moved)


def _complaint_corrected(request: StaffRequest, visit: Visit, form: ComplaintForm) -> HttpResponse:
    """The complaint was confirmed wrongly: another one stands, and is what was confirmed."""
    complaint, text = form.cleaned_data["complaint"], form.cleaned_data["complaint_text"]
    moved = correct_complaint(visit=visit, complaint=complaint, text=text, by=request.user)
    messages.success(request, _("Complaint corrected: %(complaint)s") % {"complaint": Complaint(complaint).label})
    return redirect(moved)


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def decision_take(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Record the patient's decision and go on to leaving."""
    visit = get_visit(request, pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return render_visit(request, clinic, visit, stage=Stage.DECISION, status=422, form=form)
    expected = request.POST.get("expected")
    try:
        moved = take_decision(visit=visit, answer=form.answer(), by=request.user, expected=expected)
    except StageConflict:
        raise
    except VisitError as error:
        form.add_error(None, error.message)  # what was typed stays
        return render_visit(request, clinic, visit, stage=Stage.DECISION, status=422, form=form)
    words = _("Decision kept: %(decision)s") % {"decision": Decision(moved.decision).label}
    messages.success(request, words, extra_tags=f"undo {reverse('visit_decision_undo', args=[pk])}")
    return redirect(moved)


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def decision_undo(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take the decision back while the patient is still here; it is asked for again."""
    visit = take_decision_back(visit=get_visit(request, pk), by=request.user)
    messages.success(request, _("The decision was taken back."))
    return redirect(visit)


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def visit_classify(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Classify the patient at checkout."""
    visit = get_visit(request, pk)
    form = ClassifyForm(request.POST)
    judged = form.cleaned_data.get("awareness") if form.is_valid() else None
    suggestion = suggestion_of(visit, judged or visit.patient.awareness)
    if form.is_valid() and form.cleaned_data["class_code"] != suggestion.code and not form.cleaned_data["reason"]:
        form.add_error("reason", _("Say why the class differs from the suggestion."))
    if not form.is_valid():
        shown = {"classify_form": form, "suggestion": suggestion}
        return render_visit(request, clinic, visit, stage=Stage.LEAVING, status=422, **shown)
    data = form.cleaned_data
    leaving.classify_visit(
        visit=visit,
        code=data["class_code"],
        awareness=data["awareness"],
        trust=data["trust"],
        by=request.user,
        suggestion=suggestion,
        reason=data["reason"],
    )
    return redirect(visit)


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def checkout_item(request: StaffRequest, clinic: Clinic, pk: int, code: str) -> HttpResponse:
    """One must-do: done, undone, let go with a reason; the next appointment and WeChat write the fact itself."""
    visit = get_visit(request, pk)
    action = request.POST.get("action", "done")
    by = request.user
    if action == "undo":
        leaving.undo_done(visit=visit, code=code, by=by)
    elif action == "let_go":
        leaving.let_go(visit=visit, code=code, reason=request.POST.get("reason", ""), by=by)
    elif code == CheckoutItem.Code.NEXT_APPOINTMENT:
        return book_next(request, clinic, visit)
    elif code == CheckoutItem.Code.WECHAT:
        guardian = request.POST.get("guardian") == "1" and visit.patient.is_minor
        add_wechat(patient=visit.patient, clinic=clinic, by=by, guardian=guardian)
    else:
        leaving.mark_done(visit=visit, code=code, by=by, outcome=request.POST.get("outcome", ""))
    return redirect(visit)


@requires(Permission.APPROVE_WAIVER)
@require_POST
@visit_errors
def waiver_decide(request: StaffRequest, clinic: Clinic, pk: int, code: str) -> HttpResponse:
    """The manager's word on what a coordinator asked to let go."""
    visit = get_visit(request, pk)
    if request.POST.get("action") == "take_back":
        leaving.take_approval_back(visit=visit, code=code, by=request.user)
    else:
        leaving.decide_waiver(visit=visit, code=code, approve=request.POST.get("approve") == "1", by=request.user)
    return redirect((request.POST.get("next") == "today" and "today") or visit)


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def visit_close(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """End the visit once every must-do is met."""
    visit = leaving.close(visit=get_visit(request, pk), by=request.user, expected=request.POST.get("expected"))
    messages.success(request, _("Visit of %(patient)s ended.") % {"patient": visit.patient})
    return redirect("today")

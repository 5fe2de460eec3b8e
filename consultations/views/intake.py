"""The coordinator's side of the consultation form."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.qr import qr_svg
from consultations import form_rules
from consultations.answer_form import PREFIX, AnswerForm, answers_as_sent
from consultations.form_links import HOURS, Link, token_for
from consultations.models import ConsultationForm, FormTemplate, Visit
from consultations.services.form_facts import differences
from consultations.services.forms import (
    FormIncomplete,
    Sheet,
    complete_form,
    renew_link,
    save_answers,
    sheet_of,
    start_form,
    use_other_questions,
    usual_kind,
)
from consultations.stages import Stage
from consultations.views.workspace import get_visit, render_visit, visit_errors


def form_of(visit: Visit) -> ConsultationForm:
    """Return the form of a visit that was fetched in scope, or answer 404."""
    form: ConsultationForm = get_object_or_404(ConsultationForm.objects.select_related("template"), visit=visit)
    form.visit = visit
    return form


def link_path(form: ConsultationForm) -> str:
    return reverse("patient_form", args=[token_for(Link(form.pk, form.link_key))]) if form.link_key else ""


def intake_panel(request: StaffRequest, clinic: Clinic, visit: Visit) -> dict[str, Any]:
    """What the panel shows: the start while there is no form, else all groups with progress and the link."""
    form = ConsultationForm.objects.select_related("template", "completed_by").filter(visit=visit).first()
    if form is None:
        return {
            "kinds": [(kind.value, kind.label) for kind in FormTemplate.Kind],
            "usual_kind": usual_kind(visit),
            "may_start": visit.is_open and visit.stage != Stage.ARRIVED,
        }
    form.visit = visit
    sheet = sheet_of(form)
    path = link_path(form)
    others = [(kind.value, kind.label) for kind in FormTemplate.Kind if kind != form.template.kind]
    return live_context(sheet) | {
        "consultation_form": form,
        "other_kinds": others if visit.is_open and form.completed_at is None else [],
        "answer_form": AnswerForm(sheet.groups, form.answers),
        "link": request.build_absolute_uri(path) if path else "",
        "qr": qr_svg(request.build_absolute_uri(path)) if path else "",
        "link_hours": HOURS,
        "differences": differences(sheet),
    }


def live_context(sheet: Sheet) -> dict[str, Any]:
    """Return what changes while two people write: progress, and where the patient is."""
    return {
        "sheet": sheet,
        "progress": sheet.progress,
        "missing_questions": [{"label": q.label, "url": f"#id_{PREFIX}{q.code}"} for q in sheet.progress.missing],
        "live_answers": sheet.form.answers,
    }


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def form_start(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Begin the form, or ask the other question set instead; from reception the visit goes on to the form stage."""
    visit = get_visit(request, pk)
    if instead := request.POST.get("instead"):
        use_other_questions(form=form_of(visit), kind=instead, by=request.user)
        return redirect(f"{visit.get_absolute_url()}?stage={Stage.INTAKE}")
    start_form(visit=visit, by=request.user, kind=request.POST.get("kind", ""))
    return redirect(f"{visit.get_absolute_url()}?stage={Stage.INTAKE}")


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def form_save(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Keep the answers typed so far: by script while typing, or as a plain form."""
    visit = get_visit(request, pk)
    form = form_of(visit)
    answers = AnswerForm(sheet_of(form).groups, form.answers, request.POST)
    valid = answers.is_valid()
    save_answers(form=form, sent=answers.sent(), seen=answers.seen(), by=request.user)
    if request.headers.get("X-Autosave"):
        now = timezone.localtime(timezone=clinic.tz)
        return JsonResponse({"saved_at": now.strftime("%H:%M"), "version": answers.seen_now()})
    if not valid:
        return render_visit(request, clinic, visit, stage=Stage.INTAKE, status=422, answer_form=answers)
    messages.success(request, _("Saved"))
    return redirect(f"{visit.get_absolute_url()}?stage={Stage.INTAKE}")


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def form_complete(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Keep the answers and close the form; what is missing stays marked."""
    visit = get_visit(request, pk)
    form = form_of(visit)
    sheet = sheet_of(form)
    answers = AnswerForm(sheet.groups, form.answers, request.POST)
    valid = answers.is_valid()
    form = save_answers(form=form, sent=answers.sent(), seen=answers.seen(), by=request.user)
    if not valid:
        return render_visit(request, clinic, visit, stage=Stage.INTAKE, status=422, answer_form=answers)
    try:
        filled = complete_form(form=form, by=request.user, fill=request.POST.get("fill") == "1")
    except FormIncomplete as error:
        answers = AnswerForm(sheet.groups, form.answers, answers_as_sent(sheet.groups, form.answers))
        answers.is_valid()
        answers.ask_for(error.missing)
        return render_visit(request, clinic, visit, stage=Stage.INTAKE, status=422, answer_form=answers)
    messages.success(request, _completed_words(filled))
    return redirect(visit)


def _completed_words(filled: list[str]) -> str:
    if not filled:
        return _("Form completed")
    return _("Form completed; taken over to the patient: %(what)s") % {"what": pgettext("list", ", ").join(filled)}


@requires(Permission.COORDINATE)
@require_GET
def form_live(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Progress and the answers as they stand now, asked for every few seconds."""
    form = form_of(get_visit(request, pk))
    context = live_context(sheet_of(form)) | {"visit": form.visit, "consultation_form": form}
    response = render(request, "consultations/patient_form/_live.html", context)
    response["Cache-Control"] = "no-store"
    return response


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def form_link(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Make a new link for the patient, or take the link back."""
    visit = get_visit(request, pk)
    revoke = request.POST.get("action") == "revoke"
    form = form_of(visit)
    had_one = bool(form.link_key)
    renew_link(form=form, by=request.user, revoke=revoke)
    made = _("New link made; the old one no longer works") if had_one else _("Link made; let the patient scan it")
    messages.success(request, _("The link no longer works") if revoke else made)
    return redirect(f"{visit.get_absolute_url()}?stage={Stage.INTAKE}")


@requires(Permission.COORDINATE)
@require_POST
@visit_errors
def form_hand_over(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Turn this device over to the patient: signs out first, so that nothing but the form can be reached."""
    form = form_of(get_visit(request, pk))
    if not form.link_key:
        form = renew_link(form=form, by=request.user)
    path = link_path(form)
    logout(request)
    return redirect(f"{path}?tablet=1")


@requires(Permission.COORDINATE, Permission.READ_HANDOFF)
@require_GET
def form_page(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The answers to read and to print on A4."""
    visit = get_visit(request, pk)
    form = form_of(visit)
    sheet = sheet_of(form)
    groups = [
        {
            "title": group.title,
            "rows": [(q.label, form_rules.spoken(q, form.answers.get(q.code))) for q in sheet.asked(group)],
        }
        for group in sheet.groups
        if sheet.asked(group)
    ]
    context = {"visit": visit, "patient": visit.patient, "consultation_form": form, "groups": groups}
    return render(request, "consultations/patient_form/print.html", context)

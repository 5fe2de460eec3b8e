"""The patient page and the older part of its timeline."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from clinic_crm.workbench import patient_page
from clinic_crm.workbench.patient_tabs import TABS, chips_of, tabs_of, timeline_tab
from clinic_crm.workbench.timeline_kinds import Reader
from patients.models import Registration
from patients.services.merging import current_id
from patients.views.common import get_registration, may_of, patient_url


def _reader(request: StaffRequest, registration: Registration) -> Reader:
    return Reader.of(request.user, registration.patient_id, registration.clinic_id)


@requires(Permission.VIEW_PATIENTS)
@require_GET
def patient(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Who the patient is, what happened, what is next; ?tab= and ?kind= say what is open."""
    try:
        registration = get_registration(request, clinic, pk, Permission.VIEW_PATIENTS)
    except Http404:
        if (into := current_id(pk)) is None:
            raise
        get_registration(request, clinic, into, Permission.VIEW_PATIENTS)  # theirs to see, else 404 as well
        return redirect(patient_url(into))
    reader, may = _reader(request, registration), may_of(request.user, registration.clinic)
    facts = patient_page.facts_of(registration, reader, request.user)
    visit = patient_page.open_visit(registration)
    tabs = tabs_of(facts.tabs)
    tab = request.GET.get("tab", "")
    tab = tab if tab in {shown["value"] for shown in tabs} else "timeline"
    slot = patient_page.suggestion(registration, visit, facts) if may.book else None
    context: dict[str, Any] = {
        "registration": registration,
        "patient": registration.patient,
        "may": may,
        "facts": facts,
        "visit": visit,
        "missing": patient_page.missing_of(visit, request.user),
        "thing": patient_page.next_thing(registration, visit, facts, request.user),
        "slot": slot,
        "slot_minutes": patient_page.minutes_of(slot[0]) if slot else 0,
        "phones": patient_page.phones_of(registration.patient) if may.reveal_contact else [],
        "open_tasks": patient_page.open_tasks(registration, request.user),
        "now": timezone.now(),
        "tabs": tabs,
        "tab": tab,
        "tab_template": f"workbench/patient/_{tab}.html",
        "chips": chips_of(facts.events),
        "elsewhere": registration.clinic_id != clinic.pk,
    }
    context |= TABS[tab](request, registration, reader)
    with timezone.override(registration.clinic.tz):
        return render(request, "workbench/patient.html", context)


@requires(Permission.VIEW_PATIENTS)
@require_GET
def patient_timeline(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The older part of the timeline, put below what is shown."""
    registration = get_registration(request, clinic, pk, Permission.VIEW_PATIENTS)
    reader = _reader(request, registration)
    context = {"patient": registration.patient, "may": may_of(request.user, registration.clinic)}
    context |= timeline_tab(request, registration, reader)
    with timezone.override(registration.clinic.tz):
        return render(request, "workbench/patient/_timeline_items.html", context)

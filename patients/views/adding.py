"""Quick-add: a new patient in a minute, with a warning when the number is known already."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from patients import naming
from patients.errors import PatientError
from patients.forms import QuickAddForm
from patients.models import Patient, Registration
from patients.phones import clean_number
from patients.queries import same_number
from patients.search import SHOWN, Hit, find
from patients.services import NewPatient, register_in_clinic, register_patient
from patients.services.referral_links import code_in, referrer_by_code
from patients.views.common import done, may_of, patient_url


@requires(Permission.QUICK_ADD)
@require_http_methods(["GET", "POST"])
def patient_add(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The form for a new patient, in a dialog or as a page; then what to do with them next."""
    if request.method == "GET":
        code = code_in(request.GET.get("code", "")[:120])
        form = QuickAddForm(clinic=clinic, initial={"name": request.GET.get("name", "")[:120], "referrer_q": code})
        return _form(request, form, hits=people_meant(code, request, clinic))
    form = QuickAddForm(request.POST, clinic=clinic)
    if not form.is_valid():
        return _form(request, form)
    referrer, hits = _referrer(request, clinic, form)
    twins = _twins(request, form)
    if form.errors or (twins and not form.cleaned_data["same"]):
        return _form(request, form, hits=hits, twins=twins)
    try:
        registration = register_patient(clinic=clinic, details=_details(form, referrer), by=request.user)
    except PatientError as error:
        form.add_error(None, error.message)
        return _form(request, form)
    return _added(request, registration)


def _details(form: QuickAddForm, referrer: Patient | None) -> NewPatient:
    data, (birth, known) = form.cleaned_data, form.born()
    return NewPatient(
        name=data["name"],
        phones=form.phones(),
        sex=data["sex"],
        birth_date=birth,
        birth_day_known=known,
        channel=data["channel"],
        complaint=data["complaint"],
        referrer=referrer,
    )


def _form(
    request: StaffRequest, form: QuickAddForm, *, hits: list[Hit] | None = None, twins: list[Registration] | None = None
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "hits": hits or [], "twins": twins or []}
    if form.is_bound and form.data.get("phone"):
        context |= _same_context(request, form.data["phone"])
    page = "patients/add.html"
    if request.htmx:
        page = "patients/_add_form.html" if request.method == "POST" else "patients/_add_dialog.html"
    return render(request, page, context, status=422 if form.is_bound else 200)


def _added(request: StaffRequest, registration: Registration) -> HttpResponse:
    context = {
        "registration": registration,
        "patient": registration.patient,
        "may": may_of(request.user, registration.clinic),
    }
    page = "patients/_added.html" if request.htmx else "patients/added.html"
    return render(request, page, context)


def _referrer(request: StaffRequest, clinic: Clinic, form: QuickAddForm) -> tuple[Patient | None, list[Hit]]:
    """Return the referrer that was picked, or the only one that the words fit; else whom they may mean."""
    picked, said = form.cleaned_data["referrer"], form.cleaned_data["referrer_q"]
    if picked:
        return get_object_or_404(Patient.objects.for_user(request.user).living(), pk=picked), []
    if not said:
        return None, []
    hits = people_meant(said, request, clinic)
    if len(hits) == 1:
        return hits[0].patient, []
    words = _("%(count)d people fit. Choose one.") % {"count": len(hits)}
    form.add_error("referrer_q", words if hits else _("Nobody is found by this."))
    return None, hits


def people_meant(said: str, request: StaffRequest, clinic: Clinic, *, limit: int = SHOWN) -> list[Hit]:
    """Return whom words mean: a referral code, typed or scanned, one person; else who fits by name or number."""
    person = referrer_by_code(said, user=request.user)
    if person is None:
        return find(said, user=request.user, clinic=clinic, limit=limit)
    rows = Registration.objects.for_user(request.user).filter(patient=person).select_related("patient", "clinic")
    found = sorted(rows, key=lambda row: row.clinic_id != clinic.pk)
    return [Hit(row, elsewhere=row.clinic_id != clinic.pk) for row in found[:1]]


def _twins(request: StaffRequest, form: QuickAddForm) -> list[Registration]:
    """Return who has the same name and the same number in one of the person's clinics."""
    numbers, key = [number for number, _label in form.phones()], naming.compare_key(form.cleaned_data["name"])
    found = [row for number in numbers for row in same_number(number, request.user)[0]]
    return [row for row in found if row.patient.name_key == key]


def _same_context(request: StaffRequest, text: str) -> dict[str, Any]:
    """Return whom else the number belongs to, "" and nobody while it is not complete."""
    try:
        number = clean_number(text[:40])
    except ValidationError:
        number = ""
    here, elsewhere = same_number(number, request.user) if number else ([], [])
    masked = f"{number[:3]}****{number[-4:]}" if number else ""
    checks_in = set(request.user.clinic_ids(Permission.CHECK_IN))
    return {
        "same_here": here,
        "same_elsewhere": elsewhere,
        "number": number,
        "masked": masked,
        "checks_in": checks_in,
    }


@requires(Permission.QUICK_ADD)
@require_POST
def phone_check(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Say, while the number is typed, who has it already."""
    context = _same_context(request, request.POST.get("phone", ""))
    return render(request, "patients/_same_phone.html", context | {"clinic": clinic})


@requires(Permission.QUICK_ADD, Permission.EDIT_PATIENTS)
@require_POST
def patient_pick(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """People to choose one from, by name, pinyin, phone or number."""
    said = request.POST.get("referrer_q", "")
    hits = people_meant(said[:120], request, clinic, limit=6)
    return render(request, "patients/_pick.html", {"hits": hits, "said": said.strip()})


@requires(Permission.QUICK_ADD)
@require_POST
def patient_register_here(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Register a person of another clinic of the group here, proven by the exact number; logged."""
    try:
        number = clean_number(request.POST.get("phone", "")[:40])
        patient = get_object_or_404(Patient.objects.living(), pk=pk)  # any of the group: the number is the proof
        register_in_clinic(patient=patient, clinic=clinic, phone=number, by=request.user)
    except (ValidationError, PatientError) as error:
        messages.error(request, error.messages[0] if isinstance(error, ValidationError) else error.message)
        return redirect("patient_add")
    return done(request, patient_url(pk))

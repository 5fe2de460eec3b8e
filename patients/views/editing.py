"""Editing a person; a stale save shows what differs and overwrites nothing."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import StaffRequest, requires
from accounts.models import AuditEvent, Clinic, User
from accounts.permissions import Permission
from accounts.reading import whole_number
from patients.edits import CONTACT_IDS, combine, current_values, flat, seal, unseal
from patients.errors import Refused, StaleEdit
from patients.forms import PatientForm
from patients.models import Registration
from patients.services import update_patient
from patients.views.common import get_registration, patient_url


@requires(Permission.EDIT_PATIENTS)
@require_http_methods(["GET", "POST"])
def patient_edit(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Everything about a person, in groups."""
    registration = get_registration(request, clinic, pk, Permission.EDIT_PATIENTS)
    values = current_values(registration)
    if request.method == "GET":
        base = seal(registration.patient.version, flat(values))
        return _page(request, registration, _form(registration, None), base=base)
    version, base_values = unseal(request.POST.get("base", ""))
    if base_values == flat(values):  # changed in what this form does not hold, the class for instance
        version = registration.patient.version
    if version != registration.patient.version:
        return _stale(request, registration, base_values)
    form = _form(registration, _picked(request.POST, flat(values)))
    try:
        saved = form.is_valid() and _save(request, registration, form, version)
    except StaleEdit:
        return _stale(request, get_registration(request, clinic, pk, Permission.EDIT_PATIENTS), base_values)
    if not saved:
        return _page(request, registration, form, base=request.POST.get("base", ""), status=422)
    messages.success(request, _("Saved: %(patient)s") % {"patient": form.cleaned_data["name"]})
    return redirect(patient_url(pk))


def _form(registration: Registration, data: QueryDict | None) -> PatientForm:
    initial = current_values(registration)
    return PatientForm(data, initial=initial, registration=registration)


def _picked(posted: QueryDict, now: dict[str, str]) -> QueryDict:
    """Take theirs where the person chose so among the differences shown before."""
    data = posted.copy()
    for name in now:
        if posted.get(f"pick_{name}") == "theirs":
            data[name] = now[name]
    return data


def _save(request: StaffRequest, registration: Registration, form: PatientForm, version: int) -> bool:
    """Write the form; False with the reason on the form when the service refuses."""
    data = dict(form.cleaned_data)
    for name in ("owner", "doctor"):
        data[name] = User.objects.filter(pk=data[name]).first() if data[name] else None
    for name in CONTACT_IDS:
        if f"forget_{name}" in form.data:
            data[name] = ""
        elif not data[name]:
            del data[name]
    try:
        update_patient(
            registration=registration,
            values=data,
            version=version,
            by=request.user,
            add_phones=[(data["new_phone"], data["new_phone_label"])] if data["new_phone"] else [],
            remove_phones=[whole_number(pk) or 0 for pk in request.POST.getlist("remove_phone")],
        )
    except Refused as error:
        form.add_error(None, error.message)
        return False
    return True


def _stale(request: StaffRequest, registration: Registration, base_values: dict[str, str]) -> HttpResponse:
    """Show what differs; the next save is made on today's state."""
    now = flat(current_values(registration))
    merged = combine(flat(request.POST.dict()), base_values, now)
    data = request.POST.copy()
    for name, value in merged.values.items():
        data[name] = value
    form = _form(registration, data)
    edits = AuditEvent.objects.for_user(request.user).filter(action="patient_edited", subject="patient")
    extra = {
        "differences": [form.difference(name, now[name], merged.values[name]) for name in merged.both],
        "taken_over": [form.fields[name].label for name in merged.theirs],
        "last_edit": edits.filter(subject_id=registration.patient_id).select_related("actor").order_by("-at").first(),
        "stale": True,
    }
    return _page(request, registration, form, base=seal(registration.patient.version, now), status=409, **extra)


def _page(
    request: StaffRequest, registration: Registration, form: PatientForm, *, base: str, status: int = 200, **extra: Any
) -> HttpResponse:
    patient = registration.patient
    context = {
        "form": form,
        "patient": patient,
        "registration": registration,
        "phones": list(patient.phones.all()),
        "removed": request.POST.getlist("remove_phone"),
        "base": base,
        **extra,
    }
    return render(request, "patients/edit.html", context, status=status)

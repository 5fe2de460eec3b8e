"""Readings: the clinic's list, changing one, and choosing one for a patient."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from followups.campaign_forms import MaterialForm
from followups.errors import Refused
from followups.models import Material, MaterialUse
from followups.services.materials import SMS_LENGTH, ensure_builtin_materials, save_material, use_material
from patients.models import Registration

LATEST = 8  # uses shown beside the choice


def _url(kind: str) -> str:
    return f"{reverse('material_list')}?kind={kind}"


@requires(Permission.EDIT_PLAYBOOKS)
@require_GET
def material_list(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The clinic's readings of one kind."""
    rows = list(Material.objects.for_clinic(clinic).select_related("updated_by"))
    kinds = Material.Kind
    kind = request.GET.get("kind", "")
    kind = kind if kind in kinds.values else kinds.SYMPTOM.value
    context = {
        "tabs": [(value, label, sum(row.kind == value for row in rows)) for value, label in kinds.choices],
        "kind": kind,
        "materials": [row for row in rows if row.kind == kind],
        "any": bool(rows),
    }
    return render(request, "followups/material_list.html", context)


@requires(Permission.EDIT_PLAYBOOKS)
@require_http_methods(["GET", "POST"])
def material_edit(request: StaffRequest, clinic: Clinic, pk: int | None = None) -> HttpResponse:
    """Change a reading, or add one."""
    material = get_object_or_404(Material.objects.for_user(request.user).for_clinic(clinic), pk=pk) if pk else None
    initial = {"kind": request.GET.get("kind", Material.Kind.SYMPTOM)}
    form = MaterialForm(request.POST or None, instance=material, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            saved = save_material(clinic=clinic, by=request.user, material=material, **form.cleaned_data)
        except Refused as error:
            form.add_error(error.field, error.message)
        else:
            messages.success(request, _("Reading saved"))
            return redirect(_url(saved.kind))
    status = 422 if form.errors else 200
    return render(request, "followups/material_edit.html", {"form": form, "material": material}, status=status)


@requires(Permission.EDIT_PLAYBOOKS)
@require_POST
def materials_load(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Give a clinic without readings the built-in ones."""
    ensure_builtin_materials(clinic, by=request.user)
    messages.success(request, _("The built-in readings are here"))
    return redirect("material_list")


def _registration(request: StaffRequest, clinic: Clinic, pk: int) -> Registration:
    rows = Registration.objects.for_user(request.user).for_clinic(clinic).select_related("patient")
    found: Registration = get_object_or_404(rows.filter(patient__merged_into=None), patient=pk)
    return found


@requires(Permission.FOLLOW_UP)
@require_GET
def patient_reading(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """What the patient may be given to read, and what they were given."""
    registration = _registration(request, clinic, pk)
    return _reading(request, clinic, registration)


def _reading(
    request: StaffRequest, clinic: Clinic, registration: Registration, *, error: str = "", status: int = 200
) -> HttpResponse:
    kind = request.GET.get("kind", "")
    rows = Material.objects.for_clinic(clinic).filter(is_active=True)
    context = {
        "patient": registration.patient,
        "materials": rows.filter(kind=kind) if kind in Material.Kind.values else rows,
        "kinds": Material.Kind.choices,
        "kind": kind,
        "uses": _uses(clinic, registration),
        "sms_length": SMS_LENGTH,
        "error": error,
        "may_edit": request.user.may(Permission.EDIT_PLAYBOOKS, clinic),
    }
    return render(request, "followups/material_patient.html", context, status=status)


@requires(Permission.FOLLOW_UP)
@require_POST
def patient_reading_use(request: StaffRequest, clinic: Clinic, pk: int, material: int) -> HttpResponse:
    """Log that a reading was copied, or send it by SMS (how=copied|sent)."""
    registration = _registration(request, clinic, pk)
    chosen = get_object_or_404(Material.objects.for_user(request.user).for_clinic(clinic), pk=material)
    how = request.POST.get("how", "")
    error, said = "", ""
    try:
        use_material(material=chosen, patient=registration.patient, clinic=clinic, how=how, by=request.user)
        said = _("“%(title)s” is in the outbox.") if how == "sent" else _("“%(title)s” was copied; noted.")
        messages.success(request, said % {"title": chosen.title})
    except Refused as refused:
        error = refused.message
    if request.htmx:  # only the history below is drawn anew
        if error:
            messages.error(request, error)
        context = {"uses": _uses(clinic, registration)}
        return render(request, "followups/_material_uses.html", context, status=422 if error else 200)
    return (
        _reading(request, clinic, registration, error=error, status=422) if error else redirect("patient_reading", pk)
    )


def _uses(clinic: Clinic, registration: Registration) -> Any:
    rows = MaterialUse.objects.for_clinic(clinic).filter(patient=registration.patient_id)
    return rows.select_related("material", "by").order_by("-at", "-id")[:LATEST]

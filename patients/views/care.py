"""Recording what was done for a patient, and taking it back."""

from datetime import datetime, time

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import own_address
from patients.errors import Refused
from patients.models import CareAction
from patients.services.care import record_care, undo_care
from patients.views.common import done, get_registration, panel, patient_url


class CareForm(forms.Form):
    """One thing done for a patient: what, on which day, at which cost."""

    kind = forms.ChoiceField(label=gettext_lazy("What was done"), choices=CareAction.Kind.choices)
    day = forms.DateField(label=gettext_lazy("On"), widget=forms.DateInput({"type": "date"}))
    cost = forms.DecimalField(
        label=gettext_lazy("Cost to the clinic (¥)"), min_value=0, max_digits=10, decimal_places=2, required=False
    )
    note = forms.CharField(label=gettext_lazy("Note"), max_length=200, required=False)


def _moment(day: object, clinic: Clinic) -> datetime | None:
    """Return when that was: now for today, noon for an earlier day."""
    today = clinic.today()
    assert hasattr(day, "year")
    return None if day == today else datetime.combine(day, time(12), clinic.tz)  # type: ignore[arg-type]


@requires(Permission.RECORD_CARE)
@require_http_methods(["GET", "POST"])
def patient_care(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """What was done for the patient so far, and one thing more."""
    registration = get_registration(request, clinic, pk, Permission.RECORD_CARE)
    patient, here = registration.patient, registration.clinic
    form = CareForm(request.POST or None, initial={"day": here.today()})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        facts = {"kind": data["kind"], "note": data["note"], "cost": data["cost"] or 0}
        try:
            made = record_care(patient=patient, clinic=here, by=request.user, at=_moment(data["day"], here), **facts)
        except (Refused, OverflowError, ValueError) as error:
            form.add_error("day", error.message if isinstance(error, Refused) else _("Choose another day."))
        else:
            assert made is not None
            words = {"patient": patient, "what": made.get_kind_display()}
            undo = f"undo {reverse('care_undo', args=[made.pk])}"
            messages.success(request, _("%(what)s recorded for %(patient)s.") % words, extra_tags=undo)
            return done(request, patient_url(pk))
    history = CareAction.objects.for_user(request.user).filter(patient=patient, undoes=None, undone_by=None)
    context = {"patient": patient, "form": form, "history": history.select_related("by").order_by("-at", "-pk")[:30]}
    status = 422 if form.is_bound else 200
    title = _("Done for the patient")
    return panel(request, "patients/_care.html", context, title=title, back=patient_url(pk), status=status)


@requires(Permission.RECORD_CARE)
@require_POST
def care_undo(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take one record back."""
    rows = CareAction.objects.for_user(request.user).for_clinic(clinic)
    action = get_object_or_404(rows.select_related("patient", "clinic"), pk=pk)
    try:
        undo_care(action=action, by=request.user)
    except Refused as error:
        messages.warning(request, error.message)
    else:
        messages.success(request, _("Taken back: %(what)s") % {"what": action.get_kind_display()})
    return redirect(own_address(request, request.POST.get("next"), patient_url(action.patient_id)))

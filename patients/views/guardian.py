"""Who is a patient's guardian, chosen among the records."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import whole_number
from patients.errors import Refused
from patients.models import Patient
from patients.search import find
from patients.services.guardians import set_guardian
from patients.views.common import done, get_registration, panel, patient_url


@requires(Permission.EDIT_PATIENTS)
@require_http_methods(["GET", "POST"])
def patient_guardian(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Find the guardian's record and link it; without a choice the search is answered."""
    registration = get_registration(request, clinic, pk, Permission.EDIT_PATIENTS)
    patient = Patient.objects.select_related("guardian").get(pk=pk)
    said, error = request.POST.get("referrer_q", "")[:120], ""
    picked, away = whole_number(request.POST.get("referrer")), "unlink" in request.POST
    if request.method == "POST" and (picked or away):
        people = Patient.objects.for_user(request.user).living()
        guardian = None if away else people.filter(pk=picked or 0).first()
        relation = request.POST.get("relation", "")
        try:
            if guardian is None and not away:
                raise Refused(_("Choose one of the people found."))
            set_guardian(
                patient=patient, guardian=guardian, relation=relation, clinic=registration.clinic, by=request.user
            )
        except Refused as refusal:
            error = refusal.message
        else:
            messages.success(request, _("Saved: %(patient)s") % {"patient": patient})
            return done(request, patient_url(pk))
    elif request.method == "POST" and not said:
        error = _("Choose who it was.")
    hits = [hit for hit in find(said, user=request.user, clinic=clinic, limit=6) if hit.patient.pk != pk]
    context = {"patient": patient, "said": said, "hits": hits, "picked": picked, "error": error}
    context["relation"] = request.POST.get("relation", patient.guardian_relation)
    status = 422 if request.method == "POST" else 200
    return panel(request, "patients/_guardian.html", context, title=_("Guardian"), back=patient_url(pk), status=status)

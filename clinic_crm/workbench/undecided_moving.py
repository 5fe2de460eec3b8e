"""Moving a patient to another class from the board, and taking such a move back."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from clinic_crm.workbench.classifying import suggestion_for
from followups.services.classes import set_class
from patients.errors import PatientError, Refused
from patients.models import ClassChange, ClassSuggestion, Patient


class Moved(PatientError):
    """Somebody else moved the patient meanwhile (HTTP 409); `change` is what they did, if it was kept."""

    def __init__(self, patient: Patient, change: ClassChange | None) -> None:
        self.patient, self.change = patient, change
        super().__init__(_("%(patient)s was moved by somebody else meanwhile.") % {"patient": patient})


def latest_change(patient: Patient) -> ClassChange | None:
    """Return the last thing said of the patient's class."""
    rows = ClassChange.objects.filter(patient=patient).select_related("by")
    found: ClassChange | None = rows.order_by("-at", "-pk").first()
    return found


@transaction.atomic
def move_class(
    *,
    patient: Patient,
    clinic: Clinic,
    code: str,
    expected: str,
    by: User,
    reason: str = "",
    is_correction: bool = False,
) -> ClassChange:
    """Set another class, keeping the judgements, provided the patient still stands in `expected`.

    Raises: Moved when not; Refused without a reason for another class than the suggested one, or when nothing
    would change. Source: DOMAIN §3.
    """
    fresh = Patient.objects.select_for_update().get(pk=patient.pk)
    if fresh.class_code != expected:
        raise Moved(fresh, latest_change(fresh))
    if code == fresh.class_code:
        raise Refused(_("The patient stands in this class already."))
    change = set_class(
        patient=fresh,
        clinic=clinic,
        code=code,
        awareness=fresh.awareness,
        trust=fresh.trust,
        by=by,
        suggestion=suggestion_for(fresh, clinic, fresh.awareness),
        reason=reason,
        is_correction=is_correction,
    )
    open_ones = ClassSuggestion.objects.filter(patient=fresh, status=ClassSuggestion.Status.OPEN)
    open_ones.update(status=ClassSuggestion.Status.OUTDATED, answered_at=change.at, answered_by=by)
    return change


@transaction.atomic
def undo_move(*, change: ClassChange, by: User) -> ClassChange:
    """Take a move back: the former class again, as a correction, so that it counts as no move.

    Raises: Moved when the class was set anew since.
    """
    fresh = Patient.objects.select_for_update().get(pk=change.patient_id)
    latest = latest_change(fresh)
    if latest is None or latest.pk != change.pk or not change.old_class:
        raise Moved(fresh, latest)
    return set_class(
        patient=fresh,
        clinic=change.clinic,
        code=change.old_class,
        awareness=fresh.awareness,
        trust=fresh.trust,
        by=by,
        reason=_("Taken back"),
        is_correction=True,
    )

"""Linking a child's record with the guardian's."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from patients.errors import Refused
from patients.models import Patient


@transaction.atomic
def set_guardian(*, patient: Patient, guardian: Patient | None, relation: str, clinic: Clinic, by: User) -> None:
    """Record who is the guardian of a patient, by their own record; None takes the link away, the name stays.

    Args: relation: what the guardian is to the patient, e.g. mother. Raises: Refused for oneself, a merged record,
    one's own ward, or without the relation.
    """
    values: dict[str, object] = {"guardian": guardian}
    if guardian is not None:
        if not relation.strip():
            raise Refused(_("Say what the guardian is to the patient."))
        if guardian.pk == patient.pk or guardian.merged_into_id or guardian.guardian_id == patient.pk:
            raise Refused(_("This person cannot be the guardian."))
        values |= {"guardian_name": guardian.name[:60], "guardian_relation": relation.strip()[:20]}
    Patient.objects.filter(pk=patient.pk).update(**values, version=F("version") + 1, updated_at=timezone.now())
    record(action="patient_edited", clinic=clinic, by=by, subject=patient, fields=list(values))

"""Setting a patient's class: the judgement and the playbook that follows from it, both or neither."""

from django.db import transaction

from accounts.models import Clinic, User
from followups.services import playbooks
from patients.classification import Suggestion
from patients.models import ClassChange, Patient
from patients.services import classify


@transaction.atomic
def set_class(
    *,
    patient: Patient,
    clinic: Clinic,
    code: str,
    awareness: int | None,
    trust: int | None,
    by: User,
    suggestion: Suggestion | None = None,
    reason: str = "",
    is_correction: bool = False,
) -> ClassChange:
    """Classify, start the class's playbook and close the former's open tasks.

    Args and raises: as `patients.services.classify`, which nobody else calls. Source: DOMAIN §3.
    """
    change = classify(
        patient=patient,
        clinic=clinic,
        code=code,
        awareness=awareness,
        trust=trust,
        by=by,
        suggestion=suggestion,
        reason=reason,
        is_correction=is_correction,
    )
    playbooks.class_set(change=change, by=by)
    return change

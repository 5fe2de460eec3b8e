"""What a patient agreed to."""

from django.db import transaction

from accounts.models import Clinic, User
from patients.models import Consent, Patient

WORDING = "1"  # the version of the wording that is shown today


@transaction.atomic
def record_consent(
    *,
    patient: Patient,
    clinic: Clinic,
    purpose: str,
    given: bool,
    by: User | None,
    channel: str = "desk",
    wording_version: str = WORDING,
) -> Consent:
    """Append one statement of the patient; the latest on a purpose holds. Withdrawing is a statement too.

    Args: by: None when the patient said it in their own form; channel: desk, patient_form, import.
    """
    return Consent.objects.create(
        clinic=clinic,
        patient=patient,
        purpose=purpose,
        given=given,
        channel=channel,
        wording_version=wording_version,
        by=by,
    )

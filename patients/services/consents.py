"""What a patient agreed to."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from patients.consent_wordings import CURRENT
from patients.errors import Refused
from patients.models import Consent, Patient

WORDING = CURRENT  # the version of the wording that is shown today
GUARDIAN_UNDER = 14  # years; PIPL art. 31
RESTORED = frozenset({"undo", "import"})  # channels that repeat what was said before
MAX_GUARDIAN = 80


def needs_guardian(patient: Patient) -> bool:
    """Tell whether a guardian must consent for the patient. Source: DOMAIN §7, PIPL art. 31."""
    age = patient.age
    return age is not None and age < GUARDIAN_UNDER


def guardian_words(name: str, relation: str) -> str:
    """Return who consents for a child, e.g. 周岚 (mother)."""
    name, relation = name.strip(), relation.strip()
    return (f"{name} ({relation})" if relation else name)[:MAX_GUARDIAN] if name else ""


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
    guardian_name: str = "",
    guardian_relation: str = "",
) -> Consent:
    """Append one statement of the patient; the latest on a purpose holds. Withdrawing is a statement too.

    Args: by: None when the patient said it in their own form; channel: desk, patient_form, import …;
    guardian_name, guardian_relation: who speaks for a child under 14, the guardian in the record unless said.
    Raises: Refused when somebody under 14 agrees and no guardian with their relation is known.
    """
    guardian = ""
    if needs_guardian(patient):
        name = guardian_name or patient.guardian_name or (patient.guardian.name if patient.guardian else "")
        relation = guardian_relation or patient.guardian_relation
        if given and channel not in RESTORED and not (name.strip() and relation.strip()):
            raise Refused(_("Under 14 a guardian agrees: name and relation are needed."))
        guardian = guardian_words(name, relation)
    return Consent.objects.create(
        clinic=clinic,
        patient=patient,
        purpose=purpose,
        given=given,
        channel=channel,
        wording_version=wording_version,
        guardian=guardian,
        by=by,
    )

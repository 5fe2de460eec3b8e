"""What the patient does on the link: consents, answers, hands in. No staff member acts here."""

import hmac

from django.db import transaction
from django.utils import timezone

from consultations.form_links import LinkInvalid, read_token
from consultations.models import ConsultationForm
from consultations.services.forms import FormClosed
from followups.services.consents_said import consents_said
from patients.models import ConsentPurpose

CHANNEL = "patient_form"


def form_behind(token: str) -> ConsultationForm:
    """Return the form a link opens.

    Raises: LinkExpired after its hours; FormClosed when the link was replaced or revoked, the form completed
    or the visit ended; LinkInvalid when nobody made it.
    """
    link = read_token(token)
    rows = ConsultationForm.objects.select_related("visit__patient", "visit__clinic", "template")
    form: ConsultationForm | None = rows.filter(pk=link.form_id).first()
    if form is None:
        raise LinkInvalid
    same_key = bool(form.link_key) and hmac.compare_digest(form.link_key.encode(), link.key.encode())
    if not same_key or form.completed_at or not form.visit.is_open:
        raise FormClosed
    return form


@transaction.atomic
def give_consent(
    *,
    form: ConsultationForm,
    contact: bool,
    marketing: bool,
    guardian_name: str = "",
    guardian_relation: str = "",
) -> None:
    """Keep the patient's word on care (without which nothing is asked), contact and marketing; once.

    Args: guardian_name, guardian_relation: who agrees for a child under 14. Raises: Refused without them.
    """
    fresh = ConsultationForm.objects.select_for_update().get(pk=form.pk)
    if fresh.consented_at:
        return
    now = timezone.now()
    patient, clinic = form.visit.patient, form.visit.clinic
    said = {ConsentPurpose.CARE: True, ConsentPurpose.CONTACT: contact, ConsentPurpose.MARKETING: marketing}
    for purpose, given in said.items():
        consents_said(
            patient=patient,
            clinic=clinic,
            purpose=purpose,
            given=given,
            by=None,
            channel=CHANNEL,
            guardian_name=guardian_name,
            guardian_relation=guardian_relation,
        )
    ConsultationForm.objects.filter(pk=fresh.pk).update(consented_at=now, updated_at=now)


@transaction.atomic
def hand_in(*, form: ConsultationForm) -> None:
    """Record that the patient is done; the coordinator completes the form."""
    fresh = ConsultationForm.objects.select_for_update().get(pk=form.pk)
    if fresh.completed_at:
        raise FormClosed
    if fresh.patient_submitted_at is None:
        now = timezone.now()
        ConsultationForm.objects.filter(pk=fresh.pk).update(patient_submitted_at=now, updated_at=now)

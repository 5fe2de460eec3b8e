"""Readings of a clinic: kept, changed, and used for a patient (DOMAIN §4)."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from followups import ad_words, consents, never
from followups.errors import Refused
from followups.material_sets import BUILTIN
from followups.models import Material, MaterialUse, MessagePurpose, Nature
from followups.services import outbox
from followups.services.reminders import settings_of
from followups.services.tasks import has_withdrawn
from patients.models import Patient, Registration

SMS_LENGTH = 400  # characters of a reading that still go by SMS
COPIED, SENT = "copied", "sent"


@transaction.atomic
def ensure_builtin_materials(clinic: Clinic, *, by: User | None = None) -> int:
    """Give a clinic that has no readings the built-in ones; returns how many. As often as one likes."""
    Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)  # two at once would both add them
    if Material.objects.for_clinic(clinic).exists():
        return 0
    rows = [
        Material(clinic=clinic, kind=r.kind, complaint=r.complaint, title=r.title, body=r.body, updated_by=by)
        for r in BUILTIN
    ]
    return len(Material.objects.bulk_create(rows))


@transaction.atomic
def save_material(*, clinic: Clinic, by: User, material: Material | None = None, **values: Any) -> Material:
    """Add or change a reading; a changed text is a new version.

    Args: values: kind, complaint, title, body, is_active. Raises: Refused for words that medical advertising may
    not use (DOMAIN §7).
    """
    words = ad_words.words_of(settings_of(clinic).ad_words)
    refused = ad_words.check(f"{values['title']}\n{values['body']}", marketing=True, words=words).refused
    if refused:
        raise Refused(_("Not allowed in what patients read: %(words)s.") % {"words": "、".join(refused)}, field="body")
    if material is None:
        material = Material(clinic=clinic)
    else:
        material = Material.objects.select_for_update().get(pk=material.pk)
        if (material.title, material.body) != (values["title"], values["body"]):
            material.version += 1
    for name in ("kind", "complaint", "title", "body", "is_active"):
        setattr(material, name, values[name])
    material.updated_by = by
    material.save()
    record(action="material_saved", clinic=clinic, by=by, subject=material, title=material.title)
    return material


@transaction.atomic
def use_material(*, material: Material, patient: Patient, clinic: Clinic, how: str, by: User) -> MaterialUse:
    """Send a reading by SMS, or note that its text was copied for WeChat.

    Raises: Refused for a reading that is not in use, a patient who must not or does not want to be contacted,
    one without a number, a text too long for an SMS, or one sent today already.
    """
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)  # two clicks at once: one message
    _check(material, patient, clinic)
    if how == SENT:
        _send(material, patient, clinic, by)
    elif how != COPIED:
        raise Refused(_("Choose how."), field="how")
    return MaterialUse.objects.create(
        clinic=clinic, material=material, material_version=material.version, patient=patient, how=how, by=by
    )


def _check(material: Material, patient: Patient, clinic: Clinic) -> None:
    if not material.is_active or material.clinic_id != clinic.pk:
        raise Refused(_("This reading is not in use."))
    if patient.merged_into_id or not Registration.objects.for_clinic(clinic).filter(patient=patient).exists():
        raise Refused(_("%(patient)s is not registered in this clinic.") % {"patient": patient})
    if never.is_forbidden(class_code=patient.class_code, nature=Nature.SERVICE):
        raise Refused(_("Patients of this class must never get this kind of message."))
    if has_withdrawn(patient):
        raise Refused(_("The patient does not want to be contacted."))


def _send(material: Material, patient: Patient, clinic: Clinic, by: User) -> None:
    if len(material.body) > SMS_LENGTH:
        raise Refused(_("Too long for an SMS; copy it into WeChat instead."))
    if not consents.agrees(patient, Nature.SERVICE):
        raise Refused(_("The patient has not agreed to be contacted."))
    if not patient.phones.exists():
        raise Refused(_("The patient has no phone number."))
    start, end = clinic.day_bounds(clinic.today())
    today = MaterialUse.objects.for_clinic(clinic).filter(patient=patient, material=material, how=SENT)
    if today.filter(at__gte=start, at__lt=end).exists():
        raise Refused(_("It was sent today already."))
    outbox.queue(
        clinic=clinic,
        purpose=MessagePurpose.MATERIAL,
        subject=f"material:{material.pk}",
        due_at=timezone.now(),
        nature=Nature.SERVICE,
        patient=patient,
        material=material,
        variables={"name": patient.name, "clinic": clinic.name, "title": material.title, "text": material.body},
        by=by,
    )

"""What a patient last said about being contacted (DOMAIN §7)."""

from django.db.models import BooleanField, OuterRef, QuerySet, Subquery

from followups.models.playbooks import Nature
from patients.models import Consent, Patient
from patients.models.history import ConsentPurpose


def purposes_for(nature: str) -> tuple[str, ...]:
    """Return the purposes that must be agreed to for a contact of this nature."""
    if nature in (Nature.MARKETING, Nature.CLOSING):
        return (ConsentPurpose.CONTACT, ConsentPurpose.MARKETING)
    return (ConsentPurpose.CONTACT,)


def latest(purpose: str, *, patient: str = "patient") -> Subquery:
    """Return the latest statement on a purpose as a subquery: true, false, or null when never asked."""
    said = Consent.objects.filter(patient=OuterRef(patient), purpose=purpose).order_by("-at", "-id")
    return Subquery(said.values("given")[:1], output_field=BooleanField(null=True))


def agrees(patient: Patient, nature: str) -> bool:
    """Tell whether the patient's latest statements allow a contact of this nature; never asked is no."""
    return with_consent(Patient.objects.filter(pk=patient.pk), nature, patient="pk").exists()


def with_consent(rows: QuerySet, nature: str, *, patient: str = "patient") -> QuerySet:
    """Keep the rows whose patient (at the path `patient`) agreed to contacts of this nature."""
    for purpose in purposes_for(nature):
        rows = rows.alias(**{f"said_{purpose}": latest(purpose, patient=patient)}).filter(**{f"said_{purpose}": True})
    return rows

"""Scripts (话术) with the people of a visit filled in."""

from django.utils.translation import gettext as _

from consultations.models import Script, Visit
from patients.models import Patient


def salutation(patient: Patient) -> str:
    """Return how a patient is addressed: surname and title where the sex is known, else the name."""
    titles = {"m": _("Mr %(surname)s"), "f": _("Ms %(surname)s")}
    title = titles.get(patient.sex)
    return title % {"surname": patient.surname} if title else patient.name


def fill(body: str, visit: Visit) -> str:
    """Replace {salutation}, {patient}, {doctor}, {coordinator} and {clinic}; an unknown one is left as written."""
    people = {
        "{salutation}": salutation(visit.patient),
        "{patient}": visit.patient.name,
        "{doctor}": str(visit.doctor or _("the doctor")),
        "{coordinator}": str(visit.coordinator or _("your coordinator")),
        "{clinic}": visit.clinic.name,
    }
    for mark, value in people.items():
        body = body.replace(mark, value)
    return body


def scripts_for(visit: Visit, stage: str) -> list[dict[str, str]]:
    """Return the clinic's scripts of a stage as title and words, in order."""
    rows = Script.objects.for_clinic(visit.clinic_id).filter(stage=stage)
    return [{"title": row.title, "text": fill(row.body, visit)} for row in rows]

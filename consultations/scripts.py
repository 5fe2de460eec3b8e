"""Scripts (话术) with the people of a visit filled in."""

import re

from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from accounts.statements import Statement
from consultations.models import Script, Visit
from patients.models import Patient

HAN = re.compile(r"[\u4e00-\u9fff]")


def salutation(patient: Patient) -> str:
    """Return how a patient is addressed: surname and title where the sex is known, else the name."""
    titles = {"m": _("Mr %(surname)s"), "f": _("Ms %(surname)s")}
    title = titles.get(patient.sex)
    return title % {"surname": patient.surname} if title else patient.name


def fill(body: str, visit: Visit) -> str:
    """Replace {salutation}, {patient}, {doctor}, {coordinator} and {clinic}; an unknown one is left as written.

    The words are said to the patient: titles follow the language of the script, not that of the reader.
    """
    with override("zh-hans" if HAN.search(body) else get_language()):
        people = _people(visit)
    for mark, value in people.items():
        body = body.replace(mark, value)
    return body


def _people(visit: Visit) -> dict[str, str]:
    return {
        "{salutation}": salutation(visit.patient),
        "{patient}": visit.patient.name,
        "{doctor}": str(visit.doctor or _("the doctor")),
        "{coordinator}": str(visit.coordinator or _("your coordinator")),
        "{clinic}": visit.clinic.name,
    }


_SCRIPTS = Statement(lambda *, clinic, stage: Script.objects.for_clinic(clinic).filter(stage=stage))


def scripts_for(visit: Visit, stage: str) -> list[dict[str, str]]:
    """Return the clinic's scripts of a stage as title and words, in order."""
    rows = _SCRIPTS.rows(clinic=visit.clinic_id, stage=str(stage))
    return [{"title": row.title, "text": fill(row.body, visit)} for row in rows]

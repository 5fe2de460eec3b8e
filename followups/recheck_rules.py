"""On which day an appointment is suggested first. No database here.

After a visit without a decision the class says when to see the patient again ([S1], DOMAIN §3): trust and awareness
grow between visits, so who has just begun is given time, and who came with a large chief complaint is seen while it
is still on their mind. After a decision the treatment says it: what has to heal, settle or be made first.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Suggestion:
    """Days from today, and why."""

    days: int
    reason: str | Promise


BY_CLASS: Mapping[str, Suggestion] = {
    "C-E": Suggestion(14, _("C-E: two weeks, so that the explanation can settle")),
    "C-D": Suggestion(14, _("C-D: two weeks, with the whole mouth explained")),
    "C-C": Suggestion(7, _("C-C: within a week, while the chief complaint is on their mind")),
    "C-B": Suggestion(14, _("C-B: two weeks, unhurried")),
    "C-A": Suggestion(30, _("C-A: a month, only a reminder")),
}
BY_TREATMENT: Mapping[str, Suggestion] = {
    "implant": Suggestion(10, _("Implant: ten days, to take the stitches out")),
    "orthodontics": Suggestion(28, _("Orthodontics: four weeks, the next adjustment")),
    "prosthodontics": Suggestion(10, _("Prosthodontics: ten days, when the work comes from the laboratory")),
    "aesthetic_restoration": Suggestion(7, _("Aesthetic restoration: a week, to try on")),
    "periodontal": Suggestion(14, _("Periodontal: two weeks, the next quadrant")),
    "endodontic": Suggestion(7, _("Root canal: a week, the next session")),
    "extraction": Suggestion(7, _("Extraction: a week, to see the wound")),
    "pain": Suggestion(3, _("Pain: three days, to see that it has gone")),
}
BY_KIND: Mapping[str, Suggestion] = {
    "first": Suggestion(0, _("First visit: as soon as possible")),
    "recheck": Suggestion(7, _("Recheck: from a week on")),
    "return": Suggestion(1, _("Return visit: as soon as possible")),
    "treatment": Suggestion(1, _("Treatment: as soon as possible")),
}


def suggested(*, kind: str, class_code: str = "", treatment: str = "") -> Suggestion:
    """Return when to offer the next appointment first.

    Args: kind: an Appointment.Kind; class_code: of an undecided patient, or empty; treatment: the complaint that an
    accepted plan treats (patients.classification.Complaint), or empty before a decision.
    """
    if treatment in BY_TREATMENT:
        return BY_TREATMENT[treatment]
    if kind == "recheck" and class_code in BY_CLASS:
        return BY_CLASS[class_code]
    return BY_KIND.get(kind, BY_KIND["return"])

"""What must never reach a patient of a class (DOMAIN §3, [S1]). No database here."""

from followups.models.playbooks import Nature
from patients.classification import PatientClass

# C-A: marketing, activity notices, urging. C-B: closing pitches; friendship is the goal.
NEVER: dict[str, frozenset[str]] = {
    PatientClass.CA: frozenset({Nature.MARKETING, Nature.CLOSING}),
    PatientClass.CB: frozenset({Nature.CLOSING}),
}


def is_forbidden(*, class_code: str, nature: str) -> bool:
    """Tell whether a contact of this nature must never reach a patient of this class, whoever asks."""
    return nature in NEVER.get(class_code, frozenset())

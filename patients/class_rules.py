"""Which class change the facts since the last classification suggest (DOMAIN §3); pure."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patients.classification import LOW, QUALITY_RETURN, SPECIALIST, PatientClass

ORDER = {code: place for place, code in enumerate(PatientClass.values)}  # lowest first
ENOUGH_RECHECKS = 2
HIGH = 4  # awareness and trust run from 1 to 5; from here on they are high


@dataclass(frozen=True)
class SinceThen:
    """What happened since the class was set. `awareness`: 1 to 5 as judged now, None when not judged.

    `returns`: return visits received; `quality_returns`: of those, for orthodontics or aesthetic restoration;
    `effective_referrals`: people brought who were received, ever.
    """

    code: str
    complaint: str = ""
    awareness: int | None = None
    returns: int = 0
    quality_returns: int = 0
    effective_referrals: int = 0


@dataclass(frozen=True)
class Change:
    """A class and why, in words that are translated when shown."""

    code: str
    reason: str | Promise


REASONS = {
    "referral": _("brought somebody who was received"),
    "quality_return": _("came again for orthodontics or aesthetic restoration"),
    "rechecks_aware": _("two rechecks and high awareness"),
    "specialist_low": _("implant, prosthodontics or orthodontics with low awareness"),
    "came_again": _("came again, awareness is no longer low"),
}


def suggest_change(facts: SinceThen) -> Change | None:
    """Suggest a higher class from what happened since; None when nothing speaks for one.

    The first rule that applies; a suggestion never lowers a class ([S1]: falls are the coordinator's judgement).
    """
    if facts.code not in ORDER:
        return None
    for code, reason, holds in _rules(facts):
        if holds and ORDER[code] > ORDER[facts.code]:
            return Change(code, REASONS[reason])
    return None


def _rules(facts: SinceThen) -> tuple[tuple[str, str, bool], ...]:
    low = facts.awareness is not None and facts.awareness <= LOW
    high = facts.awareness is not None and facts.awareness >= HIGH
    quality = facts.quality_returns >= 1 or (facts.returns >= 1 and facts.complaint in QUALITY_RETURN)
    return (
        (PatientClass.CA, "referral", facts.effective_referrals >= 1),
        (PatientClass.CB, "quality_return", quality),
        (PatientClass.CC, "specialist_low", facts.returns >= 1 and facts.complaint in SPECIALIST and low),
        (PatientClass.CD, "rechecks_aware", facts.returns >= ENOUGH_RECHECKS and high),
        (PatientClass.CD, "came_again", facts.returns >= 1 and facts.awareness is not None and not low),
    )

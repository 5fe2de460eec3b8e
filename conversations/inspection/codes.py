"""The faults an inspection knows (DOMAIN §5, [S2]): name, group, weight, what it costs and what to do instead."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NEGLECT: Final = "neglect"
ERROR: Final = "error"
TABOO: Final = "taboo"
ABUSE: Final = "abuse"
NOT_ASKED: Final = "not_asked"
NOT_OFFERED: Final = "not_offered"
NOT_INVITED: Final = "not_invited"

GROUPS: Final[dict[str, Promise]] = {
    ABUSE: _("Abusive service"),
    TABOO: _("Taboo phrases"),
    NEGLECT: _("Neglect"),
    ERROR: _("Low-level errors"),
    NOT_ASKED: _("Not asked"),
    NOT_OFFERED: _("Not offered"),
    NOT_INVITED: _("Not invited"),
}


@dataclass(frozen=True)
class Code:
    """One fault. Severity 1 (slight) to 4 (abuse); `deduction` in points of 100, before a rubric changes it."""

    label: Promise
    group: str
    severity: int
    deduction: Decimal
    advice: Promise


def _code(label: Promise, group: str, severity: int, deduction: int, advice: Promise) -> Code:
    return Code(label, group, severity, Decimal(deduction), advice)


CODES: Final[dict[str, Code]] = {
    "abuse": _code(
        _("Insult or mockery"),
        ABUSE,
        4,
        100,
        _("Apologise to the visitor at once and hand the chat to a manager."),
    ),
    "taboo.scolding": _code(
        _("Scolding"), TABOO, 3, 15, _("Say again, calmly and in other words, what the visitor missed.")
    ),
    "taboo.rhetorical": _code(
        _("Rhetorical question"), TABOO, 3, 10, _("Say it as a statement, or ask a question that wants an answer.")
    ),
    "taboo.interrogating": _code(
        _("Interrogating"), TABOO, 3, 15, _("Ask politely and say why you ask, or apologise and explain once more.")
    ),
    "taboo.perfunctory": _code(
        _("Brushing off"), TABOO, 3, 10, _("Answer the question here first, then offer the call or the visit.")
    ),
    "taboo.shirking": _code(
        _("Shirking"), TABOO, 3, 10, _("Say that you will find out and come back with the answer.")
    ),
    "taboo.colloquial": _code(_("Everyday phrase"), TABOO, 1, 3, _("Use the professional phrase instead.")),
    "neglect.slow_first_reply": _code(
        _("Slow first reply"), NEGLECT, 2, 5, _("Greet within half a minute, even if the answer takes longer.")
    ),
    "neglect.silence": _code(
        _("Long silence"), NEGLECT, 2, 5, _("Say that you are looking it up before two minutes have passed.")
    ),
    "neglect.few_words": _code(
        _("Far fewer words than the visitor"), NEGLECT, 2, 5, _("Answer in whole sentences and give reasons.")
    ),
    "neglect.unserved_invite": _code(
        _("Invited, then not served"), NEGLECT, 3, 10, _("Invite only when you can answer right away.")
    ),
    "error.typo": _code(_("Wrong character"), ERROR, 1, 3, _("Read the sentence once before sending it.")),
    "error.punctuation": _code(_("Punctuation"), ERROR, 1, 2, _("One full-width mark at a time, one per clause.")),
    "not_asked.profile": _code(
        _("Age or marital status not asked"),
        NOT_ASKED,
        2,
        4,
        _("Ask the age, and whether married where it bears on it."),
    ),
    "not_asked.condition": _code(
        _("Condition not asked"), NOT_ASKED, 2, 5, _("Ask about symptoms, how long, examinations and treatment so far.")
    ),
    "not_asked.social": _code(
        _("Circumstances not asked"), NOT_ASKED, 1, 3, _("Ask about work, daily rhythm, where they live, family.")
    ),
    "not_offered.technique": _code(
        _("Technique not offered"), NOT_OFFERED, 1, 3, _("Name the method or equipment and what it does for them.")
    ),
    "not_offered.expert": _code(
        _("Expert not offered"), NOT_OFFERED, 1, 3, _("Name the doctor with title, years or speciality.")
    ),
    "not_offered.brand": _code(
        _("Clinic not presented"), NOT_OFFERED, 1, 3, _("Say how long the clinic exists, its size or standing.")
    ),
    "not_offered.service": _code(
        _("Service not offered"), NOT_OFFERED, 1, 3, _("Tell of comfort, one-to-one care and follow-up.")
    ),
    "not_invited": _code(_("Not invited"), NOT_INVITED, 2, 5, _("Propose a visit with two times to choose from.")),
    "third_party_missed": _code(
        _("Asks for somebody else, not noticed"),
        NOT_ASKED,
        2,
        5,
        _("Ask whom it is about and ask for that person's details."),
    ),
}

MARKETING: Final = frozenset({NOT_ASKED, NOT_OFFERED, NOT_INVITED})  # groups that count only in scope, see inspect()

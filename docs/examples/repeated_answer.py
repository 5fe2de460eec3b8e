"""A worked example of the handbook: a rule of the inspection. Run by tests/docs/test_examples.py."""

# 1. The fault.
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from conversations.inspection.codes import NEGLECT, Code

REPEATED = "neglect.repeated"
FAULT = Code(
    label=_("The same answer again"),
    group=NEGLECT,
    severity=2,
    deduction=Decimal(5),
    advice=_("Answer what was asked this time, in other words."),
)

# 2. The rule.
from conversations.inspection.chat import Found  # noqa: E402
from conversations.inspection.reading import Reading  # noqa: E402

SUBSTANCE = 10  # characters; greetings and thanks may be said twice


def find(reading: Reading) -> list[Found]:
    """Find messages of the consultant that repeat an earlier one word by word."""
    said: set[str] = set()
    found = []
    for index in reading.consultant:
        text = reading.texts[index].strip()
        if len(text) >= SUBSTANCE and text in said:
            quote = reading.raws[index][:200]
            found.append(Found(REPEATED, index, quote, reading.rules.own_advice(REPEATED)))
        said.add(text)
    return found

"""Which must-dos a visit has before the patient leaves, and whether they are met (DOMAIN §2.11, §3); pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from consultations.stages import Decision

# The three that only a manager may let go.
MANAGER_ONLY = frozenset({"next_appointment", "wechat", "classification"})
# What a patient may answer when asked to pass the word on (DOMAIN §2.11).
WORD_OF_MOUTH = ("moments", "friends", "dianping", "declined")

CLASS_MUST_DOS: dict[str, tuple[str, ...]] = {
    "C-E": ("tbi",),
    "C-D": ("tbi", "whole_mouth", "prevention", "basic_item"),
    "C-C": ("tbi",),
    "C-B": ("vip",),
    "C-A": ("discount",),
}


@dataclass(frozen=True)
class Line:
    """What is recorded for one must-do."""

    done: bool = False
    waiver_reason: str = ""
    waiver_asked: bool = False
    waived: bool = False


@dataclass(frozen=True)
class CheckoutLine:
    """One must-do and how it stands: `done`, `waived`, `waiting` for a manager, or `open`."""

    code: str
    state: str
    needs_manager: bool

    @property
    def met(self) -> bool:
        return self.state in {"done", "waived"}


def must_dos(*, decision: str, class_code: str) -> tuple[str, ...]:
    """Return the codes of what must be done before leaving, in the order they are shown.

    Args: decision: how the patient decided; class_code: the class of an undecided patient, "" if none.
    Every patient: next appointment, WeChat, word of mouth. Undecided or refused: also the class, what the
    class asks for, and the recheck planned with the doctor.
    """
    open_case = decision in {Decision.UNDECIDED, Decision.REFUSED}
    of_class = CLASS_MUST_DOS.get(class_code, ()) if open_case else ()
    case = ("classification", "recheck_plan") if open_case else ()
    return ("next_appointment", "wechat", *case, *of_class, "word_of_mouth")


def lines(codes: Iterable[str], recorded: Mapping[str, Line]) -> list[CheckoutLine]:
    """Return each must-do with its state; a manager's three need an approval, others a reason only."""
    return [_line(code, recorded.get(code, Line())) for code in codes]


def _line(code: str, line: Line) -> CheckoutLine:
    needs_manager = code in MANAGER_ONLY
    if line.done:
        state = "done"
    elif line.waived or (line.waiver_reason and not needs_manager):
        state = "waived"
    elif line.waiver_asked:
        state = "waiting"
    else:
        state = "open"
    return CheckoutLine(code, state, needs_manager)


def ready(checked: Iterable[CheckoutLine]) -> bool:
    """Tell whether nothing stands in the way of ending the visit."""
    return all(line.met for line in checked)

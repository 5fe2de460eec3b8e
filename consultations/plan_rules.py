"""A plan as the doctor writes it, what it must hold, its money, and how it is drawn. No database here."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

MOST_OPTIONS = 4
MOST_ITEMS = 12

# Who may change what ([S1]): the clinical content is the doctor's; price, discount and schedule the coordinator's.
PLAN_CLINICAL = ("title", "findings", "principles", "no_treatment")
OPTION_CLINICAL = ("name", "is_suggested", "duration", "pain", "pain_note", "side_effects", "care")
ITEM_CLINICAL = ("name", "teeth", "quantity", "sessions")
OPTION_MONEY = ("discount", "payment_note", "duration")
ITEM_MONEY = ("unit_price",)


@dataclass(frozen=True)
class ItemDraft:
    """One line of an option; `id` is the stored row's, None for a new one."""

    name: str
    teeth: tuple[int, ...] = ()
    quantity: int = 1
    sessions: int = 1
    id: int | None = None


@dataclass(frozen=True)
class OptionDraft:
    """One way to treat. `pain` is 0 to 5, None when not said."""

    name: str
    items: tuple[ItemDraft, ...] = ()
    is_suggested: bool = False
    duration: str = ""
    pain: int | None = None
    pain_note: str = ""
    side_effects: str = ""
    care: str = ""
    id: int | None = None


@dataclass(frozen=True)
class PlanDraft:
    """The clinical content of a plan."""

    title: str = ""
    findings: str = ""
    principles: str = ""
    no_treatment: bool = False
    options: tuple[OptionDraft, ...] = field(default=())


class Lack(StrEnum):
    """What a plan needs before the doctor leaves."""

    TITLE = "title"
    FINDINGS = "findings"
    OPTIONS = "options"
    NAMES = "names"
    ITEMS = "items"


def plan_lacks(draft: PlanDraft) -> tuple[Lack, ...]:
    """Return what the plan still lacks. Without treatment, the findings say why; else options say what."""
    if draft.no_treatment:
        return () if draft.findings.strip() else (Lack.FINDINGS,)
    checks = (
        (not draft.title.strip(), Lack.TITLE),
        (not draft.options, Lack.OPTIONS),
        (any(not option.name.strip() for option in draft.options), Lack.NAMES),
        (any(not option.items for option in draft.options), Lack.ITEMS),
    )
    return tuple(lack for lacking, lack in checks if lacking)


def subtotal(lines: Iterable[tuple[Decimal, int]]) -> Decimal:
    """Return Σ unit price × quantity, in yuan."""
    return sum((price * quantity for price, quantity in lines), Decimal(0))


def total(lines: Iterable[tuple[Decimal, int]], discount: Decimal) -> Decimal:
    """Return what is to be paid, in yuan. Raises ValueError when the discount is negative or above the sum."""
    whole = subtotal(lines)
    if discount < 0 or discount > whole:
        raise ValueError("the discount lies between nothing and the whole")
    return whole - discount


# The first word that is found decides the drawing.
DRAWINGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("bridge", re.compile(r"桥|bridge", re.IGNORECASE)),
    ("denture", re.compile(r"活动|可摘|义齿|假牙|denture", re.IGNORECASE)),
    ("implant", re.compile(r"种植|植体|种牙|implant", re.IGNORECASE)),
    ("ortho", re.compile(r"正畸|矫[正治]|隐形|托槽|牙套|ortho|aligner|brace", re.IGNORECASE)),
    ("crown", re.compile(r"冠|贴面|嵌体|crown|veneer|inlay|onlay", re.IGNORECASE)),
    ("root", re.compile(r"根管|牙髓|root canal|endodont", re.IGNORECASE)),
)


def drawing_of(*names: str) -> str:
    """Return which drawing shows a treatment, going by its words; "generic" when none fits."""
    for text in names:
        for kind, words in DRAWINGS:
            if words.search(text):
                return kind
    return "generic"


# A signature is drawn as moves and lines on a 600 × 200 pad.
_PATH = re.compile(r"(?:M\d{1,4}(?:\.\d)? \d{1,4}(?:\.\d)?(?:L\d{1,4}(?:\.\d)? \d{1,4}(?:\.\d)?)*)+")
LONGEST_SIGNATURE = 60_000
FEWEST_STROKE_POINTS = 8


def is_signature(path: str) -> bool:
    """Tell whether `path` is a drawn signature: only moves and lines, and more than a slip of the pen."""
    if len(path) > LONGEST_SIGNATURE or not _PATH.fullmatch(path):
        return False
    return path.count("L") >= FEWEST_STROKE_POINTS

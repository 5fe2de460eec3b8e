"""The tooth chart: FDI numbers as they stand in the mouth, and findings that rule each other out. No database here."""

import re
from collections.abc import Iterable

# As the doctor sees them: the patient's right is at the left.
PERMANENT_ROWS = (
    (18, 17, 16, 15, 14, 13, 12, 11, 21, 22, 23, 24, 25, 26, 27, 28),
    (48, 47, 46, 45, 44, 43, 42, 41, 31, 32, 33, 34, 35, 36, 37, 38),
)
DECIDUOUS_ROWS = (
    (55, 54, 53, 52, 51, 61, 62, 63, 64, 65),
    (85, 84, 83, 82, 81, 71, 72, 73, 74, 75),
)
FDI_TEETH = frozenset(tooth for row in PERMANENT_ROWS + DECIDUOUS_ROWS for tooth in row)
MILK_TEETH_UNTIL = 14  # years of age up to which the chart of milk teeth is offered

# A missing tooth has nothing else the matter with it; where an implant is planned, the tooth is gone.
OF_A_TOOTH = frozenset({"caries", "restored", "tilted", "loose", "periapical"})
RULED_OUT: dict[str, frozenset[str]] = {
    "missing": OF_A_TOOTH,
    "planned_implant": OF_A_TOOTH,
    **{kind: frozenset({"missing", "planned_implant"}) for kind in OF_A_TOOTH},
}
_SEPARATORS = re.compile(r"[\s,，、;；/]+")


class NotATooth(ValueError):
    """A number that is no FDI tooth number; `text` is what was given."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(text)


def quadrant(tooth: int) -> int:
    """Return the FDI quadrant, 1 to 8 (5 to 8: milk teeth)."""
    return tooth // 10


def is_deciduous(tooth: int) -> bool:
    return quadrant(tooth) >= 5


def ruled_out_by(kind: str) -> frozenset[str]:
    """Return the findings that a tooth cannot have together with `kind`."""
    return RULED_OUT.get(kind, frozenset())


def parse_tooth(text: str) -> int:
    """Return one FDI number. Raises NotATooth."""
    if not re.fullmatch(r"[1-8][1-8]", text.strip()) or int(text) not in FDI_TEETH:
        raise NotATooth(text)
    return int(text)


def parse_teeth(texts: Iterable[str]) -> list[int]:
    """Return FDI numbers from texts that each hold one or several ("36、37"), once each, in the mouth's order.

    Raises NotATooth for the first that is none.
    """
    found = {parse_tooth(part) for text in texts for part in _SEPARATORS.split(str(text)) if part}
    return in_order(found)


def in_order(teeth: Iterable[int]) -> list[int]:
    """Return teeth quadrant by quadrant, front to back."""
    return sorted(set(teeth))


def spoken_teeth(teeth: Iterable[int]) -> str:
    """Return teeth as they are written: 36、37."""
    return "、".join(str(tooth) for tooth in in_order(teeth))


def offers_deciduous(age: int | None, marked: Iterable[int] = ()) -> bool:
    """Tell whether the chart of milk teeth is offered: to children, or when one is marked already."""
    return (age is not None and age < MILK_TEETH_UNTIL) or any(is_deciduous(tooth) for tooth in marked)

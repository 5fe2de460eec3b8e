"""The built-in kinds of exam with usual prices in yuan. Pure data; a clinic sets its own."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class BuiltinExam:
    """One kind. Required kinds with the same `one_of` stand for each other (impression or scan)."""

    code: str
    name: str
    price: Decimal
    is_basic: bool = True
    is_required: bool = False
    needs_files: bool = True
    one_of: str = ""


BUILTIN_EXAMS: tuple[BuiltinExam, ...] = (
    BuiltinExam("panoramic", "全景片", Decimal(150), is_required=True),
    BuiltinExam("intraoral", "口内照", Decimal(80), is_required=True),
    BuiltinExam("scan", "口扫", Decimal(200), is_required=True, one_of="model"),
    BuiltinExam("impression", "取模", Decimal(120), is_required=True, needs_files=False, one_of="model"),
    BuiltinExam("periapical", "根尖片", Decimal(40)),
    BuiltinExam("face", "面像照", Decimal(60)),
    BuiltinExam("periodontal", "牙周检查", Decimal(100), needs_files=False),
    BuiltinExam("cbct", "CBCT", Decimal(380), is_basic=False),
    BuiltinExam("cephalometric", "头颅侧位片", Decimal(180), is_basic=False),
)

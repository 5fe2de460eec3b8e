"""Phones, names, sex and class, as they are written in the files of clinics."""

import re
import unicodedata
from typing import NamedTuple

from patients.classification import PatientClass
from patients.importing.text import BLANKS, EMPTY_WORDS, tidy_spaces, without_thousands
from patients.naming import MAX_KEY, TITLES, compare_key

_PLAIN_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_USABLE = re.compile(r"1[3-9][0-9]{9}|0[1-9][0-9]{8,10}")
_REMARK = re.compile(r"[(\[【〔〈《][^()\[\]【】〔〕〈〉《》]*[^-0-9+()\[\]\s.][^()\[\]【】〔〕〈〉《》]*[)\]】〕〉》]")
_SPLIT = re.compile("[/、]")
_DASHES = "".join(chr(c) for c in range(0x10000) if unicodedata.category(chr(c)) == "Pd") + "\u2212\u00ad\u2043"
_DROPPED = str.maketrans("", "", BLANKS + "()[]【】〔〕〈〉《》" + _DASHES)
_DASH_CLASS = "[" + re.escape(_DASHES) + "]"
_CLASS = re.compile(rf"C\s*{_DASH_CLASS}?\s*([A-E])", re.IGNORECASE)
_NAME_AND_PHONE = re.compile(r"([^\d+(]*?)\s*([+(]?[\d+(].*)", re.DOTALL)
_PHONE_AND_NAME = re.compile(rf"([+(]?\d(?:\d|[\s()+]|{_DASH_CLASS})*)\s+([^\d\s][^\d]*)")
_SEX = {"男": "m", "m": "m", "女": "f", "f": "f"}


MANY_DIGITS = 5  # so many are meant as a number, not as part of a name


class Phones(NamedTuple):
    """The usable numbers of a cell, digits only, and whether some number in it was unusable."""

    numbers: tuple[str, ...]
    bad: bool


NO_PHONES = Phones((), False)


def read_phones(text: str) -> Phones:
    """Return the numbers in a phone cell (its `content`); nothing is ever guessed at."""
    if not text:
        return NO_PHONES
    if len(text) == 11 and _PLAIN_MOBILE.fullmatch(text):
        return Phones((text,), False)
    pieces = [piece for piece in _SPLIT.split(_REMARK.sub("", text)) if piece.strip(BLANKS)]
    found = [_digits(piece) for piece in pieces if piece.strip(BLANKS).casefold() not in EMPTY_WORDS]
    numbers = tuple(dict.fromkeys(number for number in found if number))
    return Phones(numbers, bad=None in found or not numbers)


def _digits(piece: str) -> str | None:
    """Return the digits of one usable number, None for any other text."""
    digits = without_thousands(piece.translate(_DROPPED)).removesuffix(".0")
    if digits.startswith("+86"):
        digits = digits[3:]
    elif digits.startswith("0086"):
        digits = digits[4:]
    elif digits.startswith("86") and len(digits) == 13:
        digits = digits[2:]
    return digits if _USABLE.fullmatch(digits) else None


def display_name(text: str) -> str:
    """Return a name as it is shown: tidy spaces, without a closing 先生/女士 unless little would remain."""
    name = tidy_spaces(text)
    if name.endswith(TITLES):
        shorter = name[:-2].rstrip()
        if len("".join(shorter.split())) >= 2:
            return shorter
    return name


def name_key(text: str) -> str:
    """Return what two names must share to be the same person's."""
    return compare_key(text)[:MAX_KEY]


def read_sex(text: str) -> str:
    """Return "m", "f", or "" for everything else."""
    return _SEX.get(text.casefold(), "")


def read_class(text: str) -> str | None:
    """Return the class code ("C-A" …), None when the text is none."""
    match = _CLASS.fullmatch(text)
    return PatientClass(f"C-{match[1].upper()}").value if match else None


class Mention(NamedTuple):
    """How a row names the person who referred: the name's key ("" if none) and usable numbers."""

    name: str
    phones: tuple[str, ...]


def read_referrer(text: str, phone_text: str = "") -> Mention | None:
    """Return whom a row names as referrer; None when it names nobody.

    `text` holds a name, a phone, or both with a space between; `phone_text` is the column of
    the referrer's phone, where there is one. A number that is unusable counts as none.
    """
    name, numbers = text, read_phones(phone_text).numbers if phone_text else ()
    if not (text or phone_text):
        return None
    if text and not text.isalpha():
        name, inner = _name_and_numbers(text)
        numbers = inner + numbers
    return Mention(name_key(name), tuple(dict.fromkeys(numbers)))


def _name_and_numbers(text: str) -> tuple[str, tuple[str, ...]]:
    """Split a referrer's cell into name and usable numbers; either may be empty."""
    if numbers := read_phones(text).numbers:
        return "", numbers
    if match := _PHONE_AND_NAME.fullmatch(text):
        name, phone = match[2], match[1]
    elif match := _NAME_AND_PHONE.fullmatch(text):
        name, phone = match[1], match[2]
    else:
        return text, ()
    numbers = read_phones(phone).numbers
    return (name, numbers) if numbers or sum(c.isdigit() for c in phone) >= MANY_DIGITS else (text, ())

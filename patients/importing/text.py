"""What a cell says, once the marks that spreadsheets put around it are gone."""

import re
import unicodedata

EMPTY_WORDS = frozenset({"无", "暂无", "没有", "-", "--", "/", "null", "n/a"})
LONGEST_WORD = max(map(len, EMPTY_WORDS))
TOTALS = ("合计", "总计", "共计", "小计")

_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
_SPACES = "".join(chr(c) for c in range(0x3001) if chr(c).isspace())
BLANKS = _SPACES + _INVISIBLE

_TEXT_FORMULA = re.compile(r'="(.*)"', re.DOTALL)
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SPACE_RUN = re.compile(r"\s+")
_CJK = r"[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_CJK_SPACE = re.compile(rf"(?<={_CJK})\s+|\s+(?={_CJK})")


def _unmarked(text: str) -> str:
    """Drop `="…"` and a leading apostrophe, by which spreadsheets mark a number as text."""
    if text[0] == "=":
        match = _TEXT_FORMULA.fullmatch(text)
        if match is None:
            return text
        text = match[1].replace('""', '"').strip(BLANKS)
    return text[1:].strip(BLANKS) if text[:1] == "'" else text


def shown(raw: str) -> str:
    """Return what the cell shows: NFKC, trimmed, without text marks; "" for a blank one."""
    if not raw.isascii():
        raw = unicodedata.normalize("NFKC", raw)
    text = raw.strip(BLANKS)
    return _unmarked(text) if text[:1] in ("=", "'") and text else text


def content(raw: str) -> str:
    """Return what the cell says: as `shown`, and "" for a word that means empty (无, N/A …)."""
    if len(raw) > LONGEST_WORD and raw.isalnum() and raw.isascii():  # most cells: nothing to do
        return raw
    text = shown(raw)
    if len(text) <= LONGEST_WORD and text.casefold() in EMPTY_WORDS:
        return ""
    return text


def kept(raw: str) -> str:
    """Return a free text as it was written (full-width punctuation included), trimmed; "" if it means empty."""
    said = content(raw)
    if not said or (said == raw and "\r" not in raw):
        return said
    text = raw.strip(BLANKS)
    text = _unmarked(text) if text[:1] in ("=", "'") else text
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_totals(text: str) -> bool:
    """Tell whether the first shown cell of a row makes it a row of totals."""
    return text[:1] in "合总共小" and "".join(text.split()).startswith(TOTALS)


def without_thousands(text: str) -> str:
    """Drop the thousands separators of a number (1,234,567); other text stays as it is."""
    if "," in text and _THOUSANDS.fullmatch(text):
        return text.replace(",", "")
    return text


def tidy_spaces(text: str) -> str:
    """Make runs of spaces one, and none beside a Chinese character ("叶 明安" → "叶明安")."""
    if text.isalnum():
        return text
    return _SPACE_RUN.sub(" ", _CJK_SPACE.sub("", text))

"""What the sheets of an XLSX file share."""

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import gettext as _
from openpyxl.styles.numbers import is_date_format

from patients.importing.dates import EPOCH_1900, EPOCH_1904
from patients.importing.errors import ImportRefused
from patients.importing.limits import MAX_TEXT_BYTES
from patients.importing.package import Attributes, Package, local_name, parse
from patients.importing.xlsx_cells import TextReader

BUILTIN_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})


class StringTable:
    """The texts that cells share, packed tightly: a list of str would take several times the memory."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])

    def append(self, text: str) -> None:
        self._bytes += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._bytes))
        if len(self._bytes) > MAX_TEXT_BYTES:
            raise ImportRefused(_("The workbook holds more text than can be imported at once. Split it."))

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self._ends) - 1:
            return ""
        return self._bytes[self._ends[index] : self._ends[index + 1]].decode("utf-8", "surrogatepass")


class Sheet(NamedTuple):
    """A sheet's name and where it lies in the package."""

    name: str
    part: str


class Workbook:
    """What the sheets of one file share: names, texts, number formats, the day from which serials count."""

    def __init__(self, path: Path) -> None:
        self.package = Package(path)
        kinds = dict(self.package.relations("").values())
        main = kinds.get("officeDocument", "xl/workbook.xml")
        if main not in self.package.names():
            raise ImportRefused(_("The file is not an Excel workbook (.xlsx)."))
        relations = self.package.relations(main)
        parts = dict(relations.values())
        self.epoch = EPOCH_1900
        self.sheets = self._read_sheets(main, relations)
        self.texts = self._read_texts(parts.get("sharedStrings"))
        self.date_styles = self._read_date_styles(parts.get("styles"))

    def _read_sheets(self, main: str, relations: dict[str, tuple[str, str]]) -> list[Sheet]:
        sheets: list[Sheet] = []

        def start(tag: str, attributes: Attributes) -> None:
            kind = local_name(tag)
            if kind == "workbookPr" and attributes.get("date1904", "0") in ("1", "true"):
                self.epoch = EPOCH_1904
            elif kind == "sheet":
                reference = next((v for k, v in attributes.items() if local_name(k) == "id" and ":" in k), "")
                what, part = relations.get(reference, ("", ""))
                if what == "worksheet":
                    sheets.append(Sheet(attributes.get("name", ""), part))

        _run(parse(self.package.blocks(main), start))
        return sheets

    def _read_texts(self, part: str | None) -> StringTable:
        table = StringTable()
        if part and part in self.package.names():
            reader = TextReader("si")

            def end(tag: str) -> None:
                if (text := reader.end(tag)) is not None:
                    table.append(text)

            _run(parse(self.package.blocks(part), reader.start, end, reader.text))
        return table

    def _read_date_styles(self, part: str | None) -> frozenset[int]:
        """Return which cell styles show a number as a date or time."""
        own: dict[int, str] = {}
        styles: list[int] = []
        inside: list[str] = []

        def start(tag: str, attributes: Attributes) -> None:
            kind = local_name(tag)
            if kind == "numFmt":
                own[int(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "")
            elif kind == "cellXfs":
                inside.append(kind)
            elif kind == "xf" and inside:
                styles.append(int(attributes.get("numFmtId", "0")))

        def end(tag: str) -> None:
            if local_name(tag) == "cellXfs":
                inside.clear()

        if part and part in self.package.names():
            _run(parse(self.package.blocks(part), start, end))
        return frozenset(
            i for i, code in enumerate(styles) if (is_date_format(own[code]) if code in own else code in BUILTIN_DATES)
        )


def _run(steps: Iterator[None]) -> None:
    for _step in steps:
        pass

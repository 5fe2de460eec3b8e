"""The parts of an XLSX package, opened so that no file can unpack without end."""

import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from xml.parsers import expat

from django.utils.translation import gettext as _

from patients.importing.errors import ImportRefused
from patients.importing.limits import MAX_RATIO, MAX_UNPACKED, RATIO_COUNTS_FROM

BLOCK = 1 << 16
END_RECORD_WITHIN = 66_000  # the end record may be followed by a comment of 65,535 bytes
MAX_DIRECTORY_BYTES = 4 * 1024 * 1024
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, expat.ExpatError, NotImplementedError, RuntimeError, KeyError)

Attributes = dict[str, str]
StartHandler = Callable[[str, Attributes], None]
EndHandler = Callable[[str], None]


def broken_workbook() -> ImportRefused:
    """Return the error for a workbook that cannot be read."""
    return ImportRefused(_("The workbook is damaged and cannot be read. Open it in a spreadsheet and save it again."))


class Package:
    """A zipped workbook and what its parts are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        _refuse_endless_directory(path)
        with self._zip() as archive:
            parts = [info for info in archive.infolist() if info.filename.endswith((".xml", ".rels"))]
        if any(map(_is_bomb, parts)) or sum(info.file_size for info in parts) > MAX_UNPACKED:
            raise _too_much()

    @contextmanager
    def _zip(self) -> Iterator[zipfile.ZipFile]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                yield archive
        except _BROKEN as error:
            raise broken_workbook() from error

    def names(self) -> list[str]:
        """Return the names of all parts."""
        with self._zip() as archive:
            return archive.namelist()

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield a part unpacked, block by block."""
        with self._zip() as archive, archive.open(name) as part:
            yield from _blocks_of(part)

    def relations(self, owner: str) -> dict[str, tuple[str, str]]:
        """Return what the part `owner` refers to: id → (kind, part name)."""
        folder, name = posixpath.split(owner)
        part = posixpath.join(folder, "_rels", f"{name}.rels")
        found: dict[str, tuple[str, str]] = {}

        def start(tag: str, attributes: Attributes) -> None:
            if tag == "Relationship" and attributes.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/")
                found[attributes.get("Id", "")] = (attributes.get("Type", "").rpartition("/")[2], target)

        if part in self.names():
            for _block in parse(self.blocks(part), start):
                pass
        return found


def _is_bomb(info: zipfile.ZipInfo) -> bool:
    return info.file_size > RATIO_COUNTS_FROM and info.file_size > MAX_RATIO * max(info.compress_size, 1)


def _too_much() -> ImportRefused:
    return ImportRefused(_("The workbook unpacks to far more than a list of patients holds, and was not opened."))


def _refuse_endless_directory(path: Path) -> None:
    """Look at the size of the archive's directory before it is read, for it is read whole."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - END_RECORD_WITHIN))
        tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at >= 0 and int.from_bytes(tail[at + 12 : at + 16], "little") > MAX_DIRECTORY_BYTES:
        raise _too_much()


def _blocks_of(part: IO[bytes]) -> Iterator[bytes]:
    while block := part.read(BLOCK):
        yield block


def local_name(tag: str) -> str:
    """Return a tag or attribute name without its namespace prefix."""
    return tag.rpartition(":")[2]


def parse(
    blocks: Iterator[bytes],
    start: StartHandler | None,
    end: EndHandler | None = None,
    text: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Parse XML as it unpacks, calling the handlers; yields after each block, so that a caller can take its rows.

    Tags come as written, prefix included. A document type (and so any entity) is refused.
    Raises ImportRefused when the XML is broken.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = BLOCK
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        for block in blocks:
            parser.Parse(block, False)
            yield
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, OverflowError) as error:
        raise broken_workbook() from error
    yield


def _refuse_doctype(*_arguments: object) -> None:
    raise broken_workbook()


MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=[\"']([A-Z]{1,3})(\d+):([A-Z]{1,3})(\d+)[\"']")

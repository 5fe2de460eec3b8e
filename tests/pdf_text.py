"""Reading what a PDF says, as far as the library that makes ours writes it: compressed pages, strings shown one by one."""

import base64
import re
import zlib

_STREAM = re.compile(rb"<<(?P<told>[^>]*?/Filter[^>]*?)>>\s*stream\r?\n(?P<data>.*?)endstream", re.DOTALL)
_SHOWN = re.compile(rb"/(?P<font>F\d+)(?:\+\d+)?\s+[\d.]+\s+Tf|\((?P<text>(?:\\.|[^\\()])*)\)\s*Tj", re.DOTALL)
_FONT = re.compile(rb"/Name /(F\d+).{0,80}?/Subtype /Type0", re.DOTALL)
_ESCAPED = re.compile(rb"\\(?P<code>[0-7]{1,3}|.)", re.DOTALL)
_PLAIN = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text_of(pdf: bytes) -> str:
    """Return the words of all pages one after the other, without spaces and line ends: lines are broken anywhere."""
    wide = {font.decode() for font in _FONT.findall(pdf)}
    found: list[str] = []
    for match in _STREAM.finditer(pdf):
        if b"/Subtype /Image" not in match["told"]:
            found += _shown(_unpacked(match["told"], match["data"]), wide)
    return "".join("".join(found).split())


def _unpacked(told: bytes, data: bytes) -> bytes:
    if b"ASCII85Decode" in told:
        data = base64.a85decode(b"<~" + data.strip(), adobe=True)
    return zlib.decompress(data) if b"FlateDecode" in told else data


def _shown(page: bytes, wide: set[str]) -> list[str]:
    """Return the strings of one page; fonts that are `wide` have two bytes for a character."""
    found, coding = [], "latin-1"
    for match in _SHOWN.finditer(page):
        if match["font"]:
            coding = "utf-16-be" if match["font"].decode() in wide else "latin-1"
        else:
            found.append(_ESCAPED.sub(_unescaped, match["text"]).decode(coding, errors="replace"))
    return found


def _unescaped(match: "re.Match[bytes]") -> bytes:
    code = match["code"]
    return bytes([int(code, 8) & 255]) if code.isdigit() else _PLAIN.get(code, code)

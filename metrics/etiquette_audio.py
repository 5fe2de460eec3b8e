"""Recordings from outside: which kinds are taken, told by their first bytes and not by their names."""

import hashlib
from dataclasses import dataclass
from typing import IO

from django.utils.translation import gettext as _

MOST_BYTES = 20 * 1024 * 1024
MP4_BRANDS = (b"M4A ", b"M4B ", b"mp41", b"mp42", b"isom", b"iso2", b"3gp4", b"3gp5", b"3gp6", b"3g2a")
ACCEPT = ".m4a,.mp3,.wav,.ogg,.oga,.amr,.3gp,audio/*"


class BadRecording(ValueError):
    """A file that is not taken; the message says why, for the person."""


@dataclass(frozen=True)
class Recording:
    """A recording as it is kept; `sha256` tells copies."""

    content: bytes
    content_type: str
    extension: str
    sha256: str


def _is_mp3(head: bytes) -> bool:
    """Tell an ID3 tag, or the head of a layer III frame with a bit rate and a sampling rate that exist."""
    if head.startswith(b"ID3"):
        return True
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = (head[1] >> 3) & 3, (head[1] >> 1) & 3
    bit_rate, sampling = head[2] >> 4, (head[2] >> 2) & 3
    return version != 1 and layer == 1 and bit_rate not in (0, 15) and sampling != 3


def kind_of(head: bytes) -> tuple[str, str] | None:
    """Return content type and extension by the first bytes; None for anything that is no recording we take."""
    if head[4:8] == b"ftyp" and head[8:12] in MP4_BRANDS:
        return "audio/mp4", "m4a"
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "audio/wav", "wav"
    if head.startswith(b"OggS"):
        return "audio/ogg", "ogg"
    if head.startswith((b"#!AMR\n", b"#!AMR-WB\n")):
        return "audio/amr", "amr"
    return ("audio/mpeg", "mp3") if _is_mp3(head) else None


def read_recording(file: IO[bytes]) -> Recording:
    """Return a recording to keep.

    Raises: BadRecording when the file is empty, larger than 20 MB or of another kind.
    """
    raw = file.read(MOST_BYTES + 1)
    if not raw:
        raise BadRecording(_("The file is empty."))
    if len(raw) > MOST_BYTES:
        raise BadRecording(_("The file is larger than %(count)d MB.") % {"count": MOST_BYTES // 1024 // 1024})
    kind = kind_of(raw[:16])
    if kind is None:
        raise BadRecording(_("This is no recording of a kind we take: m4a, mp3, wav, ogg or amr."))
    return Recording(raw, *kind, sha256=hashlib.sha256(raw).hexdigest())

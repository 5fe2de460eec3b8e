"""Recordings of inspected calls: kept privately, served by pieces, erased with the patient's data."""

import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from accounts.models import User
from metrics.etiquette_audio import Recording
from metrics.models import EtiquetteInspection, InspectionRecording

PIECE = 64 * 1024
ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def keep(*, inspection: EtiquetteInspection, recording: Recording, by: User) -> InspectionRecording:
    """Keep a recording with an inspection; one that is there already is not kept twice."""
    there: InspectionRecording | None = inspection.recordings.filter(sha256=recording.sha256).first()
    if there is not None:
        return there
    row = InspectionRecording(
        inspection=inspection, content_type=recording.content_type, size=len(recording.content),
        sha256=recording.sha256, uploaded_by=by,
    )  # fmt: skip
    row.audio.save(f"{uuid.uuid4().hex}.{recording.extension}", ContentFile(recording.content), save=False)
    try:
        with transaction.atomic():
            row.save()
    except Exception:
        default_storage.delete(str(row.audio.name))
        raise
    return row


@dataclass(frozen=True)
class Span:
    """Which bytes of a file are asked for: both ends count."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def span_of(header: str, size: int) -> Span | None:
    """Read a Range header; None when all is asked for (no header, several ranges, not bytes, nonsense).

    Raises: ValueError when the range lies beyond the file (HTTP 416).
    """
    found = ONE_RANGE.fullmatch(header.strip())
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:  # the last so many bytes
        if int(last) == 0:
            raise ValueError("beyond the file")
        return Span(max(size - int(last), 0), size - 1)
    start, end = int(first), min(int(last), size - 1) if last else size - 1
    if start >= size:
        raise ValueError("beyond the file")
    return Span(start, end) if start <= end else None


def pieces(file: IO[bytes], span: Span) -> Iterator[bytes]:
    """Read a span piece by piece, and close the file."""
    with file:
        file.seek(span.first)
        left = span.length
        while left > 0 and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece


@transaction.atomic
def erase_of_patients(ids: Iterable[int]) -> int:
    """Take away recordings and notes about these patients; the scores stay. Returns how many recordings went.

    The files go when the transaction is through.
    """
    inspections = EtiquetteInspection.objects.filter(patient__in=list(ids))
    inspections.exclude(note="").update(note="")
    rows = InspectionRecording.objects.filter(inspection__in=inspections)
    names = [str(name) for name in rows.values_list("audio", flat=True)]
    rows.delete()
    for name in names:
        transaction.on_commit(partial(default_storage.delete, name))
    return len(names)

"""Imports of chats as jobs: uploaded or pasted, checked, run in the background, gone on with after a crash.

A batch and the record of how far the job is are written in one transaction; a worker that takes over from a dead one
passes over the chats that are settled.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from conversations.importing.opening import MOST_UPLOADED, Source, open_source
from conversations.importing.people import People
from conversations.services.importing import Tally, import_chats
from patients.importing.errors import ImportRefused
from patients.models import ImportJob

KIND = "conversations"
LEASE = timedelta(minutes=2)
ATTEMPTS = 3  # without any progress
KEPT = 1000  # rows that a stored report names of each kind
Status = ImportJob.Status
OPEN = (Status.UPLOADED, Status.CHECKED, Status.FAILED)


class NotInThisState(Exception):
    """The job has moved on meanwhile; what was asked for no longer applies."""


class _TakenOver(Exception):
    """Another worker has this job now."""


def upload(*, clinic: Clinic, by: User, file: "UploadedFile[Any] | ContentFile[Any]", name: str) -> ImportJob:
    """Keep a file and open it. Raises ImportRefused, keeping nothing, if it holds no chats.

    What needs no columns to be looked at (JSONL, text) is to be checked at once.
    """
    if (file.size or 0) > MOST_UPLOADED:
        raise ImportRefused(_("The file is larger than %(most)s MB. Split it.") % {"most": MOST_UPLOADED >> 20})
    name = Path(name).name[-200:]
    job = ImportJob(clinic=clinic, created_by=by, original_name=name, today=clinic.today(), kind=KIND)
    job.file.save(name, file, save=False)
    try:
        source = source_of(job)
    except ImportRefused:
        job.file.delete(save=False)
        raise
    job.sheet = source.table.sheet if source.kind == "table" else ""  # type: ignore[attr-defined]
    job.status = Status.UPLOADED if source.kind == "table" else Status.CHECKING
    job.save()
    return job


def source_of(job: ImportJob, *, sheet: str | None = None) -> Source:
    """Open the job's file as it is to be understood now. Raises ImportRefused, also once it is no longer kept."""
    if not job.file:
        raise ImportRefused(_("The file was deleted after 30 days. Upload it again."))
    return open_source(
        Path(job.file.path), tz=job.clinic.tz, name=job.original_name, most_bytes=MOST_UPLOADED,
        sheet=job.sheet if sheet is None else sheet, mapping=job.mapping if sheet is None else {},
        staff=People.of(job.clinic).staff,
    )  # fmt: skip


def choose_columns(*, job: ImportJob, sheet: str, mapping: Mapping[str, str], by: User) -> None:
    """Settle what the columns hold, and have the file checked. Raises NotInThisState once the import has begun."""
    _move(
        job, OPEN, Status.CHECKING, sheet=sheet, mapping=dict(mapping), report=None, failure="", rows_done=0,
        rows_total=None,
    )  # fmt: skip


def start_import(*, job: ImportJob, by: User) -> None:
    """Have a checked file imported. Raises NotInThisState if it is not waiting for that."""
    _move(job, (Status.CHECKED,), Status.QUEUED, rows_done=0, report=None)


def discard(*, job: ImportJob, by: User) -> None:
    """Throw away a file that was not imported. Raises NotInThisState if it was, or is being."""
    with transaction.atomic():
        if not ImportJob.objects.filter(pk=job.pk, kind=KIND, status__in=OPEN).delete()[0]:
            raise NotInThisState
        transaction.on_commit(lambda: job.file.delete(save=False))


def _move(job: ImportJob, states: tuple[str, ...], to: str, **values: Any) -> None:
    due = {"leased_until": None, "attempts": 0, "status": to, **values}
    if not ImportJob.objects.filter(pk=job.pk, kind=KIND, status__in=states).update(**due):
        raise NotInThisState
    job.refresh_from_db()


def claim() -> ImportJob | None:
    """Take the next job that is due, under a lease; None when nothing is. Gives up on one that got nowhere too often."""
    now = timezone.now()
    with transaction.atomic():
        due = ImportJob.objects.filter(kind=KIND, status__in=(Status.CHECKING, Status.QUEUED, Status.RUNNING))
        due = due.filter(Q(leased_until=None) | Q(leased_until__lt=now)).order_by("id")
        job = due.select_for_update(skip_locked=True, of=("self",)).first()
        if job is None:
            return None
        stuck = (job.report or {}).get("stuck", 0)
        if stuck >= ATTEMPTS:
            job.status, job.leased_until, job.finished_at = Status.FAILED, None, now
            job.failure = _("The import was interrupted several times and was given up.")
        else:
            job.attempts += 1
            job.leased_until = now + LEASE
            job.status = Status.RUNNING if job.status == Status.QUEUED else job.status
            job.report = {**(job.report or {}), "stuck": stuck + 1}
        job.save(update_fields=["status", "attempts", "leased_until", "failure", "finished_at", "report"])
    return job


def run(job: ImportJob) -> None:
    """Check or import a claimed job's file, and record how it went."""
    if job.status not in (Status.CHECKING, Status.RUNNING):
        return
    dry_run = job.status == Status.CHECKING
    try:
        tally = import_chats(
            path=Path(job.file.path), clinic=job.clinic, by=job.created_by, name=job.original_name, sheet=job.sheet,
            mapping=job.mapping, dry_run=dry_run, most_bytes=MOST_UPLOADED, tally=restored(job.report or {}),
            settled=lambda tally: _settled(job, tally),
        )  # fmt: skip
        _end(job, Status.CHECKED if dry_run else Status.DONE, tally)
    except (ImportRefused, OSError) as refusal:
        words = str(refusal) if isinstance(refusal, ImportRefused) else _("The file is gone.")
        _mine(job).update(status=Status.FAILED, failure=words[:300], leased_until=None, finished_at=timezone.now())
    except _TakenOver:
        return


def _mine(job: ImportJob) -> Any:
    return ImportJob.objects.filter(pk=job.pk, status=job.status, attempts=job.attempts)


def _settled(job: ImportJob, tally: Tally) -> None:
    """Record a batch in its own transaction, unless another worker has the job: then the batch must not count."""
    values = {"rows_done": tally.taken, "report": stored(tally), "leased_until": timezone.now() + LEASE}
    if not _mine(job).update(**values):
        raise _TakenOver


def _end(job: ImportJob, status: str, tally: Tally) -> None:
    values: dict[str, Any] = {"status": status, "report": stored(tally), "rows_done": tally.taken, "leased_until": None}
    if status == Status.DONE:
        values["finished_at"] = timezone.now()
    if not _mine(job).update(rows_total=tally.taken, **values):
        raise _TakenOver


def stored(tally: Tally) -> dict[str, Any]:
    """Return what a job keeps of a tally: figures in full, rows as examples."""
    return {
        "taken": tally.taken,
        "created": tally.created,
        "updated": tally.updated,
        "unchanged": tally.unchanged,
        "messages": tally.messages,
        "rejected": tally.rejected[:KEPT],
        "warnings": tally.warnings[:KEPT],
        "rejected_counts": dict(tally.rejected_counts),
        "warning_counts": dict(tally.warning_counts),
        "unknown": dict(tally.unknown.most_common(200)),
    }


def restored(report: Mapping[str, Any]) -> Tally:
    """Return the tally that `stored` kept; an empty one where nothing was."""
    numbers = {name: int(report.get(name, 0)) for name in ("taken", "created", "updated", "unchanged", "messages")}
    return Tally(
        **numbers,
        rejected=list(report.get("rejected", ())),
        warnings=list(report.get("warnings", ())),
        rejected_counts=Counter(report.get("rejected_counts", {})),
        warning_counts=Counter(report.get("warning_counts", {})),
        unknown=Counter(report.get("unknown", {})),
    )

"""Imports of chats as jobs: uploaded or pasted, checked, run in the background, gone on with after a crash.

A batch and the record of how far the job is are written in one transaction; a worker that takes over from a dead one
passes over the chats that are settled.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from conversations.importing.opening import MOST_UPLOADED, Source, open_source
from conversations.importing.people import People
from conversations.services.importing import Tally, import_chats
from patients.importing.errors import ImportRefused
from patients.importing.job_states import LEASE, TakenOver, end, fail, keep, mine, path_of
from patients.importing.job_states import claim as claim_one
from patients.models import ImportJob

KIND = "conversations"
KEPT = 1000  # rows that a stored report names of each kind
Status = ImportJob.Status


def upload(*, clinic: Clinic, by: User, file: "UploadedFile[Any] | ContentFile[Any]", name: str) -> ImportJob:
    """Keep a file and open it. Raises ImportRefused, keeping nothing, if it holds no chats.

    What needs no columns to be looked at (JSONL, text) is to be checked at once.
    """
    if (file.size or 0) > MOST_UPLOADED:
        raise ImportRefused(_("The file is larger than %(most)s MB. Split it.") % {"most": MOST_UPLOADED >> 20})
    return keep(clinic=clinic, by=by, kind=KIND, file=file, name=name, opened=_find_sheet)


def _find_sheet(job: ImportJob) -> None:
    source = source_of(job)
    job.sheet = source.table.sheet if source.kind == "table" else ""  # type: ignore[attr-defined]
    job.status = Status.UPLOADED if source.kind == "table" else Status.CHECKING


def source_of(job: ImportJob, *, sheet: str | None = None) -> Source:
    """Open the job's file as it is to be understood now. Raises ImportRefused, also once it is no longer kept."""
    return open_source(
        path_of(job), tz=job.clinic.tz, name=job.original_name, most_bytes=MOST_UPLOADED,
        sheet=job.sheet if sheet is None else sheet, mapping=job.mapping if sheet is None else {},
        staff=People.of(job.clinic).staff,
    )  # fmt: skip


@transaction.atomic
def claim() -> ImportJob | None:
    """Take the next job that is due, under a lease; None when nothing is. Gives up on one that got nowhere too often."""
    job = claim_one(KIND, failed=_stuck, given_up=_("The import was interrupted several times and was given up."))
    if job is not None and job.status != Status.FAILED:
        job.report = {**(job.report or {}), "stuck": _stuck(job) + 1}
        job.save(update_fields=["report"])
    return job


def _stuck(job: ImportJob) -> int:
    """Return how often the job was taken up since a batch was last settled."""
    return int((job.report or {}).get("stuck", 0))


def run(job: ImportJob) -> None:
    """Check or import a claimed job's file, and record how it went."""
    if job.status not in (Status.CHECKING, Status.RUNNING):
        return
    dry_run = job.status == Status.CHECKING
    try:
        tally = import_chats(
            path=path_of(job), clinic=job.clinic, by=job.created_by, name=job.original_name, sheet=job.sheet,
            mapping=job.mapping, dry_run=dry_run, most_bytes=MOST_UPLOADED, tally=restored(job.report or {}),
            settled=lambda tally: _settled(job, tally),
        )  # fmt: skip
        _end(job, Status.CHECKED if dry_run else Status.DONE, tally)
    except (ImportRefused, OSError) as refusal:
        fail(job, str(refusal) if isinstance(refusal, ImportRefused) else _("The file is gone."))
    except TakenOver:
        return


def _settled(job: ImportJob, tally: Tally) -> None:
    """Record a batch in its own transaction, unless another worker has the job: then the batch must not count."""
    values = {"rows_done": tally.taken, "report": stored(tally), "leased_until": timezone.now() + LEASE}
    if not mine(job).update(**values):
        raise TakenOver


def _end(job: ImportJob, status: str, tally: Tally) -> None:
    end(job, status, report=stored(tally), rows_total=tally.taken, rows_done=tally.taken)


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

"""Imports as jobs: uploaded, checked, run in the background, found again.

The row says what is due. A worker claims it with a lease that it keeps extending; if the worker
dies, the lease runs out and another takes the job up. Patients and the job's end are written in
one transaction, so a job that was killed half-way has left nothing behind.
"""

import time
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from patients.importing.errors import ImportRefused
from patients.importing.headers import PATIENT_COLUMNS
from patients.importing.limits import MAX_FILE_BYTES
from patients.importing.reader import Table, open_table
from patients.importing.service import Outcome, import_patients
from patients.models import ImportJob

LEASE = timedelta(minutes=2)
ATTEMPTS = 3
SECONDS_BETWEEN_NEWS = 1.0
KIND = "patients"
Status = ImportJob.Status
OPEN = (Status.UPLOADED, Status.CHECKED, Status.FAILED)  # columns may be corrected, or the file thrown away


class NotInThisState(Exception):
    """The job has moved on meanwhile; what was asked for no longer applies."""


class _TakenOver(Exception):
    """Another worker has this job now."""


def upload(*, clinic: Clinic, by: User, file: "UploadedFile[Any]") -> ImportJob:
    """Keep an uploaded file and open it. Raises ImportRefused, keeping nothing, if it is no list of patients."""
    if (file.size or 0) > MAX_FILE_BYTES:
        raise ImportRefused(_("The file is larger than 50 MB. Split it into several files."))
    name = Path(file.name or "").name[-200:]
    job = ImportJob(clinic=clinic, created_by=by, original_name=name, today=clinic.today())
    job.file.save(name, file, save=False)
    try:
        job.sheet = table_of(job).sheet
    except ImportRefused:
        job.file.delete(save=False)
        raise
    job.save()
    return job


def table_of(job: ImportJob, *, sheet: str | None = None) -> Table:
    """Open the job's file as it is to be understood now. Raises ImportRefused, also once it is no longer kept."""
    if not job.file:
        raise ImportRefused(_("The file was deleted after 30 days. Upload it again."))
    return open_table(
        Path(job.file.path),
        PATIENT_COLUMNS,
        sheet=job.sheet if sheet is None else sheet,
        mapping=job.mapping if sheet is None else {},
        name=job.original_name,
    )


def choose_columns(*, job: ImportJob, sheet: str, mapping: Mapping[str, str], by: User) -> None:
    """Settle what the columns hold, and have the file checked. Raises NotInThisState once the import has begun."""
    _move(
        job, OPEN, Status.CHECKING, sheet=sheet, mapping=dict(mapping),
        report=None, failure="", rows_done=0, rows_total=None,
    )  # fmt: skip


def start_import(*, job: ImportJob, by: User) -> None:
    """Have a checked file imported. Raises NotInThisState if it is not waiting for that."""
    _move(job, (Status.CHECKED,), Status.QUEUED, rows_done=0)


def discard(*, job: ImportJob, by: User) -> None:
    """Throw away a file that was not imported. Raises NotInThisState if it was, or is being."""
    with transaction.atomic():
        if not ImportJob.objects.filter(pk=job.pk, status__in=OPEN).delete()[0]:
            raise NotInThisState
        transaction.on_commit(lambda: job.file.delete(save=False))


def _move(job: ImportJob, states: tuple[str, ...], to: str, **values: Any) -> None:
    due = {"leased_until": None, "attempts": 0, "status": to, **values}
    if not ImportJob.objects.filter(pk=job.pk, status__in=states).update(**due):
        raise NotInThisState
    job.refresh_from_db()


def claim() -> ImportJob | None:
    """Take the next job that is due, under a lease; None when nothing is. Gives up on one that failed too often."""
    now = timezone.now()
    with transaction.atomic():
        due = ImportJob.objects.filter(kind=KIND, status__in=(Status.CHECKING, Status.QUEUED, Status.RUNNING))
        due = due.filter(Q(leased_until=None) | Q(leased_until__lt=now)).order_by("id")
        job = due.select_for_update(skip_locked=True, of=("self",)).first()
        if job is None:
            return None
        if job.attempts >= ATTEMPTS:
            job.status, job.leased_until, job.finished_at = Status.FAILED, None, now
            job.failure = _("The import was interrupted several times and was given up. Nothing was imported.")
        else:
            job.attempts += 1
            job.leased_until = now + LEASE
            job.status = Status.RUNNING if job.status == Status.QUEUED else job.status
        job.save(update_fields=["status", "attempts", "leased_until", "failure", "finished_at"])
    return job


def run(job: ImportJob) -> None:
    """Check or import a claimed job's file, and record how it went."""
    if job.status not in (Status.CHECKING, Status.RUNNING):
        return
    dry_run = job.status == Status.CHECKING
    try:
        with closing(_News(job)) as news:
            outcome = import_patients(
                path=Path(job.file.path), clinic=job.clinic, by=job.created_by, name=job.original_name,
                sheet=job.sheet, mapping=job.mapping, today=job.today, dry_run=dry_run, progress=news.tell,
                finished=lambda done: _end(job, Status.DONE, done),
            )  # fmt: skip
        if dry_run:
            _end(job, Status.CHECKED, outcome)
    except ImportRefused as refusal:
        _mine(job).update(
            status=Status.FAILED, failure=str(refusal)[:300], leased_until=None, finished_at=timezone.now()
        )
    except _TakenOver:
        return


def _mine(job: ImportJob) -> Any:
    return ImportJob.objects.filter(pk=job.pk, status=job.status, attempts=job.attempts)


def _end(job: ImportJob, status: str, outcome: Outcome) -> None:
    """Record the end, unless another worker has taken the job over: then what this one did must not count."""
    done = outcome.plan.rows
    values = {"status": status, "report": report_of(outcome), "rows_total": done, "rows_done": done}
    if status == Status.DONE:
        values["finished_at"] = timezone.now()
    if not _mine(job).update(leased_until=None, **values):
        raise _TakenOver


def report_of(outcome: Outcome) -> dict[str, Any]:
    """Return what the pages show of an import: the command's report, referrals and a few examples."""
    links, open_ends = outcome.referrals.links, outcome.referrals.unresolvable
    return {
        **outcome.plan.report(),
        "header_row": outcome.table.header.number,
        "referrals": {"found": len(links), "open": [{"row": row, "why": why.value} for row, why in open_ends]},
        "examples": outcome.examples,
    }


class _News:
    """Tells how far a job is, over a connection of its own: the import's transaction shows nothing before its end."""

    def __init__(self, job: ImportJob) -> None:
        self._job = job
        self._connection = connection.copy()
        self._told = time.monotonic()

    def tell(self, rows: int) -> None:
        """Record progress and extend the lease, not more often than worth while."""
        if time.monotonic() - self._told < SECONDS_BETWEEN_NEWS:
            return
        self._told = time.monotonic()
        with self._connection.cursor() as cursor:
            cursor.execute(
                "UPDATE patients_importjob SET rows_done = %s, leased_until = %s WHERE id = %s AND attempts = %s",
                [rows, timezone.now() + LEASE, self._job.pk, self._job.attempts],
            )

    def close(self) -> None:
        self._connection.close()

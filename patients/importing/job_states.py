"""What all imports have in common as jobs: uploaded, checked, imported in the background, found again.

The row says what is due. A worker claims it with a lease that it keeps extending; if the worker dies, the lease runs
out and another takes the job up. `attempts` tells a worker that was taken over: what it writes then must not count.
"""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from patients.importing.errors import ImportRefused
from patients.models import ImportJob

LEASE = timedelta(minutes=2)
ATTEMPTS = 3
SECONDS_BETWEEN_NEWS = 1.0
Status = ImportJob.Status
OPEN = (Status.UPLOADED, Status.CHECKED, Status.FAILED)  # columns may be corrected, or the file thrown away


class NotInThisState(Exception):
    """The job has moved on meanwhile; what was asked for no longer applies."""


class TakenOver(Exception):
    """Another worker has this job now."""


def keep(
    *, clinic: Clinic, by: User, kind: str, file: "File[Any]", name: str, opened: Callable[[ImportJob], None]
) -> ImportJob:
    """Keep an uploaded file as a job of a kind; `opened` looks into it and sets what it finds.

    Raises:
        ImportRefused: from `opened`; nothing is kept.
    """
    name = Path(name).name[-200:]
    job = ImportJob(clinic=clinic, created_by=by, original_name=name, today=clinic.today(), kind=kind)
    job.file.save(name, file, save=False)
    try:
        opened(job)
    except ImportRefused:
        job.file.delete(save=False)
        raise
    job.save()
    return job


def path_of(job: ImportJob) -> Path:
    """Return where the job's file lies. Raises ImportRefused once it is no longer kept."""
    if not job.file:
        raise ImportRefused(_("The file was deleted after 30 days. Upload it again."))
    return Path(job.file.path)


def choose_columns(*, job: ImportJob, sheet: str, mapping: Mapping[str, str], by: User) -> None:
    """Settle what the columns hold, and have the file checked. Raises NotInThisState once the import has begun."""
    _move(
        job, OPEN, Status.CHECKING, sheet=sheet, mapping=dict(mapping),
        report=None, failure="", rows_done=0, rows_total=None,
    )  # fmt: skip


def start_import(*, job: ImportJob, by: User, **values: Any) -> None:
    """Have a checked file imported. Raises NotInThisState if it is not waiting for that."""
    _move(job, (Status.CHECKED,), Status.QUEUED, rows_done=0, **values)


def discard(*, job: ImportJob, by: User) -> None:
    """Throw away a file that was not imported. Raises NotInThisState if it was, or is being."""
    with transaction.atomic():
        if not ImportJob.objects.filter(pk=job.pk, kind=job.kind, status__in=OPEN).delete()[0]:
            raise NotInThisState
        transaction.on_commit(lambda: job.file.delete(save=False))


def _move(job: ImportJob, states: tuple[str, ...], to: str, **values: Any) -> None:
    due = {"leased_until": None, "attempts": 0, "status": to, **values}
    if not ImportJob.objects.filter(pk=job.pk, kind=job.kind, status__in=states).update(**due):
        raise NotInThisState
    job.refresh_from_db()


def claim(kind: str, *, failed: Callable[[ImportJob], int], given_up: str) -> ImportJob | None:
    """Take the next job of a kind that is due, under a lease; None when nothing is.

    One that has `failed` as often as is allowed is ended with the words `given_up`, and returned so.
    """
    now = timezone.now()
    with transaction.atomic():
        due = ImportJob.objects.filter(kind=kind, status__in=(Status.CHECKING, Status.QUEUED, Status.RUNNING))
        due = due.filter(Q(leased_until=None) | Q(leased_until__lt=now)).order_by("id")
        job = due.select_for_update(skip_locked=True, of=("self",)).first()
        if job is None:
            return None
        if failed(job) >= ATTEMPTS:
            job.status, job.leased_until, job.finished_at, job.failure = Status.FAILED, None, now, given_up
        else:
            job.attempts += 1
            job.leased_until = now + LEASE
            job.status = Status.RUNNING if job.status == Status.QUEUED else job.status
        job.save(update_fields=["status", "attempts", "leased_until", "failure", "finished_at"])
    return job


def mine(job: ImportJob) -> QuerySet[ImportJob]:
    """Return the job's row as long as no other worker has taken it over."""
    return ImportJob.objects.filter(pk=job.pk, status=job.status, attempts=job.attempts)


def fail(job: ImportJob, words: str) -> None:
    """End a job that could not be read or imported, saying why."""
    mine(job).update(status=Status.FAILED, failure=words[:300], leased_until=None, finished_at=timezone.now())


def end(job: ImportJob, status: str, **values: Any) -> None:
    """Record that a job was checked or is done. Raises TakenOver if another worker has it."""
    if status == Status.DONE:
        values["finished_at"] = timezone.now()
    if not mine(job).update(status=status, leased_until=None, **values):
        raise TakenOver


class News:
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

"""Imports of one table each as jobs: what is written and the job's end are one transaction.

A job that was killed half-way has left nothing behind.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from patients.importing.errors import ImportRefused
from patients.importing.job_states import News, Status, TakenOver, claim, end, fail, keep, path_of
from patients.importing.limits import MAX_FILE_BYTES
from patients.importing.reader import Table, open_table
from patients.models import ImportJob


@dataclass(frozen=True)
class TableJobs:
    """The jobs of one kind.

    Args:
        columns: what a header may name.
        bring_in: imports a file, or finds out what that would do; gives an outcome with a plan and a table.
        report_of: what a job keeps of an outcome.
    """

    kind: str
    columns: Mapping[str, str]
    bring_in: Callable[..., Any]
    report_of: Callable[[Any], dict[str, Any]]

    def upload(self, *, clinic: Clinic, by: User, file: "UploadedFile[Any]") -> ImportJob:
        """Keep an uploaded file and open it. Raises ImportRefused, keeping nothing, if it is no such table."""
        if (file.size or 0) > MAX_FILE_BYTES:
            raise ImportRefused(_("The file is larger than 50 MB. Split it into several files."))
        return keep(clinic=clinic, by=by, kind=self.kind, file=file, name=file.name or "", opened=self._find_sheet)

    def _find_sheet(self, job: ImportJob) -> None:
        job.sheet = self.table_of(job).sheet

    def table_of(self, job: ImportJob, *, sheet: str | None = None) -> Table:
        """Open the job's file as it is to be understood now. Raises ImportRefused, also once it is no longer kept."""
        return open_table(
            path_of(job),
            self.columns,
            sheet=job.sheet if sheet is None else sheet,
            mapping=job.mapping if sheet is None else {},
            name=job.original_name,
        )

    def claim(self) -> ImportJob | None:
        """Take the next job that is due; None when nothing is. Gives up on one that failed too often."""
        words = _("The import was interrupted several times and was given up. Nothing was imported.")
        return claim(self.kind, failed=lambda job: job.attempts, given_up=words)

    def run(self, job: ImportJob) -> None:
        """Check or import a claimed job's file, and record how it went."""
        if job.status not in (Status.CHECKING, Status.RUNNING):
            return
        dry_run = job.status == Status.CHECKING
        try:
            with closing(News(job)) as news:
                outcome = self.bring_in(
                    path=path_of(job), clinic=job.clinic, by=job.created_by, name=job.original_name, sheet=job.sheet,
                    mapping=job.mapping, today=job.today, dry_run=dry_run, progress=news.tell,
                    finished=lambda done: self._end(job, Status.DONE, done),
                )  # fmt: skip
            if dry_run:
                self._end(job, Status.CHECKED, outcome)
        except ImportRefused as refusal:
            fail(job, str(refusal))
        except FileNotFoundError:
            fail(job, _("The file is gone."))
        except TakenOver:
            return

    def _end(self, job: ImportJob, status: str, outcome: Any) -> None:
        rows = outcome.plan.rows
        end(job, status, report=self.report_of(outcome), rows_total=rows, rows_done=rows)

    def run_due(self) -> int:
        """Check or import every file that is due; returns how many there were."""
        done = 0
        while job := self.claim():
            self.run(job)
            done += 1
        return done

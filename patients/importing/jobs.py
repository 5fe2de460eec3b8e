"""Imports of patients as jobs. Patients and the job's end are written in one transaction.

A job that was killed half-way has left nothing behind.
"""

from contextlib import closing
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from patients.importing.errors import ImportRefused
from patients.importing.headers import PATIENT_COLUMNS
from patients.importing.job_states import News, TakenOver, end, fail, keep, path_of
from patients.importing.job_states import claim as claim_one
from patients.importing.limits import MAX_FILE_BYTES
from patients.importing.reader import Table, open_table
from patients.importing.service import Outcome, import_patients
from patients.models import ImportJob

KIND = "patients"
Status = ImportJob.Status


def upload(*, clinic: Clinic, by: User, file: "UploadedFile[Any]") -> ImportJob:
    """Keep an uploaded file and open it. Raises ImportRefused, keeping nothing, if it is no list of patients."""
    if (file.size or 0) > MAX_FILE_BYTES:
        raise ImportRefused(_("The file is larger than 50 MB. Split it into several files."))
    return keep(clinic=clinic, by=by, kind=KIND, file=file, name=file.name or "", opened=_find_sheet)


def _find_sheet(job: ImportJob) -> None:
    job.sheet = table_of(job).sheet


def table_of(job: ImportJob, *, sheet: str | None = None) -> Table:
    """Open the job's file as it is to be understood now. Raises ImportRefused, also once it is no longer kept."""
    return open_table(
        path_of(job),
        PATIENT_COLUMNS,
        sheet=job.sheet if sheet is None else sheet,
        mapping=job.mapping if sheet is None else {},
        name=job.original_name,
    )


def claim() -> ImportJob | None:
    """Take the next job that is due, under a lease; None when nothing is. Gives up on one that failed too often."""
    words = _("The import was interrupted several times and was given up. Nothing was imported.")
    return claim_one(KIND, failed=lambda job: job.attempts, given_up=words)


def run(job: ImportJob) -> None:
    """Check or import a claimed job's file, and record how it went."""
    if job.status not in (Status.CHECKING, Status.RUNNING):
        return
    dry_run = job.status == Status.CHECKING
    try:
        with closing(News(job)) as news:
            outcome = import_patients(
                path=path_of(job), clinic=job.clinic, by=job.created_by, name=job.original_name,
                sheet=job.sheet, mapping=job.mapping, today=job.today, dry_run=dry_run, progress=news.tell,
                finished=lambda done: _end(job, Status.DONE, done),
            )  # fmt: skip
        if dry_run:
            _end(job, Status.CHECKED, outcome)
    except ImportRefused as refusal:
        fail(job, str(refusal))
    except TakenOver:
        return


def _end(job: ImportJob, status: str, outcome: Outcome) -> None:
    done = outcome.plan.rows
    end(job, status, report=report_of(outcome), rows_total=done, rows_done=done)


def report_of(outcome: Outcome) -> dict[str, Any]:
    """Return what the pages show of an import: the command's report, referrals and a few examples."""
    links, open_ends = outcome.referrals.links, outcome.referrals.unresolvable
    return {
        **outcome.plan.report(),
        "header_row": outcome.table.header.number,
        "referrals": {"found": len(links), "open": [{"row": row, "why": why.value} for row, why in open_ends]},
        "examples": outcome.examples,
    }

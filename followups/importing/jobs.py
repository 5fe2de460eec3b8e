"""Imports of appointments as jobs."""

from typing import Any

from followups.importing.headers import APPOINTMENT_COLUMNS
from followups.importing.service import Outcome, import_appointments
from patients.importing.table_jobs import TableJobs


def report_of(outcome: Outcome) -> dict[str, Any]:
    """Return what the pages show of an import: the command's report."""
    return {**outcome.plan.report(), "header_row": outcome.table.header.number}


appointment_jobs = TableJobs("appointments", APPOINTMENT_COLUMNS, import_appointments, report_of)

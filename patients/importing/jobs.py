"""Imports of patients as jobs."""

from typing import Any

from patients.importing.headers import PATIENT_COLUMNS
from patients.importing.service import Outcome, import_patients
from patients.importing.table_jobs import TableJobs


def report_of(outcome: Outcome) -> dict[str, Any]:
    """Return what the pages show of an import: the command's report, referrals and a few examples."""
    links, open_ends = outcome.referrals.links, outcome.referrals.unresolvable
    return {
        **outcome.plan.report(),
        "header_row": outcome.table.header.number,
        "referrals": {"found": len(links), "open": [{"row": row, "why": why.value} for row, why in open_ends]},
        "examples": outcome.examples,
    }


patient_jobs = TableJobs("patients", PATIENT_COLUMNS, import_patients, report_of)

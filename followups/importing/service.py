"""Importing a file of appointments into a clinic: the one function behind command and page."""

from datetime import date
from pathlib import Path
from typing import NamedTuple

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from followups.importing.existing import ExistingInClinic
from followups.importing.headers import APPOINTMENT_COLUMNS
from followups.importing.plan import Plan, make_plan
from followups.importing.rules import AppointmentRules
from followups.importing.writer import Writer
from patients.importing.errors import ImportRefused
from patients.importing.reader import Table, open_table
from patients.importing.service import staff_of

_LOCK = 0x1A9048  # with the clinic's id, the advisory lock under which its imports run one after the other
EXCLUSION = "23P01"
TRIES = 3


class Outcome(NamedTuple):
    """What an import did, or with a dry run would do."""

    table: Table
    plan: Plan


def import_appointments(
    *,
    path: Path,
    clinic: Clinic,
    by: User | None,
    name: str = "",
    sheet: str = "",
    today: date | None = None,
    dry_run: bool = False,
) -> Outcome:
    """Import the appointments of a CSV or XLSX file into `clinic`, or find out what doing so would do.

    Args:
        name: the file's own name, where `path` has another.
        today: up to this day appointments that overlap are history; the clinic's today by default.

    All or nothing: one transaction, begun anew when somebody takes one of the times while it runs. Imported
    history that overlaps is kept without holding its slot. The same file again creates nothing.
    Raises ImportRefused when the file cannot be imported at all.
    """
    table = open_table(path, APPOINTMENT_COLUMNS, sheet=sheet, name=name)
    day = today or clinic.today()
    if dry_run:
        return Outcome(table, _plan(table, clinic, day, None))
    for _attempt in range(TRIES):
        try:
            return Outcome(table, _written(table, clinic, day, by, name or path.name))
        except IntegrityError as error:
            if getattr(error.__cause__, "pgcode", None) != EXCLUSION:
                raise
    raise ImportRefused(_("Others are booking the same times at this moment. Try again."))


def _plan(table: Table, clinic: Clinic, day: date, writer: Writer | None) -> Plan:
    rules = AppointmentRules(table, staff_of(clinic), clinic.tz)
    existing = ExistingInClinic(clinic)
    take = writer.take if writer else lambda rows: None
    return make_plan(table.rows(), rules, existing, today=day, tz=clinic.tz, take=take)


@transaction.atomic
def _written(table: Table, clinic: Clinic, day: date, by: User | None, name: str) -> Plan:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, clinic.pk])
    writer = Writer(clinic, by)
    plan = _plan(table, clinic, day, writer)
    writer.finish()
    record(
        action="import_appointments", clinic=clinic, by=by, file=name, rows=plan.rows,
        created=plan.created, updated=plan.updated, merged=len(plan.merged), rejected=len(plan.rejected),
    )  # fmt: skip
    return plan

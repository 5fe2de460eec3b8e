"""Importing a file of appointments into a clinic: the one function behind command and page."""

from collections.abc import Callable, Mapping
from datetime import date
from itertools import count
from pathlib import Path
from typing import NamedTuple

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from followups.importing.existing import ExistingInClinic
from followups.importing.headers import APPOINTMENT_COLUMNS
from followups.importing.plan import CHUNK, Plan, Taken, make_plan
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
    mapping: Mapping[str, str] | None = None,
    today: date | None = None,
    dry_run: bool = False,
    progress: Callable[[int], object] = lambda rows: None,
    finished: Callable[[Outcome], object] = lambda outcome: None,
) -> Outcome:
    """Import the appointments of a CSV or XLSX file into `clinic`, or find out what doing so would do.

    Args:
        name: the file's own name, where `path` has another.
        mapping: what columns hold where that is not to be guessed: column name → field, "" to leave it out.
        today: up to this day appointments that overlap are history; the clinic's today by default.
        progress: is told now and then how many rows are read.
        finished: is called in the transaction that writes, before its end; what it raises leaves nothing written.

    All or nothing: one transaction, begun anew when somebody takes one of the times while it runs. Imported
    history that overlaps is kept without holding its slot. The same file again creates nothing.
    Raises ImportRefused when the file cannot be imported at all.
    """
    table = open_table(path, APPOINTMENT_COLUMNS, sheet=sheet, mapping=mapping or {}, name=name)
    day = today or clinic.today()
    if dry_run:
        return Outcome(table, _plan(table, clinic, day, None, progress))
    file = name or path.name
    for _attempt in range(TRIES):
        try:
            return _written(table, clinic, day, by=by, file=file, progress=progress, finished=finished)
        except IntegrityError as error:
            if getattr(error.__cause__, "pgcode", None) != EXCLUSION:
                raise
    raise ImportRefused(_("Others are booking the same times at this moment. Try again."))


def _plan(table: Table, clinic: Clinic, day: date, writer: Writer | None, progress: Callable[[int], object]) -> Plan:
    rules = AppointmentRules(table, staff_of(clinic), clinic.tz)
    existing = ExistingInClinic(clinic)
    chunks = count(1)

    def take(rows: list[Taken]) -> None:
        if writer:
            writer.take(rows)
        progress(next(chunks) * CHUNK)

    return make_plan(table.rows(), rules, existing, today=day, tz=clinic.tz, take=take)


@transaction.atomic
def _written(
    table: Table,
    clinic: Clinic,
    day: date,
    *,
    by: User | None,
    file: str,
    progress: Callable[[int], object],
    finished: Callable[[Outcome], object],
) -> Outcome:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, clinic.pk])
    writer = Writer(clinic, by)
    plan = _plan(table, clinic, day, writer, progress)
    writer.finish(lambda: progress(plan.rows))
    record(
        action="import_appointments", clinic=clinic, by=by, file=file, rows=plan.rows,
        created=plan.created, updated=plan.updated, merged=len(plan.merged), rejected=len(plan.rejected),
    )  # fmt: skip
    outcome = Outcome(table, plan)
    finished(outcome)
    return outcome

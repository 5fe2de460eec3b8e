"""Importing a file of patients into a clinic: the one function behind command, page and job."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Coalesce

from accounts.audit import record
from accounts.models import Clinic, Membership, User
from patients.importing.examples import Examples, each
from patients.importing.existing import PatientsOfClinic
from patients.importing.headers import PATIENT_COLUMNS
from patients.importing.patient_rules import PatientRules
from patients.importing.plan import Plan, make_plan
from patients.importing.reader import Table, open_table
from patients.importing.referrals import End, Referrals, resolve
from patients.importing.staff import StaffDirectory, StaffMember
from patients.importing.writer import Writer
from patients.models import Referral, Registration

_LOCK = 0x1A9047  # with the clinic's id, the advisory lock under which its imports run one after the other
LINKS_AT_ONCE = 2_000


@dataclass(frozen=True)
class Outcome:
    """What an import did, or with a dry run would do."""

    table: Table
    plan: Plan
    referrals: Referrals
    examples: dict[str, list[dict[str, Any]]]


def staff_of(clinic: Clinic) -> StaffDirectory:
    """Return who works in the clinic."""
    members = Membership.objects.for_clinic(clinic).people()
    return StaffDirectory(StaffMember(*row) for row in members.values_list("user_id", "user__full_name", "role"))


def import_patients(
    *,
    path: Path,
    clinic: Clinic,
    by: User | None,
    name: str = "",
    sheet: str = "",
    mapping: Mapping[str, str] | None = None,
    today: date | None = None,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
    finished: Callable[[Outcome], None] | None = None,
) -> Outcome:
    """Import the patients of a CSV or XLSX file into `clinic`, or find out what doing so would do.

    Args:
        name: the file's own name, where `path` has another.
        mapping: column name → field, where the headers are to be understood otherwise.
        today: the day of which "today", future births and dates without a year are said; the clinic's by default.
        progress: called now and then with the number of rows read.
        finished: called in the transaction, before it commits.

    All or nothing: one transaction. Imports into one clinic run one after the other.
    Raises ImportRefused when the file cannot be imported at all.
    """
    table = open_table(path, PATIENT_COLUMNS, sheet=sheet, mapping=mapping, name=name)
    day = today or clinic.today()
    rules = PatientRules(table, staff_of(clinic), day)
    examples = Examples(table)
    if dry_run:
        there = PatientsOfClinic(clinic.pk)
        plan = make_plan(table.rows(), rules, there, take=examples.take, chunk_done=progress, rejected=examples.reject)
        return Outcome(table, plan, resolve(plan, there), examples.found(plan))
    with transaction.atomic(), _writing(clinic, by, day) as writer:
        there = PatientsOfClinic(clinic.pk, before=writer.queue.wait)
        take = each(writer.take, examples.take)
        plan = make_plan(table.rows(), rules, there, take=take, chunk_done=progress, rejected=examples.reject)
        writer.finish(lambda: progress(plan.rows) if progress else None)
        outcome = Outcome(table, plan, resolve(plan, there), examples.found(plan))
        _link(outcome.referrals, writer)
        record(
            action="import_patients", clinic=clinic, by=by, file=name or path.name, rows=plan.rows,
            created=plan.created, updated=plan.updated, merged=len(plan.merged), rejected=len(plan.rejected),
        )  # fmt: skip
        if finished:
            finished(outcome)
    return outcome


@contextmanager
def _writing(clinic: Clinic, by: User | None, day: date) -> Iterator[Writer]:
    """Open a writer once no other import into the clinic runs: what it finds there must be all there is."""
    _wait_for_others(clinic)
    with closing(Writer(clinic, by, day)) as writer:
        yield writer


def _wait_for_others(clinic: Clinic) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, clinic.pk])


def _link(referrals: Referrals, writer: Writer) -> None:
    """Write who brought whom; effective from the first visit of the one who was brought."""

    def patient(end: End) -> int:
        return end.patient if end.patient is not None else writer.patients[end.person or 0]

    clinic = writer.clinic
    pairs = [(writer.patients[person], patient(referrer)) for person, referrer in referrals.links]
    for some in _batched(pairs, LINKS_AT_ONCE):
        visits = dict(
            Registration.objects.filter(clinic=clinic, patient__in=[referred for referred, _referrer in some])
            .annotate(seen=Coalesce("first_visit_on", "last_visit_on"))
            .values_list("patient", "seen")
        )
        Referral.objects.bulk_create(
            (
                Referral(
                    clinic=clinic, referred_id=referred, referrer_id=referrer, created_by=writer.by,
                    effective_at=_effective(visits.get(referred), writer),
                )
                for referred, referrer in some
            ),
            ignore_conflicts=True,  # whoever has a referrer keeps them
        )  # fmt: skip


def _effective(seen: date | None, writer: Writer) -> datetime | None:
    """Return when a referral became effective: the first known visit, None before there is one."""
    if seen is None or seen > writer.today:
        return None
    return writer.clinic.day_bounds(seen)[0]


def _batched(items: Sequence[tuple[int, int]], size: int) -> Iterator[Sequence[tuple[int, int]]]:
    """Yield the items some at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]

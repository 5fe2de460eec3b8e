"""Merging two records of one person, and taking a merge back (DESIGN §3, 10)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pgtrigger
from django.apps import apps
from django.db import OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from accounts.permissions import Permission
from patients.errors import Refused
from patients.merging import fields, own
from patients.merging.journal import differences, read_rows, take_back
from patients.merging.own import Pair, Strategy
from patients.merging.relations import relations, set_aside
from patients.merging.replay import moved
from patients.models import Consent, NotTheSame, Patient, PatientMerge, Registration
from patients.services.referrals import _take_turns

UNDO_FOR = timedelta(days=30)
TRIES = 3
TIMES = ("created_at", "at", "arrived_at", "opened_at", "asked_at", "started_at", "received_at")


@dataclass(frozen=True)
class Plan:
    """What the apps above add: how their rows move, what refuses a merge, and what is to be done around the moving."""

    strategies: Mapping[str, Strategy]
    check: Callable[[Patient, Patient], None]
    first: Callable[[Pair], None]
    last: Callable[[Pair], None]


def strategies(plan: Plan) -> Mapping[str, Strategy]:
    """Return how each relation moves; what is not named simply moves."""
    named = {**own.STRATEGIES, **plan.strategies}
    return {relation.key: named.get(relation.key, own.move) for relation in relations()}


def merge_records(
    *, winner: Patient, loser: Patient, choices: Mapping[str, str], clinic: Clinic, by: User, plan: Plan
) -> PatientMerge:
    """Make one record of two, all or nothing; what it did is kept so that it can be taken back.

    Args: choices: group of patients.merging.fields → winner, loser or both; missing ones take the default.
    Raises: Refused when a record was merged or restricted meanwhile, without the permission in every clinic of
    either, or when the plan refuses.
    """
    return _retried(lambda: _merge(winner, loser, choices, clinic, by, plan))


@transaction.atomic
def _merge(
    winner: Patient, loser: Patient, choices: Mapping[str, str], clinic: Clinic, by: User, plan: Plan
) -> PatientMerge:
    winner, loser = _locked(winner.pk, loser.pk)
    _check(winner, loser, by)
    plan.check(winner, loser)
    ids = (winner.pk, loser.pk)
    before, choices = read_rows(ids), fields.chosen(winner, loser, choices)
    took = loser if choices["class_code"] == fields.LOSER else winner
    pair = Pair(winner, loser, clinic, by, timezone.now(), took.class_code, took, _said(ids))
    with pgtrigger.ignore(*set_aside()):
        plan.first(pair)
        how = strategies(plan)
        for relation in relations():
            how[relation.key](pair, relation)
        _become_one(pair, choices)
        plan.last(pair)
    journal = differences(before, read_rows(ids))
    made = PatientMerge.objects.create(
        clinic=clinic,
        winner=winner,
        loser=loser,
        choices=choices,
        before=journal,
        moved=moved(journal, winner=winner.pk),
        merged_at=pair.at,
        merged_by=by,
    )
    record(action="patients_merged", clinic=clinic, by=by, subject=winner, merged=loser.pk, name=loser.name)
    return made


def _said(ids: Iterable[int]) -> dict[str, set[bool]]:
    """Return, by purpose, the latest words of the two records."""
    rows = Consent.objects.filter(patient__in=list(ids)).order_by("patient", "purpose", "-at", "-id")
    found: dict[str, set[bool]] = {}
    for purpose, given in rows.distinct("patient", "purpose").values_list("purpose", "given"):
        found.setdefault(purpose, set()).add(given)
    return found


def _locked(winner: int, loser: int) -> tuple[Patient, Patient]:
    """Lock both rows, the lower id first, after those who link referrals: nobody waits for one who waits for us."""
    _take_turns()
    rows = {row.pk: row for row in Patient.objects.filter(pk__in=[winner, loser]).order_by("pk").select_for_update()}
    return rows[winner], rows[loser]


def _check(winner: Patient, loser: Patient, by: User) -> None:
    if winner.pk == loser.pk:
        raise Refused(_("This is the same record."))
    for patient in (winner, loser):
        if patient.merged_into_id is not None:
            words = {"patient": patient.name, "other": Patient.objects.get(pk=patient.merged_into_id).name}
            raise Refused(_("%(patient)s was merged into %(other)s meanwhile.") % words)
        if patient.restricted_at is not None:
            raise Refused(_("%(patient)s asked for erasure; this record is closed.") % {"patient": patient.name})
    check_clinics(winner, loser, by)


def check_clinics(winner: Patient, loser: Patient, by: User) -> None:
    """Raise Refused unless the person may merge in every clinic where one of the two is registered."""
    rows = Registration.objects.filter(patient__in=[winner.pk, loser.pk]).select_related("clinic")
    closed = sorted({row.clinic.name for row in rows if not by.may(Permission.MERGE_PATIENTS, row.clinic)})
    if closed:
        raise Refused(_("You may not merge records of %(clinics)s.") % {"clinics": "、".join(closed)})


def _become_one(pair: Pair, choices: Mapping[str, str]) -> None:
    values = fields.result(pair.winner, pair.loser, choices)
    for name, value in values.items():
        setattr(pair.winner, name, value)
    pair.winner.version += 1
    pair.winner.save()
    Patient.objects.filter(pk=pair.loser.pk).update(
        merged_into=pair.winner, version=F("version") + 1, updated_at=pair.at
    )


def _retried(write: Callable[[], Any]) -> Any:
    """Try again when PostgreSQL ended this transaction to break a deadlock."""
    for attempt in range(TRIES):
        try:
            return write()
        except OperationalError as error:
            nested = connection.in_atomic_block
            if nested or attempt == TRIES - 1 or getattr(error.__cause__, "pgcode", "") != "40P01":
                raise
    raise AssertionError  # not reached


def undo_refusal(merge: PatientMerge, by: User) -> str:
    """Return why the merge cannot be taken back now by this person, "" when it can."""
    if merge.undone_at is not None:
        return _("This was undone already.")
    if timezone.now() - merge.merged_at > UNDO_FOR:
        return _("This can be undone for 30 days only.")
    if not merge.before:
        return _("The patient asked for erasure since; nothing is left to restore.")
    later = PatientMerge.objects.filter(undone_at=None).filter(Q(winner=merge.winner_id) | Q(loser=merge.winner_id))
    newer = later.filter(pk__gt=merge.pk).order_by("-pk").select_related("loser").first()
    if newer is not None:
        return _("Undo the later merge with %(patient)s first.") % {"patient": newer.loser.name}
    try:
        check_clinics(merge.winner, merge.loser, by)
    except Refused as error:
        return str(error.message)
    return ""


def undo_merge(*, merge: PatientMerge, by: User, after: Callable[[PatientMerge], None]) -> list[list[Any]]:
    """Take a merge apart again; returns [table, id] of the rows that were changed since and stay as they are.

    What was written since stays with the winner. Args: after: recounts what depends on the visits.
    Raises: Refused after 30 days, twice, or while a later merge stands.
    """
    kept: list[list[Any]] = _retried(lambda: _undo(merge, by, after))
    return kept


@transaction.atomic
def _undo(merge: PatientMerge, by: User, after: Callable[[PatientMerge], None]) -> list[list[Any]]:
    _locked(merge.winner_id, merge.loser_id)
    fresh = PatientMerge.objects.select_for_update(of=("self",)).select_related("winner", "loser").get(pk=merge.pk)
    if refusal := undo_refusal(fresh, by):
        raise Refused(refusal)
    with pgtrigger.ignore(*set_aside()):
        kept = take_back(fresh.before, first=fresh.loser_id)
        ids = [fresh.winner_id, fresh.loser_id]
        now = timezone.now()
        Patient.objects.filter(pk__in=ids).update(version=F("version") + 1, updated_at=now)
    PatientMerge.objects.filter(pk=fresh.pk).update(undone_at=now, undone_by=by)
    after(fresh)
    record(action="merge_undone", clinic=fresh.clinic, by=by, subject=fresh.winner, merged=fresh.loser_id)
    return kept


def moved_counts(winner: Patient, loser: Patient) -> list[tuple[str, int]]:
    """Return what of the loser moves: (name of the kind, how many), the most first; one statement."""
    found = [r for r in relations() if not r.key.startswith(("patients.Patient.", "patients.PatientMerge."))]
    parts = " UNION ALL ".join(
        f"SELECT {i}, COUNT(*) FROM {r.table} WHERE {r.column} = %(loser)s"  # noqa: S608 - names of models
        for i, r in enumerate(found)
    )
    with connection.cursor() as cursor:
        cursor.execute(parts, {"loser": loser.pk})
        rows = dict(cursor.fetchall())
    return _by_name((found[i].model, n) for i, n in rows.items())


def written_since(merge: PatientMerge) -> list[tuple[str, int]]:
    """Return what was written for the winner since the merge and stays there when it is undone, by kind."""
    made = {(table, pk) for table, pk in merge.before.get("made", [])}
    counts = []
    for relation in relations():
        names = {field.name for field in relation.model._meta.concrete_fields}
        time = next((name for name in TIMES if name in names), None)
        if time is None or relation.key.startswith(("patients.Patient.", "patients.PatientMerge.")):
            continue
        rows = relation.model._default_manager.filter(
            **{relation.field.name: merge.winner_id, f"{time}__gt": merge.merged_at}
        )
        ids = [pk for pk in rows.values_list("pk", flat=True) if (relation.table, pk) not in made]
        counts.append((relation.model, len(ids)))
    return _by_name(counts)


def _by_name(rows: Iterable[tuple[type[Any], int]]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for model, n in rows:
        name = str(model._meta.verbose_name_plural)
        counts[name] = counts.get(name, 0) + n
    return sorted(((name, n) for name, n in counts.items() if n), key=lambda pair: -pair[1])


def names_of(kept: Iterable[list[Any]]) -> list[str]:
    """Return the kinds of the rows that could not go back."""
    models = {model._meta.db_table: str(model._meta.verbose_name_plural) for model in apps.get_models()}
    return sorted({models.get(table, table) for table, _pk in kept})


@transaction.atomic
def tell_apart(*, one: Patient, other: Patient, clinic: Clinic, by: User) -> None:
    """Remember that two records are two people; they are not offered as the same again."""
    first, second = sorted((one.pk, other.pk))
    pair = NotTheSame(clinic=clinic, first_id=first, second_id=second, by=by)
    NotTheSame.objects.bulk_create([pair], ignore_conflicts=True)


def identities(patient_id: int) -> list[int]:
    """Return the ids under which a person is or was known: their own and those merged into it."""
    found, fresh = [patient_id], [patient_id]
    while fresh:
        fresh = list(Patient.objects.filter(merged_into__in=fresh).values_list("pk", flat=True))
        found += fresh
    return found


def current_id(patient_id: int) -> int | None:
    """Return where a merged-away record went in the end; None when it was not merged."""
    current, where = patient_id, None
    while (into := Patient.objects.filter(pk=current).values_list("merged_into", flat=True).first()) is not None:
        current = where = into
    return where

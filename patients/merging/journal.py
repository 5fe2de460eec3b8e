"""What a change did to the rows of two patients: read before and after, kept as data, and taken back.

A merge calls many services; what each of them wrote is found by comparing, so none can be forgotten in the undo.
Rows are read as PostgreSQL's own JSON, which holds every value exactly; fractions are kept as text.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import apps
from django.db import IntegrityError, connection, transaction

from patients.merging.relations import CHILDREN, relations, tables
from patients.models import Patient

Row = dict[str, Any]
Rows = dict[tuple[str, int], Row]
Journal = dict[str, list[Any]]
PATIENTS = Patient._meta.db_table
OUTSIDE = frozenset({"version", "updated_at"})  # of patients: they only ever go up


def read_rows(ids: Sequence[int]) -> Rows:
    """Return every row that belongs to these patients, by table and id; one statement."""
    wanted = list(ids)
    statement = " UNION ALL ".join(
        f"SELECT '{table}', t.id, to_jsonb(t)::text FROM {table} t WHERE {where}"  # noqa: S608 - names of models
        for table, where in _conditions().items()
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {"ids": wanted})
        found = {(table, pk): json.loads(row, parse_float=str) for table, pk, row in cursor.fetchall()}
    for (table, _pk), row in found.items():
        for name in OUTSIDE if table == PATIENTS else ():
            row.pop(name)
    return found


def _conditions() -> dict[str, str]:
    """Return, by table, which rows belong to the patients %(ids)s."""
    found: dict[str, list[str]] = defaultdict(list, {PATIENTS: ["t.id = ANY(%(ids)s)"]})
    for relation in relations():
        found[relation.table].append(f"t.{relation.column} = ANY(%(ids)s)")
    for label, (name, parent) in CHILDREN.items():
        model, above = apps.get_model(label), apps.get_model(parent)._meta.db_table
        own = " OR ".join(condition.replace("t.", "p.", 1) for condition in found[above])
        column = model._meta.get_field(name).column
        found[model._meta.db_table].append(f"t.{column} IN (SELECT p.id FROM {above} p WHERE {own})")  # noqa: S608
    return {table: " OR ".join(conditions) for table, conditions in found.items()}


def differences(before: Rows, after: Rows) -> Journal:
    """Return what changed: `changed` [table, id, {column: [old, new]}], `removed` [table, row], `made` [table, id]."""
    changed = []
    for (table, pk), row in after.items():
        old = before.get((table, pk))
        if old is None or old == row:
            continue
        changed.append([table, pk, {name: [old[name], row[name]] for name in row if old[name] != row[name]}])
    removed = [[table, before[table, pk]] for table, pk in before if (table, pk) not in after]
    made = [[table, pk] for table, pk in after if (table, pk) not in before]
    return {"changed": changed, "removed": removed, "made": made}


@transaction.atomic
def take_back(journal: Journal, *, first: int) -> list[list[Any]]:
    """Bring every row back to what it was; returns [table, id] of those that were changed again since.

    Args: first: the patient whose rows go back before the others, so that what may exist once per patient is free.
    A column that has another value by now is left as it is.
    """
    kept: list[list[Any]] = []
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    levels = tables()
    for level in reversed(levels):
        made = [entry for entry in journal["made"] if entry[0] in level]
        kept += [entry for entry in made if not _tried(_delete, *entry)]
    for level in levels:
        changed = [entry for entry in journal["changed"] if entry[0] in level]
        changed.sort(key=lambda entry: not any(old == first for old, _new in entry[2].values()))
        for table, changes, ids in _alike(changed):
            kept += [[table, pk] for pk in _restore(table, changes, ids)]
        for table, row in journal["removed"]:
            if table in level and not _tried(_insert, table, row):
                kept.append([table, row["id"]])
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return kept


def _alike(changed: Iterable[Sequence[Any]]) -> list[tuple[str, dict[str, list[Any]], list[int]]]:
    """Put rows together that changed in the same way: most of them only moved."""
    groups: dict[str, tuple[str, dict[str, list[Any]], list[int]]] = {}
    for table, pk, changes in changed:
        key = json.dumps([table, changes], sort_keys=True)
        groups.setdefault(key, (table, changes, []))[2].append(pk)
    return list(groups.values())


def _restore(table: str, changes: dict[str, list[Any]], ids: list[int]) -> list[int]:
    """Set the old values on rows alike; returns the ids where something had changed since, or is in the way."""
    whole = _tried(_update, table, changes, ids)
    missing = sorted(set(ids) - set(whole or ()))
    return [pk for pk in missing if not _piece_by_piece(table, changes, pk)]


def _piece_by_piece(table: str, changes: dict[str, list[Any]], pk: int) -> bool:
    """Set the row back, else each column that can be; False when not all could."""
    if _tried(_update, table, changes, [pk]):
        return True
    for name, values in changes.items():
        _tried(_update, table, {name: values}, [pk])
    return False


def _tried(write: Any, *args: Any) -> Any:
    """Run one write; False when a constraint refuses it."""
    try:
        with transaction.atomic():
            return write(*args)
    except IntegrityError:
        return False


def _update(table: str, changes: dict[str, list[Any]], ids: list[int]) -> list[int]:
    names = [connection.ops.quote_name(name) for name in changes]
    sets = ", ".join(f"{name} = old.{name}" for name in names)
    same = " AND ".join(f"t.{name} IS NOT DISTINCT FROM new.{name}" for name in names)
    old = json.dumps({name: values[0] for name, values in changes.items()})
    new = json.dumps({name: values[1] for name, values in changes.items()})
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} t SET {sets} FROM jsonb_populate_record(NULL::{table}, %s) old,"  # noqa: S608
            f" jsonb_populate_record(NULL::{table}, %s) new WHERE t.id = ANY(%s) AND {same} RETURNING t.id",
            [old, new, ids],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _delete(table: str, pk: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [pk])  # noqa: S608 - a model's table
    return True


def _insert(table: str, row: Row) -> bool:
    names = ", ".join(connection.ops.quote_name(name) for name in row)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_record(NULL::{table}, %s)",  # noqa: S608
            [json.dumps(row)],
        )
    return True

"""Restoring a backup: checked before, loaded in one transaction, compared after. It all comes back or nothing does."""

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import InternalError, ProgrammingError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from psycopg2 import sql

from clinic_crm.backup import files
from clinic_crm.backup.making import Say
from clinic_crm.backup.manifest import BackupError, faults, key_fingerprint, load
from clinic_crm.backup.tables import (
    PLAIN_TEXT,
    columns_sql,
    fingerprint,
    migrations,
    sequences,
    tables,
    tables_with_rows,
)


def restore_backup(directory: Path, *, replace: bool, say: Say) -> dict[str, Any]:
    """Bring a backup back into the database and MEDIA_ROOT, and return its manifest.

    Args: replace: what is there now may be lost; otherwise both must be empty.
    Raises: BackupError, with nothing changed in the database; a database without tables may have got them.
    """
    manifest = load(directory)
    say("Checking the backup …")
    _refuse(faults(directory, manifest), "The backup is not whole:")
    _refuse(_obstacles(manifest, replace=replace), "Not restoring:")
    _prepare_schema(manifest, replace=replace, say=say)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(PLAIN_TEXT)
            _load_tables(cursor, directory, manifest, say)
            _refuse(_differences(cursor, manifest), "What came back differs from the backup:")
        _bring_files(directory, Path(settings.MEDIA_ROOT))
    if replace:
        _drop_other_files(directory, Path(settings.MEDIA_ROOT))
    _upgrade(manifest, say)
    return manifest


def _refuse(reasons: Iterator[str], heading: str) -> None:
    found = list(reasons)
    if found:
        raise BackupError("\n  ".join([heading, *found]))


def _obstacles(manifest: dict[str, Any], *, replace: bool) -> Iterator[str]:
    if manifest["data_key"] != key_fingerprint():
        yield "DATA_KEY is not the one the backup was made with: phones and identity numbers could not be read."
    known = MigrationExecutor(connection).loader.disk_migrations
    missing = [f"{app}.{name}" for app, name in manifest["migrations"] if (app, name) not in known]
    if missing:
        yield f"The backup was made by another version; this one does not know {', '.join(missing)}."
    if replace:
        return
    with connection.cursor() as cursor:
        full = tables_with_rows(cursor)
    if full:
        yield f"The database is not empty ({', '.join(full[:5])} …). --replace deletes what is there."
    if next(files.paths_in(Path(settings.MEDIA_ROOT)), None):
        yield f"{settings.MEDIA_ROOT} is not empty. --replace deletes what is there."


def _prepare_schema(manifest: dict[str, Any], *, replace: bool, say: Say) -> None:
    """Have the tables as they were when the backup was made."""
    with connection.cursor() as cursor:
        there, wanted = migrations(cursor), manifest["migrations"]
        if there == wanted:
            return
        if there:
            if not replace and tables_with_rows(cursor):
                raise BackupError("The database has other tables than the backup.")
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    say("Making the tables …")
    executor = MigrationExecutor(connection)
    applied = {(app, name) for app, name in wanted}
    graph = executor.loader.graph
    executor.migrate(
        [node for node in applied if not any(child.key in applied for child in graph.node_map[node].children)]
    )


def _load_tables(cursor: Any, directory: Path, manifest: dict[str, Any], say: Say) -> None:
    here = tables(cursor)
    _refuse(_other_columns(here, manifest), "The tables differ from the backup's:")
    quiet = _without_triggers(cursor)
    names = sql.SQL(", ").join(sql.Identifier(name) for name in here)
    for name in () if quiet else here:
        cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(name)))
    cursor.execute(sql.SQL("TRUNCATE {}").format(names))
    for name, facts in manifest["tables"].items():
        asked = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), columns_sql(facts["columns"]))
        with gzip.open(directory / f"tables/{name}.copy.gz", "rb") as file:
            cursor.copy_expert(asked, file)
        say(f"{name}: {facts['rows']} rows")
    for name, (last, called) in manifest["sequences"].items():
        cursor.execute("SELECT setval(%s::regclass, %s, %s)", [f'public."{name}"', last, called])
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for name in () if quiet else here:
        cursor.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(name)))


def _without_triggers(cursor: Any) -> bool:
    """Leave history, append-only and foreign keys' triggers out for this transaction; False when we may not.

    Whoever may not (only superusers may) has the tables' own triggers switched off one by one, and foreign keys checked
    at the end.
    """
    try:
        with transaction.atomic():
            cursor.execute("SET LOCAL session_replication_role = replica")
    except (ProgrammingError, InternalError):
        return False
    return True


def _other_columns(here: dict[str, list[str]], manifest: dict[str, Any]) -> Iterator[str]:
    there = {name: facts["columns"] for name, facts in manifest["tables"].items()}
    for name in sorted(set(here) | set(there)):
        if sorted(here.get(name, [])) != sorted(there.get(name, [])):
            yield name


def _differences(cursor: Any, manifest: dict[str, Any]) -> Iterator[str]:
    """Yield each table and sequence that is not what the manifest says."""
    for name, facts in manifest["tables"].items():
        found = fingerprint(cursor, name, facts["columns"])
        if (found.rows, found.content) != (facts["rows"], facts["content"]):
            yield f"{name}: {found.rows} rows with content {found.content}, not {facts['rows']} with {facts['content']}"
    found_sequences = sequences(cursor)
    for name, state in manifest["sequences"].items():
        if found_sequences.get(name) != state:
            yield f"{name}: {found_sequences.get(name)}, not {state}"


def _bring_files(directory: Path, root: Path) -> None:
    for name, digest in files.listed(directory / "files.tsv.gz"):
        if files.copy(directory / "files" / name, root / name) != digest:
            raise BackupError(f"files/{name} was damaged while it was copied.")


def _drop_other_files(directory: Path, root: Path) -> None:
    wanted = {name for name, _digest in files.listed(directory / "files.tsv.gz")}
    for name in list(files.paths_in(root)):
        if name not in wanted:
            (root / name).unlink()


def _upgrade(manifest: dict[str, Any], say: Say) -> None:
    """Go on to this version's tables, if the backup is older."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        say("Upgrading the tables to this version …")
        call_command("migrate", verbosity=0, interactive=False, stdout=io.StringIO())


def compare(directory: Path) -> list[str]:
    """Return how the database and MEDIA_ROOT differ from a backup; nothing when they are the same."""
    manifest = load(directory)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(PLAIN_TEXT)
        found = list(_differences(cursor, manifest))
    root = Path(settings.MEDIA_ROOT)
    wanted = dict(files.listed(directory / "files.tsv.gz"))
    here = {name: files.sha256(root / name) for name in files.paths_in(root)}
    found += [f"files/{name}" for name in sorted(set(wanted) | set(here)) if wanted.get(name) != here.get(name)]
    return found

"""Making a backup: one snapshot of the database, then the uploaded files."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from psycopg2 import sql

from clinic_crm.backup import files
from clinic_crm.backup.manifest import FORMAT, BackupError, key_fingerprint, save
from clinic_crm.backup.tables import PLAIN_TEXT, columns_sql, fingerprint, migrations, sequences, tables

COMPRESSION = 3  # of 9; more takes much longer and saves little
Say = Callable[[str], Any]


def make_backup(directory: Path, say: Say) -> dict[str, Any]:
    """Write a backup into `directory`, which must not be there yet, and return its manifest.

    The directory has its name only when it is complete. People may go on working meanwhile.
    Raises: BackupError.
    """
    if directory.exists():
        raise BackupError(f"{directory} is there already; a backup goes into a new directory.")
    fresh = directory.with_name(f"{directory.name}.partial")
    if fresh.exists():
        raise BackupError(f"{fresh} is there: another backup runs, or one was stopped. Remove it first.")
    (fresh / "tables").mkdir(parents=True)
    (fresh / "files").mkdir()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(PLAIN_TEXT)
        manifest = _facts(cursor) | {"tables": _tables(cursor, fresh / "tables", say), "sequences": sequences(cursor)}
        manifest["files"] = _files(Path(settings.MEDIA_ROOT), fresh, say)
    save(fresh, manifest)
    fresh.rename(directory)
    return manifest


def _facts(cursor: Any) -> dict[str, Any]:
    cursor.execute("SHOW server_version")
    server = cursor.fetchone()[0]
    return {
        "format": FORMAT,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "postgresql": server,
        "data_key": key_fingerprint(),
        "migrations": migrations(cursor),
    }


def _tables(cursor: Any, directory: Path, say: Say) -> dict[str, Any]:
    found = {}
    for name, columns in tables(cursor).items():
        path = directory / f"{name}.copy.gz"
        asked = sql.SQL("COPY {} ({}) TO STDOUT").format(sql.Identifier(name), columns_sql(columns))
        with gzip.open(path, "wb", COMPRESSION) as file:
            cursor.copy_expert(asked, file)
        facts = fingerprint(cursor, name, columns)
        found[name] = {
            "columns": columns, "rows": facts.rows, "content": facts.content, "sha256": files.sha256(path),
        }  # fmt: skip
        say(f"{name}: {facts.rows} rows")
    return found


def _files(root: Path, directory: Path, say: Say) -> dict[str, Any]:
    """Copy what was uploaded; a file that is removed meanwhile was removed, and is left out."""
    path, count, size = directory / "files.tsv.gz", 0, 0
    with gzip.open(path, "wb") as lines:
        for name in files.paths_in(root):
            target = directory / "files" / name
            try:
                lines.write(files.line(name, files.copy(root / name, target)))
            except FileNotFoundError:
                say(f"{name} was removed meanwhile")
                continue
            count, size = count + 1, size + target.stat().st_size
    say(f"uploaded files: {count}")
    return {"count": count, "bytes": size, "sha256": files.sha256(path)}

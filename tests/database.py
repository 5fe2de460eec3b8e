"""The tests' databases, made and emptied quickly.

All migrations are run once for each state of the migration files, into a database that every worker's is copied from;
it is kept for the next run. After a test that commits, only tables that hold rows are emptied: truncating every table
takes longer than most of those tests.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg2
from django.conf import settings
from django.db import OperationalError, connections
from django.test import TransactionTestCase
from psycopg2.errors import DeadlockDetected

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "test_template_"
KEPT = {"django_migrations", "django_content_type", "auth_permission"}  # rows that belong to the schema


def copy_from_template() -> None:
    """Have the test databases copied from the migrated one, which is made now if it is missing."""
    name = PREFIX + _state()
    server = _server()
    try:
        with server.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext('test template'))")  # one worker makes it, others wait
            cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
            there = {row[0] for row in cursor.fetchall()}
            if name not in there:
                for old in there:
                    cursor.execute(f'DROP DATABASE "{old}" WITH (FORCE)')
                _build(cursor, name)
    finally:
        server.close()
    connections["default"].settings_dict["TEST"]["TEMPLATE"] = name


def _build(cursor: Any, name: str) -> None:
    making = f"{PREFIX}making"
    cursor.execute(f'CREATE DATABASE "{making}"')
    facts = settings.DATABASES["default"]
    user = facts["USER"] + (f":{facts['PASSWORD']}" if facts.get("PASSWORD") else "")
    host = str(facts["HOST"]).replace("/", "%2F")
    address = f"postgres://{user}@{host}:{facts['PORT'] or 5432}/{making}"
    command = [sys.executable, "-m", "tests.migrating"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": address}, check=True)
    cursor.execute(f'ALTER DATABASE "{making}" RENAME TO "{name}"')


def _state() -> str:
    """Return what tells one state of the migrations from another: their text, the applications, the lock."""
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    digest.update(" ".join(settings.INSTALLED_APPS).encode())
    for path in sorted(ROOT.glob("*/migrations/*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _server() -> Any:
    facts = settings.DATABASES["default"]
    found = psycopg2.connect(
        dbname="postgres",
        user=facts["USER"],
        password=facts["PASSWORD"] or None,
        host=facts["HOST"] or None,
        port=facts["PORT"] or None,
    )
    found.autocommit = True
    return found


def empty_what_holds_rows(test: TransactionTestCase) -> None:
    """Take the place of the flush after a test that commits."""
    for alias in test._databases_names(include_mirrors=False):
        connection = connections[alias]
        tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT
        asked = " UNION ALL ".join(f"SELECT '{t}' WHERE EXISTS (SELECT 1 FROM \"{t}\")" for t in sorted(tables))
        with connection.cursor() as cursor:
            cursor.execute(asked)
            full = [row[0] for row in cursor.fetchall()]
            if full:  # neither foreign keys nor append-only triggers are asked: everything goes
                emptied = "; ".join(f'DELETE FROM "{table}"' for table in full)
                _outlast(cursor, f"SET session_replication_role = replica; {emptied}; RESET session_replication_role")


def _outlast(cursor: Any, sql: str) -> None:
    """Execute; again after a deadlock with a request that the closed browser left on its way."""
    for _attempt in range(5):
        try:
            return cursor.execute(sql)
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
    return cursor.execute(sql)

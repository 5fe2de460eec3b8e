"""What the database holds, asked in SQL: tables, columns, counts, content hashes, sequences."""

import re
from dataclasses import dataclass
from typing import Any

from psycopg2 import sql

# Rows are hashed as text, so everything that decides how values are written is fixed first.
PLAIN_TEXT = """
SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres';
SET LOCAL extra_float_digits = 3; SET LOCAL bytea_output = 'hex'; SET LOCAL search_path = public
"""
TABLES = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
  AND a.attgenerated = ''
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
GROUP BY c.relname ORDER BY c.relname
"""
SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' ORDER BY sequencename"
NAME = re.compile(r"[a-z_][a-z0-9_]*")
SCHEMA_ROWS = frozenset({"django_migrations", "django_content_type", "auth_permission"})  # come with the tables


@dataclass(frozen=True)
class Fingerprint:
    """What two equal tables have in common, in whatever order their rows lie."""

    rows: int
    content: str


def tables(cursor: Any) -> dict[str, list[str]]:
    """Return the columns by table; generated columns are left out, for they make themselves."""
    cursor.execute(TABLES)
    return {name: list(columns) for name, columns in cursor.fetchall()}


def columns_sql(columns: list[str]) -> sql.Composed:
    """Return the columns' names, quoted and separated by commas."""
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)


def fingerprint(cursor: Any, table: str, columns: list[str]) -> Fingerprint:
    """Count and hash a table in the database: the sum of a 64-bit hash of each row, so that order does not matter."""
    asked = sql.SQL(
        "SELECT count(*), coalesce(sum(('x' || left(md5(ROW({columns})::text), 16))::bit(64)::bigint::numeric), 0)::text"
        " FROM ONLY {table}"
    ).format(columns=columns_sql(columns), table=sql.Identifier(table))
    cursor.execute(asked)
    return Fingerprint(*cursor.fetchone())


def sequences(cursor: Any) -> dict[str, list[Any]]:
    """Return [last value, whether it was used] by sequence."""
    cursor.execute(SEQUENCES)
    found = {}
    for (name,) in cursor.fetchall():
        cursor.execute(sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(name)))
        found[name] = list(cursor.fetchone())
    return found


def migrations(cursor: Any) -> list[list[str]]:
    """Return [application, migration] of all that are applied; none when there are no tables yet."""
    cursor.execute("SELECT to_regclass('public.django_migrations') IS NOT NULL")
    if not cursor.fetchone()[0]:
        return []
    cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
    return [list(row) for row in cursor.fetchall()]


def tables_with_rows(cursor: Any) -> list[str]:
    """Return the tables that hold rows, beside those that come with the schema."""
    found = []
    for name in tables(cursor):
        cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(name)))
        if name not in SCHEMA_ROWS and cursor.fetchone()[0]:
            found.append(name)
    return found

"""What a source is, and what is added up from it."""

from collections.abc import Callable
from dataclasses import dataclass

from metrics.sql.ground import Ground


@dataclass(frozen=True)
class Measure:
    """One figure as two aggregates over a source's rows `s`."""

    slug: str
    numerator: str
    denominator: str


@dataclass(frozen=True)
class Source:
    """Rows of one fact table in the windows of a ground.

    Args: rows: builds the SELECT, its columns w, clinic_id, coordinator_id, doctor_id and those the measures name;
    parts: by slug the columns that tell the record's part and its id.
    """

    rows: Callable[[Ground], str]
    measures: tuple[Measure, ...]
    parts: dict[str, tuple[str, str]]
    grouped: Callable[[Ground], str] | None = None  # where a person counts once per group: rows per (w, key, person)


def share(slug: str, column: str = "") -> Measure:
    """Counted of counted and failing."""
    part = f"s.{column or slug}"
    return Measure(
        slug, f"count(*) FILTER (WHERE {part} = 'counted')", f"count(*) FILTER (WHERE {part} IN ('counted', 'failing'))"
    )


def beside(slug: str, flag: str, column: str) -> Measure:
    """Those with a flag, of the same records as the KPI of `column`."""
    of = f"s.{column} IN ('counted', 'failing')"
    return Measure(slug, f"count(*) FILTER (WHERE {of} AND {flag})", f"count(*) FILTER (WHERE {of})")

"""Frozen months: the figures as they stood when a month ended, with the records behind them.

A frozen month is counted as of its last instant, so that it does not matter when it is frozen, or how often:
only what had been recorded by then counts, and counting again as of then gives the same (DOMAIN §6).
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from accounts.windows import EARLIEST, Window, plus_months
from consultations.models import Visit
from metrics.counting import figures
from metrics.figures import Figure
from metrics.kpis import BY_SLUG, DEFINITIONS, KPIS, Kpi
from metrics.models import Snapshot, SnapshotFigure
from metrics.record_keys import keys_of
from metrics.scope import Scope

log = logging.getLogger(__name__)
INSTANT = timedelta(microseconds=1)
FREEZES_AT = timedelta(hours=2)  # after midnight of the 1st, in the clinic's zone
PLACES = Decimal("0.01")


class NotOver(ValueError):
    """The month has not ended in the clinic's zone; the text says so."""


@dataclass(frozen=True)
class Row:
    """One figure as it is stored: of the clinic (coordinator None) or of one coordinator."""

    slug: str
    coordinator: int | None
    numerator: Decimal
    denominator: Decimal
    target: Decimal | None
    counted: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()


def window_of(month: date) -> Window:
    """Return the window of the month that holds the day."""
    return Window.of("month", month)


def as_of(clinic: Clinic, month: date) -> datetime:
    """Return the last instant of the month in the clinic's zone."""
    return clinic.day_bounds(window_of(month).last_day)[1] - INSTANT


@transaction.atomic
def freeze(*, clinic: Clinic, month: date, by: User | None = None, now: datetime) -> Snapshot:
    """Freeze a finished month of a clinic; the frozen month that is there already, if one is.

    Args: month: any day of it; by: None when it happens by itself. Raises: NotOver. Source: DOMAIN §6.
    """
    first, end = window_of(month).start, as_of(clinic, month)
    if now <= end:
        raise NotOver(_("This month has not ended yet."))
    _wait_for_others(clinic)
    found = Snapshot.objects.for_clinic(clinic).filter(month=first).first()
    if found is not None:
        return found  # type: ignore[no-any-return]
    made: Snapshot = Snapshot.objects.create(
        clinic=clinic, month=first, as_of=end, definitions=DEFINITIONS, wording=wording_now(), frozen_at=now,
        frozen_by=by,
    )  # fmt: skip
    SnapshotFigure.objects.bulk_create(
        SnapshotFigure(
            snapshot=made, slug=row.slug, coordinator_id=row.coordinator, numerator=row.numerator,
            denominator=row.denominator, target=row.target, counted=list(row.counted), failing=list(row.failing),
        )
        for row in rows_of(clinic, first, end)
    )  # fmt: skip
    return made


def wording_now() -> dict[str, dict[str, str]]:
    """Return the definitions as they read today: language → KPI's slug → words."""
    words = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            words[language] = {kpi.slug: str(kpi.meaning) for kpi in KPIS}
    return words


def wording_of(snapshot: Snapshot) -> dict[str, str]:
    """Return the definitions as they read when a month was frozen, by slug, in the reader's language.

    Empty for a month that was frozen before words were kept.
    """
    kept: dict[str, dict[str, str]] = snapshot.wording or {}
    return kept.get(translation.get_language() or "") or next(iter(kept.values()), {})


def _wait_for_others(clinic: Clinic) -> None:
    """Let one worker at a time freeze months of a clinic: the second finds what the first one wrote."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('metrics.freeze'), %s)", [clinic.pk])


def rows_of(clinic: Clinic, month: date, moment: datetime | None) -> list[Row]:
    """Count a month of a clinic as of a moment (None: as known now), as rows to be stored or compared."""
    scope, window = Scope((clinic,), as_of=moment), window_of(month)
    by_person = figures(scope, window, by="coordinator")
    rows = []
    for kpi, figure in zip(KPIS, by_person[None], strict=True):
        keys = {part: tuple(keys_of(kpi, scope, window, part)) for part in ("counted", "failing")}
        rows.append(_row(figure, None, **keys))
        rows += [_row(companion, None) for companion in figure.companions.values()]
    for person, theirs in by_person.items():
        if isinstance(person, int) and person:  # 0 and the like stand for nobody
            rows += [_row(one, person) for figure in theirs for one in (figure, *figure.companions.values())]
    return rows


def _row(figure: Figure, person: int | None, counted: tuple[str, ...] = (), failing: tuple[str, ...] = ()) -> Row:
    numbers = (figure.numerator.quantize(PLACES), figure.denominator.quantize(PLACES))
    return Row(figure.of.slug, person, *numbers, figure.target, counted, failing)


def stored_rows(snapshot: Snapshot) -> list[Row]:
    """Return what was frozen."""
    return [
        Row(
            row.slug, row.coordinator_id, row.numerator, row.denominator, row.target, tuple(row.counted),
            tuple(row.failing),
        )
        for row in snapshot.figures.all()
    ]  # fmt: skip


# --- frozen beside live ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Move:
    """A record that counts otherwise now than then; "" is neither in the numerator nor short of it."""

    key: str
    was: str
    now: str


@dataclass(frozen=True)
class Pair:
    """One key figure of the clinic, frozen and now, with the records that made the difference."""

    kpi: Kpi
    frozen: Figure
    live: Figure
    moves: tuple[Move, ...]

    @property
    def differs(self) -> bool:
        return (self.frozen.numerator, self.frozen.denominator) != (self.live.numerator, self.live.denominator)

    @property
    def change(self) -> Decimal | None:
        """By how much the figure now is above the frozen one, in its unit."""
        if self.frozen.value is None or self.live.value is None:
            return None
        return self.live.value - self.frozen.value


def frozen_figures(snapshot: Snapshot) -> dict[str, Figure]:
    """Return the clinic's frozen key figures by slug, with the targets of then."""
    rows = {row.slug: row for row in snapshot.figures.all() if row.coordinator_id is None}
    return {kpi.slug: figure_of(kpi, rows[kpi.slug]) for kpi in KPIS if kpi.slug in rows}


def frozen_people(snapshot: Snapshot) -> dict[int, dict[str, Figure]]:
    """Return each coordinator's frozen key figures by slug."""
    found: dict[int, dict[str, Figure]] = {}
    for row in snapshot.figures.all():
        if row.coordinator_id is not None and row.slug in BY_SLUG:
            found.setdefault(row.coordinator_id, {})[row.slug] = figure_of(BY_SLUG[row.slug], row)
    return found


def figure_of(kpi: Kpi, row: SnapshotFigure | Row) -> Figure:
    """Return a stored row as a figure."""
    return Figure(kpi, row.numerator or Decimal(0), row.denominator or Decimal(0), row.target)


def beside_live(snapshot: Snapshot) -> list[Pair]:
    """Return each key figure as frozen and as known now, in the order of KPIS."""
    stored = {row.slug: row for row in stored_rows(snapshot) if row.coordinator is None}
    now = {row.slug: row for row in rows_of(snapshot.clinic, snapshot.month, None) if row.coordinator is None}
    return [
        Pair(
            kpi, figure_of(kpi, stored[kpi.slug]), figure_of(kpi, now[kpi.slug]),
            tuple(moves(stored[kpi.slug], now[kpi.slug])),
        )
        for kpi in KPIS
        if kpi.slug in stored
    ]  # fmt: skip


def moves(then: Row, now: Row) -> Iterator[Move]:
    """Yield the records that are in another part now than then."""
    was, is_now = _parts(then), _parts(now)
    for key in sorted(was.keys() | is_now.keys(), key=lambda key: (len(key), key)):
        if was.get(key) != is_now.get(key):
            yield Move(key, was.get(key, ""), is_now.get(key, ""))


def _parts(row: Row) -> dict[str, str]:
    return dict.fromkeys(row.failing, "failing") | dict.fromkeys(row.counted, "counted")


@dataclass(frozen=True)
class Replay:
    """A frozen month counted again as of then: how many figures are equal, and which are not."""

    equal: int
    faults: tuple[str, ...]  # slugs, with the coordinator's id behind a colon
    definitions_changed: bool

    @property
    def is_equal(self) -> bool:
        return not self.faults


def replay(snapshot: Snapshot) -> Replay:
    """Count a frozen month again as of its moment and compare numbers and records."""
    then = {_name(row): _facts(row) for row in stored_rows(snapshot)}
    again = {_name(row): _facts(row) for row in rows_of(snapshot.clinic, snapshot.month, snapshot.as_of)}
    names = then.keys() | again.keys()
    nothing = (Decimal(0), Decimal(0), (), ())
    faults = tuple(sorted(name for name in names if then.get(name, nothing) != again.get(name, nothing)))
    return Replay(len(names) - len(faults), faults, snapshot.definitions != DEFINITIONS)


def _name(row: Row) -> str:
    return row.slug if row.coordinator is None else f"{row.slug}:{row.coordinator}"


def _facts(row: Row) -> tuple[Decimal, Decimal, tuple[str, ...], tuple[str, ...]]:
    return row.numerator, row.denominator, tuple(sorted(row.counted)), tuple(sorted(row.failing))


# --- by itself --------------------------------------------------------------------------------------


def months_due(clinic: Clinic, *, now: datetime) -> list[date]:
    """Return the finished months of a clinic that are not frozen, oldest first; from its first visit on."""
    local = now.astimezone(clinic.tz).replace(tzinfo=None) - FREEZES_AT
    latest = plus_months(local.date().replace(day=1), -1)
    received = Visit.objects.for_clinic(clinic).filter(received_at__isnull=False)
    first = received.order_by("received_at").values_list("received_at", flat=True).first()
    if first is None:
        return []
    month = max(first.astimezone(clinic.tz).date().replace(day=1), EARLIEST)
    frozen = set(Snapshot.objects.for_clinic(clinic).values_list("month", flat=True))
    wanted = ((latest.year - month.year) * 12 + latest.month - month.month) + 1
    return [day for n in range(wanted) if (day := plus_months(month, n)) not in frozen]


def freeze_due(*, now: datetime, limit: int = 6) -> int:
    """Freeze what is finished in every clinic, at most `limit` months; returns how many. The rest waits."""
    done = 0
    for clinic in Clinic.objects.active():
        try:
            for month in months_due(clinic, now=now)[: limit - done]:
                freeze(clinic=clinic, month=month, now=now)
                done += 1
        except Exception:  # one clinic's trouble is not the others'
            log.exception("A month of clinic %s could not be frozen", clinic.code)
    return done

"""Frozen months beside the figures as they are known now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.access import StaffRequest, requires
from accounts.models import Clinic, User
from accounts.permissions import Permission
from accounts.reading import whole_number
from metrics.counting import trend
from metrics.described import Described, described, kind_name
from metrics.figures import Figure
from metrics.kpis import DEFINITIONS, KPIS
from metrics.models import DigestSubscription, Snapshot
from metrics.record_keys import fetch
from metrics.scope import Scope
from metrics.services.snapshots import (
    Move,
    Pair,
    beside_live,
    frozen_figures,
    frozen_people,
    replay,
    window_of,
    wording_of,
)
from metrics.words import DASH, STATUS, fraction_text, number_text, rounded, target_text

A_PAGE = 13  # months
SHOWN = 200  # records that made a difference, of one figure


@dataclass(frozen=True)
class Cell:
    """One figure of a month in the list: frozen, and live where it differs."""

    frozen: Figure | None
    live: Figure

    @property
    def differs(self) -> bool:
        held = self.frozen
        return held is not None and (held.numerator, held.denominator) != (self.live.numerator, self.live.denominator)

    @property
    def text(self) -> str:
        return number_text(self.frozen) if self.frozen is not None else DASH

    @property
    def live_text(self) -> str:
        return number_text(self.live)


@dataclass(frozen=True)
class Month:
    """One frozen month in the list."""

    snapshot: Any  # metrics.models.Snapshot
    cells: list[Cell]

    @property
    def differing(self) -> int:
        return sum(cell.differs for cell in self.cells)


@requires(Permission.VIEW_KPIS)
@require_GET
def frozen_months(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """List the frozen months, newest first, each beside what is known of it now; ?page=."""
    rows = Snapshot.objects.for_user(request.user, Permission.VIEW_KPIS).for_clinic(clinic)
    page = Paginator(rows.prefetch_related("figures"), A_PAGE).get_page(whole_number(request.GET.get("page")) or 1)
    wish = DigestSubscription.objects.for_clinic(clinic).filter(user=request.user)
    context = {"page": page, "months": _months(clinic, list(page)), "kpis": KPIS, "wanted": wish.exists()}
    return render(request, "metrics/frozen.html", context)


def _months(clinic: Clinic, snapshots: Sequence[Snapshot]) -> list[Month]:
    """Put the live figures beside frozen ones, counted in as many statements as those of one month."""
    if not snapshots:
        return []
    live = trend(Scope((clinic,)), [window_of(snapshot.month) for snapshot in snapshots])
    months = []
    for snapshot, figures in zip(snapshots, live, strict=True):
        frozen = frozen_figures(snapshot)
        months.append(Month(snapshot, [Cell(frozen.get(figure.of.slug), figure) for figure in figures]))
    return months


@dataclass(frozen=True)
class Line:
    """One figure of a month: frozen, now, the difference, and the records that made it."""

    pair: Pair
    shown: "list[Shown]"
    then: str  # its definition when the month was frozen; "" where that was not kept

    @property
    def frozen(self) -> tuple[str, str]:
        return number_text(self.pair.frozen), fraction_text(self.pair.frozen)

    @property
    def live(self) -> tuple[str, str]:
        return number_text(self.pair.live), fraction_text(self.pair.live)

    @property
    def target(self) -> str:
        return target_text(self.pair.frozen)

    @property
    def status(self) -> tuple[str, Any]:
        return self.pair.frozen.status, STATUS[self.pair.frozen.status]

    @property
    def change(self) -> str:
        """The difference as printed: +1.2; a dash where either has no value."""
        change = self.pair.change
        if change is None:
            return DASH
        return f"{rounded(change):+}" if change else "0"

    @property
    def meaning(self) -> str:
        """The definition then, or today's where no other is known."""
        return self.then or str(self.pair.kpi.meaning)

    @property
    def reworded(self) -> bool:
        """Tell whether today's definition reads otherwise."""
        return bool(self.then) and self.then != str(self.pair.kpi.meaning)

    @property
    def hidden(self) -> int:
        """How many records made a difference beyond those that are listed."""
        return len(self.pair.moves) - len(self.shown)


@dataclass(frozen=True)
class Shown:
    """A record that made a difference, as the page shows it; without `record` when it is gone."""

    move: Move
    record: Described | None
    kind: str

    @property
    def was(self) -> str:
        return _part(self.move.was)

    @property
    def now(self) -> str:
        return _part(self.move.now)


def _part(part: str) -> str:
    return {"counted": _("counted"), "failing": _("not counted")}.get(part, _("not in it"))


@requires(Permission.VIEW_KPIS)
@require_GET
def frozen_month(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """One frozen month beside live with the records that made the difference; ?again=1 counts it as of then."""
    rows = Snapshot.objects.for_user(request.user, Permission.VIEW_KPIS).for_clinic(clinic)
    snapshot: Snapshot = get_object_or_404(rows.select_related("clinic", "frozen_by"), pk=pk)
    pairs = beside_live(snapshot)
    keys = {move.key for pair in pairs for move in pair.moves[:SHOWN]}
    found, words = fetch(sorted(keys)), wording_of(snapshot)
    lines = [Line(pair, _shown(pair, found), words.get(pair.kpi.slug, "")) for pair in pairs]
    context = {
        "snapshot": snapshot,
        "window": window_of(snapshot.month),
        "lines": lines,
        "reworded": sum(line.reworded for line in lines),
        "words_kept": bool(words),
        "differing": sum(pair.differs for pair in pairs),
        "definitions": DEFINITIONS,
        "kpis": KPIS,
        "people": _people(snapshot),
        "replay": replay(snapshot) if request.GET.get("again") else None,
    }
    return render(request, "metrics/frozen_month.html", context)


def _people(snapshot: Snapshot) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return each coordinator's name with value and fraction of every frozen figure."""
    people = frozen_people(snapshot)
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=people)}
    rows = []
    for pk, figures in people.items():
        cells = [figures.get(kpi.slug) for kpi in KPIS]
        rows.append((names[pk], [(number_text(one), fraction_text(one)) if one else (DASH, "") for one in cells]))
    return sorted(rows)


def _shown(pair: Pair, found: dict[str, Any]) -> list[Shown]:
    rows = []
    for move in pair.moves[:SHOWN]:
        record = found.get(move.key)
        name = move.key.partition(":")[0]
        rows.append(Shown(move, described(record) if record is not None else None, kind_name(name)))
    return rows

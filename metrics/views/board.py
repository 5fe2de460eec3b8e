"""The dashboard: ten cards at once; trends, comparison and panels follow each by itself."""

from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.access import StaffRequest, View, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from metrics.counting import figures, trend
from metrics.figures import SMALL_N
from metrics.filters import Asked, BadScope, read_asked
from metrics.panels import PANELS
from metrics.views.board_cards import cards_of
from metrics.views.board_compare import COMPARED, table_of
from metrics.views.board_filters import bar_of
from metrics.views.board_words import window_title


def base_context(request: StaffRequest, clinic: Clinic, asked: Asked) -> dict[str, Any]:
    """Return what every page of the figures needs: the bar, the window in words, when it was counted."""
    return {
        "asked": asked,
        "bar": bar_of(request.GET, request.user, clinic, asked, {}),
        "window_title": window_title(asked.window),
        "beside_title": window_title(asked.beside) if asked.beside else "",
        "now": timezone.now(),
        "query": asked.query(),
        "may_set": request.user.may(Permission.SET_TARGETS, clinic),
        "may_export": request.user.may(Permission.VIEW_KPIS, clinic),
        "small_n": SMALL_N,
    }


def refused(request: StaffRequest, clinic: Clinic, error: BadScope) -> HttpResponse:
    """Say beside the filter what made no sense, with what was chosen kept (400)."""
    if request.htmx and not request.htmx.boosted:
        return render(request, "metrics/_refused.html", {"errors": error.errors.values()}, status=400)
    context = {"bar": bar_of(request.GET, request.user, clinic, None, error.errors), "errors": error.errors}
    return render(request, "metrics/refused.html", context, status=400)


def asked_for(view: View) -> View:
    """Give a view what its address asks for, read once; an address that makes no sense is answered here."""

    @wraps(view)
    def reading(request: StaffRequest, clinic: Clinic, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            asked = read_asked(request.GET, request.user)
        except BadScope as error:
            return refused(request, clinic, error)
        return view(request, clinic, asked, *args, **kwargs)

    return reading


def check_own(asked: Asked, *, for_own: bool) -> None:
    """Refuse what is not for those who see own figures only (raises PermissionDenied)."""
    if asked.is_own and not for_own:
        raise PermissionDenied


@requires(Permission.VIEW_OWN_KPIS)
@require_GET
@asked_for
def dashboard(request: StaffRequest, clinic: Clinic, asked: Asked) -> HttpResponse:
    """Ten cards; with ?trend=1 their trends and changes too, for browsers without scripts."""
    if request.GET.get("trend"):
        cards = _with_trend(asked)
    else:
        cards = cards_of(asked, figures(asked.scope, asked.window)[None])
    context = base_context(request, clinic, asked) | {
        "cards": cards,
        "trend_wanted": not request.GET.get("trend"),
        "panels": [panel for panel in PANELS.values() if panel.for_own or not asked.is_own],
    }
    return render(request, "metrics/dashboard.html", context)


def _with_trend(asked: Asked) -> list[Any]:
    windows = asked.trend
    beside = asked.beside
    extra = [beside] if beside is not None and beside not in windows else []
    counted = trend(asked.scope, [*extra, *windows])
    then = counted[0] if extra else counted[windows.index(beside)] if beside in windows else ()
    return cards_of(asked, counted[-1], counted[len(extra) :], then)


@requires(Permission.VIEW_OWN_KPIS)
@require_GET
@asked_for
def cards(request: StaffRequest, clinic: Clinic, asked: Asked) -> HttpResponse:
    """The ten cards with their trends and changes, put in place of those without."""
    context = base_context(request, clinic, asked) | {"cards": _with_trend(asked)}
    return render(request, "metrics/_cards.html" if request.htmx else "metrics/cards.html", context)


@requires(Permission.VIEW_OWN_KPIS)
@require_GET
@asked_for
def compare(request: StaffRequest, clinic: Clinic, asked: Asked) -> HttpResponse:
    """The figures of each coordinator, team, doctor or clinic side by side."""
    by = request.GET.get("by", "coordinator")
    if by not in COMPARED:
        raise Http404
    context = base_context(request, clinic, asked)
    context |= {"table": table_of(asked, by, request.GET.get("sort", "")), "by": by, "title": _("Comparison")}
    return render(request, "metrics/_compare.html" if request.htmx else "metrics/compare.html", context)


@requires(Permission.VIEW_OWN_KPIS)
@require_GET
@asked_for
def panel(request: StaffRequest, clinic: Clinic, asked: Asked, slug: str) -> HttpResponse:
    """One panel, in its place on the dashboard or on a page of its own."""
    shown = PANELS.get(slug)
    if shown is None:
        raise Http404
    check_own(asked, for_own=shown.for_own)
    context = base_context(request, clinic, asked)
    context |= {"panel": shown, "data": shown.count(asked.scope, asked.window), "panel_template": shown.template}
    return render(request, shown.template if request.htmx else "metrics/panel.html", context)

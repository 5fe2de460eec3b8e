"""Lines of chats as tables: what came of them, what they cost, how that went over time."""

from collections.abc import Callable, Iterable
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.windows import Window
from conversations.reports.counting import WHOLE, Lines, lines
from conversations.reports.figures import KINDS, RESULTS, Line
from conversations.reports.filters import Scope
from conversations.reports.naming import Naming
from conversations.reports.tables import Cell, Column, Row, Table
from conversations.reports.windows import Step, trend_of

ASKED = (*KINDS, *RESULTS)


def labels() -> dict[str, str]:
    """Return what the parts of a line are called."""
    return {
        "effective": _("Effective"), "phone": pgettext("result of a chat", "Phone"), "wechat": _("WeChat"), "qq": "QQ",
        "contact": _("Any contact"), "booking": pgettext("result of a chat", "Booking"), "arrival": _("Arrival"),
        "acceptance": _("Acceptance"),
    }  # fmt: skip


def hints() -> dict[str, str]:
    """Return how the parts of a line are counted."""
    return {
        "effective": _("the visitor wrote at least three messages, about a possible treatment"),
        "contact": _("chats in which phone, WeChat or QQ was given"),
        "booking": _("chats in which a time was agreed"),
        "arrival": _("chats whose patient came to this clinic afterwards, up to now"),
        "acceptance": _("chats whose patient accepted or paid a deposit afterwards, less refunds in full"),
    }


def who(by: str) -> str:
    """Return the head of the first column."""
    return {
        "consultant": _("Consultant"), "team": _("Team"), "channel": _("Channel"), "keyword": _("Keyword"),
        "hour": _("Hour"), "weekday": _("Weekday"), "opening": _("Opening hours"), "week": _("Week"),
        "month": _("Month"),
    }[by]  # fmt: skip


def ordered(found: Lines) -> list[str | None]:
    """Return the keys: the whole first, then by chats, the most first; who is not linked last."""
    return sorted(found, key=lambda key: (key != WHOLE, key is None, -found[key].chats, key or ""))


def _rows(found: Lines, keys: Iterable[str | None], naming: Naming, cells: Callable[..., list[Cell]]) -> list[Row]:
    return [
        Row(naming.name(key), partial(cells, found[key], naming, key), naming.link(key), whole=key == WHOLE)
        for key in keys
    ]


def _share(line: Line, naming: Naming, key: str | None, part: str) -> Cell:
    value = line.share(part)
    return Cell(value, "share", naming.link(key, part) if value.n else "")


def _per(line: Line, naming: Naming, key: str | None, part: str) -> Cell:
    value = line.cost_per(part)
    return Cell(value, "money", naming.link(key, part, costed=True) if value is not None else "")


def _counted(line: Line, naming: Naming, key: str | None) -> Cell:
    return Cell(line.chats, href=naming.link(key) if line.chats else "")


def _result_cells(line: Line, naming: Naming, key: str | None) -> list[Cell]:
    shares = [_share(line, naming, key, part) for part in ("effective", *ASKED)]
    score = Cell(line.score, "score", naming.link(key, "scored") if line.scored else "", _n(line.scored))
    card = Cell(line.card, "score", naming.link(key, "carded") if line.carded else "", _n(line.carded))
    return [_counted(line, naming, key), *shares, score, card]


def _n(number: int) -> str:
    return f"n {number:,}" if number else ""


def results(found: Lines, naming: Naming) -> Table:
    """What came of the chats, per consultant or team."""
    heads = [Column(label, "share", hints().get(part, "")) for part, label in labels().items()]
    heads += [Column(_("Score"), "score", _("mean of the rules' scores"))]
    heads += [Column(_("By managers"), "score", _("mean of the managers' scores that hold"))]
    return Table(
        slug="results",
        title=_("What came of the chats"),
        hint=_("Shares of the chats; credit goes to who wrote the message"),
        columns=[Column(who(naming.by), "text"), Column(_("Chats")), *heads],
        rows=_rows(found, ordered(found), naming, _result_cells),
        sorts=True,
    )


PER = ("chats", "effective", *ASKED)


def _cost_cells(line: Line, naming: Naming, key: str | None) -> list[Cell]:
    costs = [_per(line, naming, key, part) for part in PER]
    spent = Cell(line.cost, "money", naming.link(key, costed=True) if line.costed else "")
    share = line.share("lost")
    lost = Cell(share, "share", naming.link(key, lost=True) if share.n else "")
    href = naming.link(key, lost=True, costed=True) if line.lost_cost else ""
    return [_counted(line, naming, key), spent, *costs, lost, Cell(line.lost_cost, "money", href, tone="lost")]


def costs(found: Lines, naming: Naming) -> Table:
    """What the chats cost, for each and for each result."""
    per = {
        "chats": _("per chat"), "effective": _("per effective chat"), "phone": _("per phone number"),
        "wechat": _("per WeChat"), "qq": _("per QQ"), "contact": _("per contact"),
        "booking": _("per booking"), "arrival": _("per arrival"), "acceptance": _("per acceptance"),
    }  # fmt: skip
    heads = [Column(per[part], "money") for part in PER]
    heads += [
        Column(_("Without contact"), "share"),
        Column(pgettext("money", "Lost"), "money", _("cost of chats without any contact")),
    ]
    without = found[WHOLE].chats - found[WHOLE].costed if WHOLE in found else 0
    notes = [_("%(n)s chats have no known cost and are left out of the costs per result.") % {"n": without}]
    return Table(
        slug="costs",
        title=_("What the chats cost"),
        hint=_("Money spent on chats, for each result"),
        columns=[Column(who(naming.by), "text"), Column(_("Chats")), Column(_("Cost"), "money"), *heads],
        rows=_rows(found, ordered(found), naming, _cost_cells),
        notes=notes if without else [],
        sorts=True,
    )


def _source_cells(line: Line, naming: Naming, key: str | None) -> list[Cell]:
    parts = ("effective", *RESULTS)
    shares = [_share(line, naming, key, part) for part in parts]
    spent = Cell(line.cost, "money", naming.link(key, costed=True) if line.costed else "")
    href = naming.link(key, lost=True, costed=True) if line.lost_cost else ""
    lost = Cell(line.lost_cost, "money", href, tone="lost")
    each = [_per(line, naming, key, part) for part in ("contact", "arrival")]
    return [_counted(line, naming, key), *shares, spent, *each, lost]


def sources(
    found: Lines, naming: Naming, *, title: str, keys: Iterable[str | None] | None = None, limit: int | None = None
) -> Table:
    """Both in one, for channels, keywords and hours."""
    shares = [Column(labels()[part], "share", hints().get(part, "")) for part in ("effective", *RESULTS)]
    money = [
        Column(label, "money") for label in (_("Cost"), _("per contact"), _("per arrival"), pgettext("money", "Lost"))
    ]
    return Table(
        slug=naming.by,
        title=title,
        columns=[Column(who(naming.by), "text"), Column(_("Chats")), *shares, *money],
        rows=_rows(found, ordered(found) if keys is None else keys, naming, _source_cells),
        limit=limit,
        sorts=True,
    )


def over_time(scope: Scope, step: Step) -> list[tuple[Window, Line]]:
    """Return a line for each of 13 weeks or months; as many statements as for one window."""
    windows = trend_of(scope.window, step)
    found = lines(scope.over(Window(windows[0].start, windows[-1].end)), step)
    return [(window, found.get(window.start.isoformat(), Line())) for window in windows]


def _trend_cells(line: Line, naming: Naming, key: str | None) -> list[Cell]:
    shares = [_share(line, naming, key, part) for part in RESULTS]
    href = naming.link(key, lost=True, costed=True) if line.lost_cost else ""
    score = Cell(line.score, "score", naming.link(key, "scored") if line.scored else "", _n(line.scored))
    return [
        _counted(line, naming, key), *shares, _per(line, naming, key, "contact"),
        Cell(line.lost_cost if line.chats else None, "money", href, tone="lost"), score,
    ]  # fmt: skip


def trend(scope: Scope, points: list[tuple[Window, Line]], step: Step) -> Table:
    """How it went: 13 weeks or months, the latest last. Each line leads to the chats of its own days."""
    rows = []
    for window, line in points:
        named = Naming(scope.over(window), "whole")
        label = Naming(scope, step).name(window.start.isoformat())
        rows.append(Row(label, _trend_cells(line, named, WHOLE), named.link(WHOLE)))
    shares = [Column(labels()[part], "share", hints().get(part, "")) for part in RESULTS]
    heads = [Column(_("per contact"), "money"), Column(pgettext("money", "Lost"), "money"), Column(_("Score"), "score")]
    return Table(
        slug="trend",
        title=_("Trend"),
        hint=_("13 weeks") if step == "week" else _("13 months"),
        columns=[Column(who(step), "text"), Column(_("Chats")), *shares, *heads],
        rows=rows,
        sorts=True,
    )

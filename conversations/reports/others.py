"""Losses, speed, endings and bookings as tables."""

from django.utils.translation import gettext as _

from conversations.inspection.codes import CODES, GROUPS
from conversations.models import Conversation
from conversations.reports import service
from conversations.reports.counting import WHOLE, Lines
from conversations.reports.figures import Line, Share
from conversations.reports.losses import KINDS, Loss, Losses
from conversations.reports.naming import Naming, loss_name
from conversations.reports.people import ordered, who
from conversations.reports.service import Limits, Pace
from conversations.reports.tables import Cell, Column, Row, Table, seconds
from followups.models import Appointment
from followups.models.appointments import AbsenceReason

Status = Appointment.Status


def _loss_row(value: str, loss: Loss, whole: Line, naming: Naming, *, indent: bool) -> Row:
    link = naming.link
    href = link(WHOLE, "loss", value)
    part = float(100 * loss.cost / whole.lost_cost) if whole.lost_cost else 0.0
    cells = [
        Cell(Share(loss.chats, whole.chats), "share", href if loss.chats else ""),
        Cell(loss.lost, href=link(WHOLE, "loss", value, lost=True) if loss.lost else ""),
        Cell(loss.cost, "money", link(WHOLE, "loss", value, lost=True, costed=True) if loss.cost else "", tone="lost"),
        Cell(Share(loss.lost, whole.lost), "share", bar=min(100, round(part))),
    ]
    return Row(loss_name(value), cells, href, indent=indent)


def by_kind(found: Losses, whole: Line, naming: Naming) -> Table:
    """Losses by kind, below each its codes; the dearest kind first, chats without any fault last."""
    top = Row(
        naming.name(WHOLE),
        [
            Cell(Share(whole.chats, whole.chats), "share", naming.link(WHOLE)),
            Cell(whole.lost, href=naming.link(WHOLE, lost=True)),
            Cell(whole.lost_cost, "money", naming.link(WHOLE, lost=True, costed=True), tone="lost"),
            Cell(Share(whole.lost, whole.lost), "share"),
        ],
        naming.link(WHOLE),
        whole=True,
    )
    rows = [top]
    kinds = sorted(
        found.kinds, key=lambda kind: (kind in KINDS[-2:], -found.kinds[kind].cost, -found.kinds[kind].chats)
    )
    for kind in kinds:
        rows.append(_loss_row(kind, found.kinds[kind], whole, naming, indent=False))
        codes = [code for code in CODES if CODES[code].group == kind and code in found.codes and code != kind]
        codes.sort(key=lambda code: (-found.codes[code].cost, -found.codes[code].chats))
        rows += [_loss_row(code, found.codes[code], whole, naming, indent=True) for code in codes]
    heads = [
        Column(_("Chats with it"), "share"), Column(_("of them without contact")),
        Column(_("Their cost"), "money"), Column(_("Share of all without contact"), "share"),
    ]  # fmt: skip
    return Table(
        slug="losses",
        title=_("What lost the visitors"),
        hint=_("by kind, the dearest first"),
        columns=[Column(_("What was found"), "text"), *heads],
        rows=rows,
        notes=[
            _(
                "The first line counts the cost of each chat without any contact once. Below, it counts under each "
                "fault that was found in it: the lines overlap and do not add up to the first."
            )
        ],
    )


def loss_matrix(found: dict[str | None, dict[str, Loss]], lines: Lines, naming: Naming) -> Table:
    """Who lost what: for each consultant or team the cost of chats without contact by kind."""
    kinds = [kind for kind in (*GROUPS, "ending.consultant", "nothing") if any(kind in row for row in found.values())]
    rows = []
    for key in ordered({key: lines.get(key, Line()) for key in {*found, *lines} - {WHOLE}}):
        line = lines.get(key, Line())
        total = Cell(
            line.lost_cost, "money", naming.link(key, lost=True, costed=True) if line.lost_cost else "",
            _n(line.lost), "lost",
        )  # fmt: skip
        cells = [_money_cell(found.get(key, {}).get(kind), naming, key, kind) for kind in kinds]
        rows.append(Row(naming.name(key), [total, *cells], naming.head(key)))
    return Table(
        slug="who",
        sorts=True,
        title=_("Who lost what"),
        hint=_("cost of chats without contact, and how many; kinds may overlap"),
        columns=[
            Column(who(naming.by), "text"), Column(_("All, each chat once"), "money"),
            *(Column(loss_name(kind), "money") for kind in kinds),
        ],
        rows=rows,
    )  # fmt: skip


def _money_cell(loss: Loss | None, naming: Naming, key: str | None, kind: str) -> Cell:
    if loss is None:
        return Cell(None, "money")
    href = naming.link(key, "loss", kind, lost=True) if loss.lost else naming.link(key, "loss", kind)
    return Cell(loss.cost, "money", href, _("%(n)s of %(of)s") % {"n": loss.lost, "of": loss.chats})


def _n(number: int) -> str:
    return f"n {number:,}" if number else ""


# --- speed ---------------------------------------------------------------------------------------


def histogram(measure: str, counts: list[int], limits: Limits, naming: Naming) -> Table:
    """How many chats lie in each class of seconds; those over the clinic's limit in the colour of faults."""
    ends = limits.ends(measure)
    limit = limits.reply if measure == "reply" else limits.silence
    starts = [0, *(end + 1 for end in ends)]
    longest, every = max(counts, default=0) or 1, sum(counts)
    rows = []
    for place, count in enumerate(counts):
        last = ends[place] if place < len(ends) else None
        value = f"{starts[place]}-{'' if last is None else last}"
        href = naming.link(WHOLE, measure, value)
        tone = "bad" if count and starts[place] > limit else ""
        cells = [Cell(count, href=href if count else "", tone=tone, bar=round(100 * count / longest))]
        rows.append(
            Row(_from_to(starts[place], last), [*cells, Cell(Share(count, every), "share")], href if count else "")
        )
    title = _("First reply") if measure == "reply" else _("Longest silence")
    head = _("After") if measure == "reply" else _("Lasted")
    return Table(
        slug=measure,
        title=title,
        hint=_("limit %(limit)s") % {"limit": seconds(limit)},
        columns=[Column(head, "text"), Column(_("Chats")), Column(_("Share"), "share")],
        rows=rows,
    )


def _from_to(first: int, last: int | None) -> str:
    if last is None:
        return _("over %(time)s") % {"time": seconds(first - 1)}
    if first == 0:
        return _("up to %(time)s") % {"time": seconds(last)}
    return f"{seconds(first - 1)} – {seconds(last)}"


def _pace_cells(pace: Pace, limits: Limits, naming: Naming, key: str | None) -> list[Cell]:
    cells: list[Cell] = []
    for name, spread in (("reply", pace.reply), ("silence", pace.silence)):
        limit = limits.reply if name == "reply" else limits.silence
        over = naming.link(key, name, f"{limit + 1}-") if spread.over else ""
        cells += [Cell(spread.median, "seconds"), Cell(spread.p90, "seconds")]
        cells += [Cell(Share(spread.over, spread.n), "share", over)]
    return [*cells, Cell(pace.unanswered, href=naming.link(key, "unanswered") if pace.unanswered else "")]


def pace_table(found: dict[str | None, Pace], limits: Limits, naming: Naming) -> Table:
    """Median, nine in ten and how many over the limit, per consultant or team."""
    keys = sorted(found, key=lambda key: (key != WHOLE, key is None, -found[key].reply.n, key or ""))
    one = [Column(_("First reply, median"), "seconds"), Column(_("nine in ten within"), "seconds")]
    one += [Column(_("over %(time)s") % {"time": seconds(limits.reply)}, "share")]
    two = [Column(_("Longest silence, median"), "seconds"), Column(_("nine in ten within"), "seconds")]
    two += [Column(_("over %(time)s") % {"time": seconds(limits.silence)}, "share")]
    return Table(
        slug="pace",
        sorts=True,
        title=_("How quickly"),
        hint=_("chats led; times of consultants, without bots"),
        columns=[Column(who(naming.by), "text"), *one, *two, Column(_("Never answered"))],
        rows=[
            Row(naming.name(key), _pace_cells(found[key], limits, naming, key), naming.head(key), whole=key == WHOLE)
            for key in keys
        ],
    )


Tally = dict[str | None, dict[str, int]]


def endings(found: Tally, naming: Naming) -> Table:
    """How chats end; the greeting ending is the standard, the consultant's a grave fault."""
    kinds = [*Conversation.Ending.values, *([""] if any("" in row for row in found.values()) else [])]
    words = {value: str(label) for value, label in Conversation.Ending.choices} | {"": _("Not inspected yet")}
    rows = []
    for key in _by_total(found):
        every = service.total(found[key])
        cells = []
        for kind in kinds:
            n = found[key].get(kind, 0)
            tone = "bad" if kind == Conversation.Ending.CONSULTANT and n else ""
            cells.append(Cell(Share(n, every), "share", naming.link(key, "ending", kind) if n else "", tone=tone))
        href = naming.link(key)
        rows.append(Row(naming.name(key), [Cell(every, href=href), *cells], href, whole=key == WHOLE))
    heads = [Column(words[kind], "share") for kind in kinds]
    return Table(
        slug="endings",
        sorts=True,
        title=_("How chats end"),
        columns=[Column(who(naming.by), "text"), Column(_("Chats")), *heads],
        rows=rows,
    )


def _by_total(found: Tally) -> list[str | None]:
    return sorted(
        (key for key in found if found[key]),
        key=lambda key: (key != WHOLE, key is None, -service.total(found[key]), key or ""),
    )


def bookings(found: Tally, naming: Naming) -> Table:
    """What became of the appointments that chats were taken over into."""
    statuses = [Status.BOOKED, Status.CONFIRMED, Status.KEPT, Status.NO_SHOW]
    statuses += [Status.CANCELLED_PATIENT, Status.CANCELLED_CLINIC, Status.MOVED]
    rows = []
    for key in _by_total(found):
        counts, every = found[key], service.total(found[key])
        cells = [_status_cell(counts, every, status, naming, key) for status in statuses]
        href = naming.link(key, "coming")
        rows.append(Row(naming.name(key), [Cell(every, href=href), *cells], href, whole=key == WHOLE))
    return Table(
        slug="bookings",
        sorts=True,
        title=_("What became of their bookings"),
        hint=_("appointments that chats were taken over into, where they stand now"),
        columns=[
            Column(who(naming.by), "text"), Column(_("Appointments")),
            *(Column(str(status.label), "share") for status in statuses),
        ],
        rows=rows,
    )  # fmt: skip


def _status_cell(counts: dict[str, int], every: int, status: str, naming: Naming, key: str | None) -> Cell:
    if status == Status.NO_SHOW:
        n, href = service.total(counts, [value for value in counts if value.startswith("no_show")]), "no_show"
        return Cell(Share(n, every), "share", naming.link(key, href) if n else "", tone="bad" if n else "")
    n = counts.get(status, 0)
    return Cell(Share(n, every), "share", naming.link(key, "coming", status) if n else "")


def no_shows(found: Tally, naming: Naming) -> Table:
    """Why those did not come who had booked in a chat."""
    words = {f"no_show:{value}": str(label) for value, label in AbsenceReason.choices}
    words["no_show:"] = _("Not asked yet")
    counts = {value: n for value, n in found.get(WHOLE, {}).items() if value.startswith("no_show")}
    every = service.total(counts)
    rows = []
    for value in sorted(counts, key=lambda value: (value == "no_show:", -counts[value])):
        href = naming.link(WHOLE, "coming", value)
        cells = [Cell(counts[value], href=href, bar=round(100 * counts[value] / max(counts.values())))]
        rows.append(Row(words.get(value, value), [*cells, Cell(Share(counts[value], every), "share")], href))
    return Table(
        slug="no_shows",
        sorts=True,
        title=_("Why they did not come"),
        hint=_("bookings from chats that were not kept"),
        columns=[Column(_("Reason"), "text"), Column(_("No-shows")), Column(_("Share"), "share")],
        rows=rows,
    )

"""The calendar's columns, put together without the template engine: hundreds of appointments make that page.

Times are placed by grid rows of five minutes (classes row-start-N, row-end-N), so nothing needs a style of its own.
"""

from datetime import date, datetime
from operator import itemgetter
from typing import Any
from urllib.parse import quote

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clinic_crm.templatetags import _marks
from clinic_crm.templatetags._board import escape
from clinic_crm.templatetags._format import clock, day

STEP = 5
SOON = 36 * 3600  # seconds before it that an appointment not confirmed yet is marked
SHORT = 45  # minutes: below, everything stands on one line
KINDS: dict[str, str] = {"first": "first", "recheck": "recheck", "return": "return", "treatment": "treatment"}


class _Rows:
    """Where times of a day lie in the drawn rows, and how they are told. Columns share their times: each is asked once."""

    def __init__(self, board: Any) -> None:
        self.top, self.bottom = board.top, board.bottom
        self.tz = timezone.get_current_timezone()
        self._placed: dict[tuple[datetime, datetime, date], str] = {}
        self._told: dict[datetime, str] = {}

    def clock(self, moment: datetime) -> str:
        """The time of day: 10:42."""
        told = self._told.get(moment)
        if told is None:
            told = self._told[moment] = moment.astimezone(self.tz).strftime("%H:%M")
        return told

    def of(self, start: datetime, end: datetime, on: date) -> str:
        """The classes that place a stretch; what lies outside is cut."""
        key = (start, end, on)
        placed = self._placed.get(key)
        if placed is None:
            placed = self._placed[key] = self._place(start, end, on)
        return placed

    def _place(self, starts_at: datetime, ends_at: datetime, on: date) -> str:
        midnight = datetime(on.year, on.month, on.day, tzinfo=self.tz)
        start, end = ((moment - midnight).total_seconds() / 60 for moment in (starts_at, ends_at))
        first = self._row(max(start, self.top))
        last = max(self._row(min(end, self.bottom)), first + 1)
        return f"row-start-{first} row-end-{last}" if end > self.top and start < self.bottom else ""

    def _row(self, minutes: float) -> int:
        return int((minutes - self.top) // STEP) + 1

    def at(self, minutes: int) -> int:
        return self._row(minutes)

    @property
    def count(self) -> int:
        return (self.bottom - self.top) // STEP


def calendar_grid(board: Any, shown: int = 0) -> SafeString:
    """Everything that scrolls (followups.calendar.Board); what a person typed is escaped here."""
    rows = _Rows(board)
    words = {code: escape(label) for code, label in _kind_words().items()}
    pattern = reverse("appointment", args=[0])
    free = _free_url(board)
    parts = [_gutter(board, rows), _overlay(board, rows)]
    for number, column in enumerate(board.columns):
        on_phone = " is-shown" if number == shown else ""
        parts.append(_column(column, board, rows, words, pattern, free, on_phone))
    return mark_safe("".join(parts))  # noqa: S308 - every part is escaped


def _kind_words() -> dict[str, str]:
    return {
        "first": _("First visit"),
        "recheck": _("Recheck"),
        "return": _("Return visit"),
        "treatment": _("Treatment"),
    }


def _gutter(board: Any, rows: _Rows) -> str:
    first = -(-rows.top // 60)
    hours = "".join(
        f'<span class="cal-hour row-start-{rows.at(hour * 60)}">{hour}:00</span>'
        for hour in range(first, rows.bottom // 60 + 1)
        if hour * 60 > rows.top and hour * 60 < rows.bottom
    )
    minutes = _now_minutes(board, rows)
    now = (
        ""
        if minutes is None
        else f'<b class="cal-clock row-start-{rows.at(minutes)}" data-cal-clock>{clock(board.now)}</b>'
    )
    return f'<div class="cal-gutter" aria-hidden="true"><div class="cal-corner"></div><div class="cal-rows">{hours}{now}</div></div>'


def _overlay(board: Any, rows: _Rows) -> str:
    """Lines and bands that lie across all columns, under the appointments."""
    lines = "".join(
        f'<i class="cal-line row-start-{rows.at(minutes)}"></i>'
        for minutes in range(-(-rows.top // 60) * 60, rows.bottom, 60)
    )
    on = board.look.day
    bands = "".join(
        f'<p class="cal-band {place}"><span>{escape(band.words)}</span></p>'
        for band in board.bands
        if (place := rows.of(band.slot.starts_at, band.slot.ends_at, on))
    )
    return f'<div class="cal-over"><div class="cal-rows">{lines}{bands}{_now(board, rows)}</div></div>'


def _now_minutes(board: Any, rows: _Rows) -> int | None:
    local = timezone.localtime(board.now)
    minutes = local.hour * 60 + local.minute
    shown = board.look.today in board.look.days and rows.top <= minutes < rows.bottom
    return minutes if shown else None


def _now(board: Any, rows: _Rows) -> str:
    minutes = _now_minutes(board, rows)
    return "" if minutes is None else f'<i class="cal-now row-start-{rows.at(minutes)}" data-cal-now></i>'


def _free_url(board: Any) -> str:
    """The address that books a free time; doctor or room, day and time are put in."""
    back = quote(reverse("appointments") + board.look.here, safe="/").replace("%", "%%")
    return f"{reverse('appointment_new')}?{board.look.by}=%s&amp;day=%s&amp;at=%s&amp;next={back}"


def _column(column: Any, board: Any, rows: _Rows, words: dict[str, str], pattern: str, free: str, css: str) -> str:
    on = column.day.isoformat()
    head = escape(column.title or f"{date_format(column.day, 'D').replace('星期', '周')} {column.day.day}")
    note = escape(column.note if column.title else "")
    percent = f'<span class="cal-percent">{column.percent}%</span>' if column.percent is not None else ""
    today = " is-today" if column.is_today and board.look.view == "week" else ""
    if board.look.view == "week":
        head = f'<a href="{escape(board.look.query(view="day", day=column.day, col=None))}">{head}</a>'
    # In the order of the day, which is the order of Tab and of reading.
    timed = [(piece.starts_at, _piece(piece, column, on, rows, free)) for piece in column.pieces]
    timed += [(entry.starts_at, _entry(entry, column, board, rows, words, pattern)) for entry in column.entries]
    timed.sort(key=itemgetter(0))
    inner = "".join([_closed(closed, rows, column.day) for closed in column.closed] + [drawn for _at, drawn in timed])
    return (
        f'<section class="cal-col{today}{css}" id="col-{column.key}-{on}" data-col="{column.key}" data-day="{on}" aria-label="{escape(column.title or day(column.day))}">'
        f'<div class="cal-head"><h2>{head}</h2>{percent}<p>{note}</p></div>'
        f'<div class="cal-rows cal-lanes-{column.width}" data-cal-rows>'
        f'<i class="cal-floor row-start-1 row-end-{rows.count + 1}"></i>{inner}</div></section>'
    )


def _closed(closed: Any, rows: _Rows, on: Any) -> str:
    place = rows.of(closed.slot.starts_at, closed.slot.ends_at, on)
    if not place:
        return ""
    if not closed.words:
        return f'<i class="cal-closed {place}"></i>'
    return f'<p class="cal-away {place}"><span>{escape(closed.words)}</span></p>'


def _piece(piece: Any, column: Any, on: str, rows: _Rows, free: str) -> str:
    at = rows.clock(piece.starts_at)
    return (
        f'<a class="cal-free {rows.of(piece.starts_at, piece.ends_at, column.day)}" data-free="{at}" href="{free % (column.key, on, at)}">'
        f"{_marks.icon('plus', 12)}<span>{at}</span></a>"
    )


def _entry(entry: Any, column: Any, board: Any, rows: _Rows, words: dict[str, str], pattern: str) -> str:
    minutes = (entry.ends_at - entry.starts_at).seconds // 60  # within a day
    short = " is-short" if minutes < SHORT else ""
    gone = " is-done" if entry.status == "kept" and entry.left_at else ""
    lane = f" cal-lane-{column.lanes[entry.pk] + 1}" if entry.pk in column.lanes else ""
    url = pattern.replace("/0/", f"/{entry.pk}/")
    fixed = "" if entry.status in ("booked", "confirmed") else ' data-fixed="true"'
    what = words.get(entry.kind, "")
    name, purpose = escape(entry.name), escape(entry.purpose)
    second = "" if short else f'<span class="cal-what">{what}<span class="cal-purpose">{purpose}</span></span>'
    beside = f'<span class="cal-what">{what}</span>' if short else ""
    at = rows.clock(entry.starts_at)
    span = f"{at}–{rows.clock(entry.ends_at)}"
    return (
        f'<a class="cal-appt k-{KINDS.get(entry.kind, "first")}{short}{gone}{lane} {rows.of(entry.starts_at, entry.ends_at, column.day)}" id="a-{entry.pk}"'
        f' href="{url}" hx-get="{url}" hx-target="#dialog-host" data-appt="{entry.pk}" data-minutes="{minutes}"'
        f' data-at="{at}"{fixed} title="{span} {name} {what} {purpose}" draggable="false">'
        f'<span class="cal-who"><b>{name}</b>{beside}{_state(entry, board)}</span>{second}'
        f'<span class="sr-only">{span}</span></a>'
    )


def _state(entry: Any, board: Any) -> str:
    """What became of it, as an icon and a word; nothing for what simply stands."""
    if entry.status == "kept":
        left, here = _("arrived, left again"), pgettext("appointment", "here")  # short: it stands beside the name
        if entry.left_at:
            return f'<span class="cal-state tone-good">{_marks.icon("check", 16, label=left)}</span>'
        return f'<span class="cal-state cal-here">{escape(here)}</span>'
    if entry.status == "no_show" or entry.starts_at < board.now:
        return _said("bad", "circle-alert", _("not here"))
    if entry.status == "booked" and (entry.starts_at - board.now).total_seconds() < SOON:
        return _said("watch", "triangle-alert", _("unconfirmed"))
    return ""


def _said(level: str, icon: str, words: str) -> str:
    return f'<span class="cal-state tone-{level}">{_marks.icon(icon, 14)}<span class="cal-said">{escape(words)}</span></span>'

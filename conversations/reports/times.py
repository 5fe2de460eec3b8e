"""When chats come: the week as a grid of hours."""

from django.utils.translation import gettext as _

from conversations.reports.counting import WHOLE, Lines
from conversations.reports.figures import Line
from conversations.reports.naming import Naming
from conversations.reports.tables import Cell, Column, Row, Table
from followups.models.schedule import Weekday

SHADES = 5  # of the class of a cell, besides none


def week_table(found: Lines, naming: Naming) -> Table:
    """Return seven days of 24 hours, shaded by the number of chats."""
    most = max((line.chats for key, line in found.items() if key != WHOLE), default=0)
    rows = [
        Row(str(Weekday(day - 1).label), [_cell(found, naming, f"{day}-{hour}", most) for hour in range(24)])
        for day in range(1, 8)
    ]
    return Table(
        slug="week",
        title=_("The week"),
        hint=_("chats by weekday and hour, in the clinic's time"),
        columns=[Column(_("Weekday"), "text"), *(Column(str(hour)) for hour in range(24))],
        rows=rows if most else [],
    )


def folded(found: Lines, place: int) -> Lines:
    """Return the lines of weekdays (place 0) or hours (place 1) from those of the hours of the week."""
    together: Lines = {WHOLE: found.get(WHOLE, Line())}
    for key, line in found.items():
        if key is not None and key != WHOLE:
            part = key.split("-")[place]
            together[part] = together.get(part, Line()).plus(line)
    return together


def _cell(found: Lines, naming: Naming, key: str, most: int) -> Cell:
    chats = found.get(key, Line()).chats
    if not chats:
        return Cell(None)
    return Cell(chats, href=naming.link(key), tone=f"heat-{-(-SHADES * chats // most)}")

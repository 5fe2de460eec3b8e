"""The rows of the patient list, put together without the template engine: fifty of them are most of that page."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from clinic_crm.templatetags import _marks
from clinic_crm.templatetags._board import escape
from clinic_crm.templatetags._format import short_day, when


def patient_rows(rows: Iterable[Any], show: Mapping[str, bool]) -> SafeString:
    """A table row for each registration with the columns in `show`; what a person typed is escaped here."""
    words = {
        "nobody": '<span class="muted">' + escape(_("nobody so far")) + "</span>",
        "none": '<span class="muted">' + escape(_("none")) + "</span>",
        "visit": escape(_("Last visit")),
        "next": escape(_("Next appointment")),
        "contact": escape(_("Last contact")),
        "star": " " + _marks.icon("star", 14, "text-watch", _("Important patient")),
    }
    url = reverse("patient", args=[0])
    return mark_safe("\n".join(_row(row, show, words, url) for row in rows))  # noqa: S308 - every part is escaped


def _row(row: Any, show: Mapping[str, bool], words: Mapping[str, str], url: str) -> str:
    patient = row.patient
    href = url.replace("/0/", f"/{row.patient_id}/")
    star = words["star"] if patient.is_important else ""
    name = f'<a class="who cell-link" href="{href}">{escape(patient.name)}</a>'
    cells = [f'<tr><td>{name} <span class="who-meta">{escape(row.who)}</span>{star}</td>']
    cells += [CELLS[column](row, words) for column in CELLS if column in show]
    return f"{''.join(cells)}</tr>"


def _owner(row: Any, words: Mapping[str, str]) -> str:
    return f"<td>{escape(row.owner.full_name) if row.owner_id else words['nobody']}</td>"


def _next(row: Any, words: Mapping[str, str]) -> str:
    coming = row.next_appointment
    return f'<td data-label="{words["next"]}">{when(coming.starts_at) if coming else words["none"]}</td>'


def _tags(row: Any, _words: Mapping[str, str]) -> str:
    return f'<td class="cell-tags">{"".join(f"{_marks.chip(tag)} " for tag in row.tags)}</td>'


CELLS: dict[str, Any] = {
    "class": lambda row, _words: f"<td>{_marks.class_chip(row.patient.class_code)}</td>",
    "complaint": lambda row, _words: f'<td class="wrap cell-wide">{escape(row.complaint)}</td>',
    "owner": _owner,
    "channel": lambda row, _words: f"<td>{escape(row.channel_word)}</td>",
    "visit": lambda row, words: f'<td data-label="{words["visit"]}">{short_day(row.last_visit_on)}</td>',
    "next": _next,
    "contact": lambda row, words: f'<td data-label="{words["contact"]}">{short_day(row.last_contact_on)}</td>',
    "tags": _tags,
    "number": lambda row, _words: f'<td class="who-meta">{escape(row.number)}</td>',
}

"""The key figures on A4, charts drawn as vectors; Chinese is printed without any font file."""

from collections.abc import Sequence
from html import escape
from io import BytesIO
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import KeepTogether, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from metrics.counting import trend
from metrics.figures import Figure
from metrics.filters import Asked
from metrics.kpis import DEFINITIONS, KPIS
from metrics.report_charts import FONT, INK, MUTED, cards_drawing, trends_drawing
from metrics.report_panels import Table, panel_tables
from metrics.reports import Report, gather
from metrics.scope import Breakdown
from metrics.words import STATUS, fraction_text, number_text, target_text
from patients.rights_report import PRINTED

MARGIN = 15 * mm
WIDTH = A4[0] - 2 * MARGIN - 12  # reportlab's frames keep 6 points on each side


def render_pdf(asked: Asked, *, by: Breakdown | None) -> bytes:
    """Return the report of a scope and window as a PDF file of A4 pages; `by` adds the table of persons or others."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    report = gather(asked.scope, asked.window, by=by)
    windows = asked.trend
    history = trend(asked.scope, windows) if windows else []
    out = BytesIO()
    margins = dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), MARGIN)
    title = _("Key figures")
    document = SimpleDocTemplate(out, pagesize=A4, title=title, author=_clinics(report), **margins)
    foot = _Foot(f"{title} · {_clinics(report)} · {_days(report)}")
    document.build(_story(report, asked, history), onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _story(report: Report, asked: Asked, history: Sequence[Sequence[Figure]]) -> list[Any]:
    names = [str(window.start) for window in asked.trend]
    return [
        words(_("Key figures"), 17),
        words(f"{_clinics(report)} · {_days(report)}", 11),
        words(_about(report, asked), 8, textColor=MUTED),
        Spacer(1, 4 * mm),
        cards_drawing(report.whole, history, WIDTH),
        Spacer(1, 4 * mm),
        *_section(_figures_table(report.whole)),
        *(_section(_groups_table(report)) if report.by else []),
        *([_trend_section(report.whole, history, names)] if len(history) > 1 else []),
        *[part for table in panel_tables(asked) for part in _section(table)],
    ]


def _clinics(report: Report) -> str:
    return "、".join(clinic.name for clinic in report.scope.clinics)


def _days(report: Report) -> str:
    return f"{report.window.start:%Y-%m-%d} – {report.window.last_day:%Y-%m-%d}"


def _about(report: Report, asked: Asked) -> str:
    """Return what the figures are of, when they were computed and by which definitions."""
    zone = report.scope.clinics[0].tz
    told = [
        _("computed at %(at)s") % {"at": f"{timezone.localtime(report.computed_at, zone):%Y-%m-%d %H:%M}"},
        _("definitions %(version)s") % {"version": DEFINITIONS},
    ]
    if report.scope.as_of:
        at = f"{timezone.localtime(report.scope.as_of, zone):%Y-%m-%d %H:%M}"
        told.insert(0, _("as it was known at %(at)s") % {"at": at})
    held = [f"{name}={value}" for name, value in asked.pairs if name not in ("window", "day", "from", "to", "compare")]
    return " · ".join([*told, *held])


def _section(table: Table) -> list[Any]:
    """Return a heading and its table; the heading stays with the first rows."""
    head: list[Any] = [Spacer(1, 5 * mm), words(table.title, 12)]
    if table.note:
        head.append(words(table.note, 8, textColor=MUTED))
    if not table.rows:
        return [KeepTogether([*head, words(table.empty or _("Nothing in this window."), 9)])]
    return [KeepTogether([*head, Spacer(1, 1 * mm)]), _ruled(table)]


def _figures_table(whole: Sequence[Figure]) -> Table:
    heads = [_("Key figure"), _("Value"), "n", _("Target"), _("Status"), _("Short by")]
    rows = []
    for number, figure in enumerate(whole, start=1):
        short = str(figure.shortfall) if figure.shortfall else ""
        rows.append([
            f"{number}  {figure.of.name}", number_text(figure), fraction_text(figure), target_text(figure),
            str(STATUS[figure.status]), short,
        ])  # fmt: skip
        rows += [
            [f"· {one.of.name}", number_text(one), fraction_text(one), target_text(one), "", ""]
            for one in figure.companions.values()
        ]
    return Table(_("The ten, and what stands beside them"), heads, rows, widths=(62, 26, 34, 22, 20, 16))


def _groups_table(report: Report) -> Table:
    kinds = {
        "coordinator": _("Coordinator"), "team": _("Team"), "doctor": _("Doctor"), "clinic": _("Clinic"),
        "month": pgettext("month of the year", "Month"),
    }  # fmt: skip
    heads = [kinds[report.by or "coordinator"], *(str(kpi.name) for kpi in KPIS)]
    lines = [(_("all"), report.whole), *((group.name, group.figures) for group in report.groups)]
    rows = [[name, *(_cell(figure) for figure in figures)] for name, figures in lines]
    note = _("Below the value: of how many. A small number says little.")
    return Table(_("Compared"), heads, rows, note=note, widths=(26, *[15.4] * len(KPIS)), size=7)


def _cell(figure: Figure) -> str:
    mark = {"bad": "! ", "watch": "~ "}.get(figure.status, "")
    return f"{mark}{number_text(figure)}\n{fraction_text(figure)}" if figure.denominator else number_text(figure)


def _trend_section(whole: Sequence[Figure], history: Sequence[Sequence[Figure]], names: Sequence[str]) -> Any:
    title = _("Trend over %(n)s periods") % {"n": len(history)}
    note = f"{names[0]} – {names[-1]}" if names else ""
    drawn = trends_drawing(whole, history, names, WIDTH)
    return KeepTogether([Spacer(1, 5 * mm), words(title, 12), words(note, 8, textColor=MUTED), drawn])


def words(text: object, size: float = 9, **more: Any) -> Paragraph:
    """Return a paragraph of plain words."""
    style = ParagraphStyle(
        f"s{size}", fontName=FONT, fontSize=size, leading=size * 1.45, wordWrap="CJK", **{"textColor": INK} | more
    )
    return Paragraph(escape(str(text).translate(PRINTED)).replace("\n", "<br/>"), style)


def _ruled(table: Table) -> LongTable:
    shares = table.widths or (1,) * len(table.heads)
    widths = [WIDTH * share / sum(shares) for share in shares]
    heads = [[words(head, min(table.size, 8), textColor=MUTED) for head in table.heads]]
    lines = [[words(cell, table.size) for cell in row] for row in table.rows]
    drawn = LongTable([*heads, *lines], colWidths=widths, repeatRows=1, splitInRow=1)
    drawn.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.HexColor("#C3CFCC")),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("TOPPADDING", (0, 0), (-1, -1), 1),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
                ("LEFTPADDING", (0, 0), (-1, -1), 1.5),
                ("RIGHTPADDING", (0, 0), (-1, -1), 1.5),
            ]
        )
    )
    return drawn


class _Foot:
    """Prints on each page what it belongs to, and its number."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __call__(self, canvas: Any, document: Any) -> None:
        canvas.setFont(FONT, 7.5)
        canvas.setFillColor(MUTED)
        canvas.drawString(MARGIN, 8 * mm, self.text[:110].translate(PRINTED))
        canvas.drawRightString(A4[0] - MARGIN, 8 * mm, str(canvas.getPageNumber()))

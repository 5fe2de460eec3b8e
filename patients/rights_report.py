"""The report of what is held about a patient, as PDF; Chinese is printed without any font file."""

from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from io import BytesIO
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

FONT = "STSong-Light"  # known to every PDF reader, embedded nowhere
INSET = 6  # points that a frame keeps free on each side
WIDTH = A4[0] - 36 * mm - 2 * INSET
# The font's encoding lacks these; readers would print a box.
PRINTED = str.maketrans({"·": "・", "•": "・", "‧": "・", "∙": "・", "−": "-"})


@dataclass(frozen=True)
class Section:
    """One kind of data: a heading, column heads and rows of words; `note` says more, or why nothing is there."""

    title: str
    heads: list[str]
    rows: list[list[str]]
    note: str = ""


@dataclass(frozen=True)
class Report:
    """All that is printed."""

    title: str
    made: datetime
    made_by: str
    clinic: str
    contact: str  # the clinic's address and telephone, for questions
    sections: list[Section]
    elsewhere: list[str] = field(default_factory=list)


def render_pdf(report: Report) -> bytes:
    """Return the report as a PDF file of A4 pages."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    out = BytesIO()
    margins = {"leftMargin": 18 * mm, "rightMargin": 18 * mm, "topMargin": 16 * mm, "bottomMargin": 16 * mm}
    document = SimpleDocTemplate(out, pagesize=A4, title=report.title, author=report.clinic, **margins)
    document.build(_story(report), onFirstPage=_foot, onLaterPages=_foot)
    return out.getvalue()


def _style(size: float, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(f"s{size}", fontName=FONT, fontSize=size, leading=size * 1.5, wordWrap="CJK", **more)


def _words(text: object, size: float = 9, **more: Any) -> Paragraph:
    return Paragraph(escape(str(text).translate(PRINTED)).replace("\n", "<br/>"), _style(size, **more))


def _story(report: Report) -> list[Any]:
    made = f"{timezone.localtime(report.made):%Y-%m-%d %H:%M}"
    told = _("Made by %(clinic)s, %(who)s, on %(day)s, at the patient's request.")
    story: list[Any] = [
        _words(report.title, 16),
        _words(
            told % {"clinic": report.clinic, "who": report.made_by, "day": made}, textColor=colors.HexColor("#555555")
        ),
    ]
    if report.contact:
        story.append(_words(_("Questions: %(contact)s") % {"contact": report.contact}))
    if report.elsewhere:
        asked = _("Registered too in: %(clinics)s. Ask there for what they hold.")
        story.append(_words(asked % {"clinics": "、".join(report.elsewhere)}))
    for section in report.sections:
        story += [Spacer(1, 5 * mm), _words(section.title, 12, keepWithNext=1)]
        if section.note:
            story.append(_words(section.note, textColor=colors.HexColor("#555555"), keepWithNext=1))
        story.append(_table(section) if section.rows else _words(_("Nothing is held."), 9))
    return story


def _table(section: Section) -> LongTable:
    count = max(1, len(section.heads) or len(section.rows[0]))
    first = 34 * mm if count > 1 else WIDTH
    widths = [first, *([(WIDTH - first) / (count - 1)] * (count - 1))] if count > 1 else [WIDTH]
    lines = [[_words(cell, 8.5) for cell in row] for row in section.rows]
    heads = (
        [[_words(head, 8.5, textColor=colors.HexColor("#555555")) for head in section.heads]] if section.heads else []
    )
    table = LongTable([*heads, *lines], colWidths=widths, repeatRows=len(heads), splitInRow=1)
    rules = [
        ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.HexColor("#cccccc")),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ]
    table.setStyle(TableStyle(rules))
    return table


def _foot(canvas: Any, document: Any) -> None:
    canvas.setFont(FONT, 8)
    canvas.drawRightString(A4[0] - 18 * mm, 9 * mm, str(canvas.getPageNumber()))

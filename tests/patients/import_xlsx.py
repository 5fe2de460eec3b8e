"""Workbooks for tests, written part by part, as other programs write them."""

import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
STYLES = f"""<styleSheet xmlns="{MAIN}"><numFmts count="3">
<numFmt numFmtId="176" formatCode="yyyy&quot;年&quot;m&quot;月&quot;"/>
<numFmt numFmtId="177" formatCode="0.00&quot;day&quot;"/><numFmt numFmtId="178" formatCode="h:mm"/></numFmts>
<cellStyleXfs count="1"><xf numFmtId="14"/></cellStyleXfs>
<cellXfs count="5"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="176"/><xf numFmtId="177"/><xf numFmtId="178"/>
</cellXfs>
</styleSheet>"""


def text(value: str) -> str:
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def row(*cells: str, number: int | None = None, more: str = "") -> str:
    place = f' r="{number}"' if number else ""
    return f"<row{place}{more}>{''.join(c if c.startswith('<c') else text(c) for c in cells)}</row>"


def sheet(*rows: str, merges: tuple[str, ...] = ()) -> str:
    merged = "".join(f'<mergeCell ref="{ref}"/>' for ref in merges)
    merged = f'<mergeCells count="{len(merges)}">{merged}</mergeCells>' if merges else ""
    return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(rows)}</sheetData>{merged}</worksheet>'


def workbook(
    folder: Path, sheets: dict[str, str], *, strings: str = "", date1904: bool = False, name: str = "book.xlsx"
) -> Path:
    """Write a workbook: sheet name → XML of the sheet; `strings` is the inside of the shared string table."""
    path = folder / name
    names = "".join(f'<sheet name="{escape(n)}" sheetId="{i}" r:id="s{i}"/>' for i, n in enumerate(sheets, 1))
    pr = '<workbookPr date1904="1"/>' if date1904 else ""
    relations = "".join(
        f'<Relationship Id="s{i}" Type="{REL}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i, _ in enumerate(sheets, 1)
    )
    relations += f'<Relationship Id="st" Type="{REL}/styles" Target="/xl/styles.xml"/>'
    relations += f'<Relationship Id="ss" Type="{REL}/sharedStrings" Target="sharedStrings.xml"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE}"><Relationship Id="a" Type="{REL}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{REL}">{pr}<sheets>{names}</sheets></workbook>',
        )
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{PACKAGE}">{relations}</Relationships>')
        archive.writestr("xl/styles.xml", STYLES)
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{strings}</sst>')
        for i, xml in enumerate(sheets.values(), 1):
            archive.writestr(f"xl/worksheets/sheet{i}.xml", xml)
    return path

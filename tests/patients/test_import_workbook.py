"""Workbooks: merged, hidden, formula, inline, error and date cells; which sheet; files that would do harm."""

import zipfile
from datetime import date

import openpyxl
import pytest

from patients.importing.errors import ImportRefused
from tests.patients.import_helpers import Result, opened, write
from tests.patients.import_xlsx import MAIN, row, sheet, text, workbook

HEADER = row("姓名", "手机", "来源", "上次联系", "备注")


def planned(folder, *rows, merges=(), **kwargs):
    return Result(workbook(folder, {"名单": sheet(*rows, merges=merges)}, **kwargs))


def number(value, style=0, kind=""):
    return f'<c s="{style}"{kind}><v>{value}</v></c>'


def test_numbers_dates_and_serials(tmp_path):
    result = planned(
        tmp_path,
        HEADER,
        row("一", number("19900000001"), "", number("46213", 1)),
        row("二", number("1.9900000002E10"), "", number("46213.375", 1)),
        row("三", number("19900000003", 3), "", number("46213")),
        row("四", number("19900000004.0"), "", number("46213", 2)),
        row("五", "19900000005", "", number("46213.9999999", 2)),
        row("六", "19900000006", "", '<c t="d"><v>2026-07-10T00:00:00</v></c>'),
    )
    assert result.warnings == []
    days = {taken.row.number: taken.row.last_contact for taken in result.taken}
    assert days == {n: date(2026, 7, 10) for n in (2, 3, 4, 5, 7)} | {6: date(2026, 7, 11)}
    assert [taken.row.phones for taken in result.taken] == [(f"1990000000{i}",) for i in range(1, 7)]


def test_days_count_from_1904_where_the_workbook_says_so(tmp_path):
    result = planned(
        tmp_path,
        HEADER,
        row("一", "19900000001", "", number("44751", 1)),
        row("二", "19900000002", "", number("44751")),
        date1904=True,
    )
    assert {taken.row.last_contact for taken in result.taken} == {date(2026, 7, 10)}


def test_shared_strings_with_rich_text_and_phonetic_guides(tmp_path):
    strings = (
        "<si><t>张三</t><rPh sb='0' eb='1'><t>zhāng</t></rPh></si>"
        "<si><r><t>第一</t></r><r><rPr><b/></rPr><t>第二</t></r></si><si><t>a_x000D_\nb_x005F_x000D_</t></si>"
    )
    cells = '<c t="s"><v>0</v></c>', "19900000001", '<c t="s"><v>1</v></c>', "", '<c t="s"><v>2</v></c>'
    found = planned(tmp_path, HEADER, row(*cells), strings=strings).row(2)
    assert (found.name, found.source, found.note) == ("张三", "第一第二", "a\nb_x000D_")


def test_formulas_count_with_their_stored_value_and_errors_are_empty(tmp_path):
    result = planned(
        tmp_path,
        HEADER,
        row('<c t="str"><f>A1&amp;"x"</f><v>张三</v></c>', "<c><f>1+1</f><v>19900000001</v></c>",
            '<c t="e"><v>#N/A</v></c>',            '<c s="1"><f>TODAY()</f><v>46213</v></c>', "<c><f>NOW()</f></c>"),
    )  # fmt: skip
    found = result.row(2)
    assert (found.name, found.phones, found.source, found.note) == ("张三", ("19900000001",), "", "")
    assert found.last_contact == date(2026, 7, 10)


def test_vertically_merged_value_holds_for_every_row(tmp_path):
    result = planned(
        tmp_path,
        HEADER,
        row("一", "19900000001", "抖音", "", "x"),
        row("二", "19900000002"),
        row("三", "19900000003"),
        row("四", "19900000004"),
        merges=("C2:C4", "E2:E3"),
    )
    assert [taken.row.source for taken in result.taken] == ["抖音", "抖音", "抖音", ""]
    assert [taken.row.note for taken in result.taken] == ["x", "x", "", ""]


def test_horizontally_merged_value_is_the_first_columns(tmp_path):
    found = planned(tmp_path, HEADER, row("一", "19900000001", "抖音"), merges=("C2:D2",)).row(2)
    assert (found.source, found.last_contact, found.warnings) == ("抖音", None, ())


def test_blank_row_inside_a_merged_range_is_no_data(tmp_path):
    result = planned(
        tmp_path, HEADER, row("一", "19900000001", "抖音"), row(), row("三", "19900000003"), merges=("C2:C4",)
    )
    assert [taken.row.number for taken in result.taken] == [2, 4]
    assert result.report["rows"] == 2


def test_headings_across_the_table_totals_and_repeated_headers_are_no_data(tmp_path):
    result = planned(
        tmp_path,
        row("客户名单"),
        HEADER,
        row("—— 8月 ——"),
        row("一", "19900000001"),
        row("姓名", "手机", "来源", "上次联系", "备注"),
        row("不是标题"),
        row("合计", number("1")),
        merges=("A1:E1", "A3:E3", "A6:D6"),
    )
    assert result.table.header.number == 2
    assert [taken.row.number for taken in result.taken] == [4]
    assert result.rejected == {6: "missing_contact"}


def test_cells_right_of_the_table_are_ignored(tmp_path):
    result = planned(
        tmp_path, HEADER, row("一", "19900000001", "", "", "", "", "问王姐"), row("", "", "", "", "", "", "只有这个")
    )
    assert (result.report["rows"], result.rejected) == (1, {})


def test_hidden_rows_are_data_and_short_rows_are_fine(tmp_path):
    result = planned(tmp_path, HEADER, row("一", "19900000001", more=' hidden="1"'), row("二", "19900000002"))
    assert result.report["created"] == 2


def test_rows_and_cells_may_be_left_out(tmp_path):
    cells = '<c r="A5" t="inlineStr"><is><t>一</t></is></c><c r="E5" t="inlineStr"><is><t>x</t></is></c>'
    phone = '<c r="B7"><v>19900000007</v></c><c r="A7" t="inlineStr"><is><t>七</t></is></c>'
    result = planned(
        tmp_path, HEADER, f'<row r="5">{cells}</row>', f'<row r="7">{phone}</row>', row("八", "19900000008")
    )
    assert result.rejected == {5: "missing_contact"}
    assert [(taken.row.number, taken.row.name) for taken in result.taken] == [(7, "七"), (8, "八")]


def test_names_with_a_namespace_prefix(tmp_path):
    xml = sheet(HEADER, row("一", "19900000001", "抖音"), row("二", "19900000002"), merges=("C2:C3",))
    for tag in ("worksheet", "sheetData", "row", "c", "v", "is", "t", "mergeCells", "mergeCell"):
        for end in (" ", ">", "/"):
            xml = xml.replace(f"<{tag}{end}", f"<x:{tag}{end}").replace(f"</{tag}{end}", f"</x:{tag}{end}")
    xml = xml.replace("xmlns=", "xmlns:x=")
    result = Result(workbook(tmp_path, {"a": xml}))
    assert [taken.row.source for taken in result.taken] == ["抖音", "抖音"]


def test_second_line_of_a_header_merged_downwards(tmp_path):
    result = planned(
        tmp_path,
        row("姓名", "性别", "联系方式", "", "来源"),
        row("", "", "手机", "微信"),
        row("一", "男", "19900000001", "wx1", "抖音"),
        merges=("A1:A2", "B1:B2", "C1:D1", "E1:E2"),
    )
    found = result.row(3)
    assert (found.phones, found.wechat, found.source) == (("19900000001",), "wx1", "抖音")
    assert result.report["rows"] == 1


def test_the_sheet_with_a_header_is_taken_or_the_one_named(tmp_path):
    other = sheet(row("来源", "人数"), row("抖音", number("3")))
    data = sheet(HEADER, row("一", "19900000001"))
    small = sheet(row("姓名", "电话", "微信"), row("二", "19900000002", ""))
    path = workbook(tmp_path, {"统计": other, "小": small, "名单": data})
    assert opened(path).sheet == "名单"
    assert opened(path, sheet="小").header.names == ("姓名", "电话", "微信")
    assert opened(path).sheets == ("统计", "小", "名单")
    with pytest.raises(ImportRefused, match="名单"):
        opened(path, sheet="没有")
    with pytest.raises(ImportRefused):
        opened(path, sheet="统计")


def test_what_openpyxl_writes(tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    page.append(["姓名", "手机", "上次联系"])
    page.append(["张三", 19900000001, date(2026, 7, 10)])
    page.append(["李四", "19900000002", "3月5号"])
    book.save(tmp_path / "a.xlsx")
    result = Result(tmp_path / "a.xlsx")
    assert [taken.row.last_contact for taken in result.taken] == [date(2026, 7, 10), date(2026, 3, 5)]


def test_a_bomb_is_not_opened(tmp_path):
    path = workbook(tmp_path, {"a": sheet(HEADER, *["<row/>"] * 5_000_000)})
    assert path.stat().st_size < 500_000
    with pytest.raises(ImportRefused):
        opened(path)


def test_an_endless_directory_is_not_read(tmp_path):
    path = workbook(tmp_path, {"a": sheet(HEADER)})
    data = path.read_bytes()
    at = data.rfind(b"PK\5\6") + 12
    with pytest.raises(ImportRefused):
        opened(write(tmp_path, data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :], "b.xlsx"))


@pytest.mark.parametrize("shared", [True, False])
def test_a_cell_beyond_all_measure_is_refused(tmp_path, shared):
    big = "很" * 1_000_100
    cell = '<c t="s"><v>0</v></c>' if shared else text(big)
    with pytest.raises(ImportRefused):
        planned(tmp_path, HEADER, row("一", "19900000001", cell), strings=f"<si><t>{big}</t></si>" if shared else "")


def test_entities_are_refused(tmp_path):
    evil = f'<!DOCTYPE a [<!ENTITY b "bbbb">]><worksheet xmlns="{MAIN}"><sheetData>{HEADER}</sheetData></worksheet>'
    with pytest.raises(ImportRefused):
        opened(workbook(tmp_path, {"a": evil}))


def test_damaged_workbooks_are_refused(tmp_path):
    whole = workbook(tmp_path, {"a": sheet(HEADER, row("一", "19900000001"))}).read_bytes()
    for data in (whole[: len(whole) // 2], whole[:20], b"PK\3\4" + b"x" * 100, whole.replace(b"sheet1", b"sheetX", 1)):
        with pytest.raises(ImportRefused):
            Result(write(tmp_path, data, "cut.xlsx"))
    with pytest.raises(ImportRefused):
        Result(workbook(tmp_path, {"a": sheet(HEADER)[:-20]}, name="open.xlsx"))
    with zipfile.ZipFile(tmp_path / "no.xlsx", "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(ImportRefused):
        opened(tmp_path / "no.xlsx")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "a.csv"),
        (b"PK\3\4abc", "a.csv"),
        ("姓名,手机,微信".encode(), "a.xlsx"),
        ("姓名,手机,微信".encode(), "a.pdf"),
        ("姓名,手机,微信".encode(), "a.xls"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xlsx"),
        (b"%PDF-1.7", "a.csv"),
        ("来源,人数\n抖音,3\n".encode(), "a.csv"),
    ],
)
def test_what_is_no_list_of_patients_is_refused(tmp_path, data, name):
    with pytest.raises(ImportRefused):
        opened(write(tmp_path, data, name))

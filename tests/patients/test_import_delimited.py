"""Delimited files: encodings, delimiters, line ends, quotes; rows as a spreadsheet numbers them."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.importing.delimited import DelimitedSource
from patients.importing.errors import ImportRefused
from patients.importing.limits import MAX_CELL
from tests.patients.import_helpers import BASIC, Result, opened, planned, write

PEOPLE = ["张三,19900000001,", "李四,19900000002,lisi"]
NAMES = ["张三", "李四"]


def names(result: Result) -> list[str]:
    return [taken.row.name for taken in result.taken]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("gb18030", b""),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16-le", b""),
    ],
)
def test_encoding_delimiter_and_line_end_are_found(tmp_path, encoding, mark, delimiter, end):
    text = end.join([BASIC, *PEOPLE]).replace(",", delimiter)
    result = Result(write(tmp_path, mark + text.encode(encoding)))
    assert (result.table.encoding, result.table.delimiter) == (encoding, delimiter)
    assert names(result) == NAMES
    assert [taken.row.number for taken in result.taken] == [2, 3]


def test_a_file_without_a_last_line_end(tmp_path):
    assert names(planned(tmp_path, BASIC, PEOPLE)) == names(planned(tmp_path, BASIC, [*PEOPLE, ""])) == NAMES


def test_a_comma_in_a_tab_file_is_text(tmp_path):
    result = planned(tmp_path, "姓名\t手机\t微信\t备注", ["张三\t19900000001\t\ta, b, c"])
    assert result.row(2).note == "a, b, c"


def test_quoted_newline_does_not_start_a_row(tmp_path):
    lines = ['张三,19900000001,"第一行\r\n第二行\r\n第三行"', "李四,19900000002,x"]
    result = Result(write(tmp_path, "\r\n".join(["姓名,手机,备注", *lines])))
    assert result.row(2).note == "第一行\n第二行\n第三行"
    assert result.row(3).name == "李四"


def test_blank_rows_titles_and_repeated_headers_count_in_numbers_only(tmp_path):
    lines = [
        "",
        "客户名单,,",
        ",,",
        BASIC,
        "张三,19900000001,",
        "",
        " ,　,\t",
        "姓 名,手机号码,微信号,",
        "李四,19900000002,",
    ]
    result = planned(tmp_path, "导出于 2026-11-20", lines)
    assert result.table.header.number == 5
    assert [taken.row.number for taken in result.taken] == [6, 10]
    assert result.report["rows"] == 2
    assert result.rejected == {}


@pytest.mark.parametrize("first", ["合计", "总计：2", "共计2人", "小计", '"合计"'])
def test_totals_are_no_data(tmp_path, first):
    result = planned(tmp_path, BASIC, [*PEOPLE, f",{first},2", f"{first}"])
    assert result.report["rows"] == 2
    assert result.rejected == {}


def test_quote_that_does_not_open_its_field_is_literal(tmp_path):
    lines = ['张三,19900000001,自称"牙医"介绍', '李四,="19900000002",5" 屏', '王五,19900000003, "a"']
    result = planned(tmp_path, "姓名,手机,备注", lines)
    assert [taken.row.note for taken in result.taken] == ['自称"牙医"介绍', '5" 屏', '"a"']
    assert result.row(3).phones == ("19900000002",)


def test_doubled_quotes_in_a_quoted_field(tmp_path):
    result = planned(tmp_path, "姓名,手机,备注", ['张三,"=""19900000001""","说""再等等"""'])
    assert (result.row(2).phones, result.row(2).note) == (("19900000001",), '说"再等等"')


def test_quote_that_never_closes_costs_its_own_row_at_most(tmp_path):
    lines = ['张三,19900000001,"a, b",x', '李四,19900000002,"没有结束', "王五,19900000003,c", "赵六,19900000004,d"]
    result = planned(tmp_path, "姓名,手机,备注,其他", [lines[0], lines[1] + ",", *(line + "," for line in lines[2:])])
    assert [(t.row.number, t.row.name) for t in result.taken] == [(2, "张三"), (3, "李四"), (4, "王五"), (5, "赵六")]
    assert result.row(3).note == '"没有结束'


def test_quote_that_a_later_field_would_close_costs_no_row_either(tmp_path):
    lines = ['李四,19900000002,"没有结束', '王五,19900000003,"怕疼,再说"', '赵六,19900000004,"说\n""好""" ']
    result = planned(tmp_path, "姓名,手机,备注", lines)
    assert [(t.row.number, t.row.note) for t in result.taken] == [
        (2, '"没有结束'), (3, "怕疼,再说"), (4, '说\n"好"'),
    ]  # fmt: skip


def test_a_damaged_row_of_totals_is_no_data(tmp_path):
    totals = ["合计,2\0,", "小计,\udcff"]
    text = "\n".join([BASIC, PEOPLE[0], *totals, PEOPLE[1]]).encode("utf-8", "surrogateescape")
    assert Result(write(tmp_path, text)).report["rows"] == 2


@pytest.mark.parametrize(
    "line",
    ["赵六,19900000009", "赵六", "赵六,19900000009,,x", "赵六,199\x000000009,", "赵六,19900000009,,,,-"],
)
def test_bad_row_and_no_other(tmp_path, line):
    result = planned(tmp_path, BASIC, [PEOPLE[0], line, PEOPLE[1]])
    assert result.rejected == {3: "bad_row"}
    assert names(result) == NAMES


def test_blank_cells_beyond_the_header_are_fine(tmp_path):
    result = planned(tmp_path, f"{BASIC},,", ["张三,19900000001,,, ,　,"])
    assert names(result) == ["张三"]


@pytest.mark.parametrize(
    ("encoding", "bad"),
    [
        ("utf-8", b"\xff"), ("utf-8", b"\xe5\xbc"), ("gb18030", b"\xff"), ("gb18030", b"\xd5"),
        ("gb18030", b"\x81\x30"), ("utf-16-le", b"\x00\xd8"),
    ],
)  # fmt: skip
def test_bad_bytes_cost_their_own_row_only(tmp_path, encoding, bad):
    mark = codecs.BOM_UTF16_LE if encoding == "utf-16-le" else b""
    comma = ",".encode(encoding)
    lines = [line.encode(encoding) for line in (BASIC, PEOPLE[0], PEOPLE[1])]
    broken = "赵六".encode(encoding) + bad + comma + "19900000009".encode(encoding) + comma
    end = "\n".encode(encoding)
    result = Result(write(tmp_path, mark + end.join([*lines[:2], broken, lines[2], broken])))
    assert result.table.encoding == encoding
    assert result.rejected == {3: "bad_row", 5: "bad_row"}
    assert names(result) == NAMES


def test_half_a_unit_at_the_end_of_utf16(tmp_path):
    data = codecs.BOM_UTF16_LE + "\n".join([BASIC, *PEOPLE]).encode("utf-16-le") + b"\x41"
    assert Result(write(tmp_path, data)).rejected == {3: "bad_row"}


def test_a_few_bad_bytes_do_not_change_the_encoding(tmp_path):
    good = "\n".join([BASIC, *(f"张三丰{i},1990000{i:04d}," for i in range(20))])
    assert opened(write(tmp_path, good.encode() + "\n李四,,".encode("gb18030"))).encoding == "utf-8"
    assert opened(write(tmp_path, good.encode("gb18030") + b"\n\xff\xff,,")).encoding == "gb18030"


def test_header_far_down_is_found(tmp_path):
    assert planned(tmp_path, "说明", ["x;y\tz"] * 5_000 + [BASIC.replace(",", ";"), *PEOPLE[:1]]).rejected == {
        5003: "bad_row"
    }


def test_a_cell_beyond_all_measure_is_refused(tmp_path):
    for cell in ('"' + "x" * (MAX_CELL + 10) + '"', "x" * (MAX_CELL + 10), '"' + "x\n" * MAX_CELL):
        with pytest.raises(ImportRefused, match="2"):
            planned(tmp_path, "姓名,手机,备注", [f"张三,19900000001,{cell}"])


def test_a_long_field_is_kept_whole(tmp_path):
    result = planned(tmp_path, "姓名,手机,备注", [f"张三,19900000001,{'很长' * 20_000}"])
    assert len(result.row(2).note) == 40_000


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=12)


@given(
    rows=st.lists(st.lists(CELL, min_size=2, max_size=5), min_size=1, max_size=8), end=st.sampled_from(["\n", "\r\n"])
)
def test_what_a_spreadsheet_writes_is_read_back(tmp_path_factory, rows, end):
    def quoted(cell: str) -> str:
        special = any(c in cell for c in '",\n') or cell == ""
        return '"' + cell.replace('"', '""') + '"' if special else cell

    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(end.join(",".join(map(quoted, row)) for row in rows).encode())
    read = list(DelimitedSource(path, "utf-8", 0, ",").rows())
    assert [row.cells for row in read] == rows
    assert [row.number for row in read] == list(range(1, len(rows) + 1))


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(tmp_path_factory, data):
    path = write(tmp_path_factory.mktemp("bytes"), BASIC.encode() + b"\n" + data)
    try:
        result = Result(path)
    except ImportRefused:
        return
    report = result.report
    assert report["rows"] == report["created"] + report["updated"] + len(report["merged"]) + len(report["rejected"])

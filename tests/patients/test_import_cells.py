"""What single cells mean: texts, phones, names, sex, class, dates, staff."""

from contextlib import suppress
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.importing import cells, dates
from patients.importing.errors import Unreadable
from patients.importing.staff import StaffDirectory, StaffMember
from patients.importing.text import content, is_totals, kept, without_thousands
from tests.patients.import_helpers import TODAY


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("  张三　", "张三"),
        ("１９９０", "1990"),
        ('="19900149816"', "19900149816"),
        ("'19900149816", "19900149816"),
        ("\t19900149816", "19900149816"),
        ('="\'19900149816"', "19900149816"),
        ("\u200b19900149816\ufeff", "19900149816"),
        ("=1+1", "=1+1"),
        ("@cmd", "@cmd"),
        ("<script>", "<script>"),
        *((word, "") for word in ("无", "暂无", "没有", "-", "--", "/", "NULL", "N/A", "　无 ", "－", "'", '=""', "")),
        ("无名", "无名"),
        ("---", "---"),
    ],
)
def test_content_of_a_cell(raw, said):
    assert content(raw) == said


def test_free_text_keeps_its_own_characters():
    assert kept(" 怕疼，先观察：①（两周） ") == "怕疼，先观察：①（两周）"
    assert kept("a\r\nb\rc") == "a\nb\nc"
    assert kept(" 暂无 ") == ""


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234,567", "1234567"),
        ("12,34", "12,34"),
        ("1,234.50", "1234.50"),
        ("a,123", "a,123"),
        ("1234,567", "1234,567"),
    ],
)
def test_thousands_separators_are_formatting(text, number):
    assert without_thousands(text) == number


@pytest.mark.parametrize("text", ["合计", "合计：12", "总计", "共计 3 人", "小计", "合 计"])
def test_totals(text):
    assert is_totals(text)
    assert not is_totals(f"的{text}")


M1, M2 = "19900012345", "19900067890"


@pytest.mark.parametrize(
    ("text", "numbers", "bad"),
    [
        (M1, [M1], False),
        ("199 0001 2345", [M1], False),
        ("199-0001-2345", [M1], False),
        ("199–0001—2345", [M1], False),
        ("199\u22120001\u20102345", [M1], False),
        ("+86 199 0001 2345", [M1], False),
        ("+86-19900012345", [M1], False),
        ("008619900012345", [M1], False),
        ("8619900012345", [M1], False),
        ("(+86)19900012345", [M1], False),
        ("19900012345.0", [M1], False),
        ("19,900,012,345", [M1], False),
        (f"{M1}(妈妈)", [M1], False),
        (f"(妈妈){M1}", [M1], False),
        (f"{M1}(妈妈/爸爸)", [M1], False),
        (f"{M1}/{M2}", [M1, M2], False),
        (f"{M1} 、 {M2}", [M1, M2], False),
        (f"{M1}/{M1}", [M1], False),
        (f"{M1}/", [M1], False),
        (f"{M1}/无", [M1], False),
        (f"{M1}、打不通", [M1], True),
        ("026-12345678", ["02612345678"], False),
        ("(026)12345678", ["02612345678"], False),
        ("0600-1234567", ["06001234567"], False),
        ("0261234567", ["0261234567"], False),
        ("+86 026 12345678", ["02612345678"], False),
        ("199OO012345", [], True),
        ("1990001234", [], True),
        ("199000123456", [], True),
        ("1.99E+10", [], True),
        ("199****2345", [], True),
        ("12345678", [], True),
        ("00000000000", [], True),
        ("12900012345", [], True),
        ("0012345678901", [], True),
        (f"{M1},{M2}", [], True),
        (f"{M1} {M2}", [], True),
        (f"{M1}转8", [], True),
        ("打不通", [], True),
        ("(妈妈)", [], True),
        ("", [], False),
    ],
)
def test_phones(text, numbers, bad):
    found = cells.read_phones(text)
    assert (list(found.numbers), found.bad) == (numbers, bad)


@given(st.text(max_size=40))
def test_whatever_is_taken_for_a_phone_has_the_digits_of_the_cell_and_no_others(text):
    said = content(text)
    digits = "".join(c for c in said if c in "0123456789")
    for number in cells.read_phones(said).numbers:
        assert number in digits
        assert 10 <= len(number) <= 12


@given(
    st.integers(1_000_000, 9_999_999),
    st.sampled_from(["", "+86", "0086", "86", "+86 ", "+86-"]),
    st.sampled_from(["", " ", "-", "–", "　"]),
    st.sampled_from(["", ".0", "（本人）", "(女儿)"]),
)
def test_every_usual_way_to_write_a_mobile_is_read(tail, code, gap, end):
    number = f"1990{tail}"
    written = f"{code}{number[:3]}{gap}{number[3:7]}{gap}{number[7:]}{end}"
    assert cells.read_phones(content(written)) == ((number,), False)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("叶 明安", "叶明安"),
        ("叶　明安", "叶明安"),
        ("尹子娟先生", "尹子娟"),
        ("曾明仪 女士", "曾明仪"),
        ("Noah Morvane", "NOAH MORVANE"),
        ("ＡＮＮ Lee", "ann lee"),
    ],
)
def test_the_same_name(one, other):
    assert cells.name_key(one) == cells.name_key(other)


@pytest.mark.parametrize(("one", "other"), [("王先生", "王"), ("王先生", "王女士"), ("李明小姐", "李明")])
def test_not_the_same_name(one, other):
    assert cells.name_key(one) != cells.name_key(other)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("叶 明安", "叶明安"),
        ("尹子娟先生", "尹子娟"),
        ("王先生", "王先生"),
        ("Noah  Morvane", "Noah Morvane"),
        ("芒果冰🥭", "芒果冰🥭"),
        ("𠮷 田", "𠮷田"),
        ("O'Brien", "O'Brien"),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
    ],
)
def test_name_as_it_is_shown(written, shown):
    assert cells.display_name(written) == shown
    assert cells.name_key(cells.display_name(written)) == cells.name_key(written)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        *((raw, "C-E") for raw in ("C-E", "CE", "c-e", "ce", "Ｃ－Ｅ", "ＣＥ", " C-E ", "C–E", "C—E", "C−E")),
        *((raw, None) for raw in ("C-F", "CF", "A", "A类", "C", "VIP", "D-E", "C-AB", "c-z", "C--E")),
    ],
)
def test_class(raw, code):
    assert cells.read_class(content(raw)) == code


@pytest.mark.parametrize(
    ("raw", "sex"), [("男", "m"), ("M", "m"), ("女", "f"), ("F", "f"), ("Ｆ", "f"), ("未知", ""), ("男女", "")]
)
def test_sex(raw, sex):
    assert cells.read_sex(content(raw)) == sex


@pytest.mark.parametrize(
    ("text", "phone_text", "name", "phones"),
    [
        ("廖 俊岚", "", "廖俊岚", []),
        ("苏慧雯  19900012345", "", "苏慧雯", [M1]),
        ("田 玉清 199 0001 2345", "", "田玉清", [M1]),
        ("19900012345 苏慧雯", "", "苏慧雯", [M1]),
        ("苏慧雯(19900012345)", "", "苏慧雯", [M1]),
        (M1, "", "", [M1]),
        ("雷承成女士", M1, "雷承成", [M1]),
        ("", M1, "", [M1]),
        ("苏慧雯", "1990001", "苏慧雯", []),
        ("苏慧雯 1990001", "", "苏慧雯", []),
        ("小王2", "", "小王2", []),
        ("Noah Morvane", "", "noahmorvane", []),
    ],
)
def test_referrer_as_name_phone_or_both(text, phone_text, name, phones):
    assert cells.read_referrer(text, phone_text) == (name, tuple(phones))


DAY = date(1985, 3, 7)


@pytest.mark.parametrize(
    "text",
    [
        "1985-03-07", "1985-3-7", "1985/3/7", "1985.3.7", "19850307", "1985年3月7日", "1985年03月07日", "1985年3月7号",
        "民国74年3月7日", "31113", "31,113",
    ],
)  # fmt: skip
@pytest.mark.parametrize("clock", ["", " 9:30", " 09:30:00", " 0:00:00", " 0930", " 上午9:30", " 下午2:30", " 9点30分"])
def test_dates_with_and_without_a_time(text, clock):
    if text.replace(",", "") == "31113" and clock:
        text, clock = "31113.375", ""
    assert dates.read_day(text + clock) == DAY
    assert dates.read_birth(text + clock) == (1985, 3, 7)


def test_time_may_follow_the_day_at_once():
    assert dates.read_moment("1985年3月7日9:30") == (DAY, time(9, 30))
    assert dates.read_moment("1985-03-07T09:30:15") == (DAY, time(9, 30, 15))


@pytest.mark.parametrize(
    "text",
    [
        "0000-00-00", "0000-00-00 00:00:00", "1900/1/0", "1985-02-30", "1979/4/31", "2001/2/29", "19990229",
        "1990-13-07", "四十多岁", "属龙", "去年", "尽快", "85-3-7", "1985", "1985-3/7", "1985-03-07 25:00",
        "1985-03-07 x", "0", "74年3月7日", "198503", "1985-03-07-08", "3月5号",
    ],
)  # fmt: skip
def test_unreadable_dates(text):
    with pytest.raises(Unreadable):
        dates.read_day(text)


def test_year_and_month_are_enough_for_a_birth_alone():
    for text in ("1985.3", "1985-03", "1985/3", "1985年3月"):
        assert dates.read_birth(text) == (1985, 3, None)
        with pytest.raises(Unreadable):
            dates.read_day(text)
    with pytest.raises(Unreadable):
        dates.read_birth("1985.13")


def test_birth_today_is_no_birth_in_the_future():
    assert not dates.read_birth("2026-11-21").after(TODAY)
    assert dates.read_birth("2026-11-22").after(TODAY)
    assert not dates.read_birth("2026.11").after(TODAY)
    assert dates.read_birth("2026.12").after(TODAY)


@pytest.mark.parametrize(
    ("text", "ahead", "day"),
    [
        ("3月5号", False, date(2026, 3, 5)),
        ("3月5日", True, date(2027, 3, 5)),
        ("11月21号", False, TODAY),
        ("11月21号", True, TODAY),
        ("11月22号", False, date(2025, 11, 22)),
        ("11月22号", True, date(2026, 11, 22)),
        ("2月29号", False, date(2024, 2, 29)),
        ("2月29号", True, date(2028, 2, 29)),
        ("2026.4.2", True, date(2026, 4, 2)),
        ("46213", False, date(2026, 7, 10)),
    ],
)
def test_a_day_without_a_year_is_the_nearest_one(text, ahead, day):
    assert dates.read_near(text, today=TODAY, ahead=ahead) == day


def test_an_impossible_day_without_a_year():
    for text in ("2月30号", "13月1号", "上周", "记得联系过"):
        with pytest.raises(Unreadable):
            dates.read_near(text, today=TODAY, ahead=False)


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("9:30", time(9, 30)), ("09:30:00", time(9, 30)), ("0930", time(9, 30)), ("9点30分", time(9, 30)),
        ("9点30", time(9, 30)), ("9点", time(9)), ("上午9:30", time(9, 30)), ("下午2:30", time(14, 30)),
        ("下午12:30", time(12, 30)), ("下午14:30", time(14, 30)), ("0.395833333333333", time(9, 30)),
    ],
)  # fmt: skip
def test_times(text, clock):
    assert dates.read_time(text) == clock


@pytest.mark.parametrize("text", ["25:00", "9:60", "930", "上午", "待定", ""])
def test_unreadable_times(text):
    with pytest.raises(Unreadable):
        dates.read_time(text)


@given(st.dates(date(1906, 1, 1), date(2100, 1, 1)))
def test_serials_count_from_the_end_of_1899(day):
    serial = (day - dates.EPOCH_1900).days
    assert dates.read_day(str(serial)) == day
    if serial - 1462 >= dates.SERIALS[0]:
        assert dates.read_day(str(serial - 1462), epoch=dates.EPOCH_1904) == day


@given(st.text(max_size=30))
def test_any_text_is_a_date_or_unreadable(text):
    for read in (dates.read_day, dates.read_birth, dates.read_time):
        with suppress(Unreadable):
            read(content(text))


def test_staff_by_full_name():
    people = StaffDirectory(
        [StaffMember(1, "谢美林", "doctor"), StaffMember(2, "张伟", "doctor"), StaffMember(3, "张伟", "coordinator")]
    )
    assert people.find("谢 美林", "doctor") == 1
    assert people.find("谢美林医生", "doctor") == 1
    assert people.find("谢美林主任医生", "coordinator") == 1
    assert people.find("张伟老师", "coordinator") == 3
    assert people.find("张伟", "nurse") is None
    for nobody in ("张医生", "王主任", "洪亦舟（离职）", "前台", "谢美", "医生", ""):
        assert people.find(nobody, "doctor") is None

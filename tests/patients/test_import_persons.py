"""Who is the same person, and who brought whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.importing.patient_rules import PatientRules
from patients.importing.plan import Known, make_plan
from tests.patients.import_helpers import TODAY, Result, opened, planned, staff, write

HEADER = "姓名,手机,备用电话,微信,介绍人,介绍人电话"
A, B, C, D = (f"1990000000{i}" for i in range(1, 5))


def rows(folder, *lines, **kwargs):
    return planned(folder, HEADER, [line + "," * (5 - line.count(",")) for line in lines], **kwargs)


def merged(result):
    return dict(result.plan.merged)


def test_same_name_and_a_common_number_is_one_person(tmp_path):
    result = rows(tmp_path, f"张三,{A}", f"张 三先生,,{A}", f"张三,{B},{A}", f"张三,{B}")
    assert merged(result) == {3: 2, 4: 2, 5: 2}
    assert result.report["created"] == 1


def test_families_namesakes_and_wechat_are_different_people(tmp_path):
    result = rows(tmp_path, f"张三,{A}", f"张小三,{A}", f"张三,{B}", "张三,,,wx", "张三,,,wx")
    assert merged(result) == {}
    assert result.report["created"] == 5


def test_rejected_rows_are_nobody(tmp_path):
    result = rows(tmp_path, f",{A}", f"张三,{A}", f"张三,{A}")
    assert merged(result) == {4: 3}


def test_a_row_that_fits_two_earlier_people_goes_into_the_first(tmp_path):
    result = rows(tmp_path, f"张三,{A}", f"张三,{B}", f"张三,{B},{A}")
    assert merged(result) == {4: 2}


def test_merged_rows_keep_their_warnings(tmp_path):
    result = rows(tmp_path, f"张三,{A}", f"张三,{A},x")
    assert result.warnings == [(3, "bad_phone")]


class Clinic:
    """A clinic with patients: id → (name key, phones)."""

    def __init__(self, people, imported=None):
        self.people, self.rows = people, imported or {}

    def with_phones(self, phones):
        return [Known(i, key, n) for i, (key, numbers) in self.people.items() for n in numbers if n in phones]

    def imported(self, fingerprints):
        return {f: self.rows[f] for f in fingerprints if f in self.rows}


def test_people_already_there_are_updated_and_their_other_rows_merged(tmp_path):
    clinic = Clinic({7: ("张三", [A, B]), 8: ("李四", [A])})
    result = rows(tmp_path, f"张三,{A}", f"张三,{B}", f"李四,{C}", f"张三,{D}", existing=clinic)
    report = result.report
    assert (report["updated"], report["created"], merged(result)) == (1, 2, {3: 2})
    assert [taken.patient for taken in result.taken] == [7, None, None, None]


def test_of_two_who_bear_the_number_a_row_means_the_one_it_made(tmp_path):
    lines = [f"张三,{A}", f"张三,{B}", f"张三,{A},{B}"]  # the last gives the first person both numbers
    first = rows(tmp_path, *lines)
    marks = {taken.fingerprint: 7 + taken.person for taken in first.taken if taken.new}
    again = rows(tmp_path, *lines, existing=Clinic({7: ("张三", [A, B]), 8: ("张三", [B])}, marks))
    assert merged(again) == merged(first)
    assert again.report["updated"] == first.report["created"] == 2


def test_rows_without_a_number_are_known_again_one_by_one(tmp_path):
    lines = ["张三,,,wx", "张三,,,wx", "李四,,,wx"]
    first = rows(tmp_path, *lines)
    marks = {taken.fingerprint: 100 + i for i, taken in enumerate(first.taken)}
    assert len(marks) == 3
    again = rows(tmp_path, *lines, existing=Clinic({}, marks))
    assert again.report["updated"] == 3
    assert [taken.patient for taken in again.taken] == [100, 101, 102]


PEOPLE = (f"张三,{A}", f"李四,{B}", f"李小四,{B}", f"王五,{C}", f"王五,{D}")  # rows 2 to 6


@pytest.mark.parametrize(
    ("name", "phone", "outcome"),
    [
        ("", A, 2),
        ("", "+86 199 0000 0001", 2),
        ("张 三女士", A, 2),
        ("李四", B, 3),
        ("李小四", B, 4),
        ("", B, "ambiguous"),
        ("张三", B, "conflict"),
        ("李四", A, "conflict"),
        ("张三", "19900000099", "not_found"),
        ("", "19900000099", "not_found"),
        ("张三", "", 2),
        ("王五", "", "ambiguous"),
        ("王五", D, 6),
        ("赵六", "", "not_found"),
        ("张三", "1990001", 2),
        ("", "1990001", "not_found"),
        ("新人", "", "self"),
        ("", "19900000050", "self"),
        ("无", "/", None),
        (f"张三 {A}", "", 2),
        (f"{A}", "", 2),
        (f"李小四 {B}", "", 4),
    ],
)
def test_who_brought_the_newcomer(tmp_path, name, phone, outcome):
    result = rows(tmp_path, *PEOPLE, f"新人,19900000050,,,{name},{phone}")
    assert {**result.links, **result.open_ends}.get(7) == outcome


def test_referrers_further_down_count_and_rejected_ones_do_not(tmp_path):
    result = rows(tmp_path, f"一,{A},,,三", f"二,{B},,,四", f"三,{C}", "四,")
    assert (result.links, result.open_ends) == ({2: 4}, {3: "not_found"})


def test_the_last_link_that_would_close_a_circle_is_left_out(tmp_path):
    result = rows(tmp_path, f"一,{A},,,二", f"二,{B},,,三", f"三,{C},,,一", f"四,{D},,,一")
    assert (result.links, result.open_ends) == ({2: 3, 3: 4, 5: 2}, {4: "circle"})


def test_a_merged_row_may_name_the_referrer(tmp_path):
    result = rows(tmp_path, f"一,{A}", f"二,{B}", f"一,{A},,,二", f"一,{A},,,三")
    assert (result.links, result.open_ends) == ({2: 3}, {})


PEOPLE_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["甲", "乙乙", "丙丙", "丙 丙先生", "", "无"]),
        st.sampled_from([A, B, f"{A}/{C}", "打不通", "", "无", D]),
        st.sampled_from(["", A, "x", D]),
        st.sampled_from(["", "wx", "-"]),
        st.sampled_from(["", "甲", "丙丙", f"乙乙 {B}", A]),
        st.sampled_from(["", A, C, "y"]),
    ),
    max_size=25,
)


@given(PEOPLE_ROWS)
def test_every_row_has_one_outcome_and_no_referral_goes_in_circles(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("people")
    result = planned(folder, HEADER, [",".join(line) for line in lines])
    report = result.report
    merged_rows, rejected = merged(result), result.rejected
    firsts = set(result.plan.first_rows)
    assert report["rows"] == report["created"] + len(merged_rows) + len(rejected)
    assert not (merged_rows.keys() & rejected.keys() | merged_rows.keys() & firsts | rejected.keys() & firsts)
    assert all(into in firsts and into < row for row, into in merged_rows.items())
    assert len(set(result.warnings)) == len(result.warnings)
    assert not {row for row, _reason in result.warnings} & rejected.keys()
    for start in result.links:
        seen, step = {start}, result.links[start]
        while step in result.links:
            assert step not in seen
            seen.add(step)
            step = result.links[step]


def test_reading_in_chunks_changes_nothing(tmp_path, monkeypatch):
    lines = [f"人{i % 7},1990000{i % 11:04d},,,人{i % 5}," for i in range(60)]
    path = write(tmp_path, "\n".join([HEADER, *lines]))
    whole = Result(path)
    monkeypatch.setattr("patients.importing.plan.CHUNK", 3)
    seen = []
    table = opened(path)
    plan = make_plan(table.rows(), PatientRules(table, staff(), TODAY), Clinic({}), chunk_done=seen.append)
    assert plan.report() == whole.report
    assert seen == [*range(3, 61, 3)]

"""The two real-looking files must be understood to the last row."""

from collections import Counter
from pathlib import Path

import pytest

from patients.importing.plan import Known, Plan
from tests.patients.import_helpers import LIST, SHEET, Result, expected

BOTH = pytest.mark.parametrize("path", [LIST, SHEET], ids=["list", "sheet"])


@pytest.fixture(scope="module")
def results() -> dict[Path, Result]:
    return {LIST: Result(LIST), SHEET: Result(SHEET)}


@BOTH
def test_report_is_as_expected(path, results):
    wanted, report = expected(path), results[path].report
    wanted["merged"] = [{"row": item["row"], "into_row": item["into_row"]} for item in wanted["merged"]]
    for key in ("rows", "created", "updated", "merged", "rejected", "warnings"):
        assert report[key] == wanted[key], key
    assert report["rows"] == report["created"] + report["updated"] + len(report["merged"]) + len(report["rejected"])


@BOTH
def test_header_and_layout_are_found(path, results):
    wanted, table = expected(path), results[path].table
    assert table.header.number == wanted["header_row"]
    assert table.encoding == wanted.get("encoding", "")
    assert table.sheet == wanted.get("sheet", "")


@BOTH
def test_classes_after_merging(path, results):
    classes: dict[int, str] = {}
    for taken in results[path].taken:
        classes[taken.person] = classes.get(taken.person) or taken.row.patient_class
    counts = Counter(code or "none" for code in classes.values())
    assert counts == expected(path)["classes"]


@BOTH
def test_referrals(path, results):
    wanted, result = expected(path)["referrals"], results[path]
    assert result.links == {item["row"]: item["referrer_row"] for item in wanted["resolvable"]}
    assert result.open_ends == {item["row"]: item["why"] for item in wanted["unresolvable"]}


class After:
    """A clinic that holds what a plan imported."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def with_phones(self, phones):
        return [Known(person, key, n) for n in phones for key, person in self.plan.bearers(n).items()]

    def imported(self, fingerprints):
        return {}


def test_sheet_after_list_updates_those_already_there(results):
    report = Result(SHEET, existing=After(results[LIST].plan)).report
    assert {key: report[key] for key in ("created", "updated")} == expected(SHEET)["after"][LIST.name]

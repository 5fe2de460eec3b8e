"""What the tests of the import share: small files, and reading them."""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from patients.importing.headers import PATIENT_COLUMNS
from patients.importing.patient_rules import PatientRow, PatientRules, RejectedRow
from patients.importing.plan import ExistingPatients, NoPatients, Plan, Taken, make_plan
from patients.importing.reader import Table, open_table
from patients.importing.referrals import NobodyElse, Referrals, resolve
from patients.importing.staff import StaffDirectory, StaffMember

FILES = Path(__file__).resolve().parents[3] / "shared" / "data"  # laid beside the repository
TODAY = date(2026, 11, 21)
LIST, SHEET = FILES / "patients_export.csv", FILES / "patients_wechat_sheet.xlsx"
BASIC = "姓名,手机号码,微信号"


def expected(path: Path) -> dict[str, Any]:
    """Return what importing a file must report."""
    found: dict[str, Any] = json.loads(path.with_suffix(".expected.json").read_text())
    return found


def staff() -> StaffDirectory:
    """Return the staff that the files belong to."""
    people = json.loads((FILES / "staff.json").read_text())["staff"]
    return StaffDirectory(StaffMember(i, person["name"], person["role"]) for i, person in enumerate(people, 1))


def write(folder: Path, text: str | bytes, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def opened(path: Path, **kwargs: Any) -> Table:
    return open_table(path, PATIENT_COLUMNS, **kwargs)


class Result:
    """A file planned, its rows at hand."""

    def __init__(self, path: Path, existing: ExistingPatients | None = None, **kwargs: Any) -> None:
        self.table = opened(path, **kwargs)
        self.taken: list[Taken] = []
        rules = PatientRules(self.table, staff(), TODAY)
        self.plan: Plan = make_plan(self.table.rows(), rules, existing or NoPatients(), self.taken.append)
        self.referrals: Referrals = resolve(self.plan, NobodyElse())

    @property
    def report(self) -> dict[str, Any]:
        return self.plan.report()

    def row(self, number: int) -> PatientRow:
        return next(taken.row for taken in self.taken if taken.row.number == number)

    @property
    def rejected(self) -> dict[int, str]:
        return {row: reason.value for row, reason in self.plan.rejected}

    @property
    def warnings(self) -> list[tuple[int, str]]:
        return [(row, reason.value) for row, reason in self.plan.warnings]

    @property
    def links(self) -> dict[int, int]:
        rows = self.plan.first_rows
        return {rows[person]: rows[end.person or 0] for person, end in self.referrals.links}

    @property
    def open_ends(self) -> dict[int, str]:
        return {row: why.value for row, why in self.referrals.unresolvable}


def planned(folder: Path, header: str, lines: Iterable[str] = (), **kwargs: Any) -> Result:
    """Plan a small comma-separated file."""
    return Result(write(folder, "\n".join([header, *lines])), **kwargs)


def one(folder: Path, header: str, cells: Sequence[str]) -> PatientRow | RejectedRow:
    """Read the only row of a tab-separated file (tabs in no cell)."""
    table = opened(write(folder, f"{header.replace(',', chr(9))}\n{chr(9).join(cells)}\n"))
    return PatientRules(table, staff(), TODAY).read(next(table.rows()))

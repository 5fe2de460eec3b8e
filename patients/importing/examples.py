"""A few rows of each kind, by which a person sees what an import does. Names only: no numbers are kept here."""

from collections.abc import Callable, Sequence
from typing import Any

from patients.importing.patient_rules import Reason
from patients.importing.plan import Plan, Taken
from patients.importing.reader import Row, Table
from patients.importing.text import content

MOST = 50
KINDS = ("created", "updated", "merged", "rejected", "warnings")


class Examples:
    """Collects the first rows that were created, updated, merged, rejected or warned of."""

    def __init__(self, table: Table) -> None:
        self._name = [i for i, field in sorted(table.header.fields.items()) if field == "name"]
        self._found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}

    def take(self, taken: Taken) -> None:
        """See a row that is imported."""
        row = taken.row
        kind = "created" if taken.new else "merged" if taken.patient is None else "updated"
        self._add(kind, row.number, row.name)
        if row.warnings:
            self._add("warnings", row.number, row.name, reasons=[reason.value for reason in row.warnings])

    def reject(self, row: Row, reason: Reason) -> None:
        """See a row that is rejected."""
        self._add("rejected", row.number, self._name_in(row.cells), reasons=[reason.value])

    def found(self, plan: Plan) -> dict[str, list[dict[str, Any]]]:
        """Return what was collected, merged rows with the row they went into."""
        into = dict(plan.merged[:MOST])
        for example in self._found["merged"]:
            example["into_row"] = into.get(example["row"])
        return self._found

    def _add(self, kind: str, number: int, name: str, **more: Any) -> None:
        if len(self._found[kind]) < MOST:
            self._found[kind].append({"row": number, "name": name[:60], **more})

    def _name_in(self, cells: Sequence[str]) -> str:
        names = (content(cells[i]) for i in self._name if i < len(cells))
        return next(filter(None, names), "").replace("\0", "").encode(errors="ignore").decode()


def each(*takers: Callable[[Taken], None]) -> Callable[[Taken], None]:
    """Return a function that hands a row to all of them."""

    def take(taken: Taken) -> None:
        for taker in takers:
            taker(taken)

    return take

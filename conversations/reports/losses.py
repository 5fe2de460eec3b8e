"""What lost the visitors, and what those chats had cost.

A chat is *lost* when nobody got any contact in it. Its cost counts once in the total; by kind and code it counts
under each that was found in it, so these may overlap and add up to more than the total.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from conversations.inspection.codes import CODES, GROUPS
from conversations.reports import sql
from conversations.reports.filters import Scope

# Beside the groups of codes: how the chat ended, and chats without any finding.
ALSO = ("ending.consultant", "nothing", "uninspected")
KINDS = (*GROUPS, *ALSO)
NAMES = (*CODES, *ALSO)


@dataclass(frozen=True)
class Loss:
    """Chats in which a fault was found; those of them that were lost, and their cost in yuan."""

    chats: int = 0
    lost: int = 0
    cost: Decimal = Decimal(0)


@dataclass(frozen=True)
class Losses:
    """Losses by kind and by code."""

    kinds: dict[str, Loss]
    codes: dict[str, Loss]


def kind_of(value: str) -> str:
    """Return the kind that a code belongs to; what is no code is its own kind."""
    return CODES[value].group if value in CODES else value


def losses(scope: Scope) -> Losses:
    """Return the losses of a scope by kind and by code; one statement."""
    kinds: dict[str, Loss] = {}
    codes: dict[str, Loss] = {}
    for row in _counted(scope, "whole"):
        found = sql.unfolded(row["mask"], NAMES)
        _add(codes, found, row)
        _add(kinds, {kind_of(value) for value in found}, row)
    return Losses(kinds, codes)


def losses_by(scope: Scope, by: str) -> dict[str | None, dict[str, Loss]]:
    """Return the losses of each key of `by` by kind; one statement."""
    found: dict[str | None, dict[str, Loss]] = {}
    for row in _counted(scope, by):
        kinds = {kind_of(value) for value in sql.unfolded(row["mask"], NAMES)}
        _add(found.setdefault(row["key"], {}), kinds, row)
    return found


def _counted(scope: Scope, by: str) -> list[dict[str, Any]]:
    """Count chats by key and by which faults they have; by consultant by those the person is blamed for."""
    person = "person" if by == "consultant" else "NULL::bigint"
    statement = f"""
WITH {sql.CHATS}, {sql.GOT}, losses AS ({sql.LOSS}),
faults AS (SELECT id, {person} AS person, {sql.FOLD} AS mask FROM losses {sql.NAMED} WHERE {sql.OURS} GROUP BY 1, 2)
SELECT {sql.KEYS[by]} AS key, mask, count(*) AS chats, count(*) FILTER (WHERE got.id IS NULL) AS lost,
       coalesce(sum(cost) FILTER (WHERE got.id IS NULL), 0) AS cost
FROM faults JOIN chats USING (id) LEFT JOIN got USING (id) GROUP BY 1, 2"""  # noqa: S608 - constants
    return sql.run(statement, scope.values() | {"names": list(NAMES)})


def _add(found: dict[str, Loss], values: Iterable[str], row: dict[str, Any]) -> None:
    for value in values:
        had = found.get(value, Loss())
        found[value] = Loss(had.chats + row["chats"], had.lost + row["lost"], had.cost + row["cost"])

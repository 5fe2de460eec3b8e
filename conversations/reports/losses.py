"""What lost the visitors, and what those chats had cost.

A chat is *lost* when nobody got any contact in it. Its cost counts once in the total; by kind and code it counts
under each that was found in it, so these may overlap and add up to more than the total.
"""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from conversations.inspection.codes import CODES, GROUPS
from conversations.reports import sql
from conversations.reports.filters import Scope
from conversations.reports.folding import LOST, Facts, counted

# Beside the groups of codes: how the chat ended, and chats without any finding.
ALSO = ("ending.consultant", "nothing", "uninspected")
KINDS = (*GROUPS, *ALSO)
NAMES = (*CODES, *ALSO)


def kind_of(value: str) -> str:
    """Return the kind that a code belongs to; what is no code is its own kind."""
    return CODES[value].group if value in CODES else value


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


BITS = {name: 2 << place for place, name in enumerate(("chat", *NAMES))}
CASES = " ".join(f"WHEN '{code}' THEN {BITS[code]}" for code in CODES)
NOTHING, UNINSPECTED, ENDED = (BITS[name] for name in ("nothing", "uninspected", "ending.consultant"))
FACTS = Facts(
    given=f"""
SELECT chats.id, chats.consultant_id, f.user_id AS person, CASE f.code {CASES} ELSE 0 END::bigint AS bits
FROM chats JOIN conversations_finding f ON f.conversation_id = chats.id AND f.withdrawn_at IS NULL""",  # noqa: S608
    base=f"""
CASE WHEN known.id IS NULL THEN {LOST}::bigint ELSE 0 END
| CASE WHEN ending = 'consultant' THEN {ENDED} WHEN got.id IS NOT NULL THEN 0
       WHEN inspected_at IS NULL THEN {UNINSPECTED} ELSE {NOTHING} END""",
    first=f", {sql.GOT.replace('got AS', 'known AS')}",
    also="LEFT JOIN known ON known.id = chats.id",
    shared=f"CASE WHEN known.id IS NULL THEN {LOST} ELSE 0 END",
    masks={f"code {name}": BITS[name] for name in NAMES}
    | {f"kind {kind}": sum(BITS[name] for name in NAMES if kind_of(name) == kind) for kind in KINDS},
)


def losses(scope: Scope) -> Losses:
    """Return the losses of a scope by kind and by code; one statement."""
    return losses_by(scope, "whole")[0]


def losses_by(scope: Scope, by: str) -> tuple[Losses, dict[str | None, dict[str, Loss]]]:
    """Return the losses of a scope, and of each key of `by` its losses by kind; one statement.

    By consultant a fault counts for whoever wrote it, by team for the team of each.
    """
    whole, found = Losses({}, {}), defaultdict[str | None, dict[str, Loss]](dict)
    for row in counted(scope, (by,), FACTS):
        sort, _space, name = row["name"].partition(" ")
        loss = Loss(row["n"], row["lost"], row["lost_cost"])
        if row["place"] < 0:
            (whole.kinds if sort == "kind" else whole.codes)[name] = loss
        elif sort == "kind":
            found[row["key"]][name] = loss
    return whole, dict(found)

"""How quickly consultants answer, how long they keep silent, how chats end, what became of the bookings."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from conversations.inspection import Rules, RulesError
from conversations.models import RuleSet
from conversations.reports import sql
from conversations.reports.counting import WHOLE
from conversations.reports.filters import Scope

MEASURES = {"reply": "first_reply_seconds", "silence": "longest_silence_seconds"}
STEPS = {"reply": (10, 30, 60, 120, 300), "silence": (30, 60, 120, 180, 300, 600)}


@dataclass(frozen=True)
class Limits:
    """The clinic's standards, in seconds; more is too long."""

    reply: int
    silence: int

    @classmethod
    def of(cls, scope: Scope) -> "Limits":
        """Return those of the rules in force; one statement."""
        saved = RuleSet.objects.for_clinic(scope.clinic).filter(is_active=True).values_list("data", flat=True).first()
        try:
            rules = Rules.from_data(saved) if saved is not None else Rules.builtin()
        except RulesError:
            rules = Rules.builtin()
        return cls(int(rules.first_reply_seconds), int(rules.silence_seconds))

    def ends(self, measure: str) -> list[int]:
        """Return the last second of each class of a histogram but the open one; the limit is always one of them."""
        return sorted({*STEPS[measure], self.reply if measure == "reply" else self.silence})


@dataclass(frozen=True)
class Spread:
    """One measure of one consultant or of all: how many, the middle, nine in ten, how many over the limit."""

    n: int = 0
    median: float | None = None
    p90: float | None = None
    over: int = 0


@dataclass(frozen=True)
class Pace:
    """Both measures, and the chats that were never answered."""

    reply: Spread = field(default_factory=Spread)
    silence: Spread = field(default_factory=Spread)
    unanswered: int = 0


def paces(scope: Scope, by: str, limits: Limits) -> dict[str | None, Pace]:
    """Return the pace of each key of `by`, and of the whole under WHOLE; one statement."""
    parts = ", ".join(
        f"count({column}) AS {name}_n, count(*) FILTER (WHERE {column} > %({name})s) AS {name}_over, "
        f"percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY {column}) AS {name}_at"
        for name, column in MEASURES.items()
    )
    statement = f"""
WITH {sql.CHATS}
SELECT key, grouping(key) AS whole, count(*) FILTER (WHERE first_reply_seconds IS NULL) AS unanswered, {parts}
FROM (SELECT {sql.KEYS[by]} AS key, first_reply_seconds, longest_silence_seconds
      FROM (SELECT chats.*, consultant_id AS person FROM chats) mine {sql.SENDER_TEAM} WHERE {sql.OURS}) led
GROUP BY GROUPING SETS ((key), ())"""  # noqa: S608 - constants
    values = scope.values() | {"reply": limits.reply, "silence": limits.silence}
    return {WHOLE if row["whole"] else row["key"]: _pace(row) for row in sql.run(statement, values)}


def _pace(row: dict[str, Any]) -> Pace:
    both = []
    for name in MEASURES:
        median, p90 = row[f"{name}_at"] or (None, None)
        both.append(Spread(row[f"{name}_n"], median, p90, row[f"{name}_over"]))
    return Pace(both[0], both[1], row["unanswered"])


def histograms(scope: Scope, limits: Limits) -> dict[str, list[int]]:
    """Return for each measure how many chats lie in each class (Limits.ends, then the open one); one statement."""
    columns = ", ".join(f"width_bucket({column}, %({name})s::int[]) AS {name}" for name, column in MEASURES.items())
    statement = f"""
WITH {sql.CHATS}
SELECT {columns}, count(*) AS n
FROM (SELECT chats.*, consultant_id AS person FROM chats) mine {sql.SENDER_TEAM} WHERE {sql.OURS} GROUP BY 1, 2"""  # noqa: S608
    starts = {name: [end + 1 for end in limits.ends(name)] for name in MEASURES}
    found = {name: [0] * (len(starts[name]) + 1) for name in MEASURES}
    for row in sql.run(statement, scope.values() | starts):
        for name in MEASURES:
            if row[name] is not None:
                found[name][row[name]] += row["n"]
    return found


def tally(scope: Scope, by: str, relation: str, column: str = "what") -> dict[str | None, dict[str, int]]:
    """Return how many chats each key of `by` has with each value of a relation's `what` (or of a chat's column).

    One statement; the whole is under WHOLE.
    """
    statement = f"""
WITH {sql.CHATS}, facts AS ({sql.RELATIONS[relation]})
SELECT key, what, grouping(key) AS whole, count(*) AS n
FROM (SELECT {"" if relation == "led" else "DISTINCT"} id, {sql.KEYS[by]} AS key, {column} AS what
      FROM facts JOIN chats USING (id) {sql.SENDER_TEAM} WHERE {sql.OURS}) told
GROUP BY GROUPING SETS ((key, what), (what))"""  # noqa: S608 - constants
    found: dict[str | None, dict[str, int]] = {WHOLE: {}}
    for row in sql.run(statement, scope.values()):
        found.setdefault(WHOLE if row["whole"] else row["key"], {})[row["what"]] = row["n"]
    return found


def total(counts: dict[str, int], values: Iterable[str] | None = None) -> int:
    return sum(n for value, n in counts.items() if values is None or value in values)

"""What the chats of a scope come to, grouped; a fixed number of statements, each fact table read once in each."""

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

from conversations.reports import sql
from conversations.reports.figures import KINDS, RESULTS, Line
from conversations.reports.filters import Scope

Lines = dict[str | None, Line]
WHOLE = "*"  # the key of the whole scope
NAMES = (*KINDS, *RESULTS[1:])  # what the relations say; any contact follows from its kinds


def lines(scope: Scope, by: str) -> Lines:
    """Return a line for each key of `by` (sql.KEYS) and one for the whole under WHOLE.

    By consultant a fact counts for each person credited with it; in the whole each chat counts once. Three
    statements.
    """
    found = _led(scope, by)
    _put_facts(scope, by, found)
    for row in _cards(scope, by):
        key = WHOLE if row["whole"] else row["key"]
        found[key] = replace(found.get(key, Line()), card=row["score"], carded=row["n"])
    return found


def _led(scope: Scope, by: str) -> Lines:
    statement = f"""
WITH {sql.CHATS}, {sql.GOT}
SELECT key, grouping(key) AS whole, count(*) AS chats, count(*) FILTER (WHERE is_effective) AS effective,
       count(cost) AS costed, count(cost) FILTER (WHERE is_effective) AS costed_effective,
       coalesce(sum(cost), 0) AS cost, count(*) FILTER (WHERE lost) AS lost,
       coalesce(sum(cost) FILTER (WHERE lost), 0) AS lost_cost, avg(score) AS score, count(score) AS scored
FROM (
  SELECT {sql.KEYS[by]} AS key, cost, is_effective, score, lost
  FROM (SELECT chats.*, consultant_id AS person, got.id IS NULL AS lost FROM chats LEFT JOIN got USING (id)) led
  WHERE {sql.OURS}
) rows GROUP BY GROUPING SETS ((key), ())"""  # noqa: S608 - constants
    names = ("chats", "effective", "costed", "costed_effective", "cost", "lost", "lost_cost", "score", "scored")
    rows = sql.run(statement, scope.values(opening=by == "opening"))
    return {WHOLE if row["whole"] else row["key"]: Line(**{name: row[name] for name in names}) for row in rows}


def _put_facts(scope: Scope, by: str, found: Lines) -> None:
    """Add contacts, bookings, arrivals and acceptances to each key, and to the whole.

    A chat may have several people to credit, so by consultant the whole is not the sum of the lines: the facts are
    folded both by chat and person and by chat alone, in one reading.
    """
    people, sets = ("person", "(id, person), (id)") if by == "consultant" else ("NULL::bigint", "(id)")
    folded = "grouping(person) = 1" if by == "consultant" else "NULL::boolean"
    statement = f"""
WITH {sql.CHATS},
facts AS ({sql.CONTACT} UNION ALL {sql.BOOKING} UNION ALL SELECT * FROM ({sql.ARRIVAL}) came
          UNION ALL {sql.ACCEPTANCE}),
flags AS (
  SELECT id, {people} AS person, {folded} AS folded, {sql.FOLD} AS mask
  FROM facts {sql.NAMED} WHERE {sql.OURS} GROUP BY GROUPING SETS ({sets})
)
SELECT CASE WHEN folded THEN '' ELSE {sql.KEYS[by]} END AS key, folded, mask, count(*) AS chats, count(cost) AS paid
FROM flags JOIN chats USING (id) GROUP BY 1, 2, 3"""  # noqa: S608 - constants
    tallies: dict[str | None, tuple[Counter[str], Counter[str]]] = defaultdict(lambda: (Counter(), Counter()))
    for row in sql.run(statement, scope.values(opening=by == "opening") | {"names": list(NAMES)}):
        names = sql.unfolded(row["mask"], NAMES)
        names += ["contact"] if {*names} & {*KINDS} else []
        # Where both were folded, the lines come of the one and the whole of the other; else the whole is their sum.
        for key in {None: (row["key"], WHOLE), False: (row["key"],), True: (WHOLE,)}[row["folded"]]:
            for name in names:
                tallies[key][0][name] += row["chats"]
                tallies[key][1][name] += row["paid"]
    for key, (counts, paid) in tallies.items():
        found[key] = replace(found.get(key, Line()), found=dict(counts), paid=dict(paid))


def _cards(scope: Scope, by: str) -> list[dict[str, Any]]:
    """Means of the managers' scores that hold."""
    statement = f"""
WITH {sql.CHATS}, cards AS ({sql.CARD})
SELECT key, grouping(key) AS whole, avg(score) AS score, count(*) AS n
FROM (SELECT {sql.KEYS[by]} AS key, what::numeric AS score FROM cards JOIN chats USING (id) WHERE {sql.OURS}) rows
GROUP BY GROUPING SETS ((key), ())"""  # noqa: S608 - constants
    return sql.run(statement, scope.values(opening=by == "opening"))

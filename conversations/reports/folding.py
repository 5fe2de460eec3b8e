"""Counting what chats come to, by who is credited and by any grouping, in one statement however many groupings.

Each table of facts is read once. What is known of a chat is folded into one number, a bit for each name, so chats
that are alike are counted together before anything is summed up.

A chat gives a row for who led it (`led`), and one more for everybody else who is credited with something in it
(`others`, few). `bits` is what that person did, `every` what was done in the chat by anyone: it stands on one row of
each chat, so the whole and what does not ask for people count each chat once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conversations.reports import sql
from conversations.reports.filters import Scope

WHOLE = "*"  # the key of the whole scope
CREDITED = ("consultant", "team")  # groupings that ask who did it
LOST = 1  # the bit of chats in which nobody got a contact
KEPT = "chats.id, chats.consultant_id, team_id, channel, keyword, cost, score, started_at"


OWN = f"{KEPT}, person, bits"


@dataclass(frozen=True)
class Facts:
    """What to count.

    given: a relation (id, consultant_id, person, bits); base: bits that follow from the chat itself (of `chats` and
    `got.every`, the facts given by anyone); first: a query by a name, and also: what `base`, `card` and `shared` need
    joined; card: a number to sum up; shared: bits that hold for each person in a chat; masks: by name which bits make
    it up.
    """

    given: str
    base: str
    masks: Mapping[str, int]
    first: str = ""
    also: str = ""
    card: str = "NULL::numeric"
    shared: str = "0"


def counted(scope: Scope, sets: Sequence[str], facts: Facts) -> list[dict[str, Any]]:
    """Return a row for each grouping (`place` in `sets`, -1 the whole), key and name: how many, and their sums.

    One statement. `n` chats, `paid` of them with a known cost, `cost` their sum, `lost` and `lost_cost` those without
    any contact, `score` and `card` sums, `scored` how many have the former.
    """
    values = scope.values(opening="opening" in sets)
    values |= {"names": list(facts.masks), "masks": list(facts.masks.values())}
    return sql.run(_statement(scope, sets, facts), values)


def _statement(scope: Scope, sets: Sequence[str], facts: Facts) -> str:
    narrowed = scope.person is not None or scope.team is not None
    people = narrowed or any(by in CREDITED for by in sets)
    keys = ", ".join(f"{sql.KEYS[by]} AS k{place}" for place, by in enumerate(sets))
    own = any(by in CREDITED for by in sets)
    tall = " UNION ALL ".join(
        f"SELECT {place} AS place, k{place} AS key, {'bits' if by in CREDITED else 'every'} AS mask, {SUMS} FROM folded"  # noqa: S608
        for place, by in enumerate(sets)
    )
    return f"""
WITH {sql.CHATS}{facts.first}, given AS ({facts.given}),
got AS (
  SELECT id, bit_or(bits) AS every,
         bit_or(bits) FILTER (WHERE person IS NOT DISTINCT FROM consultant_id) AS own
  FROM given GROUP BY id
),
led AS (
  SELECT {KEPT}, chats.consultant_id AS person, {facts.base} | coalesce(got.own, 0) AS bits,
         {facts.base} | coalesce(got.every, 0) AS every, {facts.card} AS card
  FROM chats LEFT JOIN got USING (id) {facts.also}
){_credited(facts, narrowed=narrowed) if people else ""},
keyed AS (SELECT facts.*, {keys} FROM {"rows" if people else "led"} facts {sql.SENDER_TEAM}),
folded AS (
  SELECT {"".join(f"k{place}, " for place in range(len(sets)))}{"bits, " if own else ""}every, count(*) AS n,
         count(cost) AS paid, sum(cost) AS cost, sum(score) AS score, count(score) AS scored, sum(card) AS card
  FROM {"keyed" if "team" not in sets else _BY_TEAM} GROUP BY {", ".join(map(str, range(1, len(sets) + 2 + own)))}
)
SELECT place, key, name, sum(n)::bigint AS n, sum(paid)::bigint AS paid, coalesce(sum(cost), 0) AS cost,
       coalesce(sum(n) FILTER (WHERE mask & {LOST} <> 0), 0)::bigint AS lost,
       coalesce(sum(cost) FILTER (WHERE mask & {LOST} <> 0), 0) AS lost_cost,
       sum(score) AS score, sum(scored)::bigint AS scored, sum(card) AS card
FROM ({tall} UNION ALL SELECT -1, '', every, {SUMS} FROM folded) tall
JOIN unnest(%(names)s::text[], %(masks)s::bigint[]) AS named (name, bits) ON tall.mask & named.bits <> 0
GROUP BY 1, 2, 3"""  # noqa: S608 - constants


SUMS = "n, paid, cost, score, scored, card"
# Two of one team may have something to show for one chat: it counts once for the team.
_BY_TEAM = """(
  SELECT k0, bit_or(bits) AS bits, bit_or(every) AS every, max(cost) AS cost, max(score) AS score, max(card) AS card
  FROM keyed GROUP BY id, k0
) once"""


def _credited(facts: Facts, *, narrowed: bool) -> str:
    """Return the statement's part that adds who else is credited, and leaves those out who are not asked for."""
    every, where = "every", ""
    if narrowed:  # of those asked for, the first of a chat stands for what all of them did in it
        every = "CASE WHEN row_number() OVER chat = 1 THEN bit_or(bits) OVER chat ELSE 0 END AS every"
        where = f"{sql.SENDER_TEAM} WHERE {sql.OURS} WINDOW chat AS (PARTITION BY chats.id)"
    return f""",
others AS (
  SELECT id, person, bit_or(bits) AS bits FROM given WHERE person IS DISTINCT FROM consultant_id GROUP BY 1, 2
),
credited AS (
  SELECT * FROM led
  UNION ALL
  SELECT {KEPT}, others.person, others.bits | {facts.shared}, 0, {facts.card}
  FROM others JOIN chats USING (id) {facts.also}
),
rows AS (SELECT {OWN}, {every}, card FROM credited chats {where})"""  # noqa: S608 - constants

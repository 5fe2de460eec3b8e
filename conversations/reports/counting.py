"""What the chats of a scope come to, grouped; one statement, each fact table read once in it."""

from collections.abc import Sequence
from typing import Any

from conversations.reports import sql
from conversations.reports.figures import KINDS, RESULTS, Line
from conversations.reports.filters import Scope
from conversations.reports.folding import LOST, WHOLE, Facts, counted

__all__ = ["WHOLE", "Lines", "lines", "lines_of"]

Lines = dict[str | None, Line]
BITS = {
    name: 2 << place
    for place, name in enumerate(("chats", "effective", "carded", *KINDS, "booking", "arrival", "acceptance"))
}
CONTACT = sum(BITS[kind] for kind in KINDS)
MASKS = BITS | {"contact": CONTACT, "lost": LOST}


FACTS = Facts(
    given=" UNION ALL ".join(
        (
            f"""
SELECT chats.id, chats.consultant_id, x.user_id AS person,
       CASE x.kind WHEN 'phone' THEN {BITS["phone"]} WHEN 'wechat' THEN {BITS["wechat"]} ELSE {BITS["qq"]} END AS bits
FROM chats
JOIN conversations_capture p ON p.conversation_id = chats.id
JOIN conversations_capturedcontact x ON x.capture_id = p.id""",  # noqa: S608 - constants
            f"""
SELECT chats.id, chats.consultant_id, p.booking_user_id, {BITS["booking"]}
FROM chats JOIN conversations_capture p ON p.conversation_id = chats.id WHERE p.booking_at IS NOT NULL""",  # noqa: S608
            f"SELECT id, person, person, {BITS['arrival']} FROM ({sql.ARRIVAL}) came",  # noqa: S608
            f"SELECT id, person, person, {BITS['acceptance']} FROM ({sql.ACCEPTANCE}) took",  # noqa: S608
            f"""
SELECT chats.id, chats.consultant_id, s.consultant_id, {BITS["carded"]}
FROM chats JOIN conversations_scorecard s ON s.conversation_id = chats.id AND s.replaced_at IS NULL""",  # noqa: S608
        )
    ),
    base=f"""
{BITS["chats"]}::bigint | CASE WHEN is_effective THEN {BITS["effective"]} ELSE 0 END
| CASE WHEN coalesce(got.every, 0) & {CONTACT} = 0 THEN {LOST} ELSE 0 END""",
    also="""
LEFT JOIN (
  SELECT conversation_id, score AS given_score FROM conversations_scorecard WHERE replaced_at IS NULL
) cards ON cards.conversation_id = chats.id""",
    card="given_score",
    masks=MASKS,
)


def lines(scope: Scope, by: str) -> Lines:
    """Return a line for each key of `by` (sql.KEYS) and one for the whole under WHOLE; one statement.

    By consultant a fact counts for each person credited with it, by team once for the team of each; in the whole each
    chat counts once.
    """
    return lines_of(scope, (by,))[by]


def lines_of(scope: Scope, sets: Sequence[str]) -> dict[str, Lines]:
    """Return the lines of several groupings, still in one statement; each has the whole under WHOLE.

    Args: sets: groupings of chats; people and teams only alone.
    """
    found: dict[tuple[int, str | None], dict[str, dict[str, Any]]] = {}
    for row in counted(scope, sets, FACTS):
        found.setdefault((row["place"], row["key"]), {})[row["name"]] = row
    whole = _line(found.pop((-1, ""), {}))
    grouped: dict[str, Lines] = {by: {WHOLE: whole} for by in sets}
    for (place, key), names in found.items():
        grouped[sets[place]][key] = _line(names)
    return grouped


def _line(names: dict[str, dict[str, Any]]) -> Line:
    """Return the line that its named counts make up."""
    led, cards, lost = names.get("chats", {}), names.get("carded", {}), names.get("lost", {})
    effective, results = names.get("effective", {}), (*KINDS, *RESULTS)
    return Line(
        chats=led.get("n", 0),
        effective=effective.get("n", 0),
        costed=led.get("paid", 0),
        costed_effective=effective.get("paid", 0),
        cost=led.get("cost", Line.cost),
        lost=lost.get("n", 0),
        lost_cost=lost.get("cost", Line.lost_cost),
        score=led["score"] / led["scored"] if led.get("scored") else None,
        scored=led.get("scored", 0),
        card=cards["card"] / cards["n"] if cards else None,
        carded=cards.get("n", 0),
        found={name: names[name]["n"] for name in results if name in names},
        paid={name: names[name]["paid"] for name in results if name in names},
    )

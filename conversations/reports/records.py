"""The chats behind a number, found by the same pieces as the number itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models.expressions import RawSQL

from accounts.models import User
from accounts.reading import whole_number
from conversations.models import Conversation
from conversations.queries import Rows
from conversations.reports import sql
from conversations.reports.filters import Scope, plain
from conversations.reports.losses import NAMES, kind_of

# Part → relation and condition. `value` is what the address says; it goes in by name.
PARTS = {
    "chats": ("led", "true"),
    "effective": ("led", "is_effective"),
    "scored": ("led", "score IS NOT NULL"),
    "phone": ("contact", "what = 'phone'"),
    "wechat": ("contact", "what = 'wechat'"),
    "qq": ("contact", "what = 'qq'"),
    "contact": ("contact", "true"),
    "booking": ("booking", "true"),
    "arrival": ("arrival", "true"),
    "acceptance": ("acceptance", "true"),
    "carded": ("card", "true"),
    "loss": ("loss", "(what = %(value)s OR what = ANY (%(codes_of)s::text[]))"),
    "ending": ("led", "ending = %(value)s"),
    "reply": ("led", "first_reply_seconds BETWEEN %(low)s AND %(high)s"),
    "silence": ("led", "longest_silence_seconds BETWEEN %(low)s AND %(high)s"),
    "unanswered": ("led", "first_reply_seconds IS NULL"),
    "coming": ("coming", "(what = %(value)s OR %(value)s = '')"),
    "no_show": ("coming", "what LIKE 'no_show:%%'"),
}
LONGEST = 2_147_483_647  # what the columns hold


@dataclass(frozen=True)
class Part:
    """Which chats: a part, perhaps of one line of a table, perhaps only the lost or those with a known cost."""

    name: str = "chats"
    value: str = ""
    by: str = "whole"
    key: str | None = ""  # None: without consultant or team
    lost: bool = False
    costed: bool = False

    def params(self) -> dict[str, str]:
        """Return the part as it stands in an address."""
        said = {"part": self.name, "value": self.value}
        if self.by != "whole":
            said |= {"by": self.by, "none": "1"} if self.key is None else {"by": self.by, "key": self.key}
        return {k: v for k, v in said.items() if v or k == "key"} | {
            name: "1" for name in ("lost", "costed") if getattr(self, name)
        }


def read_part(params: Mapping[str, str]) -> Part:
    """Return what an address asks for; what is unknown is as not said."""
    by = params.get("by", "")
    by = by if by in sql.KEYS else "whole"
    key = None if params.get("none") else plain(params.get("key", "")[:120])
    name = params.get("part", "")
    return Part(
        name=name if name in PARTS else "chats",
        value=plain(params.get("value", "")[:40]),
        by=by,
        key="" if by == "whole" else key,
        lost=bool(params.get("lost")),
        costed=bool(params.get("costed")),
    )


def span(value: str) -> tuple[int, int]:
    """Return the seconds that a value such as 31-60 or 301- stands for; nothing lies in one that cannot be read."""
    low, _dash, high = value.partition("-")
    first, last = whole_number(low), whole_number(high) if high else LONGEST
    if first is None or last is None:
        return 1, 0
    return min(first, LONGEST), min(last, LONGEST)


def statement_of(scope: Scope, part: Part) -> tuple[str, dict[str, Any]]:
    """Return the statement that gives the ids, with its values by name."""
    relation, condition = PARTS[part.name]
    statement = f"""
WITH {sql.CHATS}, {sql.GOT}, facts AS ({sql.RELATIONS[relation]})
SELECT id FROM facts JOIN chats USING (id) LEFT JOIN got USING (id) {sql.SENDER_TEAM}
WHERE {sql.OURS} AND ({condition}) AND {sql.KEYS[part.by]} IS NOT DISTINCT FROM %(key)s
  AND (NOT %(lost)s OR got.id IS NULL) AND (NOT %(costed)s OR cost IS NOT NULL)"""  # noqa: S608 - constants
    values = scope.values(opening=part.by == "opening")
    codes_of = [value for value in NAMES if kind_of(value) == part.value]
    low, high = span(part.value)
    values |= {"key": part.key, "value": part.value, "codes_of": codes_of, "low": low, "high": high}
    return statement, values | {"lost": part.lost, "costed": part.costed}


def records(scope: Scope, part: Part, user: User) -> Rows:
    """Return the chats behind a number; who may see the own figures only gets the own chats by the scope."""
    statement, values = statement_of(scope, part)
    rows = Conversation.objects.for_user(user).for_clinic(scope.clinic).filter(is_error=False)
    # The statement is put together of constants; everything that was typed is a value.
    return rows.filter(pk__in=RawSQL(*sql.positional(statement, values)))  # noqa: S611

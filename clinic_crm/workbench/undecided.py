"""Reading the undecided board: five columns of cards, the numbers over them, the suggestions that wait.

The number of statements does not depend on how many patients are undecided.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import Clinic, Membership, User
from accounts.permissions import Permission, Role
from accounts.reading import whole_number
from clinic_crm.workbench import undecided_sql
from clinic_crm.workbench.undecided_cards import UndecidedCard, cards_of
from clinic_crm.workbench.undecided_sql import SILENT_DAYS, WINDOW, Asked, Found, Head, Place
from patients.classification import Complaint, PatientClass

SALT = "workbench.undecided.2"  # another number for another kind of cursor
MOST = 10**8 - 1  # yuan, days: more the columns do not hold
SCOPES = ("me", "team", "all")
SORTS = {
    "contact": gettext_lazy("Longest without contact"),
    "amount": gettext_lazy("Largest amount"),
    "newest": gettext_lazy("Newest case"),
}
WORDS = {
    "C-E": pgettext_lazy("class", "First visit, low awareness"),
    "C-D": pgettext_lazy("class", "Came again, awareness higher"),
    "C-C": pgettext_lazy("class", "Implant, crown, ortho; low awareness"),
    "C-B": pgettext_lazy("class", "Ortho or aesthetic return; exacting"),
    "C-A": pgettext_lazy("class", "Refers others; no marketing"),
}
NEVER_WORDS = {
    "C-B": gettext_lazy("Build trust here. Closing pitches cannot be created and are not sent."),
    "C-A": gettext_lazy(
        "Periodic reminders only. Marketing, activities and urging cannot be created and are not sent."
    ),
}
NUMBERS = ("owner", "doctor", "from_amount", "to_amount", "from_age", "to_age")


@dataclass(frozen=True)
class View:
    """How somebody looks at the board; all of it stands in the address. `klass`: the column a phone shows."""

    scope: str = "all"
    sort: str = "contact"
    flag: str = ""
    klass: str = ""
    owner: int | None = None
    doctor: int | None = None
    complaint: str = ""
    from_amount: int | None = None
    to_amount: int | None = None
    from_age: int | None = None
    to_age: int | None = None

    @classmethod
    def of(cls, params: Any, *, usual: str = "all") -> "View":
        """Read the address; what is not valid there is left out. usual: the scope when none is asked for."""
        asked = {name: params.get(name, "") for name in ("scope", "sort", "flag", "klass", "complaint")}
        numbers = {name: whole_number(params.get(name)) for name in NUMBERS}
        return cls(
            scope=asked["scope"] if asked["scope"] in SCOPES else usual,
            sort=asked["sort"] if asked["sort"] in SORTS else "contact",
            flag=asked["flag"] if asked["flag"] in undecided_sql.FLAGS else "",
            klass=asked["klass"] if asked["klass"] in PatientClass.values else "",
            complaint=asked["complaint"] if asked["complaint"] in Complaint.values else "",
            **{name: n if n is not None and n <= MOST else None for name, n in numbers.items()},
        )

    def query(self, **other: Any) -> str:
        """Return the query string of this view with `other` changed."""
        parts = {name: getattr(self, name) for name in self.__dataclass_fields__} | other
        kept = {key: value for key, value in parts.items() if value not in (None, "")}
        if kept.get("sort") == "contact":
            del kept["sort"]
        return f"?{urlencode(kept)}"

    def values(self, clinic: Clinic, user: User, team: Sequence[int]) -> dict[str, Any]:
        """Return the parameters of the board's statement."""
        today = clinic.today()
        found: dict[str, Any] = {
            "clinic": clinic.pk,
            "zone": str(clinic.tz),
            "me": user.pk,
            "team": list(team),
            "today_start": clinic.day_bounds(today)[0],
            "silent": today - timedelta(days=SILENT_DAYS),
        }
        for name in ("owner", "doctor", "from_amount", "to_amount"):
            if getattr(self, name) is not None:
                found[name] = getattr(self, name)
        if self.complaint:
            found["complaint"] = self.complaint
        if self.from_age is not None:  # at least so many days old: opened before the day after that day
            found["from_age"] = clinic.day_bounds(_before(today, self.from_age))[1]
        if self.to_age is not None:
            found["to_age"] = clinic.day_bounds(_before(today, self.to_age))[0]
        return found


def _before(today: date, days: int) -> date:
    return today - timedelta(days=min(days, 36_500))


@dataclass(frozen=True)
class FilledColumn:
    """A column: its head, its first cards, and where the rest begins."""

    code: str
    head: Head
    cards: list[UndecidedCard]
    more: str  # the cursor of what follows, empty at the end
    left: int  # cards that follow

    @property
    def words(self) -> Any:
        return WORDS[self.code]

    @property
    def never(self) -> Any:
        return NEVER_WORDS.get(self.code, "")


@dataclass(frozen=True)
class Board:
    columns: list[FilledColumn]
    total: int
    amount: Decimal
    no_next: int
    silent: int
    scopes: tuple[int, int, int]


def usual_scope(user: User, clinic: Clinic) -> str:
    """Return whose patients somebody sees first: a coordinator's own, a manager's whole clinic."""
    return "me" if user.role_in(clinic) == Role.COORDINATOR else "all"


def team_of(user: User, clinic: Clinic) -> list[int]:
    """Return the ids of the people in one's team here, oneself included (one statement)."""
    mine = Membership.objects.filter(user=user, clinic=clinic, team__isnull=False).values("team")
    mates = Membership.objects.for_clinic(clinic).filter(team__in=mine)
    return [*mates.values_list("user", flat=True)]


def _asked(view: View, clinic: Clinic, user: User, **more: Any) -> Asked:
    values = view.values(clinic, user, team_of(user, clinic))
    every: dict[str, Any] = {"classes": list(PatientClass.values)}
    return Asked(values=values, scope=view.scope, flag=view.flag, sort=view.sort, **(every | more))


def board_of(clinic: Clinic, user: User, view: View, now: datetime) -> Board:
    """Return the board as `view` shows it: three statements."""
    found = undecided_sql.read(_asked(view, clinic, user))
    cards = cards_of(clinic, found.places, now, may_book=user.may(Permission.BOOK, clinic))
    columns = [_column(code, found, cards, view) for code in PatientClass.values]
    return _board(found, columns)


def heads_of(clinic: Clinic, user: User, view: View) -> Board:
    """Return the numbers alone, its columns without cards (two statements)."""
    found = undecided_sql.read(_asked(view, clinic, user, limit=0))
    return _board(found, [FilledColumn(c, found.heads.get(c, Head(c)), [], "", 0) for c in PatientClass.values])


def _board(found: Found, columns: list[FilledColumn]) -> Board:
    heads = found.heads.values()
    return Board(
        columns=columns,
        total=sum(head.n for head in heads),
        amount=sum((head.amount for head in heads), Decimal(0)),
        no_next=sum(head.no_next for head in heads),
        silent=sum(head.silent for head in heads),
        scopes=found.scopes,
    )


def _column(code: str, found: Found, cards: dict[int, UndecidedCard], view: View) -> FilledColumn:
    places = [place for place in found.places if place.klass == code]
    head = found.heads.get(code, Head(code))
    shown = places[:WINDOW]
    more = cursor_of(shown[-1], view) if len(places) > WINDOW else ""
    return FilledColumn(code, head, [cards[p.registration] for p in shown], more, head.shown - len(shown))


def more_of(clinic: Clinic, user: User, view: View, cursor: str, now: datetime) -> FilledColumn | None:
    """Return the cards of the view's column that follow a cursor; None for one that was not made here."""
    place = _placed(cursor, view)
    if place is None or not view.klass:
        return None
    rank, registration, before = place
    asked = _asked(view, clinic, user, classes=[view.klass], after=(rank, registration))
    found = undecided_sql.read(asked)
    cards = cards_of(clinic, found.places, now, may_book=user.may(Permission.BOOK, clinic))
    head = found.heads.get(view.klass, Head(view.klass))
    shown = found.places[:WINDOW]
    seen = before + len(shown)
    more = cursor_of(shown[-1], view, seen) if len(found.places) > WINDOW else ""
    return FilledColumn(view.klass, head, [cards[p.registration] for p in shown], more, max(0, head.shown - seen))


def card_of(clinic: Clinic, user: User, patient: int, now: datetime) -> UndecidedCard | None:
    """Return one patient's card, None when they are not undecided here (three statements)."""
    asked = _asked(View(), clinic, user)
    asked = replace(asked, values=asked.values | {"patient": patient}, limit=1)
    places = undecided_sql.read(asked).places
    cards = cards_of(clinic, places, now, may_book=user.may(Permission.BOOK, clinic))
    return next(iter(cards.values()), None)


def cursor_of(place: Place, view: View, seen: int = WINDOW) -> str:
    return signing.dumps([place.rank, place.registration, seen], salt=f"{SALT}.{view.sort}")


def _placed(cursor: str, view: View) -> tuple[str, int, int] | None:
    try:
        rank, registration, seen = signing.loads(cursor, salt=f"{SALT}.{view.sort}")
    except (signing.BadSignature, ValueError):
        return None
    return rank, registration, seen

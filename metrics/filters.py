"""What an address asks for: whose figures, of which days, beside which other days."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.models import Clinic, Membership, Team, User
from accounts.permissions import Permission
from accounts.reading import YEARS, whole_number
from accounts.windows import BadWindow, Window, read_window
from metrics.scope import Scope
from patients.classification import Complaint
from patients.models import Channel

Compare = Literal["before", "year"]
WINDOW_NAMES = ("window", "day", "from", "to")
# Every name that an address may carry from one page of the figures to the next.
NAMES = (*WINDOW_NAMES, "clinic", "team", "tc", "doctor", "channel", "complaint", "visits", "compare", "as_of")
SINGLE = frozenset({*WINDOW_NAMES, "compare", "as_of"})  # of these the last one said holds
PERIODS = 13  # of a trend
MOST_VALUES = 200  # of one filter in one address


class BadScope(ValueError):
    """What was asked for makes no sense: {name in the address: what is wrong, in the reader's language}."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


@dataclass(frozen=True)
class Asked:
    """An address, understood.

    Args:
        is_own: the person may see their own patients' figures only; the scope holds nothing else.
        pairs: what the address said, name by name, without what nobody here reads.
    """

    scope: Scope
    window: Window
    compare: Compare
    is_own: bool
    pairs: tuple[tuple[str, str], ...] = ()
    today: date | None = field(default=None, compare=False)

    @property
    def beside(self) -> Window | None:
        """The window that this one is compared with; None where the calendar of this product ends."""
        try:
            return self.window.year_ago if self.compare == "year" else self.window.before
        except BadWindow:
            return None

    @property
    def trend(self) -> list[Window]:
        """The last thirteen windows up to this one, oldest first; fewer where the calendar ends."""
        found = [self.window]
        for steps in range(1, PERIODS):
            try:
                found.append(self.window.moved(-steps))
            except (BadWindow, OverflowError):
                break
        return found[::-1]

    def moved(self, steps: int) -> str:
        """Return the query of the window that many later; empty where the calendar ends."""
        try:
            return self.at(self.window.moved(steps))
        except (BadWindow, OverflowError):
            return ""

    def query(self, **changes: object) -> str:
        """Return the address's query with `changes` (None takes a name away; a list repeats it)."""
        return query_of(self.pairs, **changes)

    def url(self, name: str, *args: object, **changes: object) -> str:
        return reverse(name, args=args) + self.query(**changes)

    def at(self, window: Window, **changes: object) -> str:
        """Return the query of another window."""
        none: dict[str, object] = dict.fromkeys(WINDOW_NAMES)
        return self.query(**(none | window.params() | changes))


def query_of(pairs: Iterable[tuple[str, str]], **changes: object) -> str:
    """Return `?…` of the pairs with some names replaced; empty without any."""
    kept = [(name, value) for name, value in pairs if name not in changes]
    for name, value in changes.items():
        values: Iterable[object] = value if isinstance(value, list | tuple) else [value]
        kept += [(name, str(v)) for v in values if v is not None]
    return f"?{urlencode(kept)}" if kept else ""


def pairs_of(params: QueryDict) -> tuple[tuple[str, str], ...]:
    """Return what the address says, of the names that are read here."""
    said = {name: [value for value in params.getlist(name) if value] for name in NAMES}
    return tuple(
        (name, value) for name, values in said.items() for value in (values[-1:] if name in SINGLE else values)
    )


def read_asked(params: QueryDict, user: User) -> Asked:
    """Read whose figures and of which days.

    Raises:
        BadScope: something makes no sense; says what, by name.
        PermissionDenied: a clinic or a person whose figures are not for `user`.
        Http404: a clinic, team or person that `user` cannot know of.
    """
    errors: dict[str, str] = {}
    scope, window = None, None
    try:
        scope = read_scope(params, user)
    except BadScope as error:
        errors |= error.errors
    here = scope.clinics[0] if scope else user.working_in
    today = here.today() if here else timezone.localdate()
    try:
        window = read_window(_first(params, WINDOW_NAMES), today=today)
        compare = _compare(params.get("compare", ""), window)
    except BadWindow as error:
        errors["window"] = str(error)
    except BadScope as error:
        errors |= error.errors
    if errors or scope is None or window is None:
        raise BadScope(errors)
    return Asked(scope, window, compare, is_own(scope, user), pairs_of(params), today)


def read_scope(params: QueryDict, user: User) -> Scope:
    """Read whose figures are asked for; the errors as of `read_asked`."""
    clinics = _clinics(params.getlist("clinic"), user)
    errors: dict[str, str] = {}
    asked: dict[str, tuple[int, ...] | None] = {}
    for name in ("team", "tc", "doctor"):
        try:
            asked[name] = _ids(params.getlist(name))
        except ValueError:
            errors[name] = _("Unknown value.")
    words = {"channel": Channel.values, "complaint": Complaint.values, "visits": ["first", "return"]}
    for name, known in words.items():
        if any(value not in known for value in params.getlist(name) if value):
            errors[name] = _("Unknown value.")
    as_of = _moment(params.get("as_of", ""), clinics[0], errors)
    if errors:
        raise BadScope(errors)
    own = not _sees_all(clinics, user)
    _check_people(asked, clinics, user, own=own)
    return Scope(
        clinics=clinics,
        teams=asked["team"],
        coordinators=(user.pk,) if own else asked["tc"],
        doctors=asked["doctor"],
        channels=tuple(v for v in params.getlist("channel") if v) or None,
        complaints=tuple(v for v in params.getlist("complaint") if v) or None,
        is_first=_is_first([v for v in params.getlist("visits") if v]),
        as_of=as_of,
    )


def is_own(scope: Scope, user: User) -> bool:
    """Tell whether `user` sees own figures only in the scope's clinics."""
    return not _sees_all(scope.clinics, user)


def clinics_seen(user: User) -> list[Clinic]:
    """Return the clinics whose figures `user` may see, of everybody in them."""
    allowed = set(user.clinic_ids(Permission.VIEW_KPIS))
    return [clinic for clinic in user.clinics() if clinic.pk in allowed]


def _sees_all(clinics: tuple[Clinic, ...], user: User) -> bool:
    return all(user.may(Permission.VIEW_KPIS, clinic) for clinic in clinics)


def _clinics(values: list[str], user: User) -> tuple[Clinic, ...]:
    """Return the clinics asked for: the current one by default, `all` for all whose figures one may see."""
    values = [value for value in values if value]
    here = user.working_in
    if "all" in values:
        seen = tuple(clinics_seen(user))
        if not seen:
            raise PermissionDenied
        return seen
    if not values:
        if here is None:
            raise PermissionDenied
        return (here,)
    try:
        ids = _ids(values) or ()
    except ValueError:
        raise BadScope({"clinic": _("Unknown value.")})
    known = {clinic.pk: clinic for clinic in user.clinics()}
    if any(pk not in known for pk in ids):
        raise Http404
    chosen = tuple(known[pk] for pk in ids)
    if not _sees_all(chosen, user) and not (len(chosen) == 1 and user.may(Permission.VIEW_OWN_KPIS, chosen[0])):
        raise PermissionDenied
    return chosen


def _check_people(
    asked: dict[str, tuple[int, ...] | None], clinics: tuple[Clinic, ...], user: User, *, own: bool
) -> None:
    """Refuse teams and people that are not of the chosen clinics."""
    teams, people = set(asked["team"] or ()), {*(asked["tc"] or ()), *(asked["doctor"] or ())}
    if not teams and not people:
        return
    chosen = {clinic.pk for clinic in clinics}
    known_teams = dict(Team.objects.for_user(user).filter(pk__in=teams).values_list("pk", "clinic"))
    held = Membership.objects.for_user(user).filter(user__in=people).values_list("user", "clinic")
    known_people: dict[int, set[int]] = {}
    for person, clinic in held:
        known_people.setdefault(person, set()).add(clinic)
    if teams - known_teams.keys() or people - known_people.keys():
        raise Http404
    if own and (teams or set(asked["tc"] or ()) - {user.pk}):
        raise PermissionDenied
    errors = {}
    if any(clinic not in chosen for clinic in known_teams.values()):
        errors["team"] = _("This team is not of the chosen clinics.")
    for name in ("tc", "doctor"):
        if any(not known_people[pk] & chosen for pk in asked[name] or ()):
            errors[name] = _("This person does not work in the chosen clinics.")
    if errors:
        raise BadScope(errors)


def _ids(values: list[str]) -> tuple[int, ...] | None:
    """Return the numbers, each once; None without any. Raises ValueError for what is no number."""
    said = [value for value in values if value]
    if len(said) > MOST_VALUES:
        raise ValueError
    numbers = [whole_number(value) for value in said]
    if None in numbers:
        raise ValueError
    return tuple(dict.fromkeys(number for number in numbers if number is not None)) or None


def _first(params: QueryDict, names: Iterable[str]) -> dict[str, str]:
    return {name: str(params[name]) for name in names if params.get(name)}


def _is_first(values: list[str]) -> bool | None:
    return values[0] == "first" if len(set(values)) == 1 else None


def _compare(value: str, window: Window) -> Compare:
    if value not in ("", "before", "year"):
        raise BadScope({"compare": _("Unknown value.")})
    compare: Compare = "year" if value == "year" else "before"
    return compare


def _moment(text: str, clinic: Clinic, errors: dict[str, str]) -> datetime | None:
    """Return the moment as of which is counted; without a zone it is the clinic's own."""
    if not text:
        return None
    try:
        found = parse_datetime(text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text)
    except ValueError:
        found = None
    if found is None or found.year not in YEARS:
        errors["as_of"] = _("Not a moment: %(text)s") % {"text": text[:30]}
        return None
    moment = timezone.make_aware(found, clinic.tz) if timezone.is_naive(found) else found
    if moment > timezone.now():
        errors["as_of"] = _("The moment must not lie in the future.")
    return moment

"""The bar of filters above the figures: everything chosen stands in the address and can be chosen again."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import Clinic, Membership, Team, User
from accounts.permissions import Role
from accounts.windows import Unit, Window
from metrics.filters import WINDOW_NAMES, Asked, clinics_seen, pairs_of, query_of
from metrics.views.board_words import Words, window_title
from patients.classification import Complaint
from patients.models import Channel

UNITS: tuple[tuple[Unit, Words], ...] = (
    ("day", pgettext_lazy("window", "Today")),
    ("week", gettext_lazy("This week")),
    ("month", gettext_lazy("This month")),
    ("quarter", gettext_lazy("This quarter")),
    ("year", gettext_lazy("This year")),
)
EARLIER: tuple[tuple[Unit, Words], ...] = (
    ("day", pgettext_lazy("window", "Yesterday")),
    ("week", gettext_lazy("Last week")),
    ("month", gettext_lazy("Last month")),
    ("quarter", gettext_lazy("Last quarter")),
    ("year", gettext_lazy("Last year")),
)


@dataclass(frozen=True)
class Option:
    value: str
    label: Words
    chosen: bool


@dataclass(frozen=True)
class Choice:
    """One filter: its name in the address, its options, what is wrong with it."""

    name: str
    label: Words
    options: list[Option]
    error: str = ""
    kind: str = "checkbox"

    @property
    def shown(self) -> str:
        """What is chosen, short."""
        chosen = [str(option.label) for option in self.options if option.chosen]
        if not chosen:
            return str(_("All"))
        return chosen[0] if len(chosen) == 1 else _("%(n)s chosen") % {"n": len(chosen)}

    @property
    def is_set(self) -> bool:
        """Whether something narrows the figures; the first of a radio is what holds anyway."""
        usual = self.options[:1] if self.kind == "radio" else []
        return any(option.chosen for option in self.options if option not in usual)


@dataclass(frozen=True)
class Bar:
    """The bar as the template draws it."""

    window: Window | None
    title: str
    segments: list[tuple[Words, str, bool]]
    quick: list[tuple[Words, str]]
    previous: str
    following: str
    first: str
    last: str
    main: list[Choice]
    more: list[Choice]
    as_of: str
    kept_days: list[tuple[str, str]]  # hidden in the form of the other filters
    kept_others: list[tuple[str, str]]  # hidden in the form of the days
    errors: dict[str, str] = field(default_factory=dict)
    is_own: bool = False

    @property
    def more_set(self) -> int:
        return sum(choice.is_set for choice in self.more) + bool(self.as_of)

    @property
    def more_errors(self) -> list[str]:
        return [c.error for c in self.more if c.error] + ([self.errors["as_of"]] if "as_of" in self.errors else [])


def bar_of(params: QueryDict, user: User, clinic: Clinic, asked: Asked | None, errors: dict[str, str]) -> Bar:
    """Return the bar of what was asked; of what was said as it was said, where that made no sense."""
    pairs = pairs_of(params)
    today, window = clinic.today(), asked.window if asked else None
    own = asked.is_own if asked else clinic not in clinics_seen(user)
    said = dict(pairs)
    chosen = {name: {value for key, value in pairs if key == name} for name, _value in pairs}
    main, more = _choices(chosen, user, clinic, asked, errors, own=own)
    return Bar(
        window=window,
        title=window_title(window) if window else _("Days"),
        segments=[
            (words, query_of(pairs, **_to(Window.of(unit, today))), window == Window.of(unit, today))
            for unit, words in UNITS
        ],
        quick=[(words, query_of(pairs, **_to(Window.of(unit, today).before))) for unit, words in EARLIER]
        + [(_("Last 12 months"), query_of(pairs, **_to(_year_to(today))))],
        previous=asked.moved(-1) if asked else "",
        following=asked.moved(1) if asked else "",
        first=said.get("from", "") if window is None else window.start.isoformat(),
        last=said.get("to", "") if window is None else window.last_day.isoformat(),
        main=main,
        more=more,
        as_of=said.get("as_of", ""),
        kept_days=[(name, value) for name, value in pairs if name in WINDOW_NAMES],
        kept_others=[(name, value) for name, value in pairs if name not in WINDOW_NAMES],
        errors=errors,
        is_own=own,
    )


def _to(window: Window) -> dict[str, object]:
    none: dict[str, object] = dict.fromkeys(WINDOW_NAMES)
    return none | window.params()


def _year_to(today: date) -> Window:
    return Window(today - timedelta(days=364), today + timedelta(days=1))


def _choices(
    chosen: dict[str, set[str]], user: User, clinic: Clinic, asked: Asked | None, errors: dict[str, str], *, own: bool
) -> tuple[list[Choice], list[Choice]]:
    clinics = list(asked.scope.clinics) if asked else [clinic]
    people = (
        Membership.objects.filter(clinic__in=clinics, user__is_service=False)
        .select_related("user")
        .order_by("-is_active", "id")
    )
    held = list(people)

    def choice(name: str, label: Words, pairs: list[tuple[str, Words]], kind: str = "checkbox") -> Choice:
        picked = chosen.get(name, set())
        return Choice(name, label, [Option(v, w, v in picked) for v, w in pairs], errors.get(name, ""), kind)

    def staff(*roles: str) -> list[tuple[str, Words]]:
        return list({str(m.user_id): str(m.user) for m in held if m.role in roles}.items())

    main, more = [], []
    seen = clinics_seen(user)
    if len(seen) > 1 and not own:
        of_clinics = [Option(str(c.pk), c.name, c in clinics) for c in seen]
        main.append(Choice("clinic", _("Clinic"), of_clinics, errors.get("clinic", "")))
    if not own:
        main.append(choice("tc", _("Coordinator"), staff(Role.COORDINATOR, Role.MANAGER, Role.ADMIN)))
    main.append(choice("doctor", _("Doctor"), staff(Role.DOCTOR)))
    visits: list[tuple[str, Words]] = [("first", _("First visits")), ("return", _("Return visits"))]
    main.append(choice("visits", _("Visits"), visits))
    teams = [] if own else [(str(t.pk), t.name) for t in Team.objects.filter(clinic__in=clinics)]
    if teams or "team" in errors:
        more.append(choice("team", _("Team"), [(pk, name) for pk, name in teams]))
    more.append(choice("complaint", _("Complaint"), list(Complaint.choices)))
    more.append(choice("channel", _("Channel"), list(Channel.choices)))
    compare: list[tuple[str, Words]] = [("before", _("the window before")), ("year", _("a year ago"))]
    chosen = chosen if chosen.get("compare") else chosen | {"compare": {"before"}}
    more.append(choice("compare", _("Compare with"), compare, "radio"))
    return main, more

"""The task list as its page shows it. The number of statements does not depend on how many tasks there are."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts.models import Clinic, Membership, User
from accounts.permissions import permissions_of
from accounts.reading import whole_number
from accounts.statements import Statement
from followups.models import Appointment, Contact, ContactChannel, ContactOutcome, Task, TaskKind
from patients.classification import PatientClass
from patients.models import Registration

SHOWN = 200  # rows of the list; with more, filters help
SOON_LATE = timedelta(hours=1)  # overdue up to here is to be watched, longer is bad
SCOPES = ("mine", "team", "all")
ICONS = {
    ContactChannel.PHONE: "phone",
    ContactChannel.WECHAT: "message-circle",
    ContactChannel.SMS: "message-square",
    ContactChannel.WECOM: "message-square",
    ContactChannel.IN_PERSON: "users-round",
}
# The groups in the order they are worked off, each with what it is about.
GROUPS: dict[str, str | Promise] = {
    TaskKind.COMPLAINT: gettext_lazy("listen, then say what was done"),
    TaskKind.NO_SHOW: gettext_lazy("ask how they are first, do not urge"),
    TaskKind.CONFIRM: gettext_lazy("the day before and the same day"),
    TaskKind.RECHECK_PLAN: gettext_lazy("ready before the recheck"),
    TaskKind.CARE: gettext_lazy("the day after treatment"),
    TaskKind.BOOK_RECHECK: gettext_lazy("until an appointment stands"),
    TaskKind.PLAN_SENT: gettext_lazy("days 3, 7 and 14"),
    TaskKind.KEEP_IN_TOUCH: gettext_lazy("awareness and trust grow"),
    TaskKind.GIFT: gettext_lazy("a present, no pitch"),
    TaskKind.MATERIAL: gettext_lazy("their symptoms, similar cases"),
    TaskKind.ACTIVITY: gettext_lazy("only who agreed to it"),
    TaskKind.SEND: gettext_lazy("copy, send, log"),
    TaskKind.REFERRAL: gettext_lazy("no advertising, no urging"),
    TaskKind.OTHER: "",
}


@dataclass(frozen=True)
class View:
    """How somebody looks at the list; stands in the address."""

    scope: str = "mine"
    kind: str = ""
    code: str = ""
    owner: int | None = None
    usual: str = "mine"  # the scope of an address that names none

    @classmethod
    def of(cls, params: Any, *, usual: str = "mine") -> "View":
        """Read the address; what is not valid there is left out."""
        scope, kind, code = params.get("scope", ""), params.get("kind", ""), params.get("class", "")
        return cls(
            scope=scope if scope in SCOPES else usual,
            usual=usual,
            kind=kind if kind in TaskKind.values else "",
            code=code if code in PatientClass.values else "",
            owner=whole_number(params.get("owner", "")),
        )

    def query(self, **other: Any) -> str:
        """Return the query string of this view with `other` changed; empty when it is the plain list."""
        parts = {"scope": self.scope, "kind": self.kind, "class": self.code, "owner": self.owner} | other
        kept = {key: value for key, value in parts.items() if value and (key, value) != ("scope", self.usual)}
        return f"?{urlencode(kept)}" if kept else ""

    @property
    def is_filtered(self) -> bool:
        return bool(self.kind or self.code or self.owner)


@dataclass(frozen=True)
class Person:
    """Who looks: which tasks are theirs, which their team's."""

    user: User
    role: str
    team: str
    mates: tuple[int, ...]

    @property
    def mine(self) -> Q:
        """Their own, and those of nobody that their role may take."""
        return Q(owner=self.user) | Q(owner=None, owner_role=self.role)

    @property
    def ours(self) -> Q:
        return self.mine | Q(owner__in=self.mates)

    def scoped(self, scope: str) -> Q:
        return {"mine": self.mine, "team": self.ours}.get(scope, Q())


def person_of(user: User, clinic: Clinic) -> Person:
    """Read the person's team in the clinic (one statement)."""
    rows = Membership.objects.for_clinic(clinic).active().filter(team__memberships__user=user)
    found = list(rows.values_list("user", "team__name").distinct())
    return Person(user, user.role_in(clinic) or "", found[0][1] if found else "", tuple(pk for pk, _name in found))


@dataclass(frozen=True)
class Row:
    task: Task
    title: str
    at: datetime | None  # of its appointment
    icon: str
    last_on: date | None
    last_how: str
    is_overdue: bool
    late_level: str
    late: str
    held_by: str


@dataclass(frozen=True)
class Group:
    kind: str
    label: str | Promise
    hint: str | Promise
    rows: list[Row]


@dataclass(frozen=True)
class Listing:
    groups: list[Group]
    tomorrow: list[Row]
    tomorrow_words: str
    aside: list[dict[str, Any]]
    aside_words: str
    due: int
    overdue: int
    mine: int
    ours: int
    every: int
    more: int

    @property
    def order(self) -> list[int]:
        """Ids in the order shown."""
        return [row.task.pk for group in self.groups for row in group.rows]


def due_words(span: timedelta) -> str:
    """Return how long a task is overdue, short."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 60:
        return _("%(n)s min overdue") % {"n": max(1, minutes)}
    if minutes < 24 * 60:
        return _("%(n)s h overdue") % {"n": minutes // 60}
    return _("%(n)s d overdue") % {"n": minutes // (24 * 60)}


def subject_of(task: Task) -> tuple[str, datetime | None]:
    """Return what a task is about in a line, and the time of its appointment where that belongs to it."""
    appointment = task.appointment
    if appointment is None or task.kind not in (TaskKind.NO_SHOW, TaskKind.CONFIRM, TaskKind.RECHECK_PLAN):
        return task.title, None
    what = appointment.purpose or appointment.get_kind_display()
    if task.kind == TaskKind.NO_SHOW:
        return _("%(what)s missed") % {"what": what}, appointment.starts_at
    return what, appointment.starts_at


def _last(task: Any, clinic: Clinic) -> tuple[date | None, str]:
    """Return when and how the patient was last spoken to here, else when they last came."""
    contact, visit = task.last_contact, task.last_visit
    if contact:
        at = datetime.fromisoformat(contact["at"]).astimezone(clinic.tz).date()
        if visit is None or at >= visit:
            said = ContactOutcome(contact["outcome"])
            no_answer = said == ContactOutcome.NO_ANSWER
            return at, str(said.label if no_answer else ContactChannel(contact["channel"]).label)
    return visit, _("visit") if visit else ""


def _annotated(rows: QuerySet[Any], clinic: Clinic) -> QuerySet[Any]:
    contacts = Contact.objects.for_clinic(clinic).filter(patient=OuterRef("patient"), undoes=None, undone_by=None)
    latest = contacts.order_by("-at", "-id").values(found=JSONObject(at="at", channel="channel", outcome="outcome"))[:1]
    here = Registration.objects.for_clinic(clinic).filter(patient=OuterRef("patient")).values("last_visit_on")[:1]
    rows = rows.select_related("patient", "appointment", "owner", "claimed_by")
    return rows.annotate(last_contact=Subquery(latest), last_visit=Subquery(here))


def _filtered(user: User, clinic: Clinic, view: View) -> QuerySet[Any]:
    rows = Task.objects.for_user(user).for_clinic(clinic).open().not_paused()
    if view.kind:
        rows = rows.filter(kind=view.kind)
    if view.code:
        rows = rows.filter(patient__class_code=view.code)
    if view.owner:
        rows = rows.filter(owner=view.owner)
    return rows


def _row(task: Any, clinic: Clinic, me: User, now: datetime) -> Row:
    over = now - task.due_at
    is_over = over > timedelta(0)
    held = task.claimed_until and task.claimed_until > now and task.claimed_by_id != me.pk
    title, at = subject_of(task)
    last_on, last_how = _last(task, clinic)
    return Row(
        task=task,
        title=title,
        at=at,
        icon=ICONS.get(ContactChannel(task.channel), "phone"),
        last_on=last_on,
        last_how=last_how,
        is_overdue=is_over,
        late_level="watch" if over < SOON_LATE else "bad",
        late=due_words(over) if is_over else "",
        held_by=str(task.claimed_by) if held else "",
    )


def listing(*, person: Person, clinic: Clinic, view: View, now: datetime) -> Listing:
    """Read the list (four statements): what is due today, what tomorrow, and who was contacted today."""
    today = clinic.day_bounds(timezone.localtime(now, clinic.tz).date())
    tomorrow = today[1] + timedelta(days=1)
    rows = _filtered(person.user, clinic, view)
    due = Q(due_at__lt=today[1])
    chosen = person.scoped(view.scope)
    counts = rows.aggregate(
        due=Count("pk", filter=due & chosen),
        overdue=Count("pk", filter=Q(due_at__lt=now) & chosen),
        mine=Count("pk", filter=due & person.mine),
        ours=Count("pk", filter=due & person.ours),
        every=Count("pk", filter=due),
    )
    seen = _annotated(rows.filter(chosen), clinic)
    now_due = [_row(t, clinic, person.user, now) for t in seen.filter(due).order_by("due_at", "pk")[:SHOWN]]
    later = seen.filter(due_at__gte=today[1], due_at__lt=tomorrow).order_by("due_at", "pk")[:SHOWN]
    next_day = [_row(t, clinic, person.user, now) for t in later]
    aside = _aside(person, clinic, view, today)
    return Listing(
        groups=_grouped(now_due),
        tomorrow=next_day,
        tomorrow_words=_counted(TaskKind(row.task.kind).label for row in next_day),
        aside=aside,
        aside_words=_counted(row["outcome"].label for row in aside),
        more=counts["due"] - len(now_due),
        **counts,
    )


def _grouped(rows: list[Row]) -> list[Group]:
    found = []
    for kind, hint in GROUPS.items():
        inside = [row for row in rows if row.task.kind == kind]
        if inside:
            found.append(Group(kind, TaskKind(kind).label, hint, inside))
    return found


def _counted(labels: Iterable[str | Promise]) -> str:
    counted = Counter(str(label) for label in labels).most_common(4)
    return pgettext("clause", ", ").join(f"{label} {n}" for label, n in counted)


def _aside(person: Person, clinic: Clinic, view: View, today: tuple[datetime, datetime]) -> list[dict[str, Any]]:
    """Return the patients contacted today, each once with the latest outcome (one statement)."""
    rows = Contact.objects.for_user(person.user).for_clinic(clinic).filter(at__gte=today[0], at__lt=today[1])
    rows = rows.filter(undoes=None, undone_by=None)
    if view.scope == "mine":
        rows = rows.filter(by=person.user)
    elif view.scope == "team":
        rows = rows.filter(by__in=[*person.mates, person.user.pk])
    latest = rows.values("patient").annotate(last=Max("pk")).values("last")
    found = Contact.objects.filter(pk__in=latest).select_related("patient", "by").order_by("-at")[:SHOWN]
    return [{"contact": c, "patient": c.patient, "outcome": ContactOutcome(c.outcome)} for c in found]


def due_count(user: User, clinic: Clinic, now: datetime) -> int:
    """Return how many tasks of one's own are due today: the number in the frame (one statement)."""
    role = user.role_in(clinic) or ""
    end = clinic.day_bounds(timezone.localtime(now, clinic.tz).date())[1]
    return _DUE.count(clinic=clinic.pk, user=user.pk, role=role, end=end)


def _due(*, clinic: int, user: int, role: str, end: datetime) -> Any:
    rows = Task.objects.for_clinic(clinic).open().not_paused().filter(due_at__lt=end)
    return rows.filter(Q(owner=user) | Q(owner=None, owner_role=role)).order_by().only("pk")


_DUE = Statement(_due)


def owners_of(clinic: Clinic) -> list[User]:
    """Return who may hold tasks in the clinic, by name (one statement)."""
    rows = Membership.objects.for_clinic(clinic).people().select_related("user")
    able = [row.user for row in rows if "follow_up" in permissions_of(row.role)]
    return sorted(able, key=lambda user: (str(user), user.pk))


def coming_of(task: Task, now: datetime) -> Appointment | None:
    """Return the patient's next appointment in the clinic."""
    rows = Appointment.objects.for_clinic(task.clinic_id).expected().filter(patient=task.patient_id, starts_at__gt=now)
    found: Appointment | None = rows.select_related("doctor").order_by("starts_at").first()
    return found

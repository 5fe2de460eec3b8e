"""Which conversations a person may read, which of them a list shows, and which comes next in the queue."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core import signing
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, ExtractHour, ExtractIsoWeekDay

from accounts import reading
from accounts.models import Clinic, User
from accounts.permissions import Permission
from conversations.inspection.codes import CODES
from conversations.models import Appeal, Capture, CapturedContact, CoachingNote, Conversation, Finding

SIZE = 50
SALT = "conversations.list"
QUEUE_ORDER = (F("severity").desc(), F("cost").desc(nulls_last=True), F("id").desc())
Rows = QuerySet[Any]


def of_person(rows: Rows, user: User) -> Rows:
    """Keep the chats that a consultant led, or in which a sentence, a contact or a booking is credited to them."""
    named = Finding.objects.filter(conversation=OuterRef("pk"), user=user)
    got = CapturedContact.objects.filter(capture__conversation=OuterRef("pk"), user=user)
    booked = Capture.objects.filter(conversation=OuterRef("pk"), booking_user=user)
    return rows.filter(Q(consultant=user) | Exists(named) | Exists(got) | Exists(booked))


def visible(user: User, clinic: Clinic) -> Rows:
    """Return the clinic's chats that the person may read: all with SCORE_CONVERSATIONS, else their own."""
    rows = Conversation.objects.for_user(user).for_clinic(clinic).filter(is_error=False)
    return rows if user.may(Permission.SCORE_CONVERSATIONS, clinic) else of_person(rows, user)


def queue(rows: Rows) -> Rows:
    """Keep what nobody has read, the gravest first, then the dearest."""
    return rows.filter(read_at=None).order_by(*QUEUE_ORDER)


def _behind(place: Conversation) -> Q:
    """Where the queue goes on after a chat."""
    same = Q(severity=place.severity)
    later = Q(pk__lt=place.pk)
    if place.cost is None:
        return Q(severity__lt=place.severity) | (same & Q(cost=None) & later)
    cheaper = Q(cost__lt=place.cost) | Q(cost=None)
    return Q(severity__lt=place.severity) | (same & cheaper) | (same & Q(cost=place.cost) & later)


def next_in_queue(rows: Rows, place: Conversation) -> Conversation | None:
    """Return the unread chat after `place`; at the end of the queue its first, but never `place` itself."""
    waiting = queue(rows).exclude(pk=place.pk)
    found: Conversation | None = waiting.filter(_behind(place)).first() or waiting.first()
    return found


# --- filters ------------------------------------------------------------------------------------


def _captured(value: str) -> Q:
    contact = CapturedContact.objects.filter(capture__conversation=OuterRef("pk"))
    booked = Q(capture__booking_at__isnull=False)
    if value == "booking":
        return booked
    if value in CapturedContact.Kind.values:
        return Q(Exists(contact.filter(kind=value)))
    if value == "none":
        return ~Q(Exists(contact))
    return Q(Exists(contact))


def _code(value: str) -> Q:
    """A code, or all codes of a group such as `taboo`."""
    codes = [code for code, known in CODES.items() if value in (code, known.group)]
    return Q(Exists(Finding.objects.standing().filter(conversation=OuterRef("pk"), code__in=codes)))


# Filter → lookup of the column that holds it.
PLAIN = {
    "consultant": "consultant", "team": "team", "ending": "ending", "severity": "severity", "channel": "channel",
    "keyword": "keyword__icontains", "money": "cost__gte", "hour": "at_hour", "weekday": "on_day",
}  # fmt: skip
FOUND = {"code": _code, "captured": _captured}


def filtered(rows: Rows, clinic: Clinic, data: Mapping[str, Any]) -> Rows:
    """Keep what the filters say; `data` is the cleaned data of `forms.ChatFilterForm`."""
    said = {name: value for name, value in data.items() if value not in (None, "", False)}
    if "hour" in said:
        rows = rows.annotate(at_hour=ExtractHour("started_at", tzinfo=clinic.tz))
    if "weekday" in said:
        rows = rows.annotate(on_day=ExtractIsoWeekDay("started_at", tzinfo=clinic.tz))
    rows = rows.filter(**{lookup: said[name] for name, lookup in PLAIN.items() if name in said})
    for name, condition in FOUND.items():
        if name in said:
            rows = rows.filter(condition(said[name]))
    if "effective" in said:
        rows = rows.filter(is_effective=True)
    if "start" in said:
        rows = rows.filter(started_at__gte=clinic.day_bounds(said["start"])[0])
    if "end" in said:
        rows = rows.filter(started_at__lt=clinic.day_bounds(said["end"])[1])
    return rows


# --- pages --------------------------------------------------------------------------------------


def cursor(row: Conversation, order: str) -> str:
    """Return what leads to the rows after this one."""
    money = None if row.cost is None else str(row.cost)
    return signing.dumps([order, row.severity, money, row.started_at.isoformat(), row.pk], salt=SALT)


def after(rows: Rows, token: str, order: str) -> Rows:
    """Order the rows (`queue` or `latest`) and keep those behind a cursor; one not made here is as none."""
    rows = rows.order_by(*QUEUE_ORDER) if order == "queue" else rows.order_by("-started_at", "-id")
    try:
        made_for, severity, money, told, pk = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError):
        return rows
    at = reading.moment(told)
    if made_for != order or at is None:
        return rows
    if order == "queue":
        place = Conversation(pk=pk, severity=severity, cost=None if money is None else Decimal(money))
        return rows.filter(_behind(place))
    return rows.filter(started_at__lte=at).filter(Q(started_at__lt=at) | Q(pk__lt=pk))


def for_list(rows: Rows) -> Rows:
    """Fetch with each row what a list prints of it."""
    standing = Finding.objects.standing().filter(conversation=OuterRef("pk")).order_by().values("conversation")
    return rows.select_related("consultant", "team").annotate(
        found=Coalesce(standing.values(n=Count("pk")), 0),
        has_contact=Exists(CapturedContact.objects.filter(capture__conversation=OuterRef("pk"))),
    )


def figures(rows: Rows) -> dict[str, Any]:
    """Count chats, those without any contact, and what the latter cost; one statement."""
    contact = CapturedContact.objects.filter(capture__conversation=OuterRef("pk"))
    lost = ~Exists(contact)
    found: dict[str, Any] = rows.order_by().aggregate(
        chats=Count("pk"), lost=Count("pk", filter=lost), money=Coalesce(Sum("cost", filter=lost), Decimal(0))
    )
    return found


def gravest(rows: list[Any]) -> None:
    """Give each row of a list the code of its gravest standing finding; one statement."""
    found: dict[int, list[str]] = {}
    pairs = Finding.objects.standing().filter(conversation__in=[row.pk for row in rows])
    for pk, code in pairs.order_by("pk").values_list("conversation", "code"):
        found.setdefault(pk, []).append(code)
    for row in rows:
        codes = sorted(found.get(row.pk, []), key=lambda code: -CODES[code].severity if code in CODES else 0)
        row.worst = CODES[codes[0]] if codes and codes[0] in CODES else None
        row.found = len(codes)


def at_once(conversation: Conversation) -> int:
    """Count the chats that the consultant held at the same time, this one with them."""
    if conversation.consultant_id is None:
        return 1
    day = timedelta(hours=12)
    rows = Conversation.objects.for_clinic(conversation.clinic_id).filter(
        consultant=conversation.consultant_id,
        started_at__gt=conversation.started_at - day,
        started_at__lt=conversation.ended_at,
        ended_at__gt=conversation.started_at,
    )
    return max(1, rows.count())


def appeals_waiting(clinic: Clinic) -> QuerySet[Any]:
    """Return the clinic's appeals that nobody has answered, the oldest first."""
    rows = Appeal.objects.for_clinic(clinic).filter(answered_at=None, finding__conversation__is_error=False)
    return rows.select_related("finding__conversation__consultant", "made_by").order_by("made_at", "id")


def appeals_answered(clinic: Clinic, *, of: User | None = None) -> QuerySet[Any]:
    """Return appeals with their answers, the latest first; `of`: of one consultant."""
    rows = Appeal.objects.for_clinic(clinic).filter(answered_at__isnull=False, finding__conversation__is_error=False)
    if of is not None:
        rows = rows.filter(made_by=of)
    return rows.select_related("finding__conversation", "made_by", "answered_by").order_by("-answered_at", "-id")


def coaching_open(clinic: Clinic, *, of: User | None = None) -> QuerySet[Any]:
    """Return what managers asked for and is not yet done, the longest due first; `of`: of one consultant."""
    rows = CoachingNote.objects.for_clinic(clinic).open()
    if of is not None:
        rows = rows.filter(consultant=of)
    rows = rows.select_related("conversation", "consultant", "created_by")
    return rows.order_by(F("due_on").asc(nulls_last=True), "created_at", "pk")


def coaching_overdue(clinic: Clinic) -> QuerySet[Any]:
    """Return what should have been done before today."""
    return coaching_open(clinic).filter(due_on__lt=clinic.today())

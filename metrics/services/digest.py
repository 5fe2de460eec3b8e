"""The week's key figures, on Monday morning, for managers who want them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from accounts.permissions import Permission
from accounts.windows import Window
from followups.models import Message, Nature
from followups.models.messages import MessagePurpose
from followups.services import outbox
from metrics.counting import trend
from metrics.figures import Figure
from metrics.models import DigestSubscription
from metrics.scope import Scope
from metrics.words import number_text

PURPOSE = MessagePurpose.KPI_DIGEST
DUE_AT = timedelta(hours=8)  # on Monday, in the clinic's zone
OF_USE = timedelta(days=2)  # a digest that could not leave by then is not sent any more
RANK = {"bad": 0, "watch": 1, "none": 2, "good": 3}


@transaction.atomic
def subscribe(*, clinic: Clinic, by: User) -> DigestSubscription:
    """Have the digest of a clinic sent to the person; asking twice changes nothing."""
    wish: DigestSubscription = DigestSubscription.objects.get_or_create(clinic=clinic, user=by)[0]
    return wish


@transaction.atomic
def unsubscribe(*, clinic: Clinic, by: User) -> None:
    """Send the person no digest of the clinic any more; what waits in the outbox does not leave."""
    DigestSubscription.objects.for_clinic(clinic).filter(user=by).delete()
    waiting = Message.objects.for_clinic(clinic).filter(staff=by, purpose=PURPOSE)
    outbox.drop(waiting, reason=Message.Suppressed.ENDED, by=by)


def wishes(clinics: Sequence[int]) -> "QuerySet[DigestSubscription]":
    """Return who asked for the digest of the clinics."""
    return DigestSubscription.objects.filter(clinic__in=clinics).select_related("user", "clinic").order_by("pk")


def still_wanted(pairs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Keep those (clinic, person) who are subscribed and may see the figures now; asked when messages leave."""
    asked = wishes(sorted({clinic for clinic, _person in pairs}))
    return {(wish.clinic_id, wish.user_id) for wish in asked if (wish.clinic_id, wish.user_id) in pairs and _may(wish)}


def _may(wish: DigestSubscription) -> bool:
    return wish.clinic.is_active and wish.user.may(Permission.VIEW_KPIS, wish.clinic)


def monday_of(clinic: Clinic, now: datetime) -> date:
    """Return the Monday of the week it is in the clinic."""
    today = now.astimezone(clinic.tz).date()
    return today - timedelta(days=today.weekday())


def queue_due(*, now: datetime) -> int:
    """Queue last week's digest for everybody who wants it and has not got it; returns how many were queued.

    From Monday 08:00 in the clinic's zone on, for two days; late or twice changes nothing.
    """
    queued = 0
    for clinic in Clinic.objects.active():
        monday = monday_of(clinic, now)
        due_at = clinic.day_bounds(monday)[0] + DUE_AT
        if not due_at <= now < due_at + OF_USE:
            continue
        subject = f"kpis:{monday:%Y-%m-%d}"
        sent = Message.objects.for_clinic(clinic).filter(purpose=PURPOSE, subject=subject, due_at=due_at)
        wanting = wishes([clinic.pk]).exclude(user__in=sent.values("staff"))
        people = [wish.user for wish in wanting if _may(wish)]
        if people:
            queued += _queue(clinic, monday, due_at, subject, people)
    return queued


def _queue(clinic: Clinic, monday: date, due_at: datetime, subject: str, people: Sequence[User]) -> int:
    week = Window.of("week", monday - timedelta(days=1))
    before, last = trend(Scope((clinic,)), [week.before, week])
    queued = 0
    for person in people:
        with translation.override(person.language or settings.LANGUAGE_CODE):
            words = {
                "name": str(person),
                "clinic": clinic.name,
                "title": _("key figures %(start)s – %(end)s") % {"start": week.start, "end": week.last_day},
                "text": text_of(last, before, f"{reverse('kpis')}?{urlencode({'clinic': clinic.pk} | week.params())}"),
            }
        made = outbox.queue(
            clinic=clinic,
            staff=person,
            purpose=PURPOSE,
            subject=subject,
            due_at=due_at,
            stale_at=due_at + OF_USE,
            nature=Nature.SERVICE,
            variables=words,
        )
        queued += made is not None
    return queued


def text_of(last: Sequence[Figure], before: Sequence[Figure], page: str) -> str:
    """Return the week in words: one line for each key figure, worst first, and the page that tells more."""
    earlier = {figure.of.slug: figure for figure in before}
    lines = [_line(figure, earlier[figure.of.slug]) for figure in sorted(last, key=badness)]
    return "\n".join([*lines, f"{settings.SITE_URL}{page}"])


def badness(figure: Figure) -> tuple[int, Decimal]:
    """Return what puts the worst figure first: its status, then how far it is short of the target."""
    if figure.value is None or figure.target is None:
        return RANK["none"], Decimal(0)
    short = figure.target - figure.value if figure.of.direction == "up" else figure.value - figure.target
    return RANK[figure.status], -short


def _line(figure: Figure, before: Figure) -> str:
    facts = {
        "name": str(figure.of.name),
        "value": number_text(figure),
        "target": number_text(figure, figure.target),
        "before": number_text(before),
    }
    return _("%(name)s %(value)s, target %(target)s, week before %(before)s") % facts

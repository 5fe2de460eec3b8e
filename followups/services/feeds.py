"""Secret links to calendar feeds: made, renewed, revoked; and what they show."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.encoding import force_str

from accounts.audit import record
from accounts.models import Clinic, Membership, User
from followups.feeds import Entry
from followups.models import Appointment, CalendarFeed
from patients.models import Registration

PAST, AHEAD = timedelta(days=30), timedelta(days=90)
READ_NOTED = timedelta(hours=1)  # that a feed was read is written down at most so often
SHOWN = (Appointment.Status.BOOKED, Appointment.Status.CONFIRMED, Appointment.Status.KEPT)


def digest_of(token: str) -> str:
    """Return what is kept of a link's secret part."""
    return hashlib.sha256(token.encode()).hexdigest()


def live_feed(user: User, clinic: Clinic) -> CalendarFeed | None:
    """Return the person's feed of a clinic that can be read now."""
    found: CalendarFeed | None = CalendarFeed.objects.for_clinic(clinic).filter(user=user, revoked_at=None).first()
    return found


@transaction.atomic
def make_feed(*, user: User, clinic: Clinic, by: User) -> str:
    """Make a link to the person's appointments in a clinic; an earlier one stops working.

    Returns the secret part, which is not kept and cannot be shown again.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two clicks at once: the later one counts
    _revoke(user, clinic)
    token = secrets.token_urlsafe(32)
    feed = CalendarFeed.objects.create(clinic=clinic, user=user, token_digest=digest_of(token))
    record(action="calendar_feed_made", clinic=clinic, by=by, subject=feed)
    return token


@transaction.atomic
def revoke_feed(*, user: User, clinic: Clinic, by: User) -> bool:
    """Stop the person's link to a clinic's appointments; returns whether there was one."""
    feed = live_feed(user, clinic)
    if feed is None or not _revoke(user, clinic):
        return False
    record(action="calendar_feed_revoked", clinic=clinic, by=by, subject=feed)
    return True


def _revoke(user: User, clinic: Clinic) -> int:
    live = CalendarFeed.objects.for_clinic(clinic).filter(user=user, revoked_at=None)
    return int(live.update(revoked_at=timezone.now()))


def feed_of(token: str) -> CalendarFeed | None:
    """Return the feed that a link's secret part opens: not revoked, its person and clinic still at work."""
    works = Membership.objects.filter(is_active=True).values("user_id", "clinic_id")
    rows = CalendarFeed.objects.filter(
        token_digest=digest_of(token), revoked_at=None, user__is_active=True, clinic__is_active=True
    ).select_related("user", "clinic")
    feed: CalendarFeed | None = rows.first()
    if feed is None or not works.filter(user=feed.user_id, clinic=feed.clinic_id).exists():
        return None
    return feed


def note_read(feed: CalendarFeed, now: datetime) -> None:
    """Keep when a feed was last read, at most once an hour."""
    if feed.last_read_at is None or now - feed.last_read_at >= READ_NOTED:
        CalendarFeed.objects.filter(pk=feed.pk).update(last_read_at=now)


def entries_of(feed: CalendarFeed, now: datetime) -> list[Entry]:
    """Return what the feed shows: appointments with the person as doctor, or of patients they own; two queries."""
    owned = Registration.objects.for_clinic(feed.clinic).filter(owner=feed.user_id).values("patient")
    rows = (
        Appointment.objects.for_clinic(feed.clinic)
        .filter(Q(doctor=feed.user_id) | Q(patient__in=owned), status__in=SHOWN)
        .filter(starts_at__gte=now - PAST, starts_at__lt=now + AHEAD)
        .select_related("patient", "room")
        .annotate(changed_at=Max("changes__at"))
        .order_by("starts_at", "pk")
    )
    found = list(rows)
    numbers = dict(
        Registration.objects.for_clinic(feed.clinic)
        .filter(patient__in={row.patient_id for row in found})
        .values_list("patient_id", "number")
    )
    return [_entry(row, numbers.get(row.patient_id, "")) for row in found]


def _entry(row: Appointment, number: str) -> Entry:
    return Entry(
        pk=row.pk,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        initials=row.patient.name_initials,
        number=number,
        kind=force_str(row.get_kind_display()),
        room=row.room.name if row.room else "",
        is_certain=row.status != Appointment.Status.BOOKED,
        changed_at=getattr(row, "changed_at", None) or row.created_at,
    )

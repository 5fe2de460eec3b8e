"""Ending sessions, one by one or all others at once; the person is signed out there with the next request."""

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.audit import record
from accounts.devices import oldest_worth_keeping
from accounts.models import User
from accounts.services.passwords import home_clinic


@transaction.atomic
def end_session(*, session: UserSession, by: User) -> None:
    """Sign the person out in one place."""
    _end(UserSession.objects.filter(pk=session.pk), session.user, by)


@transaction.atomic
def end_other_sessions(*, user: User, keep: str, by: User) -> int:
    """Sign the person out everywhere but here; returns in how many places.

    Args: keep: the key of this session.
    """
    return _end(UserSession.objects.filter(user=user).exclude(session_key=keep), user, by)


def _end(rows: QuerySet[UserSession], user: User, by: User) -> int:
    keys = list(rows.values_list("session_key", flat=True))
    ended = Session.objects.filter(session_key__in=keys).delete()[0]
    rows.delete()
    clinic = home_clinic(user)
    if ended and clinic is not None:
        record(action="sessions_ended", clinic=clinic, by=by, subject=user, rows=ended)
    return ended


@transaction.atomic
def drop_old_sessions() -> int:
    """Delete what is left of sessions that ran out; returns how many. Nothing depends on it but the room they take."""
    now = timezone.now()
    dropped = Session.objects.filter(expire_date__lt=now).delete()[0]
    UserSession.objects.filter(created_at__lt=oldest_worth_keeping(now)).delete()
    return int(dropped)

"""What the conversations app does when it is due."""

from datetime import datetime, timedelta

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from conversations.models import WebhookEvent
from conversations.services import import_jobs, reinspecting
from followups import jobs
from followups.jobs import Job

DELIVERIES_KEPT = timedelta(days=7)  # far longer than a delivery may be repeated


@shared_task
def run_due_chat_imports() -> None:
    """Check or import every file of chats that is due; another worker may do the same at the same time."""
    jobs.poll("chat_imports")


@shared_task
def run_due_reinspections() -> None:
    """Inspect earlier chats again wherever that was asked for."""
    jobs.poll("reinspections")


def _import(now: datetime) -> int:
    done = 0
    while job := import_jobs.claim():
        import_jobs.run(job)
        done += 1
    return done


def _reinspect(now: datetime) -> int:
    done = 0
    while job := reinspecting.claim():
        reinspecting.run(job)
        done += 1
    return done


def _forget(now: datetime) -> int:
    """Forget deliveries of the webhook that nobody repeats any more."""
    return WebhookEvent.objects.filter(at__lt=now - DELIVERIES_KEPT).delete()[0]


JOBS = (
    Job("chat_imports", _import, minutes=2, alone=False, own_beat=True, label=_("Read files of chats")),
    Job("reinspections", _reinspect, minutes=2, alone=False, own_beat=True, label=_("Inspect earlier chats again")),
    Job("forget_deliveries", _forget, hour=3, label=_("Forget old deliveries of chats")),
)

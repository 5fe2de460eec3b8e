"""What the conversations app does when it is due."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from conversations.models import WebhookEvent
from conversations.services import import_jobs, reinspecting

DELIVERIES_KEPT = timedelta(days=7)  # far longer than a delivery may be repeated


@shared_task
def run_due_chat_imports() -> None:
    """Check or import every file of chats that is due; another worker may do the same at the same time."""
    while job := import_jobs.claim():
        import_jobs.run(job)


@shared_task
def run_due_reinspections() -> None:
    """Inspect earlier chats again wherever that was asked for."""
    while job := reinspecting.claim():
        reinspecting.run(job)


@shared_task
def drop_old_deliveries() -> None:
    """Forget deliveries of the webhook that nobody repeats any more."""
    WebhookEvent.objects.filter(at__lt=timezone.now() - DELIVERIES_KEPT).delete()

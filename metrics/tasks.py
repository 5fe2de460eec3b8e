"""What the key figures do by themselves, by beat."""

from celery import shared_task
from django.utils import timezone

from metrics.services import digest, snapshots


@shared_task
def freeze_months() -> None:
    """Freeze months that have ended; any number of workers may do so at once."""
    snapshots.freeze_due(now=timezone.now())


@shared_task
def queue_digests() -> None:
    """Put the week's digest into the outbox for whoever wants it."""
    digest.queue_due(now=timezone.now())

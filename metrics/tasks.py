"""What the key figures do by themselves, by beat."""

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from followups import jobs
from followups.jobs import Job
from metrics.services import digest, snapshots


@shared_task
def freeze_months() -> None:
    """Freeze months that have ended; any number of workers may do so at once."""
    jobs.run("freeze_months")


@shared_task
def queue_digests() -> None:
    """Put the week's digest into the outbox for whoever wants it."""
    jobs.run("kpi_digest")


JOBS = (
    Job(
        "freeze_months", lambda now: snapshots.freeze_due(now=now), minutes=10, alone=False, own_beat=True,
        label=_("Freeze the figures of ended months"),
    ),
    Job(
        "kpi_digest", lambda now: digest.queue_due(now=now), minutes=1, alone=False, own_beat=True,
        label=_("Weekly digest of key figures"),
    ),
)  # fmt: skip

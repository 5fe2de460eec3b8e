"""What is not kept for ever: uploaded files of imports, once they have served. Histories stay."""

from datetime import datetime, timedelta

from patients.models import ImportJob

KEEP = timedelta(days=30)
AT_WORK = (ImportJob.Status.CHECKING, ImportJob.Status.QUEUED, ImportJob.Status.RUNNING)


def forget_old_files(*, now: datetime, limit: int) -> int:
    """Delete the files uploaded for imports more than 30 days ago, used or not; their reports stay. DOMAIN §7."""
    old = ImportJob.objects.filter(created_at__lt=now - KEEP).exclude(file="").exclude(status__in=AT_WORK)
    gone = 0
    for job in old.order_by("pk")[:limit]:
        job.file.delete(save=False)
        ImportJob.objects.filter(pk=job.pk).update(file="")
        gone += 1
    return gone

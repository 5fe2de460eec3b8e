"""What the patients app does when it is due."""

from celery import shared_task

from patients.importing.jobs import patient_jobs


@shared_task
def run_due_imports() -> None:
    """Check or import every file that is due; another worker may do the same at the same time."""
    patient_jobs.run_due()

"""What beat sends: short tasks that look for what is due."""

from celery import shared_task

from followups import jobs


@shared_task
def send_messages() -> None:
    """Ask about messages in doubt, then send what is due; any number of workers may do so at once."""
    for name in jobs.SENDING:
        jobs.run(name)


@shared_task
def import_appointments() -> None:
    """Check or import every file of appointments that is due; another worker may do the same at the same time."""
    jobs.poll("appointment_imports")


@shared_task
def run_due_jobs() -> None:
    """Run every other job whose time has come."""
    jobs.run_due()

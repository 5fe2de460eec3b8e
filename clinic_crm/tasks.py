"""The installation's own periodic jobs."""

from celery import shared_task

from accounts.services.sessions import drop_old_sessions
from clinic_crm.health import record_heartbeat


@shared_task
def beat_heartbeat() -> None:
    """Prove that beat sends and a worker executes; /readyz looks at the time recorded here."""
    record_heartbeat()


@shared_task
def drop_sessions() -> None:
    """Delete sessions that ran out."""
    drop_old_sessions()

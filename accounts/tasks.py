"""What beat sends: short tasks that may run twice or late."""

from celery import shared_task

from accounts.services.kept_answers import drop_old


@shared_task
def drop_old_answers() -> None:
    """Delete the API's answers that are kept no longer."""
    drop_old()

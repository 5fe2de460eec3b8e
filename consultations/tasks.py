"""What the consultations app does by itself, by beat."""

from celery import shared_task

from consultations.services import undecided


@shared_task
def fold_undecided() -> None:
    """Derive the marked rows of the undecided board anew; any number of workers may do so at once."""
    undecided.fold()

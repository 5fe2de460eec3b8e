"""What beat sends exists, and nothing waits in the queue longer than until the next time."""

from importlib import import_module

from django.conf import settings

from clinic_crm.celery import app


def test_every_scheduled_task_exists():
    app.loader.import_default_modules()
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        assert entry["task"] in app.tasks, f"{name}: {entry['task']} is not a task"
        module, _, function = entry["task"].rpartition(".")
        assert hasattr(import_module(module), function)


def test_a_missed_run_is_dropped_since_the_next_one_does_its_work():
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        assert "expires" in entry.get("options", {}), f"{name} has no expiry"

"""The Celery application: it executes what is due; the database says what that is."""

import os

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")

app = Celery("clinic_crm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def say_ready(**_: object) -> None:
    """Count a fresh worker as alive at once, without waiting for the first beat."""
    from clinic_crm.health import record_heartbeat

    record_heartbeat()

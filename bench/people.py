"""Bringing the bench database to a size, and signing in there."""

from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from accounts.models import User
from bench.measure import Browser
from clinic_crm.demo.history import History
from clinic_crm.demo.multiply import load_many
from clinic_crm.demo.staff import build_group
from clinic_crm.demo.today import Today
from consultations.services.undecided import rebuild
from patients.models import Patient

VISITED = 0.1  # one patient in ten has come; the others are only registered


def grow_to(scale: int) -> None:
    """Have `scale` patients and a today; larger data from an earlier run is thrown away."""
    present = Patient.objects.count()
    if scale <= present < scale * 1.1:
        return
    if present:
        _empty()
    print(f"loading {scale:,} patients …", flush=True)
    with transaction.atomic():
        groups = build_group()
        history = History(groups, months=24, seed=scale, visited=VISITED)
        load_many(history, scale)
        Today(history, groups[0]).tell()
        history.write()
        rebuild()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _empty() -> None:
    from django.core.management import call_command

    call_command("flush", interactive=False, verbosity=0, allow_cascade=True)  # tables without a model too


def signed_in(username: str, port: int) -> Browser:
    """Return a browser in which somebody is signed in."""
    client = Client()
    client.force_login(User.objects.get(username=username), backend=settings.AUTHENTICATION_BACKENDS[-1])
    token = "b" * 32
    return Browser(
        port, {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value, "csrftoken": token}
    )

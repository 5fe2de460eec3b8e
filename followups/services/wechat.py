"""Adding a patient on WeChat, and what it makes needless: the tasks that asked for it."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Clinic, User
from followups.models import PlaybookStep, Task
from followups.services.tasks import close_tasks, reopen_tasks
from patients.models import Patient
from patients.services.contact import link_wechat, unlink_wechat

Closed = Task.Closed


def _asking() -> QuerySet[Task]:
    return Task.objects.filter(closed_by=PlaybookStep.ClosedBy.WECHAT)


@transaction.atomic
def add_wechat(*, patient: Patient, clinic: Clinic, by: User, guardian: bool = False) -> Patient:
    """Record that the patient (or a minor's guardian) was added; what was to bring it about closes, in every clinic."""
    linked = link_wechat(patient=patient, clinic=clinic, by=by, guardian=guardian)
    close_tasks(_asking().filter(patient=patient), reason=Closed.WECHAT, by=by)
    return linked


@transaction.atomic
def take_wechat_back(*, patient: Patient, clinic: Clinic, by: User) -> Patient:
    """The patient was not added after all: the mark goes, and what it closed is open again.

    Raises: patients.errors.Refused as `unlink_wechat`.
    """
    since = patient.wechat_linked_at
    fresh = unlink_wechat(patient=patient, clinic=clinic, by=by)
    if since is not None:
        closed = _asking().filter(patient=patient, closed_reason=Closed.WECHAT, ended_at__gte=since)
        reopen_tasks(closed, by=by)
    return fresh


def close_asking(*, now: datetime, limit: int) -> int:
    """Close what asks for the WeChat of those who were added elsewhere (imported, by a program); returns how many."""
    rows = _asking().filter(status=Task.Status.OPEN, patient__wechat_linked_at__lte=now)
    return close_tasks(
        Task.objects.filter(pk__in=list(rows.values_list("pk", flat=True)[:limit])), reason=Closed.WECHAT, by=None
    )

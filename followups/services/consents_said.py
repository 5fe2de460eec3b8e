"""What a patient says about being contacted, and what follows from it for tasks and playbooks."""

from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.models import Clinic, User
from followups.models import Message, Nature, PlaybookRun, Task
from followups.services.outbox import drop
from followups.services.playbooks import end_runs
from followups.services.tasks import close_tasks
from followups.task_rules import NOT_A_CONTACT
from patients.models import Consent, Patient
from patients.models.history import ConsentPurpose
from patients.services import record_consent


@transaction.atomic
def consents_said(
    *,
    patient: Patient,
    clinic: Clinic,
    purpose: str,
    given: bool,
    by: User | None,
    channel: str = "desk",
    contact: int | None = None,
    **more: Any,
) -> Consent:
    """Record one statement, as `patients.services.record_consent`, and obey it in every clinic of the group.

    Contact withdrawn: every open contact task closes and the playbook ends; new ones are refused by
    `create_task`. Advertising withdrawn: the advertising ones close. Source: DOMAIN §7.
    Args: contact: id of the contact in which it was said, so that undoing it opens the tasks again.
    """
    said = record_consent(patient=patient, clinic=clinic, purpose=purpose, given=given, by=by, channel=channel, **more)
    if not given:
        obey(patient=patient, purpose=purpose, by=by, contact=contact)
    return said


@transaction.atomic
def obey(*, patient: Patient, purpose: str, by: User | None, contact: int | None = None) -> None:
    """Do what a no means, at once: tasks close, playbooks end, messages that wait are suppressed.

    Args: as `consents_said`.
    """
    detail = {"contact": contact} if contact else {}
    tasks, waiting = Task.objects.filter(patient=patient), Message.objects.filter(patient=patient)
    if purpose == ConsentPurpose.CONTACT:
        end_runs(patient=patient, clinic=None, reason=PlaybookRun.EndReason.CONSENT, by=by, **detail)
        close_tasks(tasks.exclude(kind__in=NOT_A_CONTACT), reason=Task.Closed.CONSENT, by=by, **detail)
        drop(waiting, reason=Message.Suppressed.CONSENT, by=by)
    elif purpose == ConsentPurpose.MARKETING:
        advertising = Q(nature__in=[Nature.MARKETING, Nature.CLOSING])
        close_tasks(tasks.filter(advertising), reason=Task.Closed.CONSENT, by=by, **detail)
        drop(waiting.filter(advertising), reason=Message.Suppressed.CONSENT, by=by)

"""What a complaint means for follow-ups: the playbook rests while it is open; somebody asks once it is settled."""

from datetime import datetime, time

from accounts.models import User
from followups.errors import Refused
from followups.models import Task
from followups.playbook_sets import COMPLAINT
from followups.services import playbooks
from followups.services.tasks import close_tasks, create_task, owner_of
from patients.complaint_rules import FOLLOW_UP_AFTER
from patients.models import ComplaintCase, ComplaintStep


def opened(case: ComplaintCase) -> None:
    """Let the playbook of the patient rest, when it is known whose complaint it is."""
    if case.patient is not None:
        playbooks.complaint_opened(clinic=case.clinic, patient=case.patient)


def _tasks(case: ComplaintCase) -> str:
    return f"complaint{case.pk}:"


def closed(case: ComplaintCase, *, at: datetime, by: User) -> None:
    """Let the playbook go on, unless another complaint is open, and have the patient asked three days later.

    The step of the playbook makes the task where there is one; without a playbook it is made here. A patient who
    does not want to be contacted is not asked.
    """
    if case.patient is None:
        return
    others = ComplaintCase.objects.for_clinic(case.clinic).open().filter(patient=case.patient).exclude(pk=case.pk)
    made: list[Task] = []
    if not others.exists():
        made = playbooks.complaint_closed(clinic=case.clinic, patient=case.patient, at=at, by=by, number=case.pk)
    if not made:
        _ask(case, at=at, by=by)


def _ask(case: ComplaintCase, *, at: datetime, by: User) -> None:
    assert case.patient is not None
    again = case.steps.filter(kind=ComplaintStep.Kind.REOPENED).count()
    day = at.astimezone(case.clinic.tz).date() + FOLLOW_UP_AFTER
    try:
        create_task(
            clinic=case.clinic,
            patient=case.patient,
            kind=COMPLAINT.kind,
            title=COMPLAINT.title,
            script=COMPLAINT.script,
            due_at=datetime.combine(day, COMPLAINT.at_time or time(11), case.clinic.tz),
            by=by,
            owner=owner_of(case.clinic, case.patient),
            dedupe_key=_tasks(case) + (f"again{again}" if again else "0"),
        )
    except Refused:
        return


def reopened(case: ComplaintCase, *, by: User) -> None:
    """It is not over: the playbook rests again, and nobody asks yet whether it is well."""
    opened(case)
    asked = Task.objects.for_clinic(case.clinic).filter(dedupe_key__startswith=_tasks(case))
    close_tasks(asked, reason=Task.Closed.BY_HAND, by=by, complaint=case.number)

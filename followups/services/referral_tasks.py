"""Who brought a patient, with the task to thank them: linked, thanked and taken back in one piece each."""

from datetime import datetime, time, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from accounts.models import Clinic, User
from followups.errors import Refused
from followups.models import ContactChannel, Task, TaskEvent, TaskKind
from followups.playbook_sets import HELLO
from followups.services.tasks import close_tasks, create_task, owner_of, reopen_tasks
from patients.models import Patient, Referral, ReferralThanks
from patients.services import link_referral
from patients.services.referrals import unlink_referral
from patients.services.thanks import give, take_back

AT = time(11)
SCRIPT = HELLO + "\n谢谢您介绍朋友来，我们会用心照顾。\n您自己的牙齿最近还好吗？"


def _key(referral_id: int) -> str:
    return f"referral{referral_id}:thanks"


@transaction.atomic
def refer(*, referrer: Patient, referred: Patient, clinic: Clinic, by: User) -> Referral:
    """Link who brought a patient; the task to thank them is there when it counts already.

    Raises: patients.errors.PatientError as `link_referral`.
    """
    referral = link_referral(referrer=referrer, referred=referred, clinic=clinic, by=by)
    thank_referrer(referral, by=by)
    return referral


@transaction.atomic
def take_referral_back(*, referral: Referral, by: User) -> None:
    """It was somebody else: the link goes, and the task to thank for it is closed.

    Raises: patients.errors.Refused as `unlink_referral`.
    """
    unlink_referral(referral=referral, by=by)
    not_owed(referral, by=by)


@transaction.atomic
def thank(*, row: ReferralThanks, how: str, cost: Decimal, by: User) -> ReferralThanks:
    """Note how a referrer was thanked, and close the task to do so. Args: cost: yuan.

    Raises: patients.errors.Refused as `give`.
    """
    given = give(row=row, how=how, cost=cost, by=by)
    tasks = Task.objects.for_clinic(row.clinic_id).filter(dedupe_key=_key(row.referral_id))
    close_tasks(tasks, reason=Task.Closed.BY_HAND, by=by, thanks=row.pk)
    return given


@transaction.atomic
def take_thanks_back(*, row: ReferralThanks, by: User) -> ReferralThanks:
    """They were not thanked after all: the thanks are owed again, and so is the task to give them.

    Raises: patients.errors.Refused as `take_back`.
    """
    owed = take_back(row=row, by=by)
    tasks = Task.objects.for_clinic(row.clinic_id).filter(dedupe_key=_key(row.referral_id))
    told = TaskEvent.objects.filter(task__in=tasks, action=TaskEvent.Action.CLOSED, detail__thanks=row.pk)
    reopen_tasks(tasks.filter(status=Task.Status.CLOSED, pk__in=told.values("task")), by=by)
    return owed


def thank_referrer(referral: Referral | None, *, by: User) -> Task | None:
    """Have the coordinator who owns the referrer thank them, tomorrow at eleven; once for a referral.

    One that was closed because the referral did not count for a while is open again. None without an effective
    referral, when the task exists, or when the referrer does not want to be contacted.
    """
    if referral is None or referral.effective_at is None:
        return None
    clinic, referrer = referral.clinic, referral.referrer
    tomorrow = timezone.localdate(timezone=clinic.tz) + timedelta(days=1)
    try:
        made = create_task(
            clinic=clinic,
            patient=referrer,
            kind=TaskKind.REFERRAL,
            title=f"谢谢介绍{referral.referred.name}",
            due_at=datetime.combine(tomorrow, AT, clinic.tz),
            by=by,
            owner=owner_of(clinic, referrer),
            channel=ContactChannel.WECHAT,
            script=SCRIPT,
            dedupe_key=_key(referral.pk),
        )
    except Refused:
        return None
    if made is None:
        _owed_again(referral, by=by)
    return made


def _owed_again(referral: Referral, *, by: User) -> None:
    """The referral counts again (a reception was taken back and made anew): so is the task that it had closed."""
    tasks = Task.objects.for_clinic(referral.clinic_id).filter(dedupe_key=_key(referral.pk))
    told = TaskEvent.objects.filter(task__in=tasks, action=TaskEvent.Action.CLOSED, detail__referral=referral.pk)
    closed = tasks.filter(status=Task.Status.CLOSED, pk__in=told.values("task"))
    if not ReferralThanks.objects.filter(referral=referral).exclude(given_at=None).exists():
        reopen_tasks(closed, by=by)


def not_owed(referral: Referral | None, *, by: User) -> int:
    """A referral does not count after all: nobody needs to thank for it. Returns how many tasks were open."""
    if referral is None:
        return 0
    tasks = Task.objects.for_clinic(referral.clinic_id).filter(dedupe_key=_key(referral.pk))
    return close_tasks(tasks, reason=Task.Closed.BY_HAND, by=by, referral=referral.pk)

"""Campaigns (活动通知): who would get one, submitting, approving, stopping, and what came of it (DOMAIN §3, §7)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import BooleanField, Case, Count, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from followups import ad_words, consents
from followups.campaign_rules import due_times, forbidden_classes
from followups.errors import Outdated, Refused
from followups.models import (
    Campaign,
    CampaignMember,
    Contact,
    ContactChannel,
    Message,
    MessagePurpose,
    Nature,
    Task,
    TaskEvent,
    TaskKind,
)
from followups.services import outbox
from followups.services.reminders import hours_of, settings_of
from followups.services.tasks import close_tasks
from patients.filters import NARROW, PatientFilterForm
from patients.models import ComplaintCase, PatientPhone, Registration

Status, LeftOut = Campaign.Status, CampaignMember.LeftOut
MOST = 20_000  # patients of one campaign
AT_ONCE = 2_000
OF_USE = timedelta(days=7)  # a notice that could not leave for so long is stale
REACHED = (Message.State.ACCEPTED, Message.State.DELIVERED, Message.State.SENDING, Message.State.UNKNOWN)


def filter_form(clinic: Clinic, user: User, filters: Mapping[str, Sequence[str]], *, shown: bool = False) -> Any:
    """Return the patient list's filters as a campaign keeps them."""
    data = QueryDict(mutable=True)
    for name in NARROW:
        if name in filters:
            data.setlist(name, [str(value) for value in filters[name]])
    return PatientFilterForm(data, clinic=clinic, user=user, contact=True, shown=shown)


def found_by(clinic: Clinic, user: User, filters: Mapping[str, Sequence[str]]) -> QuerySet[Registration]:
    """Return the registrations that a campaign's filters find."""
    rows = Registration.objects.for_clinic(clinic).filter(patient__merged_into=None, patient__restricted_at=None)
    found: QuerySet[Registration] = filter_form(clinic, user, filters).apply(rows)
    return found


def with_left_out(
    rows: QuerySet[Any], *, clinic: Clinic, channel: str, now: datetime, but: Campaign | None = None
) -> QuerySet[Any]:
    """Annotate rows that have a `patient` with `why_out`: the first reason to leave them out, "" for none.

    Args: but: a campaign whose own messages do not count as contacts.
    """
    since = now - timedelta(days=settings_of(clinic).step_aside_days)
    contacts = Contact.objects.filter(patient=OuterRef("patient"), at__gte=since, undoes=None, undone_by=None)
    notices = Message.objects.filter(patient=OuterRef("patient"), nature=Nature.MARKETING, due_at__gte=since)
    notices = notices.exclude(state__in=[Message.State.SUPPRESSED, Message.State.FAILED])
    if but is not None:
        notices = notices.exclude(campaign=but)
    complaints = ComplaintCase.objects.open().filter(patient=OuterRef("patient"))
    agreed = {
        f"agreed_{purpose}": Coalesce(consents.latest(purpose), False, output_field=BooleanField())
        for purpose in consents.purposes_for(Nature.MARKETING)
    }
    address = Q(patient__wechat_id="") if channel == ContactChannel.WECHAT else ~Q(Exists(_phones()))
    return rows.alias(**agreed).annotate(
        why_out=Case(
            When(patient__class_code__in=forbidden_classes(Nature.MARKETING), then=Value(LeftOut.CLASS.value)),
            *(When(**{name: False}, then=Value(LeftOut.CONSENT.value)) for name in agreed),
            When(address, then=Value(LeftOut.NO_ADDRESS.value)),
            When(Exists(complaints), then=Value(LeftOut.COMPLAINT.value)),
            When(Q(Exists(contacts)) | Q(Exists(notices)), then=Value(LeftOut.LATELY.value)),
            default=Value(""),
        )
    )


def _phones() -> QuerySet[Any]:
    return PatientPhone.objects.filter(patient=OuterRef("patient"))


def preview(*, clinic: Clinic, user: User, filters: Mapping[str, Sequence[str]], channel: str) -> dict[str, int]:
    """Return how many would get it (key "") and how many are left out, by reason; one query."""
    found = found_by(clinic, user, filters).order_by()
    rows = with_left_out(found, clinic=clinic, channel=channel, now=timezone.now())
    return dict(rows.values_list("why_out").annotate(count=Count("pk")))


def check_text(clinic: Clinic, text: str) -> None:
    """Raise Refused for words that medical advertising may not use."""
    words = ad_words.words_of(settings_of(clinic).ad_words)
    refused = ad_words.check(text, marketing=True, words=words).refused
    if refused:
        raise Refused(_("Not allowed in advertising: %(words)s.") % {"words": "、".join(refused)}, field="text")


def _locked(campaign: Campaign, version: int | None, *states: str) -> Campaign:
    """Return the campaign locked. Raises: Outdated unless it is in one of the states and as it was seen."""
    fresh: Campaign = Campaign.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=campaign.pk)
    if fresh.status not in states or (version is not None and fresh.version != version):
        raise Outdated(fresh.get_status_display())
    return fresh


@transaction.atomic
def save_campaign(
    *, clinic: Clinic, by: User, filters: Mapping[str, Sequence[str]], campaign: Campaign | None = None, **values: Any
) -> Campaign:
    """Write a draft, or change one; a submitted one becomes a draft again.

    Args: filters: of the patient list, name → values; "mine" means the writer's; values: name, text, channel,
    starts_at (aware), per_hour. Raises: Refused for words of the list; Outdated once it was approved or stopped.
    """
    check_text(clinic, values["text"])
    if campaign is None:
        campaign = Campaign(clinic=clinic, created_by=by)
    else:
        campaign = _locked(campaign, None, Status.DRAFT, Status.SUBMITTED)
        campaign.version += 1
        campaign.members.all().delete()
    campaign.status = Status.DRAFT
    campaign.filters = {name: [str(by.pk) if v == "me" else v for v in values_] for name, values_ in filters.items()}
    for name in ("name", "text", "channel", "starts_at", "per_hour"):
        setattr(campaign, name, values[name])
    campaign.save()
    return campaign


@transaction.atomic
def submit(*, campaign: Campaign, by: User) -> Campaign:
    """Fix who is in and who is left out, and why, and ask for approval.

    Raises: Refused when nobody or too many would get it; Outdated unless it is a draft.
    """
    fresh = _locked(campaign, None, Status.DRAFT)
    chosen = found_by(fresh.clinic, fresh.created_by or by, fresh.filters).order_by("pk")
    rows = with_left_out(chosen, clinic=fresh.clinic, channel=fresh.channel, now=timezone.now())
    found = list(rows.values_list("patient", "why_out")[: MOST + 1])
    if len(found) > MOST:
        raise Refused(_("More than %(most)s patients; narrow the filter.") % {"most": f"{MOST:,}"})
    if not any(not why for _patient, why in found):
        raise Refused(_("Nobody would get it."))
    fresh.members.all().delete()
    CampaignMember.objects.bulk_create(
        (CampaignMember(campaign=fresh, patient_id=patient, left_out=why) for patient, why in found),
        batch_size=AT_ONCE,
    )
    fresh.status = Status.SUBMITTED
    fresh.save(update_fields=["status"])
    record(action="campaign_submitted", clinic=fresh.clinic, by=by, subject=fresh, name=fresh.name)
    return fresh


@transaction.atomic
def approve(*, campaign: Campaign, version: int, by: User) -> Campaign:
    """Let a campaign go out: its members get their times, messages wait in the outbox, WeChat texts become tasks.

    Args: version: the one that was read. Who may no longer get it is left out now. Raises: Outdated when it was
    changed meanwhile or is not waiting for approval; Refused when nobody is left.
    """
    fresh = _locked(campaign, version, Status.SUBMITTED)
    now = timezone.now()
    _leave_out_anew(fresh, now)
    members = list(fresh.members.filter(left_out="").select_related("patient").order_by("pk"))
    if not members:
        raise Refused(_("Nobody would get it."))
    hours = hours_of(settings_of(fresh.clinic), fresh.clinic)
    times = due_times(start=max(now, fresh.starts_at), count=len(members), per_hour=fresh.per_hour, hours=hours)
    for member, due_at in zip(members, times, strict=True):
        member.due_at = due_at
    CampaignMember.objects.bulk_update(members, ["due_at"], batch_size=AT_ONCE)
    spread = _tasks if fresh.channel == ContactChannel.WECHAT else _messages
    for some in _batches(iter(members)):
        spread(fresh, some, by)
    fresh.status, fresh.decided_at, fresh.decided_by = Status.RUNNING, now, by
    fresh.save(update_fields=["status", "decided_at", "decided_by"])
    record(action="campaign_approved", clinic=fresh.clinic, by=by, subject=fresh, name=fresh.name, count=len(members))
    return fresh


@transaction.atomic
def send_back(*, campaign: Campaign, version: int, by: User) -> Campaign:
    """Return a submitted campaign to its writer as a draft. Raises: Outdated."""
    fresh = _locked(campaign, version, Status.SUBMITTED)
    fresh.members.all().delete()
    fresh.status = Status.DRAFT
    fresh.save(update_fields=["status"])
    record(action="campaign_sent_back", clinic=fresh.clinic, by=by, subject=fresh, name=fresh.name)
    return fresh


@transaction.atomic
def stop(*, campaign: Campaign, by: User) -> Campaign:
    """Stop a campaign: what still waits in the outbox or as a task is dropped. Raises: Outdated."""
    fresh = _locked(campaign, None, Status.DRAFT, Status.SUBMITTED, Status.RUNNING)
    outbox.drop(Message.objects.filter(campaign=fresh), reason=Message.Suppressed.ENDED, by=by)
    close_tasks(Task.objects.filter(campaign=fresh), reason=Task.Closed.BY_HAND, by=by)
    fresh.status = Status.STOPPED
    fresh.decided_at, fresh.decided_by = timezone.now(), by
    fresh.save(update_fields=["status", "decided_at", "decided_by"])
    record(action="campaign_stopped", clinic=fresh.clinic, by=by, subject=fresh, name=fresh.name)
    return fresh


def finish_done(*, now: datetime, limit: int = 100) -> int:
    """Mark as done the running campaigns of which nothing waits any more; idempotent. Returns how many."""
    waiting = Message.objects.filter(campaign=OuterRef("pk"), state__in=[Message.State.QUEUED, Message.State.SENDING])
    open_tasks = Task.objects.filter(campaign=OuterRef("pk"), status=Task.Status.OPEN)
    over = Campaign.objects.filter(status=Status.RUNNING, decided_at__lt=now)
    over = over.exclude(Exists(waiting)).exclude(Exists(open_tasks)).order_by("pk")
    keys = list(over.values_list("pk", flat=True)[:limit])
    return int(Campaign.objects.filter(pk__in=keys).update(status=Status.DONE))


def _leave_out_anew(campaign: Campaign, now: datetime) -> None:
    members = CampaignMember.objects.filter(campaign=campaign, left_out="")
    rows = with_left_out(members, clinic=campaign.clinic, channel=campaign.channel, now=now, but=campaign)
    now_out = list(rows.exclude(why_out="").values_list("pk", "why_out"))
    for why in {why for _pk, why in now_out}:
        CampaignMember.objects.filter(pk__in=[pk for pk, w in now_out if w == why]).update(left_out=why)
    merged = CampaignMember.objects.filter(campaign=campaign, left_out="", patient__merged_into__isnull=False)
    merged.delete()


def _batches(members: Iterator[CampaignMember]) -> Iterator[list[CampaignMember]]:
    while some := list(islice(members, AT_ONCE)):
        yield some


def _messages(campaign: Campaign, members: list[CampaignMember], by: User) -> None:
    """Put some members' messages into the outbox, each once."""
    Message.objects.bulk_create(
        (
            Message(
                clinic=campaign.clinic, patient_id=member.patient_id, channel=campaign.channel,
                purpose=MessagePurpose.CAMPAIGN, nature=Nature.MARKETING, subject=f"campaign:{campaign.pk}",
                due_at=_due(member), not_before=_due(member), stale_at=_due(member) + OF_USE, campaign=campaign,
                variables={"name": member.patient.name, "clinic": campaign.clinic.name, "text": campaign.text},
                created_by=by,
            )
            for member in members
        ),
        ignore_conflicts=True,
    )  # fmt: skip
    fresh = Message.objects.filter(campaign=campaign, events=None).values_list("pk", flat=True)
    outbox.tell(list(fresh), old="", new=Message.State.QUEUED, by=by)


def _due(member: CampaignMember) -> datetime:
    assert member.due_at is not None, "given its time before"
    return member.due_at


def _tasks(campaign: Campaign, members: list[CampaignMember], by: User) -> None:
    """Make some members' tasks to send the text by hand, each once, for whoever owns the patient."""
    owners = dict(
        Registration.objects.for_clinic(campaign.clinic)
        .filter(patient__in=[member.patient_id for member in members], owner__is_active=True)
        .values_list("patient_id", "owner_id")
    )
    Task.objects.bulk_create(
        (
            Task(
                clinic=campaign.clinic, patient_id=member.patient_id, kind=TaskKind.SEND, title=campaign.name,
                script=campaign.text, channel=ContactChannel.WECHAT, nature=Nature.MARKETING,
                owner_id=owners.get(member.patient_id), due_at=_due(member), campaign=campaign,
                dedupe_key=f"campaign:{campaign.pk}:{member.patient_id}", created_by=by,
            )
            for member in members
        ),
        ignore_conflicts=True,
    )  # fmt: skip
    made = Task.objects.filter(campaign=campaign, events=None)
    TaskEvent.objects.bulk_create(TaskEvent(task=task, action=TaskEvent.Action.CREATED, by=by) for task in made)


def members_by_reason(campaign: Campaign) -> dict[str, int]:
    """Return how many members are in (key "") and left out, by reason."""
    return dict(campaign.members.order_by().values_list("left_out").annotate(count=Count("pk")))


def results(campaign: Campaign) -> dict[str, Any]:
    """Return what came of a campaign: messages by state and reason, tasks by status, members who booked since.

    Four queries whatever its size.
    """
    messages = Message.objects.filter(campaign=campaign).order_by()
    states = dict(messages.values_list("state").annotate(count=Count("pk")))
    suppressed = messages.filter(state=Message.State.SUPPRESSED).values_list("suppressed_reason")
    tasks = dict(Task.objects.filter(campaign=campaign).order_by().values_list("status").annotate(count=Count("pk")))
    booked = campaign.members.filter(
        left_out="", patient__appointments__clinic=campaign.clinic_id, patient__appointments__moved_from=None,
        due_at__isnull=False, patient__appointments__created_at__gte=F("due_at"),
    ).exclude(patient__appointments__status="error")  # fmt: skip
    return {
        "sent": sum(states.get(state, 0) for state in REACHED),
        "waiting": states.get(Message.State.QUEUED, 0),
        "failed": states.get(Message.State.FAILED, 0),
        "suppressed": dict(suppressed.annotate(count=Count("pk"))),
        "tasks_open": tasks.get(Task.Status.OPEN, 0),
        "tasks_done": tasks.get(Task.Status.DONE, 0),
        "tasks_closed": tasks.get(Task.Status.CLOSED, 0),
        "booked": booked.values("patient").distinct().count(),
    }

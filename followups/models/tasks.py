"""Follow-up tasks (回访任务), the contacts made, materials and campaigns."""

from typing import Any, ClassVar, Self

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from accounts.permissions import Role
from accounts.scoping import ScopedQuerySet
from followups.models.appointments import Appointment
from followups.models.playbooks import ContactChannel, Nature, PlaybookRun, PlaybookStep
from patients.classification import Complaint
from patients.models import Patient
from patients.models.living import living


class TaskKind(models.TextChoices):
    """What is to be done; the task list groups by it."""

    KEEP_IN_TOUCH = "keep_in_touch", _("Keep in touch")
    BOOK_RECHECK = "book_recheck", _("Book the recheck")
    CONFIRM = "confirm", _("Confirm the appointment")
    RECHECK_PLAN = "recheck_plan", _("Recheck plan with the doctor")
    NO_SHOW = "no_show", _("Call after a no-show")
    PLAN_SENT = "plan_sent", _("Ask about the plan")
    CARE = "care", _("Care notice")
    COMPLAINT = "complaint", _("Follow up a complaint")
    GIFT = "gift", _("Gift service")
    ACTIVITY = "activity", _("Activity notice")
    REFERRAL = "referral", _("Thanks and referral")
    MATERIAL = "material", _("Send reading")
    SEND = "send", _("Send a text by hand")
    OTHER = "other", _("Other")


class ContactOutcome(models.TextChoices):
    """How a contact went."""

    REACHED = "reached", _("Reached")
    WILL_COME = "will_come", _("Will come")
    CALL_LATER = "call_later", _("Call later")
    NO_ANSWER = "no_answer", _("No answer")
    SENT = "sent", _("Text sent")
    REFUSES = "refuses", _("Refuses contact")
    NOT_INTERESTED = "not_interested", _("Not interested")
    WRONG_NUMBER = "wrong_number", _("Wrong number")


class TaskQuerySet(ScopedQuerySet):
    def open(self) -> Self:
        return self.filter(status=Task.Status.OPEN)

    def not_paused(self) -> Self:
        """Leave out the tasks of a playbook that rests while a complaint is open."""
        return self.filter(models.Q(run=None) | models.Q(run__paused_at=None))

    def due(self, now: Any) -> Self:
        """Keep open tasks whose time has come and which were not put aside."""
        return self.open().filter(due_at__lte=now)

    def with_people(self) -> Self:
        return self.select_related("clinic", "patient", "owner", "doctor", "appointment__doctor", "run__playbook")


class Task(models.Model):
    """One promise to contact a patient, or to prepare that, with a due time, an owner and an outcome."""

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        DONE = "done", _("done")
        CLOSED = "closed", _("closed by the system")

    class Closed(models.TextChoices):
        """Why a task ended without being done."""

        BOOKED = "booked", _("an appointment was booked")
        RECEIVED = "received", _("the patient came")
        CLASS_CHANGED = "class_changed", _("another class")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")
        CONSENT = "consent", _("consent withdrawn")
        MERGED = "merged", _("record merged")
        WECHAT = "wechat", _("WeChat was added")
        PLAN_READY = "plan_ready", _("the recheck plan is ready")
        APPOINTMENT_GONE = "appointment_gone", _("the appointment was moved or cancelled")
        NEVER = "never", _("not for this class")
        STALE = "stale", _("its time had passed")
        BY_HAND = "by_hand", _("closed by hand")

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="tasks")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="tasks")
    kind = models.CharField(_("what"), max_length=16, choices=TaskKind.choices)
    title = models.CharField(_("title"), max_length=120)
    script = models.TextField(_("script"), max_length=1000, blank=True)  # placeholders are filled when shown
    channel = models.CharField(_("how"), max_length=10, choices=ContactChannel.choices, default=ContactChannel.PHONE)
    nature = models.CharField(_("nature"), max_length=10, choices=Nature.choices, default=Nature.SERVICE)
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="tasks")
    owner_role = models.CharField(_("who"), max_length=20, choices=Role.choices, default=Role.COORDINATOR)
    doctor = models.ForeignKey(  # named beside the owner for a recheck plan
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="doctor_tasks"
    )
    due_at = models.DateTimeField(_("due"))
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    closed_by = models.CharField(
        max_length=10, choices=PlaybookStep.ClosedBy.choices, default=PlaybookStep.ClosedBy.CONTACT
    )
    run = models.ForeignKey(PlaybookRun, null=True, on_delete=models.PROTECT, related_name="tasks")
    step = models.ForeignKey(PlaybookStep, null=True, on_delete=models.PROTECT, related_name="+")
    appointment = models.ForeignKey(Appointment, null=True, on_delete=models.PROTECT, related_name="tasks")
    campaign = models.ForeignKey("Campaign", null=True, on_delete=models.PROTECT, related_name="tasks")
    dedupe_key = models.CharField(max_length=120, null=True)  # null: by hand, nothing to be doubled
    contacts = models.PositiveSmallIntegerField(default=0)  # how often it was tried
    # Who is at it now: a lease, so that two people never call the same patient.
    claimed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    claimed_until = models.DateTimeField(null=True)
    closed_reason = models.CharField(max_length=16, choices=Closed.choices, blank=True)
    outcome = models.CharField(max_length=16, choices=ContactOutcome.choices, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "dedupe_key"], name="task_once"),
            models.CheckConstraint(
                condition=models.Q(claimed_by=None, claimed_until=None)
                | models.Q(claimed_by__isnull=False, claimed_until__isnull=False),
                name="claim_both_or_neither",
            ),
            models.CheckConstraint(
                condition=models.Q(status="open", ended_at=None)
                | (~models.Q(status="open") & models.Q(ended_at__isnull=False)),
                name="task_ends_with_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="closed") | ~models.Q(closed_reason=""), name="task_closed_with_reason"
            ),
        ]
        indexes = [
            # task list and count in the frame: mine, by due time
            models.Index(fields=["clinic", "owner", "due_at"], condition=models.Q(status="open"), name="task_of_owner"),
            models.Index(fields=["clinic", "due_at"], condition=models.Q(status="open"), name="task_due"),
            models.Index(fields=["patient", "-created_at"], name="task_of_patient"),  # patient page
            models.Index(fields=["run"], name="task_of_run"),
        ]
        triggers: ClassVar[list[Any]] = [living("patient")]
        verbose_name = _("task")
        verbose_name_plural = _("tasks")

    def __str__(self) -> str:
        return self.title


class TaskEventQuerySet(ScopedQuerySet):
    clinic_path = "task__clinic"


class TaskEvent(models.Model):
    """What happened to a task, by whom: append-only."""

    class Action(models.TextChoices):
        CREATED = "created", _("created")
        MOVED = "moved", _("put off")
        HANDED_OVER = "handed_over", _("handed over")
        DONE = "done", _("done")
        CLOSED = "closed", _("closed")
        REOPENED = "reopened", _("opened again")

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="events")
    action = models.CharField(max_length=12, choices=Action.choices)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = TaskEventQuerySet.as_manager()

    class Meta:
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]
        verbose_name = _("task event")
        verbose_name_plural = _("task events")

    def __str__(self) -> str:
        return f"{self.task_id} {self.action}"


class Contact(models.Model):
    """One contact with a patient, or the attempt: append-only; an undo is a row that names the undone one."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="contacts")
    task = models.ForeignKey(Task, null=True, on_delete=models.PROTECT, related_name="contact_log")
    channel = models.CharField(_("how"), max_length=10, choices=ContactChannel.choices)
    outcome = models.CharField(_("how it went"), max_length=16, choices=ContactOutcome.choices)
    note = models.CharField(_("note"), max_length=500, blank=True)
    next_at = models.DateTimeField(_("again on"), null=True)
    undoes = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="undone_by")
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["patient", "-at"], name="contact_of_patient"),  # patient page, contacted lately
            models.Index(fields=["clinic", "-at"], name="contact_by_clinic"),
        ]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            living("patient"),
        ]
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_outcome_display()}"


class Material(models.Model):
    """Something for important patients to read: their symptoms explained, or a similar case ([S1])."""

    class Kind(models.TextChoices):
        SYMPTOM = "symptom", _("Symptoms explained")
        CASE = "case", _("Similar case")
        CARE = "care", _("Aftercare")

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="materials")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    complaint = models.CharField(_("complaint"), max_length=24, choices=Complaint.choices, blank=True)
    title = models.CharField(_("title"), max_length=80)
    body = models.TextField(_("text"), max_length=4000)
    is_active = models.BooleanField(_("active"), default=True)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["kind", "title", "id"]
        verbose_name = _("material")
        verbose_name_plural = _("materials")

    def __str__(self) -> str:
        return self.title


class MaterialUse(models.Model):
    """A material that was sent to, or copied for, a patient: append-only."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    material = models.ForeignKey(Material, on_delete=models.PROTECT, related_name="uses")
    material_version = models.PositiveIntegerField()
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="material_uses")
    how = models.CharField(max_length=10, choices=[("copied", _("copied")), ("sent", _("sent"))])
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["patient", "-at"], name="material_of_patient")]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            living("patient"),
        ]
        verbose_name = _("use of a material")
        verbose_name_plural = _("uses of materials")

    def __str__(self) -> str:
        return f"{self.material_id} → {self.patient_id}"


class Campaign(models.Model):
    """An activity notice (活动通知) to patients picked by a filter, approved by a manager, sent spread over time."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        SUBMITTED = "submitted", _("waiting for approval")
        RUNNING = "running", _("being sent")
        DONE = "done", _("done")
        STOPPED = "stopped", _("stopped")

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="campaigns")
    name = models.CharField(_("name"), max_length=80)
    filters = models.JSONField(default=dict)  # of the patient list
    channel = models.CharField(_("how"), max_length=10, choices=ContactChannel.choices, default=ContactChannel.SMS)
    text = models.TextField(_("text"), max_length=500)
    starts_at = models.DateTimeField(_("from"))
    per_hour = models.PositiveSmallIntegerField(_("at most per hour"), default=60)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(per_hour__range=(1, 10000)), name="campaign_pace_sane"),
            models.CheckConstraint(
                condition=~models.Q(status__in=["running", "done"]) | models.Q(decided_by__isnull=False),
                name="campaign_sent_only_approved",
            ),
        ]
        ordering = ["-created_at", "-id"]
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")

    def __str__(self) -> str:
        return self.name


class CampaignMemberQuerySet(ScopedQuerySet):
    clinic_path = "campaign__clinic"


class CampaignMember(models.Model):
    """A patient the filter found, with why they are left out or when their turn is."""

    class LeftOut(models.TextChoices):
        CLASS = "class", _("never for this class")
        CONSENT = "consent", _("no consent to marketing")
        LATELY = "lately", _("contacted lately")
        NO_ADDRESS = "no_address", _("no number or account")
        COMPLAINT = "complaint", _("open complaint")

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="members")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    left_out = models.CharField(max_length=12, choices=LeftOut.choices, blank=True)
    due_at = models.DateTimeField(null=True)

    objects = CampaignMemberQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "patient"], name="campaign_member_once")]
        triggers: ClassVar[list[Any]] = [living("patient")]
        verbose_name = _("campaign member")
        verbose_name_plural = _("campaign members")

    def __str__(self) -> str:
        return f"{self.campaign_id} · {self.patient_id}"

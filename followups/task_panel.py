"""What the side panel shows of one task: whom to reach, when they like it, the words to say, what comes next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from followups import ad_words, never, task_rules
from followups.models import Appointment, ContactChannel, MessagingSettings, Nature, Task, TaskEvent, TaskKind
from followups.services import suggest_slots
from followups.services.recheck_plans import may_correct, words_of
from followups.services.tasks import has_withdrawn, holder_of
from followups.slots import Slot
from patients.models import Patient, PatientPhone, Registration

PLACEHOLDERS = frozenset({"name", "surname", "title", "clinic", "tc", "doctor", "appointment", "plan"})


@dataclass(frozen=True)
class Hours:
    """How the patient wishes to be called, and whether that is now."""

    start: Any
    end: Any
    tone: str
    about: str
    is_now: bool

    @property
    def is_known(self) -> bool:
        return bool(self.start or self.end or self.tone or self.about)


@dataclass(frozen=True)
class Panel:
    task: Task
    registration: Registration | None
    phones: list[PatientPhone]
    hours: Hours
    scripts: dict[str, str]
    first_channel: str
    flagged: list[str]
    limits: list[str]
    dates: task_rules.NextDates
    slot: Slot | None
    slot_doctor: User | None
    coming: Appointment | None
    held_by: User | None
    withdrawn: bool
    plan_words: TaskEvent | None

    @property
    def asks_why(self) -> bool:
        return self.task.kind == TaskKind.NO_SHOW and self.task.appointment is not None

    @property
    def wants_booking(self) -> bool:
        return self.task.kind in task_rules.WANT_BOOKING and self.coming is None

    @property
    def plan_note(self) -> str:
        """The recheck plan that was written, if any."""
        return str(self.plan_words.detail.get("note", "")) if self.plan_words else ""

    @property
    def may_correct_plan(self) -> bool:
        return may_correct(self.task)

    @property
    def is_plan(self) -> bool:
        return self.task.kind == TaskKind.RECHECK_PLAN


def title_for(patient: Patient) -> str:
    """Return how a patient is addressed after the name."""
    if patient.is_minor:
        return "小朋友"
    return {"f": "女士", "m": "先生"}.get(patient.sex, "")


def values_of(task: Task, *, by: User, doctor: User | None, when: str) -> dict[str, str]:
    """Return what the placeholders of a script stand for."""
    patient, title = task.patient, title_for(task.patient)
    short = bool(title) and not patient.is_minor
    return {
        "name": patient.name,
        "surname": patient.surname if short else patient.name,
        "title": title,
        "clinic": task.clinic.name.split("·")[0],
        "tc": str(by),
        "doctor": f"{doctor.surname}医生" if doctor else "医生",
        "appointment": when,
        "plan": task.run.plan_words if task.run else "",
    }


def _hours(patient: Patient, clinic: Clinic, now: datetime) -> Hours:
    wishes = {"start": patient.call_from, "end": patient.call_to}
    about = "，".join(part for part in (patient.occupation, patient.daily_rhythm) if part)
    is_now = task_rules.within_hours(now, tz=clinic.tz, **wishes)
    return Hours(patient.call_from, patient.call_to, patient.call_tone, about, is_now)


def _limits(code: str) -> list[str]:
    """Return what this patient must never be offered, in words."""
    return [str(Nature(nature).label) for nature in Nature.values if nature in never.NEVER.get(code, ())]


def _flagged(clinic: Clinic, scripts: dict[str, str], nature: str) -> list[str]:
    kept = MessagingSettings.objects.for_clinic(clinic).values_list("ad_words", flat=True).first()
    found = ad_words.check(
        " ".join(scripts.values()), marketing=nature == Nature.MARKETING, words=ad_words.words_of(kept)
    )
    manners = [word for word in ("不好意思",) if any(word in text for text in scripts.values())]
    return [*found.refused, *found.flagged, *manners]


def panel_of(*, task: Task, user: User, clinic: Clinic, now: datetime, when: str = "") -> Panel:
    """Read what the panel shows; a fixed number of statements.

    Args: task: with its people; when: the appointment's time in words, for the script.
    """
    patient = task.patient
    registration = Registration.objects.for_clinic(clinic).filter(patient=patient).select_related("doctor").first()
    doctor = _doctor(task, registration)
    scripts = task_rules.scripts_of(task.script)
    values = values_of(task, by=user, doctor=doctor, when=when)
    filled = {channel: task_rules.fill(text, values) for channel, text in scripts.items()}
    hours = _hours(patient, clinic, now)
    calls = task.channel == ContactChannel.PHONE and hours.is_now
    coming = Appointment.objects.for_clinic(clinic).expected().filter(patient=patient, starts_at__gt=now)
    next_one = coming.select_related("doctor").order_by("starts_at").first()
    wants = task.kind in task_rules.WANT_BOOKING and next_one is None and doctor is not None
    slots = (
        suggest_slots(clinic=clinic, patient=patient, doctor=doctor, kind=Appointment.Kind.RECHECK, count=1)
        if wants
        else []
    )
    return Panel(
        task=task,
        registration=registration,
        phones=list(patient.phones.all()),
        hours=hours,
        scripts=filled,
        first_channel=ContactChannel.PHONE if calls else ContactChannel.WECHAT,
        flagged=_flagged(clinic, filled, task.nature),
        limits=_limits(patient.class_code),
        dates=task_rules.next_dates(now=now, start=patient.call_from, end=patient.call_to, tz=clinic.tz),
        slot=slots[0] if slots else None,
        slot_doctor=doctor if slots else None,
        coming=next_one,
        held_by=holder_of(clinic, patient.pk, but=user, now=now),
        withdrawn=has_withdrawn(patient),
        plan_words=words_of(task),
    )


def _doctor(task: Task, registration: Registration | None) -> User | None:
    if task.doctor is not None:
        return task.doctor
    if task.appointment is not None and task.appointment.doctor is not None:
        return task.appointment.doctor
    return registration.doctor if registration else None


def first_words(task: Task) -> str:
    """Return the label of the first outcome, by what the task is for."""
    if task.kind in task_rules.WANT_BOOKING:
        return _("Booked")
    return _("Will come") if task.kind == TaskKind.CONFIRM else _("Spoken to")

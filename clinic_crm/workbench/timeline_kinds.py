"""The kinds of events on a patient's timeline, each a queryset with the same four columns.

A kind reads only what the reader may see: through their clinics, and with money, plans and contact by permission.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import JSONObject

from accounts.models import AuditEvent, User
from accounts.permissions import Permission, permissions_of
from consultations.models import Exam, ExamFile, Plan, Refund, StageChange, Visit
from followups.models import Appointment, AppointmentChange, Contact, Message, Task, TaskKind
from patients.models import (
    CareAction,
    ClassChange,
    ComplaintCase,
    Consent,
    Patient,
    PatientMerge,
    Referral,
    Registration,
)

THUMBS = 12
COLUMNS = ("ev_kind", "pk", "ev_at", "ev_data")
TOGETHER = {
    "appointment": ("appointment", "booking"),
    "decision": ("decision", "refund"),
    "contact": ("contact", "task", "message"),
}  # kinds that are filtered and counted as one
Rows = QuerySet[Any, Any]


class Counted(Subquery):
    """How many rows a subquery has."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


@dataclass(frozen=True)
class Reader:
    """Whose record, and what of it somebody may see: permissions where the patient is registered, and clinics."""

    patient_id: int
    grants: frozenset[Permission]
    clinic_ids: tuple[int, ...]

    @classmethod
    def of(cls, user: User, patient_id: int, clinic_id: int) -> "Reader":
        """Return what `user` may see: rows of the clinics where they may at least as much as in this one."""
        here = permissions_of(user.role_in(clinic_id)) if user.is_active else frozenset()
        ids = [pk for pk in user.clinic_ids() if permissions_of(user.role_in(pk)) >= here]
        return cls(patient_id, here, tuple(ids))

    def may(self, permission: Permission) -> bool:
        return permission in self.grants

    def rows(self, model: type[Any]) -> Any:
        """Return the rows of a model that belong to these clinics."""
        found = model.objects.all()
        return found.filter(**{f"{found.clinic_path}__in": self.clinic_ids})

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that this person may see."""
        found = ["visit", "stage", "appointment", "booking", "class", "decision", "image"]
        found += ["refund"] if self.may(Permission.VIEW_MONEY) else []
        found += ["plan"] if self.may(Permission.VIEW_PLAN) else []
        found += (
            ["contact", "task", "message", "referral", "consent", "record"]
            if self.may(Permission.REVEAL_CONTACT)
            else []
        )
        found += ["care"] if self.may(Permission.REVEAL_CONTACT) else []
        found += ["complaint"] if self.may(Permission.SETTLE_COMPLAINTS) else []
        found += ["merge"] if self.may(Permission.EDIT_PATIENTS) else []
        found += ["reveal"] if self.may(Permission.VIEW_AUDIT) else []
        return tuple(found)

    def chosen(self, kind: str) -> tuple[str, ...]:
        """Return the kinds that a filter stands for; all of them when it is none."""
        return tuple(name for name in TOGETHER.get(kind, (kind,)) if name in self.kinds) or self.kinds


def branches(reader: Reader, kinds: Iterable[str]) -> list[Rows]:
    """Return the events of some kinds, a queryset for each kind, in no order."""
    return [BRANCHES[kind](reader).order_by().values_list(*COLUMNS) for kind in kinds]


def _named(rows: Rows, kind: str, at: Any, /, **data: Any) -> Rows:
    packed = JSONObject(**data)
    return rows.annotate(ev_kind=Value(kind, output_field=CharField()), ev_at=at, ev_data=packed)


def _own_visits(reader: Reader) -> Rows:
    rows: Rows = reader.rows(Visit).filter(patient=reader.patient_id, is_error=False)
    return rows


def _visits(reader: Reader) -> Rows:
    return _named(
        _own_visits(reader),
        "visit",
        F("arrived_at"),
        number=F("number"),
        first=F("is_first"),
        stage=F("stage"),
        route=F("route"),
        complaint=F("consultation__complaint"),
        words=F("consultation__complaint_text"),
        by=F("coordinator__full_name"),
        doctor=F("doctor__full_name"),
        left=F("left_at"),
        unseen=F("unseen_reason"),
    )


def _stages(reader: Reader) -> Rows:
    """How visits went from stage to stage; that they began is told by the visit itself."""
    rows = reader.rows(StageChange).filter(visit__patient=reader.patient_id, visit__is_error=False)
    return _named(
        rows.exclude(old_stage=""),
        "stage",
        F("at"),
        visit=F("visit_id"),
        old=F("old_stage"),
        new=F("new_stage"),
        reason=F("reason"),
        by=F("by__full_name"),
    )


def _decisions(reader: Reader) -> Rows:
    told = {"amount": F("decision_amount"), "deposit": F("deposit_amount")} if reader.may(Permission.VIEW_MONEY) else {}
    return _named(
        _own_visits(reader).filter(decided_at__isnull=False),
        "decision",
        F("decided_at"),
        decision=F("decision"),
        obstacle=F("obstacle"),
        by=F("coordinator__full_name"),
        **told,
    )


def _refunds(reader: Reader) -> Rows:
    """Money paid back; one taken back is told as such, not as a thing of its own."""
    return _named(
        reader.rows(Refund).filter(consultation__patient=reader.patient_id, cancels=None),
        "refund",
        F("at"),
        visit=F("visit_id"),
        amount=F("amount"),
        full=F("is_full"),
        reason=F("reason"),
        undone=F("taken_back__at"),
        by=F("by__full_name"),
    )


def _images(reader: Reader) -> Rows:
    done = Exam.objects.filter(visit=OuterRef("pk"), done_at__isnull=False)
    files = ExamFile.objects.kept().filter(exam__visit=OuterRef("pk"), exam__done_at__isnull=False)
    told: dict[str, Any] = {"names": ArraySubquery(done.order_by("kind__position").values("kind__name"))}
    if reader.may(Permission.CAPTURE_EXAM) or reader.may(Permission.READ_HANDOFF):
        thumb = JSONObject(id="pk", caption="caption", exam="exam__kind__name")
        told["files"] = ArraySubquery(files.order_by("pk").values(found=thumb)[:THUMBS])
        told["count"] = Counted(files.order_by().values("pk"))
    last = Subquery(done.order_by("-done_at").values("done_at")[:1])
    by = Subquery(done.order_by("-done_at").values("done_by__full_name")[:1])
    rows = _named(_own_visits(reader), "image", last, by=by, first=F("is_first"), **told)
    return rows.filter(ev_at__isnull=False)


def _bookings(reader: Reader) -> Rows:
    """Appointments where they were made; imported ones have no other trace."""
    return _named(
        reader.rows(Appointment).filter(patient=reader.patient_id),
        "booking",
        F("created_at"),
        status=F("status"),
        starts=F("starts_at"),
        kind=F("kind"),
        doctor=F("doctor__full_name"),
        purpose=F("purpose"),
        by=F("created_by__full_name"),
    )


def _appointment_changes(reader: Reader) -> Rows:
    """What became of appointments: confirmed, moved, cancelled, not kept."""
    rows = reader.rows(AppointmentChange).filter(appointment__patient=reader.patient_id)
    return _named(
        rows.exclude(new_status__in=[Appointment.Status.BOOKED, Appointment.Status.KEPT]),
        "appointment",
        F("at"),
        status=F("new_status"),
        starts=F("appointment__starts_at"),
        kind=F("appointment__kind"),
        doctor=F("appointment__doctor__full_name"),
        purpose=F("appointment__purpose"),
        reason=F("reason"),
        by=F("by__full_name"),
    )


def _classes(reader: Reader) -> Rows:
    rows = reader.rows(ClassChange).filter(patient=reader.patient_id)
    return _named(
        rows,
        "class",
        F("at"),
        old=F("old_class"),
        new=F("new_class"),
        awareness=F("awareness"),
        trust=F("trust"),
        suggested=F("suggested"),
        why=F("suggestion_reason"),
        reason=F("reason"),
        correction=F("is_correction"),
        by=F("by__full_name"),
    )


def _plans(reader: Reader) -> Rows:
    rows = reader.rows(Plan).filter(visit__patient=reader.patient_id, finished_at__isnull=False)
    return _named(
        rows,
        "plan",
        F("finished_at"),
        visit=F("visit_id"),
        title=F("title"),
        findings=F("findings"),
        principles=F("principles"),
        none=F("no_treatment"),
        by=F("made_by__full_name"),
    )


def _referrals(reader: Reader) -> Rows:
    mine = Q(referrer=reader.patient_id) | Q(referred=reader.patient_id)
    return _named(
        reader.rows(Referral).filter(mine),
        "referral",
        F("created_at"),
        referrer=F("referrer_id"),
        referrer_name=F("referrer__name"),
        referred_name=F("referred__name"),
        effective=F("effective_at"),
        by=F("created_by__full_name"),
    )


def _consents(reader: Reader) -> Rows:
    rows = reader.rows(Consent).filter(patient=reader.patient_id)
    return _named(
        rows, "consent", F("at"), purpose=F("purpose"), given=F("given"), channel=F("channel"), by=F("by__full_name")
    )


def _contacts(reader: Reader) -> Rows:
    rows = reader.rows(Contact).filter(patient=reader.patient_id, undoes=None, undone_by=None)
    return _named(
        rows,
        "contact",
        F("at"),
        channel=F("channel"),
        outcome=F("outcome"),
        note=F("note"),
        next=F("next_at"),
        inspect=Value(reader.may(Permission.INSPECT_ETIQUETTE)),
        task=F("task__title"),
        by=F("by__full_name"),
    )


def _tasks(reader: Reader) -> Rows:
    """Tasks that ended without a contact: recheck plans written, and those that were no longer needed."""
    rows = reader.rows(Task).filter(patient=reader.patient_id, ended_at__isnull=False)
    rows = rows.filter(Q(status=Task.Status.CLOSED) | Q(kind=TaskKind.RECHECK_PLAN))
    return _named(
        rows,
        "task",
        F("ended_at"),
        title=F("title"),
        kind=F("kind"),
        reason=F("closed_reason"),
        by=F("ended_by__full_name"),
    )


def _messages(reader: Reader) -> Rows:
    rows = reader.rows(Message).filter(patient=reader.patient_id, accepted_at__isnull=False)
    return _named(
        rows,
        "message",
        F("accepted_at"),
        channel=F("channel"),
        purpose=F("purpose"),
        body=F("body"),
        state=F("state"),
        by=F("created_by__full_name"),
    )


def _records(reader: Reader) -> Rows:
    rows = reader.rows(Registration).filter(patient=reader.patient_id)
    return _named(
        rows,
        "record",
        F("created_at"),
        number=F("number"),
        clinic=F("clinic__name"),
        channel=F("channel"),
        by=F("created_by__full_name"),
    )


def _care(reader: Reader) -> Rows:
    rows = reader.rows(CareAction).filter(patient=reader.patient_id, undoes=None, undone_by=None)
    return _named(rows, "care", F("at"), what=F("kind"), note=F("note"), by=F("by__full_name"))


def _complaints(reader: Reader) -> Rows:
    return _named(
        reader.rows(ComplaintCase).filter(patient=reader.patient_id),
        "complaint",
        F("received_at"),
        number=F("number"),
        category=F("category"),
        what=F("what"),
        closed=F("closed_at"),
        outcome=F("outcome"),
        by=F("received_by__full_name"),
    )


def _merges(reader: Reader) -> Rows:
    return _named(
        reader.rows(PatientMerge).filter(winner=reader.patient_id),
        "merge",
        F("merged_at"),
        name=F("loser__name"),
        undone=F("undone_at"),
        by=F("merged_by__full_name"),
    )


def _reveals(reader: Reader) -> Rows:
    """Who opened a number or id, of this record and of those merged into it."""
    merged = Patient.objects.filter(merged_into=reader.patient_id).values("pk")
    mine = Q(subject_id=reader.patient_id) | Q(subject_id__in=merged)
    rows = reader.rows(AuditEvent).filter(mine, subject="patient", action="contact_revealed")
    return _named(rows, "reveal", F("at"), what=F("detail__what"), by=F("actor__full_name"))


BRANCHES = {
    "visit": _visits,
    "stage": _stages,
    "appointment": _appointment_changes,
    "booking": _bookings,
    "class": _classes,
    "decision": _decisions,
    "refund": _refunds,
    "image": _images,
    "plan": _plans,
    "referral": _referrals,
    "consent": _consents,
    "contact": _contacts,
    "task": _tasks,
    "message": _messages,
    "record": _records,
    "care": _care,
    "complaint": _complaints,
    "merge": _merges,
    "reveal": _reveals,
}

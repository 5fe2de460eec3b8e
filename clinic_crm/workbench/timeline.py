"""Everything that happened with a patient, newest first.

Each kind of event is a queryset with the same four columns; they are united, ordered and cut in the database, so
that a page of the timeline is one statement, however many kinds there are. Every branch reads through `for_user`.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.core import signing
from django.db.models import CharField, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import JSONObject

from accounts.models import User
from accounts.permissions import Permission, permissions_of
from consultations.models import Exam, ExamFile, Plan, Visit
from followups.models import Appointment, AppointmentChange
from patients.models import ClassChange, Consent, Referral, Registration

PAGE = 20
THUMBS = 12
SALT = "workbench.timeline"
TOGETHER = {"appointment": ("appointment", "booking")}  # kinds that are filtered and counted as one
Rows = QuerySet[Any, Any]


@dataclass(frozen=True)
class Event:
    """One thing that happened: its kind, the row it is about, when, and what is shown of it."""

    kind: str
    pk: int
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class Slice:
    """Some events and where the next older ones begin, "" at the end."""

    events: list[Event]
    more: str = ""


@dataclass(frozen=True)
class Reader:
    """Whose timeline, for whom. `clinic_id` is the clinic whose permissions decide what is shown."""

    user: User
    patient_id: int
    clinic_id: int

    def may(self, permission: Permission) -> bool:
        return self.user.may(permission, self.clinic_id)

    @cached_property
    def clinic_ids(self) -> list[int]:
        """Ids of the clinics whose rows are read: those where the person may at least as much as here."""
        here = permissions_of(self.user.role_in(self.clinic_id))
        return [pk for pk in self.user.clinic_ids() if permissions_of(self.user.role_in(pk)) >= here]

    def rows(self, model: type[Any]) -> Any:
        """Return the rows of a model that belong to these clinics."""
        found = model.objects.for_user(self.user)
        return found.filter(**{f"{found.clinic_path}__in": self.clinic_ids})

    def branches(self) -> dict[str, Rows]:
        """Return the querysets of the kinds that this person may see."""
        found = {
            "visit": _visits(self),
            "appointment": _appointment_changes(self),
            "booking": _bookings(self),
            "class": _classes(self),
            "decision": _decisions(self),
            "image": _images(self),
        }
        if self.may(Permission.VIEW_PLAN):
            found["plan"] = _plans(self)
        if self.may(Permission.REVEAL_CONTACT):
            found |= {"referral": _referrals(self), "consent": _consents(self), "record": _records(self)}
        return found


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


class Counted(Subquery):
    """How many rows a subquery has."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def kinds_in(kind: str, branches: dict[str, Rows]) -> list[str]:
    """Return the branches that a kind stands for; all of them when it is none."""
    return [name for name in TOGETHER.get(kind, (kind,)) if name in branches] or list(branches)


def counts_of(branches: dict[str, Rows]) -> dict[str, Counted]:
    """Return, per branch, an annotation that counts its events."""
    return {f"count_{kind}": Counted(rows.order_by().values("pk")) for kind, rows in branches.items()}


def read(reader: Reader, *, kind: str = "", cursor: str = "") -> Slice:
    """Return a page of events, of one kind or of all, older than the cursor; one statement."""
    branches = reader.branches()
    wanted = {name: branches[name] for name in kinds_in(kind, branches)}
    place = _place(cursor, reader)
    columns = ("ev_kind", "pk", "ev_at", "ev_data")
    cut = [_older(rows, name, place).order_by().values_list(*columns) for name, rows in wanted.items()]
    united = cut[0].union(*cut[1:], all=True) if len(cut) > 1 else cut[0]
    found = [Event(*row) for row in united.order_by("-ev_at", "-ev_kind", "-pk")[: PAGE + 1]]
    more = _cursor(found[PAGE - 1], reader) if len(found) > PAGE else ""
    return Slice(found[:PAGE], more)


def _older(rows: Rows, kind: str, place: tuple[datetime, str, int] | None) -> Rows:
    if place is None:
        return rows
    at, last_kind, pk = place
    if kind > last_kind:
        return rows.filter(ev_at__lt=at)
    if kind < last_kind:
        return rows.filter(ev_at__lte=at)
    return rows.filter(Q(ev_at__lt=at) | Q(ev_at=at, pk__lt=pk))


def _cursor(event: Event, reader: Reader) -> str:
    return signing.dumps([event.at.isoformat(), event.kind, event.pk], salt=f"{SALT}.{reader.patient_id}")


def _place(cursor: str, reader: Reader) -> tuple[datetime, str, int] | None:
    try:
        at, kind, pk = signing.loads(cursor, salt=f"{SALT}.{reader.patient_id}")
    except signing.BadSignature:
        return None
    return datetime.fromisoformat(at), kind, pk

"""The patient page: who they are in one line, everything that happened, and what a call needs beside it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.permissions import Permission
from accounts.statements import Statement
from clinic_crm.workbench.timeline import counts
from clinic_crm.workbench.timeline_kinds import Counted, Reader
from consultations.models import ConsultationForm, Exam, ExamFile, Plan, Visit
from consultations.stages import Stage
from consultations.views.workspace import missing_for_next
from followups.models import Appointment, Task
from followups.services import suggest_slots
from followups.slots import Slot
from patients.models import (
    ClassChange,
    ComplaintCase,
    Consent,
    ConsentPurpose,
    Patient,
    PatientPhone,
    Referral,
    Registration,
    WordOfMouth,
)

JUDGED_SHOWN = 24  # judgements on the line of the side panel
ASKED_SHOWN = 3  # times somebody was asked for word of mouth; the rest is a click away
NAMED = 8  # people brought that are named; of more, only how many


@dataclass(frozen=True)
class Facts:
    """Counts for chips and tabs, and the side panel."""

    events: dict[str, int]
    tabs: dict[str, int]
    next_appointment: dict[str, Any] | None
    consents: list[tuple[str, bool | None]]
    referrer: dict[str, Any] | None
    brought: list[dict[str, Any]]
    brought_count: int
    judged: list[dict[str, Any]]
    asked: list[dict[str, Any]]  # for word of mouth, the latest first
    complaint: dict[str, Any] | None  # the latest open one: whoever calls should know

    @property
    def total(self) -> int:
        """Events on the whole timeline."""
        return sum(self.events.values())

    @property
    def earlier(self) -> dict[str, Any] | None:
        """The judgement before the present one."""
        return self.judged[1] if len(self.judged) > 1 else None


def facts_of(registration: Registration, reader: Reader, user: User) -> Facts:
    """Read counts and side panel; two statements."""
    start, _end = registration.clinic.day_bounds(registration.clinic.today())
    row: dict[str, Any] = _SIDE.rows(
        reader.grants,
        patient=reader.patient_id,
        registration=registration.pk,
        clinic=registration.clinic_id,
        start=start,
        user=user.pk,
        **ComplaintCase.objects.places_of(user),
        seen=reader.clinic_ids,
    )[0]
    agreed = {found["purpose"]: found["given"] for found in row["side_consents"]}
    return Facts(
        events=counts(reader),
        tabs={name: n for name, n in row.items() if name.startswith("tab_")},
        next_appointment=_parsed(row["side_next"]),
        consents=[(str(label), agreed.get(value)) for value, label in ConsentPurpose.choices],
        referrer=row["side_referrer"],
        brought=row["side_brought"],
        brought_count=row["side_brought_count"],
        judged=row["side_judged"],
        asked=[_answered(found) for found in row["side_asked"]],
        complaint=_complained(row["side_complaint"]),
    )


def _side(
    grants: frozenset[Permission],
    *,
    patient: int,
    registration: int,
    clinic: int,
    start: datetime,
    user: int,
    seen: tuple[int, ...],
    **places: tuple[int, ...],
) -> Any:
    """Compose the side panel and the tabs' counts."""
    reader = Reader(patient, grants, seen)
    links = reader.rows(Referral)
    brought = links.filter(referrer=patient).order_by("-created_at")
    coming = Appointment.objects.for_clinic(clinic).expected().filter(starts_at__gte=start, patient=patient)
    complaints = ComplaintCase.objects.read_by(user, **places)
    side = {
        "side_next": Subquery(coming.order_by("starts_at").values(found=_APPOINTMENT)[:1]),
        "side_consents": ArraySubquery(_consents(reader)),
        "side_referrer": Subquery(links.filter(referred=patient).values(found=_person("referrer"))[:1]),
        "side_brought": ArraySubquery(brought.values(found=_person("referred"))[:NAMED]),
        "side_brought_count": Counted(brought.order_by().values("pk")),
        "side_judged": ArraySubquery(_judged(reader)),
        "side_asked": ArraySubquery(_asked(reader)),
        "side_complaint": Subquery(_complaint(reader, complaints)),
    }
    return Registration.objects.filter(pk=registration).values(**side, **_tab_counts(reader))


_SIDE = Statement(_side)

_APPOINTMENT = JSONObject(
    id="pk", starts_at="starts_at", kind="kind", status="status", doctor="doctor__full_name", room="room__name"
)


def _person(side: str) -> JSONObject:
    return JSONObject(id=f"{side}_id", name=f"{side}__name", code=f"{side}__class_code", effective="effective_at")


def _consents(reader: Reader) -> QuerySet[Any, Any]:
    rows = reader.rows(Consent).filter(patient=reader.patient_id).order_by("purpose", "-at", "-id").distinct("purpose")
    latest: QuerySet[Any, Any] = rows.values(found=JSONObject(purpose="purpose", given="given"))
    return latest


def _judged(reader: Reader) -> QuerySet[Any, Any]:
    rows = reader.rows(ClassChange).filter(patient=reader.patient_id).order_by("-at", "-id")
    told: QuerySet[Any, Any] = rows.values(
        found=JSONObject(awareness="awareness", trust="trust", code="new_class", at="at", correction="is_correction")
    )[:JUDGED_SHOWN]
    return told


def _asked(reader: Reader) -> QuerySet[Any, Any]:
    rows = reader.rows(WordOfMouth).filter(patient=reader.patient_id).order_by("-asked_at", "-pk")
    told = JSONObject(platform="platform", state="state", asked="asked_at", answered="answered_at")
    latest: QuerySet[Any, Any] = rows.values(found=told)[:ASKED_SHOWN]
    return latest


def _answered(row: dict[str, Any]) -> dict[str, Any]:
    """Return where somebody was asked to pass it on, what became of it, and the day of the last word."""
    where = WordOfMouth.Platform(row["platform"]).label if row["platform"] else _("Word of mouth")
    at = datetime.fromisoformat(row["answered"] or row["asked"])
    return {"where": where, "state": row["state"], "at": at}


def _complaint(reader: Reader, visible: Any) -> QuerySet[Any, Any]:
    rows = visible.filter(clinic__in=reader.clinic_ids, patient=reader.patient_id)
    told = JSONObject(id="pk", number="number", what="what", category="category", due="due_at")
    latest: QuerySet[Any, Any] = rows.open().order_by("-received_at", "-pk").values(found=told)[:1]
    return latest


def _complained(row: dict[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    due = datetime.fromisoformat(row["due"])
    return row | {
        "due": due,
        "is_late": due < timezone.now(),
        "category": ComplaintCase.Category(row["category"]).label,
    }


def _parsed(row: dict[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    kind, status = Appointment.Kind(row["kind"]), Appointment.Status(row["status"])
    return row | {"starts_at": datetime.fromisoformat(row["starts_at"]), "kind": kind.label, "status": status}


def _tab_counts(reader: Reader) -> dict[str, Any]:
    """Count what the tabs hold, of those that the person may see."""
    visits = reader.rows(Visit).filter(patient=reader.patient_id, is_error=False)
    files = reader.rows(ExamFile).kept().filter(exam__visit__patient=reader.patient_id)
    forms = reader.rows(ConsultationForm).filter(visit__patient=reader.patient_id)
    plans = reader.rows(Plan).filter(visit__patient=reader.patient_id, finished_at__isnull=False)
    fees = reader.rows(Exam).filter(visit__patient=reader.patient_id, done_at__isnull=False, fee__gt=0)
    paid = visits.filter(decision_amount__isnull=False)
    found = {"tab_visits": visits}
    if reader.may(Permission.CAPTURE_EXAM) or reader.may(Permission.READ_HANDOFF):
        found["tab_images"] = files
    if reader.may(Permission.COORDINATE) or reader.may(Permission.READ_HANDOFF):
        found["tab_forms"] = forms
    if reader.may(Permission.VIEW_PLAN):
        found["tab_plans"] = plans
    if reader.may(Permission.VIEW_MONEY):
        found |= {"tab_fees": fees, "tab_paid": paid}
    return {name: Counted(rows.order_by().values("pk")) for name, rows in found.items()}


def open_visit(registration: Registration) -> Visit | None:
    """Return the visit for which the patient is in the clinic now."""
    found: list[Visit] = _HERE.rows(clinic=registration.clinic_id, patient=registration.patient_id)
    for visit in found:
        visit.patient, visit.clinic = registration.patient, registration.clinic
    return found[0] if found else None


def _here(*, clinic: int, patient: int) -> Any:
    visits = Visit.objects.for_clinic(clinic).filter(patient=patient).in_clinic_now()
    return visits.select_related("doctor", "coordinator", "consultation").order_by("pk")[:1]


_HERE = Statement(_here)


@dataclass(frozen=True)
class NextThing:
    """What to do next with a patient: a button named by what it does. `post` says how it is sent."""

    label: str
    icon: str
    url_name: str
    pk: int
    post: bool = False


CONTINUE = {
    Stage.RECEIVED: gettext_lazy("Continue the visit: form"),
    Stage.INTAKE: gettext_lazy("Continue the visit: form"),
    Stage.COMPLAINT: gettext_lazy("Continue the visit: confirm the complaint"),
    Stage.EXAM: gettext_lazy("Continue the visit: exam"),
    Stage.CONSULTING: gettext_lazy("Continue the visit: consult"),
    Stage.HANDOFF: gettext_lazy("Continue the visit: write the handoff"),
    Stage.DOCTOR: gettext_lazy("Continue the visit: with the doctor"),
    Stage.EXPLAINING: gettext_lazy("Continue the visit: explain"),
    Stage.DECISION: gettext_lazy("Continue the visit: decision"),
    Stage.LEAVING: gettext_lazy("Continue the visit: checkout"),
}


def next_thing(registration: Registration, visit: Visit | None, facts: Facts, user: User) -> NextThing | None:
    """Return the next thing this person does with the patient here, None if nothing is theirs to do."""
    clinic = registration.clinic
    if visit is not None:
        if visit.stage == Stage.ARRIVED and user.may(Permission.COORDINATE, clinic):
            return NextThing(_("Receive"), "door-open", "visit_receive", visit.pk, post=True)
        words = CONTINUE.get(Stage(visit.stage)) if user.may(Permission.COORDINATE, clinic) else None
        return NextThing(str(words or _("Open the visit")), "", "visit", visit.pk)
    coming = facts.next_appointment
    today = coming is not None and coming["starts_at"].astimezone(clinic.tz).date() == clinic.today()
    if coming is not None and today and user.may(Permission.CHECK_IN, clinic):
        return NextThing(_("Check in"), "log-in", "appointment_check_in", coming["id"], post=True)
    if user.may(Permission.BOOK, clinic):
        return NextThing(_("Book"), "calendar-plus", "appointment_new", registration.patient_id)
    return None


def suggestion(registration: Registration, visit: Visit | None, facts: Facts) -> tuple[Slot, str, User] | None:
    """Return a time for the next appointment with its kind and doctor, when there is none and a doctor is known."""
    doctor = (visit.doctor if visit else None) or registration.doctor
    if facts.next_appointment is not None or doctor is None:
        return None
    kind = Appointment.Kind.RECHECK if facts.tabs.get("tab_visits") else Appointment.Kind.FIRST
    clinic, patient = registration.clinic, registration.patient
    slots = suggest_slots(clinic=clinic, patient=patient, doctor=doctor, kind=kind, count=1)
    return (slots[0], kind, doctor) if slots else None


def open_tasks(registration: Registration, user: User) -> list[Task]:
    """Return what is still to be done for the patient here, the next first (one statement)."""
    if not user.may(Permission.FOLLOW_UP, registration.clinic_id):
        return []
    return _TASKS.rows(clinic=registration.clinic_id, patient=registration.patient_id)


def _tasks(*, clinic: int, patient: int) -> Any:
    rows = Task.objects.for_clinic(clinic).open().filter(patient=patient).order_by("due_at")
    return rows.only("title", "due_at")[:NAMED]


_TASKS = Statement(_tasks)


def phones_of(patient: Patient) -> list[PatientPhone]:
    """Return the patient's numbers in their order (one statement)."""
    return _PHONES.rows(patient=patient.pk)


_PHONES = Statement(lambda *, patient: PatientPhone.objects.filter(patient=patient))


def minutes_of(slot: Slot) -> int:
    return int((slot.ends_at - slot.starts_at).total_seconds() // 60)


def missing_of(visit: Visit | None, user: User) -> list[dict[str, str]]:
    """Return what the visit's next step lacks, for those who take part in it."""
    if visit is None or not user.may(Permission.COORDINATE, visit.clinic_id):
        return []
    return missing_for_next(visit, user)

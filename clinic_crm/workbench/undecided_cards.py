"""What one card of the undecided board says: who, how much, what blocks, the last contact, the one next step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.models import Clinic
from clinic_crm.templatetags._format import short_day, when
from clinic_crm.workbench.undecided_sql import SILENT_DAYS, Place
from consultations.models import Consultation, Visit
from consultations.stages import Stage
from followups.models import Appointment, Contact, ContactChannel, ContactOutcome, Task
from patients.classification import Complaint
from patients.models import Registration

MISSED = {ContactOutcome.NO_ANSWER, ContactOutcome.WRONG_NUMBER, ContactOutcome.REFUSES}


@dataclass(frozen=True)
class Next:
    """The foot of a card: how it stands (a status level), in words, and the link to the one next step."""

    level: str
    words: str
    url: str = ""
    label: str = ""


@dataclass(frozen=True)
class UndecidedCard:
    """`age`: days since the case was opened; `amount`: yuan, None without a plan."""

    patient_id: int
    name: str
    klass: str
    url: str
    classify_url: str
    amount: Decimal | None
    complaint: str
    age: int
    blocker: str
    last: str
    next: Next
    owner: str = ""


def _latest(rows: QuerySet[Any], *order: str, **found: Any) -> Subquery:
    return Subquery(rows.order_by(*order).values(found=JSONObject(**found))[:1])


def _rows(clinic: Clinic, ids: Sequence[int], now: datetime) -> QuerySet[Registration]:
    """Return the registrations with what their cards say, each looked up by index; one statement."""
    patient = OuterRef("patient")
    visits = Visit.objects.for_clinic(clinic).filter(patient=patient, is_error=False)
    cases = Consultation.objects.for_clinic(clinic).filter(patient=patient)
    contacts = Contact.objects.for_clinic(clinic).filter(patient=patient, undoes=None, undone_by=None)
    coming = Appointment.objects.for_clinic(clinic).expected().filter(patient=patient)
    coming = coming.filter(starts_at__gte=clinic.day_bounds(clinic.today())[0])
    tasks = Task.objects.for_clinic(clinic).open().filter(patient=patient)
    missed = Appointment.objects.for_clinic(clinic).filter(patient=patient, status=Appointment.Status.NO_SHOW)
    rows = Registration.objects.for_clinic(clinic).filter(pk__in=ids).select_related("patient", "owner")
    found: QuerySet[Registration] = rows.only(
        "complaint", "patient__name", "patient__class_code", "owner__full_name", "owner__username"
    ).annotate(
        case=_latest(cases, "-opened_at", "-pk", words="complaint_text", code="complaint"),
        blocked=Subquery(visits.exclude(obstacle="").order_by("-arrived_at").values("obstacle")[:1]),
        visited=Subquery(visits.order_by("-arrived_at").values("arrived_at")[:1]),
        here=_latest(visits.in_clinic_now(), "-arrived_at", id="pk", stage="stage"),
        spoke=_latest(contacts, "-at", at="at", channel="channel", outcome="outcome", note="note"),
        coming=_latest(coming, "starts_at", id="pk", starts_at="starts_at"),
        task=_latest(tasks, "due_at", id="pk", title="title", due_at="due_at"),
        missed=Subquery(missed.filter(starts_at__lte=now).order_by("-starts_at").values("starts_at")[:1]),
    )
    return found


def cards_of(clinic: Clinic, places: Sequence[Place], now: datetime, *, may_book: bool) -> dict[int, UndecidedCard]:
    """Return the cards by registration; one statement, none for an empty board."""
    if not places:
        return {}
    by_id = {place.registration: place for place in places}
    look = _Look(clinic, now, may_book)
    return {row.pk: look.card(row, by_id[row.pk]) for row in _rows(clinic, list(by_id), now)}


class _Look:
    """How rows become words on one day in one clinic."""

    def __init__(self, clinic: Clinic, now: datetime, may_book: bool) -> None:
        self.clinic, self.now, self.today, self.may_book = clinic, now, clinic.today(), may_book
        self.complaints = {value: str(label) for value, label in Complaint.choices}
        self.stages = {value: str(label) for value, label in Stage.choices}
        self.book_url = reverse("appointment_new")

    def card(self, row: Any, place: Place) -> UndecidedCard:
        case = row.case or {}
        words = case.get("words") or self.complaints.get(case.get("code") or "", "") or row.complaint
        url = reverse("patient", args=[row.patient_id])
        return UndecidedCard(
            patient_id=row.patient_id,
            name=row.patient.name,
            klass=row.patient.class_code,
            url=url,
            classify_url=f"{url}classify/",
            amount=place.amount,
            complaint=words,
            age=(self.today - datetime.fromisoformat(place.since).astimezone(self.clinic.tz).date()).days,
            blocker=self.blocker(row),
            last=self.last(row, place),
            next=self.next(row, place),
            owner=str(row.owner or ""),
        )

    def day(self, moment: datetime | date) -> str:
        """Name the day alone: today, yesterday, else the date."""
        on = moment.astimezone(self.clinic.tz).date() if isinstance(moment, datetime) else moment
        names = {0: pgettext("day", "Today"), 1: pgettext("day", "Yesterday"), -1: pgettext("day", "Tomorrow")}
        return names.get((self.today - on).days) or short_day(on)

    def blocker(self, row: Any) -> str:
        """Say the one thing that blocks: a no-show after the last visit, else what the patient said last."""
        if row.missed is not None and (row.visited is None or row.missed > row.visited):
            return _("Did not come %(day)s") % {"day": self.day(row.missed)}
        if row.blocked:
            return str(row.blocked)
        note = (row.spoke or {}).get("note", "")
        return str(note).split("\n", 1)[0]

    def last(self, row: Any, place: Place) -> str:
        """Say when and how the patient was last seen or spoken to."""
        spoke = row.spoke
        at = datetime.fromisoformat(spoke["at"]) if spoke else None
        if row.visited is not None and (at is None or row.visited > at):
            return _("%(day)s visit") % {"day": self.day(row.visited)}
        if spoke is None or at is None:
            return self.day(place.touch)
        missed = spoke["outcome"] in MISSED
        how = ContactOutcome(spoke["outcome"]).label if missed else ContactChannel(spoke["channel"]).label
        return f"{self.day(at)} {how}"

    def next(self, row: Any, place: Place) -> Next:
        """Say the one next step; red only where something is missing or overdue."""
        if row.here:
            stage = self.stages.get(row.here["stage"], "")
            words = _("In the clinic now: %(stage)s") % {"stage": stage}
            return Next("here", words, reverse("visit", args=[row.here["id"]]))
        if row.coming:
            starts = datetime.fromisoformat(row.coming["starts_at"])
            return Next("coming", _("%(when)s visit") % {"when": when(starts)})
        silent = (self.today - place.touch).days
        contact = pgettext("do", "Contact")
        if row.task:
            return self.of_task(row.task, contact)
        if silent > SILENT_DAYS:
            words = ngettext("%(n)s day without contact", "%(n)s days without contact", silent) % {"n": silent}
            return Next("watch", words, reverse("contact_add", args=[row.patient_id]), contact)
        book = f"{self.book_url}?patient={row.patient_id}" if self.may_book else ""
        return Next("bad", _("No next appointment"), book, pgettext("do", "Book") if book else "")

    def of_task(self, task: dict[str, Any], contact: str) -> Next:
        due = datetime.fromisoformat(task["due_at"]).astimezone(self.clinic.tz).date()
        late = (self.today - due).days
        if late > 0:
            words = ngettext("%(what)s, %(n)s day overdue", "%(what)s, %(n)s days overdue", late)
            return Next("bad", words % {"what": task["title"], "n": late}, reverse("task", args=[task["id"]]), contact)
        words = f"{self.day(due)} {task['title']}"
        return Next("coming", words, reverse("task", args=[task["id"]]), contact if late == 0 else "")

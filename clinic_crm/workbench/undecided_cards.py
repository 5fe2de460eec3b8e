"""What one card of the undecided board says: who, how much, what blocks, the last contact, the one next step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from django.urls import reverse
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from accounts.models import Clinic
from clinic_crm.templatetags._format import short_day, when
from clinic_crm.workbench.undecided_facts import Facts, facts_of
from clinic_crm.workbench.undecided_sql import SILENT_DAYS, Place
from consultations.stages import Stage
from followups.models import ContactChannel, ContactOutcome
from patients.classification import Complaint

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


def cards_of(clinic: Clinic, places: Sequence[Place], now: datetime, *, may_book: bool) -> dict[int, UndecidedCard]:
    """Return the cards by registration; one statement, none for an empty board."""
    if not places:
        return {}
    by_id = {place.registration: place for place in places}
    look = _Look(clinic, now, may_book)
    facts = facts_of(clinic, list(by_id), now)
    return {fact.registration_id: look.card(fact, by_id[fact.registration_id]) for fact in facts}


SOME_ID = 987_654_321  # stands for an id in an address, until there is one


@lru_cache(maxsize=4_000)
def _day(on: date, today: date, language: str | None) -> str:
    """Return the date in words; the same days come again and again, and a date's format costs more than a card."""
    return short_day(on)


class _Look:
    """How facts become words on one day in one clinic. Words and addresses that cards share are made once."""

    def __init__(self, clinic: Clinic, now: datetime, may_book: bool) -> None:
        self.clinic, self.now, self.today, self.may_book = clinic, now, clinic.today(), may_book
        self.complaints = {value: str(label) for value, label in Complaint.choices}
        self.stages = {value: str(label) for value, label in Stage.choices}
        self.outcomes = {outcome.value: str(outcome.label) for outcome in MISSED}
        self.channels = {value: str(label) for value, label in ContactChannel.choices}
        self.book_url = reverse("appointment_new")
        self.contact, self.book = pgettext("do", "Contact"), pgettext("do", "Book")
        names = {0: pgettext("day", "Today"), 1: pgettext("day", "Yesterday"), -1: pgettext("day", "Tomorrow")}
        self.days = {self.today - timedelta(days=ago): name for ago, name in names.items()}
        self.language = get_language()
        self.addresses: dict[str, tuple[str, str]] = {}

    def address(self, route: str, pk: int) -> str:
        """Return a route's address; the resolver is asked once for each route."""
        if route not in self.addresses:
            before, _id, after = reverse(route, args=[SOME_ID]).rpartition(str(SOME_ID))
            self.addresses[route] = before, after
        before, after = self.addresses[route]
        return f"{before}{pk}{after}"

    def card(self, fact: Facts, place: Place) -> UndecidedCard:
        url = self.address("patient", fact.patient_id)
        return UndecidedCard(
            patient_id=fact.patient_id,
            name=fact.name,
            klass=fact.klass,
            url=url,
            classify_url=f"{url}classify/",
            amount=place.amount,
            complaint=fact.words or self.complaints.get(fact.code, "") or fact.complaint,
            age=(self.today - datetime.fromisoformat(place.since).astimezone(self.clinic.tz).date()).days,
            blocker=self.blocker(fact),
            last=self.last(fact, place),
            next=self.next(fact, place),
            owner=fact.owner,
        )

    def day(self, moment: datetime | date) -> str:
        """Name the day alone: today, yesterday, else the date."""
        on = moment.astimezone(self.clinic.tz).date() if isinstance(moment, datetime) else moment
        if on not in self.days:
            self.days[on] = _day(on, self.today, self.language)
        return self.days[on]

    def blocker(self, fact: Facts) -> str:
        """Say the one thing that blocks: a no-show after the last visit, else what the patient said last."""
        if fact.missed is not None and (fact.visited is None or fact.missed > fact.visited):
            return _("Did not come %(day)s") % {"day": self.day(fact.missed)}
        return fact.blocked or fact.note.split("\n", 1)[0]

    def last(self, fact: Facts, place: Place) -> str:
        """Say when and how the patient was last seen or spoken to."""
        if fact.visited is not None and (fact.spoke_at is None or fact.visited > fact.spoke_at):
            return _("%(day)s visit") % {"day": self.day(fact.visited)}
        if fact.spoke_at is None:
            return self.day(place.touch)
        how = self.outcomes.get(fact.outcome or "") or self.channels.get(fact.channel or "", "")
        return f"{self.day(fact.spoke_at)} {how}"

    def next(self, fact: Facts, place: Place) -> Next:
        """Say the one next step; red only where something is missing or overdue."""
        if fact.here:
            words = _("In the clinic now: %(stage)s") % {"stage": self.stages.get(fact.stage or "", "")}
            return Next("here", words, self.address("visit", fact.here))
        if fact.coming:
            return Next("coming", _("%(when)s visit") % {"when": when(fact.coming)})
        if fact.task and fact.task_due:
            return self.of_task(fact.task, str(fact.task_title), fact.task_due)
        silent = (self.today - place.touch).days
        if silent > SILENT_DAYS:
            words = ngettext("%(n)s day without contact", "%(n)s days without contact", silent) % {"n": silent}
            return Next("watch", words, self.address("contact_add", fact.patient_id), self.contact)
        book = f"{self.book_url}?patient={fact.patient_id}" if self.may_book else ""
        return Next("bad", _("No next appointment"), book, self.book if book else "")

    def of_task(self, pk: int, title: str, due_at: datetime) -> Next:
        due, url = due_at.astimezone(self.clinic.tz).date(), self.address("task", pk)
        late = (self.today - due).days
        if late > 0:
            words = ngettext("%(what)s, %(n)s day overdue", "%(what)s, %(n)s days overdue", late)
            return Next("bad", words % {"what": title, "n": late}, url, self.contact)
        return Next("coming", f"{self.day(due)} {title}", url, self.contact if late == 0 else "")

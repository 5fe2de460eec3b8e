"""Every key figure at its edges, counted by hand. All times are the clinic's (Shanghai); the window is May 2026."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from accounts.permissions import Role
from accounts.windows import Window
from clinic_crm.workbench.merging import merge_patients
from consultations.models import Consultation, Refund, Visit
from followups.models import Appointment, AppointmentChange, Contact
from metrics.counting import figures, trend
from metrics.kpis import BY_SLUG, KPIS
from metrics.models import EtiquetteInspection, EtiquetteRubric
from metrics.records import exclusions_of, records_of
from metrics.scope import Scope
from patients.models import ClassAudit, ClassAuditItem, ClassChange, ComplaintCase, Patient, Referral
from tests.factories import ClinicFactory, PatientFactory, RegistrationFactory, UserFactory

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Asia/Shanghai")
MAY = Window(date(2026, 5, 1), date(2026, 6, 1), "month")


def at(text: str, zone: ZoneInfo = ZONE) -> datetime:
    """May 2026 unless a month is said: "10 15:00", "06-01 00:00"."""
    day, clock = text.split()
    month, day = day.split("-") if "-" in day else ("05", day)
    return datetime.fromisoformat(f"2026-{month}-{day}T{clock}").replace(tzinfo=zone)


class Desk:
    """One clinic and what happens there, written straight into the tables."""

    def __init__(self) -> None:
        self.clinic = ClinicFactory(zone="Asia/Shanghai")
        self.tc = UserFactory(clinic=self.clinic)
        self.admin = UserFactory(role=Role.ADMIN, clinic=self.clinic)
        self.patients: dict[str, Patient] = {}

    def patient(self, name: str = "p") -> Patient:
        if name not in self.patients:
            self.patients[name] = PatientFactory(clinic=self.clinic)
        return self.patients[name]

    def visit(self, when: str, patient: str = "p", case: Consultation | None = None, **more: Any) -> Visit:
        clinic = more.pop("clinic", self.clinic)
        moment = at(when)
        case = case or Consultation.objects.create(
            clinic=clinic, patient=self.patient(patient), complaint=more.pop("complaint", "implant"), opened_at=moment
        )
        given = {"received_at": moment, "left_at": moment + timedelta(hours=1), "coordinator": self.tc} | more
        if given.get("decision"):
            given.setdefault("decided_at", given["left_at"])
        return Visit.objects.create(
            clinic=clinic, patient=self.patient(patient), consultation=case, arrived_at=moment, stage="closed", **given
        )

    def classify(self, when: str, code: str, patient: str = "p", **more: Any) -> ClassChange:
        given = {"awareness": 3, "trust": 3, "by": self.tc} | more
        return ClassChange.objects.create(
            clinic=self.clinic, patient=self.patient(patient), new_class=code, at=at(when), **given
        )

    def book(self, made: str, starts: str, patient: str = "p", status: str = "booked", **more: Any) -> Appointment:
        start = at(starts)
        return Appointment.objects.create(
            clinic=self.clinic, patient=self.patient(patient), kind="recheck", status=status, holds_slot=False,
            created_at=at(made), starts_at=start, ends_at=start + timedelta(minutes=30), created_by=self.tc, **more,
        )  # fmt: skip

    def complain(self, when: str, **more: Any) -> ComplaintCase:
        number = f"T{ComplaintCase.objects.count()}"
        return ComplaintCase.objects.create(
            clinic=self.clinic, patient=self.patient(), number=number, category="waiting", source="phone", what="等",
            received_at=at(when), due_at=at(when), **more,
        )  # fmt: skip

    def merge(self, when: str, winner: str, loser: str) -> None:
        with time_machine.travel(at(when), tick=False):
            merge_patients(
                winner=self.patient(winner), loser=self.patient(loser), clinic=self.clinic, by=self.admin,
                choices={"class_code": "winner"},
            )  # fmt: skip

    def figure(self, slug: str, **scope: Any) -> tuple[Decimal, Decimal]:
        found = figures(Scope((self.clinic,), **scope), MAY)[None]
        every = {one.of.slug: one for row in found for one in (row, *row.companions.values())}
        return every[slug].numerator, every[slug].denominator


@pytest.fixture
def desk() -> Desk:
    return Desk()


Case = tuple[str, str, tuple[int, int], Callable[[Desk], object]]
UNDECIDED = {"decision": "undecided"}
ACCEPTED = {"decision": "accepted", "decision_amount": 1000}


def audit(desk: Desk, rated: str, when: str, **more: Any) -> ClassAuditItem:
    change = desk.classify("03 10:00", "C-D")
    drawn = ClassAudit.objects.create(clinic=desk.clinic, coordinator=desk.tc, month=date(2026, 5, 1), size=1, seed=1)
    return ClassAuditItem.objects.create(
        audit=drawn, class_change=change, position=1, rated_class=rated, rated_at=at(when), rated_by=desk.admin, **more
    )


def inspect(desk: Desk, visit: Visit, score: str, when: str, **more: Any) -> EtiquetteInspection:
    rubric, _made = EtiquetteRubric.objects.get_or_create(
        clinic=desk.clinic, kind="visit", version=1, defaults={"items": []}
    )
    return EtiquetteInspection.objects.create(
        clinic=desk.clinic, rubric=rubric, staff=desk.tc, visit=visit, answers={}, score=Decimal(score),
        inspected_at=at(when), inspected_by=desk.admin, **more,
    )  # fmt: skip


def taken_back_call(desk: Desk) -> None:
    """A call that was scored, and then taken back by who had logged it."""
    given = {"clinic": desk.clinic, "patient": desk.patient(), "channel": "phone", "outcome": "reached", "by": desk.tc}
    call = Contact.objects.create(at=at("10 10:00"), **given)
    rubric = EtiquetteRubric.objects.create(clinic=desk.clinic, kind="call", version=1, items=[])
    EtiquetteInspection.objects.create(
        clinic=desk.clinic, rubric=rubric, staff=desk.tc, contact=call, answers={}, score=80,
        inspected_at=at("10 10:05"), inspected_by=desk.admin,
    )  # fmt: skip
    Contact.objects.create(at=at("10 10:08"), undoes=call, **given)


def refund(desk: Desk, case: Consultation, when: str, **more: Any) -> Refund:
    given = {"is_full": True, "amount": 1000, "reason": "改变主意"} | more
    return Refund.objects.create(clinic=desk.clinic, consultation=case, at=at(when), **given)


def refer(desk: Desk, referrer: str, referred: str, effective: str | None) -> Referral:
    moment = at(effective) if effective else None
    return Referral.objects.create(
        clinic=desk.clinic, referrer=desk.patient(referrer), referred=desk.patient(referred), effective_at=moment,
        created_at=moment or at("01 10:00"),
    )  # fmt: skip


def wechat(desk: Desk, when: str, patient: str = "p", **more: Any) -> None:
    Patient.objects.filter(pk=desk.patient(patient).pk).update(wechat_linked_at=at(when), **more)


CASES: list[Case] = [
    # 1
    ("classification", "classified at 23:59 of the day", (1, 1), lambda d: (d.visit("10 15:00", **UNDECIDED), d.classify("10 23:59", "C-E"))),
    ("classification", "classified at the next midnight", (0, 1), lambda d: (d.visit("10 15:00", **UNDECIDED), d.classify("11 00:00", "C-E"))),
    ("classification", "without trust", (0, 1), lambda d: (d.visit("10 15:00", **UNDECIDED), d.classify("10 15:30", "C-E", trust=None))),
    ("classification", "without a chief complaint", (0, 1), lambda d: (d.visit("10 15:00", complaint="", **UNDECIDED), d.classify("10 15:30", "C-E"))),
    ("classification", "another class than suggested, no reason", (0, 1), lambda d: (d.visit("10 15:00", **UNDECIDED), d.classify("10 15:30", "C-B", suggested="C-E"))),
    ("classification", "the class of an earlier visit", (0, 1), lambda d: (d.classify("09 15:30", "C-E"), d.visit("10 15:00", **UNDECIDED))),
    ("classification", "refused counts, accepted does not", (0, 1), lambda d: (d.visit("10 15:00", decision="refused"), d.visit("11 15:00", **ACCEPTED))),
    ("classification", "left at midnight after the window", (0, 0), lambda d: d.visit("31 23:00", **UNDECIDED)),
    ("classification", "entered in error", (0, 0), lambda d: d.visit("10 15:00", is_error=True, **UNDECIDED)),
    ("classification.accuracy", "agrees", (1, 1), lambda d: audit(d, "C-D", "31 23:59")),
    ("classification.accuracy", "differs", (0, 1), lambda d: audit(d, "C-E", "01 00:00")),
    ("classification.accuracy", "rated after the window", (0, 0), lambda d: audit(d, "C-D", "06-01 00:00")),
    # 2
    ("c_conversion", "stands since April, rises", (1, 1), lambda d: (d.classify("04-20 10:00", "C-E"), d.classify("31 23:59", "C-D"))),
    ("c_conversion", "rises after the window", (0, 1), lambda d: (d.classify("04-20 10:00", "C-E"), d.classify("06-01 00:00", "C-D"))),
    ("c_conversion", "enters in the window and rises", (1, 1), lambda d: (d.classify("04 10:00", "C-E"), d.classify("05 10:00", "C-A"))),
    ("c_conversion", "is C-A all along", (0, 0), lambda d: d.classify("04-20 10:00", "C-A")),
    ("c_conversion", "falls from C-A into it", (0, 1), lambda d: (d.classify("04-20 10:00", "C-A"), d.classify("05 10:00", "C-B"))),
    ("c_conversion", "a correction is no rise", (0, 1), lambda d: (d.classify("04-20 10:00", "C-E"), d.classify("05 10:00", "C-C", is_correction=True))),
    ("c_conversion", "a rise that was corrected away", (0, 1), lambda d: (d.classify("04-20 10:00", "C-E"), d.classify("05 10:00", "C-C"), d.classify("06 10:00", "C-E", is_correction=True))),
    ("c_conversion", "corrected to C-A: never stood there", (0, 0), lambda d: (d.classify("04-20 10:00", "C-E"), d.classify("05 10:00", "C-A", is_correction=True))),
    ("c_conversion", "rises and falls back", (0, 1), lambda d: (d.classify("04-20 10:00", "C-E"), d.classify("05 10:00", "C-C"), d.classify("06 10:00", "C-E"))),
    ("c_conversion", "accepted at the same class", (1, 1), lambda d: (d.classify("04-20 10:00", "C-E"), d.visit("10 15:00", **ACCEPTED))),
    ("c_conversion", "accepted before the window", (0, 0), lambda d: (d.classify("04-20 10:00", "C-E"), d.visit("04-21 15:00", **ACCEPTED))),
    ("c_conversion", "accepted and paid back in full", (0, 1), lambda d: (d.classify("04-20 10:00", "C-E"), refund(d, d.visit("10 15:00", **ACCEPTED).consultation, "12 10:00"))),
    ("c_conversion", "two records of one person", (1, 1), lambda d: (d.classify("04-20 10:00", "C-E", "a"), d.classify("05 10:00", "C-C", "b"), d.merge("06 10:00", "a", "b"))),
    ("c_conversion.fell", "falls", (1, 1), lambda d: (d.classify("04-20 10:00", "C-C"), d.classify("05 10:00", "C-D"))),
    ("c_conversion.fell", "a correction downwards is no fall", (0, 1), lambda d: (d.classify("04-20 10:00", "C-C"), d.classify("05 10:00", "C-D", is_correction=True))),
    # 3
    ("etiquette", "mean of two", (170, 2), lambda d: (inspect(d, d.visit("10 15:00"), "80", "10 18:00"), inspect(d, d.visit("11 15:00"), "90", "31 23:59"))),
    ("etiquette", "scored after the window", (0, 0), lambda d: inspect(d, d.visit("10 15:00"), "80", "06-01 00:00")),
    ("etiquette", "replaced", (0, 0), lambda d: inspect(d, d.visit("10 15:00"), "80", "10 18:00", replaced_at=at("12 10:00"))),
    ("etiquette", "the call was taken back", (0, 0), taken_back_call),
    ("etiquette", "the visit was entered in error", (0, 0), lambda d: inspect(d, d.visit("10 15:00", is_error=True), "80", "10 18:00")),
    # 4
    ("form", "complete before the handoff", (1, 1), lambda d: d.visit("10 15:00", form_completed_at=at("10 15:10"), handoff_at=at("10 15:20"))),
    ("form", "late", (0, 1), lambda d: d.visit("10 15:00", form_completed_at=at("10 15:30"), handoff_at=at("10 15:20"))),
    ("form.late", "late", (1, 1), lambda d: d.visit("10 15:00", form_completed_at=at("10 15:30"), handoff_at=at("10 15:20"))),
    ("form", "left before the handoff, complete", (1, 1), lambda d: d.visit("10 15:00", form_completed_at=at("10 15:10"))),
    ("form", "received at the window's last minute", (0, 1), lambda d: d.visit("31 23:59")),
    ("form", "received at the next midnight", (0, 0), lambda d: d.visit("06-01 00:00")),
    ("form", "received at the window's first moment", (0, 1), lambda d: d.visit("01 00:00")),
    ("form", "first visit was elsewhere in the group", (0, 0), lambda d: (d.visit("04-20 10:00", clinic=ClinicFactory()), d.visit("10 15:00"))),
    ("form", "the earlier visit was entered in error", (0, 1), lambda d: (d.visit("04-20 10:00", is_error=True), d.visit("10 15:00"))),
    ("form", "never received", (0, 0), lambda d: d.visit("10 15:00", received_at=None)),
    ("form", "merged: one first visit", (0, 1), lambda d: (d.visit("10 15:00", "a"), d.visit("12 15:00", "b"), d.merge("13 10:00", "a", "b"))),
    # 5
    ("next_appointment", "made before leaving", (1, 1), lambda d: (d.visit("10 15:00"), d.book("10 15:30", "20 10:00"))),
    ("next_appointment", "made that evening", (1, 1), lambda d: (d.visit("10 15:00"), d.book("10 23:59", "20 10:00"))),
    ("next_appointment", "made the next day", (0, 1), lambda d: (d.visit("10 15:00"), d.book("11 00:00", "20 10:00"))),
    ("next_appointment", "cancelled the next day all the same", (1, 1), lambda d: (d.visit("10 15:00"), d.book("10 15:30", "20 10:00", status="cancelled_patient", ended_at=at("11 09:00")))),
    ("next_appointment.covered", "cancelled since", (0, 1), lambda d: (d.visit("10 15:00"), d.book("10 15:30", "20 10:00", status="cancelled_patient", ended_at=at("11 09:00")))),
    ("next_appointment", "had been cancelled before", (0, 1), lambda d: (d.visit("10 15:00"), d.book("08 15:30", "20 10:00", status="cancelled_patient", ended_at=at("09 09:00")))),
    ("next_appointment", "entered in error", (0, 1), lambda d: (d.visit("10 15:00"), d.book("10 15:30", "20 10:00", status="error", ended_at=at("20 09:00")))),
    ("next_appointment", "left unseen before being received", (0, 0), lambda d: d.visit("10 15:00", received_at=None)),
    ("next_appointment.covered", "booked later", (1, 1), lambda d: (d.visit("10 15:00"), d.book("18 15:30", "20 10:00"))),
    # 6
    ("cancellation", "cancelled by the patient", (1, 1), lambda d: d.book("02 10:00", "31 23:59", status="cancelled_patient")),
    ("cancellation", "due after the window", (0, 0), lambda d: d.book("02 10:00", "06-01 00:00", status="cancelled_patient")),
    ("cancellation", "cancelled by the clinic or entered in error", (0, 1), lambda d: [d.book("02 10:00", "20 10:00", status=s) for s in ("cancelled_clinic", "error", "kept")]),
    ("cancellation", "rescheduled: both were due", (0, 2), lambda d: (d.book("02 10:00", "20 10:00", status="moved"), d.book("03 10:00", "21 10:00"))),
    ("cancellation.no_show", "did not come", (1, 2), lambda d: (d.book("02 10:00", "20 10:00", status="no_show"), d.book("03 10:00", "21 10:00"))),
    ("cancellation.broken", "late moves, not early ones", (3, 4), lambda d: (d.book("02 10:00", "20 10:00", status="moved", is_late=True), d.book("02 10:00", "20 11:00", status="moved", is_late=False), d.book("02 10:00", "20 12:00", status="no_show"), d.book("02 10:00", "21 10:00", status="cancelled_patient"))),
    # 7
    ("closing", "accepted, deposit, undecided", (2, 3), lambda d: (d.visit("10 15:00", **ACCEPTED), d.visit("11 15:00", decision="deposit", deposit_amount=5), d.visit("12 15:00", **UNDECIDED))),
    ("closing", "no treatment indicated", (0, 0), lambda d: d.visit("10 15:00", decision="no_treatment")),
    ("closing", "first received in April, accepted in May", (0, 0), lambda d: d.visit("10 15:00", case=d.visit("04-28 15:00", **UNDECIDED).consultation, **ACCEPTED)),
    ("closing", "received in May, accepted in June", (1, 1), lambda d: d.visit("06-20 15:00", case=d.visit("28 15:00", **UNDECIDED).consultation, **ACCEPTED)),
    ("closing.same_day", "accepted at another visit", (0, 1), lambda d: d.visit("12 15:00", case=d.visit("10 15:00", **UNDECIDED).consultation, **ACCEPTED)),
    ("closing.thirty_days", "on the thirtieth day", (1, 1), lambda d: d.visit("31 15:00", case=d.visit("01 15:00", **UNDECIDED).consultation, **ACCEPTED)),
    ("closing.thirty_days", "on the thirty-first day", (0, 1), lambda d: d.visit("06-01 15:00", case=d.visit("01 15:00", **UNDECIDED).consultation, **ACCEPTED)),
    ("closing", "refunded in full", (0, 1), lambda d: refund(d, d.visit("10 15:00", **ACCEPTED).consultation, "20 10:00")),
    ("closing", "refunded in part", (1, 1), lambda d: refund(d, d.visit("10 15:00", **ACCEPTED).consultation, "20 10:00", is_full=False, amount=300)),
    ("closing.money", "refunded in part", (700, 1000), lambda d: refund(d, d.visit("10 15:00", **ACCEPTED).consultation, "20 10:00", is_full=False, amount=300)),
    ("closing", "the refund was taken back", (1, 1), lambda d: (r := refund(d, d.visit("10 15:00", **ACCEPTED).consultation, "20 10:00"), refund(d, r.consultation, "21 10:00", cancels=r))),
    ("closing.presented", "only those presented a plan", (1, 1), lambda d: (d.visit("10 15:00", explaining_started_at=at("10 15:30"), **ACCEPTED), d.visit("11 15:00", **ACCEPTED))),
    ("closing", "entered in error", (0, 0), lambda d: d.visit("10 15:00", is_error=True, **ACCEPTED)),
    ("closing", "the first visit was an error, the second begins it", (1, 1), lambda d: d.visit("12 15:00", case=d.visit("04-28 15:00", is_error=True).consultation, **ACCEPTED)),
    # 8
    ("wechat", "linked that evening", (1, 1), lambda d: (d.visit("10 15:00"), wechat(d, "10 23:59"))),
    ("wechat", "linked the next day", (0, 1), lambda d: (d.visit("10 15:00"), wechat(d, "11 00:00"))),
    ("wechat", "linked by the second visit", (0, 1), lambda d: (d.visit("10 15:00"), d.visit("12 15:00"), wechat(d, "12 10:00"))),
    ("wechat", "linked long ago", (1, 1), lambda d: (d.visit("10 15:00"), wechat(d, "01-10 10:00"))),
    ("wechat", "the guardian of a minor", (1, 1), lambda d: (d.visit("10 15:00"), wechat(d, "10 15:30", wechat_linked_guardian=True, birth_date=date(2008, 5, 11)))),
    ("wechat", "the guardian of one grown up that day", (0, 1), lambda d: (d.visit("10 15:00"), wechat(d, "10 15:30", wechat_linked_guardian=True, birth_date=date(2008, 5, 10)))),
    ("wechat", "merged: once", (1, 1), lambda d: (d.visit("10 15:00", "a"), d.visit("12 15:00", "b"), wechat(d, "10 15:10", "b"), d.merge("13 10:00", "a", "b"))),
    # 9
    ("referral", "brought somebody in the year", (1, 2), lambda d: (d.visit("10 15:00", "a"), d.visit("12 15:00", "b"), refer(d, "a", "b", "12 15:00"))),
    ("referral", "not yet effective", (0, 2), lambda d: (d.visit("10 15:00", "a"), d.visit("12 15:00", "b"), refer(d, "a", "b", None))),
    ("referral", "effective after the window", (0, 2), lambda d: (d.visit("10 15:00", "a"), d.visit("12 15:00", "b"), refer(d, "a", "b", "06-01 00:00"))),
    ("referral", "who was brought came in error only", (0, 1), lambda d: (d.visit("10 15:00", "a"), d.visit("12 15:00", "b", is_error=True), refer(d, "a", "b", "12 15:00"))),
    ("referral", "received months before the window", (1, 1), lambda d: (d.visit("01-10 15:00", "a"), refer(d, "a", "b", "12 15:00"))),
    ("referral", "merged: the other record had brought", (1, 1), lambda d: (d.visit("10 15:00", "a"), refer(d, "b", "c", "12 15:00"), d.merge("13 10:00", "a", "b"))),
    ("referral.new_patients", "one of two new ones", (1, 2), lambda d: (d.visit("10 15:00", "a"), d.visit("12 15:00", "b"), refer(d, "a", "b", "12 15:00"))),
    # 10
    ("complaints", "one of two patients", (1, 2), lambda d: (d.visit("10 15:00"), d.visit("10 15:00", "q"), d.complain("31 23:59"))),
    ("complaints", "after the window", (0, 1), lambda d: (d.visit("10 15:00"), d.complain("06-01 00:00"))),
    ("complaints", "repeats are one case", (1, 1), lambda d: (d.visit("10 15:00"), d.complain("12 10:00", joined_to=d.complain("11 10:00")))),
    ("complaints.upheld", "upheld", (1, 1), lambda d: (d.visit("10 15:00"), d.complain("11 10:00", closed_at=at("12 10:00"), outcome="apologised", is_upheld=True), d.complain("12 10:00"))),
]  # fmt: skip


@pytest.mark.parametrize(("slug", "what", "expected", "make"), CASES, ids=[f"{c[0]}: {c[1]}" for c in CASES])
def test_counts_as_by_hand(
    desk: Desk, slug: str, what: str, expected: tuple[int, int], make: Callable[[Desk], Any]
) -> None:
    make(desk)
    assert desk.figure(slug) == expected
    assert desk.figure(slug, as_of=datetime(2027, 1, 1, tzinfo=UTC)) == expected  # what is known now is known later
    _records_are_those_counted(desk, slug, expected)


def _records_are_those_counted(desk: Desk, slug: str, expected: tuple[int, int]) -> None:
    kpi = BY_SLUG[slug.split(".")[0]]
    of = next(one for one in (kpi, *kpi.companions) if one.slug == slug)
    if of.slug in ("closing.money",) or of.unit == "points":
        return
    counted, failing = (records_of(of, Scope((desk.clinic,)), MAY, part).count() for part in ("counted", "failing"))
    assert counted == expected[0]
    if kpi.slug != "complaints":
        assert counted + failing == expected[1]


def test_every_figure_has_its_cases() -> None:
    named = {case[0] for case in CASES}
    missing = {one.slug for kpi in KPIS for one in (kpi, *kpi.companions)} - named
    assert missing == {"etiquette.visit", "etiquette.call", "etiquette.chat"}


def test_clinics_in_two_zones_each_count_their_own_days(desk: Desk) -> None:
    far = Desk()
    far.clinic.zone = "America/New_York"
    far.clinic.save()
    far.clinic = type(far.clinic).objects.get(pk=far.clinic.pk)
    far.visit("06-01 11:59")  # 23:59 of 31 May in New York
    far.visit("06-01 12:00", "q")
    desk.visit("06-01 11:59")
    row = figures(Scope((desk.clinic, far.clinic)), MAY, by="clinic")
    assert {key: found[3].n for key, found in row.items()} == {None: 1, far.clinic.pk: 1}


def test_credit_goes_to_the_coordinator_of_the_event(desk: Desk) -> None:
    other = UserFactory(clinic=desk.clinic)
    visit = desk.visit("10 15:00", **UNDECIDED)
    desk.visit("12 15:00", case=visit.consultation, coordinator=other, **ACCEPTED)
    row = figures(Scope((desk.clinic,)), MAY, by="coordinator")
    assert {key: (found[6].numerator, found[6].denominator) for key, found in row.items()} == {
        None: (1, 1), desk.tc.pk: (1, 1), other.pk: (0, 0),
    }  # fmt: skip
    assert desk.figure("closing", coordinators=(other.pk,)) == (0, 0)


def test_nobody_is_not_all(desk: Desk) -> None:
    desk.visit("10 15:00")
    assert desk.figure("form") == (0, 1)
    for empty in ("coordinators", "teams", "doctors", "channels", "complaints"):
        assert desk.figure("form", **{empty: ()}) == (0, 0)
    assert figures(Scope(()), MAY)[None][3].value is None


def test_what_was_left_out_is_told_with_its_reason(desk: Desk) -> None:
    desk.visit("10 15:00", is_error=True)
    desk.visit("11 15:00")
    desk.visit("12 15:00")
    told = exclusions_of(BY_SLUG["form"], Scope((desk.clinic,)), MAY)
    assert sorted((code, count) for code, _words, count in told) == [("error", 1), ("return", 1)]
    assert [v.is_error for v in records_of(BY_SLUG["form"], Scope((desk.clinic,)), MAY, "excluded:error")] == [True]


def test_as_of_a_moment_what_came_later_does_not_count(desk: Desk) -> None:
    case = desk.visit("10 15:00", **ACCEPTED).consultation
    refund(desk, case, "20 10:00")
    booked = desk.book("10 15:10", "25 10:00", status="cancelled_patient", ended_at=at("24 10:00"))
    AppointmentChange.objects.create(appointment=booked, new_status="booked", at=at("10 15:10"))
    AppointmentChange.objects.create(
        appointment=booked, old_status="booked", new_status="cancelled_patient", at=at("24 10:00")
    )
    for slug, then, now in (("closing", (1, 1), (0, 1)), ("cancellation", (0, 1), (1, 1))):
        assert desk.figure(slug, as_of=at("19 10:00")) == then
        assert desk.figure(slug) == now
    Visit.objects.update(is_error=True, error_at=at("28 10:00"))
    assert desk.figure("closing", as_of=at("27 10:00")) == (0, 1)
    assert desk.figure("closing") == (0, 0)


def test_a_merge_and_its_undoing_are_told_as_they_were(desk: Desk) -> None:
    desk.visit("10 15:00", "a")
    desk.visit("12 15:00", "b")
    desk.merge("14 10:00", "a", "b")
    assert desk.figure("wechat") == (0, 1)
    assert desk.figure("wechat", as_of=at("13 10:00")) == (0, 2)


def test_statements_do_not_grow_with_rows_windows_or_groups(desk: Desk, django_assert_max_num_queries: Any) -> None:
    for turn in range(2):
        for n in range(3):
            desk.visit(f"{10 + n} 15:00", f"p{turn}{n}", coordinator=UserFactory(clinic=desk.clinic), **UNDECIDED)
        scope = Scope((desk.clinic,))
        for by in (None, "coordinator", "month"):
            with django_assert_max_num_queries(10) as asked:
                figures(scope, MAY, by=by)  # type: ignore[arg-type]
            assert len(asked) == 10
        with django_assert_max_num_queries(10):
            rows = trend(scope, MAY.trend(13))
        assert len(rows) == 13
        assert rows[-1] == figures(scope, MAY)[None]


def test_a_person_registered_twice_in_the_group_is_first_once(desk: Desk) -> None:
    other = ClinicFactory()
    RegistrationFactory(patient=desk.patient(), clinic=other)
    desk.visit("10 15:00", clinic=other)
    desk.visit("11 15:00")
    both = figures(Scope((desk.clinic, other)), MAY)[None]
    assert (both[3].n, both[7].n) == (1, 1)

"""Months of history in bounded memory: patients, their cases, visits and appointments, chunk by chunk."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, models
from django.utils import timezone

from accounts.models import Clinic
from clinic_crm.demo import words
from clinic_crm.demo.copying import Ids, copy_rows
from clinic_crm.demo.staff import DemoClinic
from clinic_crm.demo.story import Case, Content, Rows, Story
from consultations.models import ExamKind, FormTemplate
from consultations.stages import UNDECIDED
from followups.models import Appointment
from patients.models import Consent, Patient, PatientNumberCounter, PatientPhone, Referral, Registration
from patients.models.history import ConsentPurpose
from patients.models.registration import Channel

CHUNK = 1000
NUMBERS = 1_000_000  # 199 0000 0000 to 199 0099 9999
GAP_DAYS = (7, 45)


def content_of(group: DemoClinic) -> Content:
    """Return the clinic's content that stories refer to."""
    template = FormTemplate.objects.for_clinic(group.clinic).filter(kind="dental", is_active=True).get()
    kinds = list(ExamKind.objects.for_clinic(group.clinic).filter(code__in=["panoramic", "intraoral", "impression"]))
    return Content(template=template, kinds=kinds)


def occupation(age: int, dice: random.Random) -> str:
    """Return what a person of that age does."""
    if age < 23:
        return "学生"
    return "退休" if age > 60 else dice.choice(words.OCCUPATIONS)


class History:
    """Generates the past. `seed` makes it the same every time, the day apart."""

    def __init__(self, groups: list[DemoClinic], *, months: int, seed: int, visited: float = 1.0) -> None:
        self.groups = groups
        self.months = months
        self.visited = visited  # share of the patients who have come; the others are only registered
        self.dice = random.Random(seed)
        self.ids = Ids()
        self.contents = {group.clinic.pk: content_of(group) for group in groups}
        self.counters: dict[tuple[int, str], int] = defaultdict(int)
        self.phone_offset = PatientPhone.objects.count()
        self.taken: set[tuple[int, datetime]] = set()
        self.rows: Rows = defaultdict(list)
        self.known: list[Patient] = []
        self.registrations: dict[int, Registration] = {}
        self.now = timezone.now()
        self.pictures: dict[str, list[dict[str, Any]]] = {}  # given for today only

    def patients(self, count: int) -> Iterator[tuple[DemoClinic, Case]]:
        """Yield `count` new patients, each with a case, alternating between the clinics."""
        for index in range(count):
            group = self.groups[0] if index % 3 else self.groups[-1]
            yield group, self.person(group)

    def person(self, group: DemoClinic, *, wanted: str = "") -> Case:
        """Add one patient with registration, phone and consents; `wanted` fixes the complaint."""
        dice = self.dice
        among = [c for c in words.COMPLAINTS if wanted in {"", c[0]}]
        complaint, texts, _share, prices = dice.choices(among, [c[2] for c in among])[0]
        since = self.now - timedelta(days=dice.randint(1, 30 * self.months), minutes=dice.randint(0, 500))
        age = dice.randint(5, 12) if complaint == "pediatric" else dice.randint(18, 72)
        patient = Patient(
            id=self.ids.take(Patient), name=dice.choice(words.SURNAMES) + dice.choice(words.GIVEN),
            sex=dice.choice("mf"), birth_date=date(self.now.year - age, dice.randint(1, 12), dice.randint(1, 28)),
            occupation=occupation(age, dice), daily_rhythm=dice.choice(words.RHYTHMS),
            family=dice.choice(words.FAMILIES), call_tone=dice.choice(words.TONES),
            allergies=dice.choice(words.ALLERGIES), medical_notes=dice.choice(words.HISTORIES),
            call_from=time(18), call_to=time(20), created_at=since, updated_at=since,
        )  # fmt: skip
        patient.set_search_fields()
        self.rows[Patient].append(patient)
        coordinator, doctor = dice.choice(group.coordinators), dice.choice(group.doctors)
        price = Decimal(dice.randrange(prices[0], prices[1] + 1, 20))
        case = Case(patient, complaint, dice.choice(texts), price, coordinator, doctor)
        self._register(group, case, since)
        self._phone_and_consents(group, patient, since)
        self._referral(group, patient, since)
        return case

    def _register(self, group: DemoClinic, case: Case, since: datetime) -> None:
        number = self.number_for(group.clinic, since)
        channel = self.dice.choice([c for c in Channel.values if c not in {"staff", "other"}])
        tags = self.dice.sample(words.TAGS, self.dice.randint(0, 2))
        row = Registration(
            id=self.ids.take(Registration), patient=case.patient, clinic=group.clinic, number=number,
            owner=case.coordinator, doctor=case.doctor, channel=channel, complaint=case.text, tags=tags,
            created_at=since, active_at=since,
        )  # fmt: skip
        self.registrations[case.patient.pk] = row
        self.rows[Registration].append(row)

    def number_for(self, clinic: Clinic, since: datetime) -> str:
        """Return the next patient number of `clinic` in the month of `since`."""
        month = since.astimezone(clinic.tz).strftime("%y%m")
        self.counters[clinic.pk, month] += 1
        return f"{clinic.code}{month}-{self.counters[clinic.pk, month]:04d}"

    def phone_of(self, patient: Patient) -> PatientPhone:
        """Return an unsaved phone of the invented range; each number once before any comes again."""
        # 611,953 has no factor in common with a million: no visible order.
        number = f"19900{(self.phone_offset * 611_953 + 7) % NUMBERS:06d}"
        self.phone_offset += 1
        return PatientPhone.build(patient, number)

    def _phone_and_consents(self, group: DemoClinic, patient: Patient, since: datetime) -> None:
        phone = self.phone_of(patient)
        phone.id, phone.created_at = self.ids.take(PatientPhone), since
        self.rows[PatientPhone].append(phone)
        for purpose in (ConsentPurpose.CARE, ConsentPurpose.CONTACT, ConsentPurpose.MARKETING):
            given = purpose != ConsentPurpose.MARKETING or self.dice.random() < 0.7
            self.rows[Consent].append(
                Consent(
                    id=self.ids.take(Consent),
                    clinic=group.clinic,
                    patient=patient,
                    purpose=purpose,
                    given=given,
                    at=since,
                )
            )

    def _referral(self, group: DemoClinic, patient: Patient, since: datetime) -> None:
        if self.known and self.dice.random() < 0.2:
            referrer = self.dice.choice(self.known[-500:])
            self.rows[Referral].append(
                Referral(
                    id=self.ids.take(Referral),
                    clinic=group.clinic,
                    referrer=referrer,
                    referred=patient,
                    effective_at=since,
                    created_at=since,
                )
            )
        self.known.append(patient)
        del self.known[:-500]

    def live(self, group: DemoClinic, case: Case) -> None:
        """Let the case run from its registration to yesterday: visits, appointments, perhaps a next one."""
        if self.dice.random() >= self.visited:
            return
        registration = self.registrations[case.patient.pk]
        start = self.opening(registration.created_at, group)
        appointment: Appointment | None = None
        for _round in range(self.dice.choice((1, 1, 2, 2, 3, 4))):
            if start >= self.now - timedelta(hours=20):
                break
            visit = self.story(group).tell(case, start=start, appointment=appointment)
            if appointment is not None:
                appointment.status = Appointment.Status.KEPT
            assert visit.left_at is not None  # it was told to its end
            registration.active_at, registration.last_visit_on = visit.left_at, start.date()
            registration.first_visit_on = registration.first_visit_on or start.date()
            start = self.opening(start + timedelta(days=self.dice.randint(*GAP_DAYS)), group)
            appointment = None
            if self.dice.random() < 0.94:
                appointment = self.promise(group, case, start, made_at=visit.left_at)
                visit.next_appointment = appointment
                visit.next_appointment_made_at = visit.left_at - timedelta(minutes=2)
            if appointment is not None and self.dice.random() < 0.12:
                self._miss(appointment)
                return
        if appointment is not None and appointment.starts_at < self.now:
            appointment.status = Appointment.Status.NO_SHOW

    def story(self, group: DemoClinic) -> Story:
        """Return a story that adds to this history's rows."""
        return Story(self.ids, self.dice, group, self.contents[group.clinic.pk], self.rows, self.pictures)

    def opening(self, moment: datetime, group: DemoClinic) -> datetime:
        """Return a half hour of a working day on or after the day of `moment`."""
        local = moment.astimezone(group.clinic.tz)
        day = local.date()
        return datetime.combine(day, time(self.dice.randint(9, 16), self.dice.choice((0, 30))), group.clinic.tz)

    def promise(self, group: DemoClinic, case: Case, start: datetime, *, made_at: datetime) -> Appointment:
        """Add an appointment; a future one takes the doctor's next free half hour and holds it."""
        future = start > self.now
        while future and (case.doctor.pk, start) in self.taken:
            start += timedelta(minutes=30)
        if future:
            self.taken.add((case.doctor.pk, start))
        kind = Appointment.Kind.RECHECK if case.decided in UNDECIDED else Appointment.Kind.TREATMENT
        row = Appointment(
            id=self.ids.take(Appointment), clinic=group.clinic, patient=case.patient, doctor=case.doctor,
            kind=kind, starts_at=start, ends_at=start + timedelta(minutes=30), purpose=case.text,
            holds_slot=future,
            created_at=made_at, created_by=case.coordinator,
        )  # fmt: skip
        self.rows[Appointment].append(row)
        return row

    def _miss(self, appointment: Appointment) -> None:
        """Turn an appointment into one that was not kept."""
        appointment.holds_slot = False
        if appointment.starts_at > self.now:
            appointment.status = Appointment.Status.CANCELLED_PATIENT
        else:
            outcomes = [Appointment.Status.NO_SHOW, Appointment.Status.CANCELLED_PATIENT]
            appointment.status = self.dice.choice(outcomes)

    def write(self) -> int:
        """Write the rows so far and forget them; returns how many."""
        self.counters_written()
        written = sum(copy_rows(model, rows) for model, rows in in_order(self.rows))
        self.ids.settle()
        self.rows = defaultdict(list)
        self.registrations = {}
        return written

    def counters_written(self) -> None:
        """Write where the patient numbers stand."""
        rows = [PatientNumberCounter(clinic_id=c, month=m, last=n) for (c, m), n in self.counters.items()]
        PatientNumberCounter.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["clinic", "month"], update_fields=["last"]
        )

    def load(self, count: int, progress: Callable[[int], None] | None = None) -> None:
        """Generate and write `count` patients with their history."""
        for done, (group, case) in enumerate(self.patients(count), 1):
            self.live(group, case)
            if done % CHUNK == 0 or done == count:
                with trusted():
                    self.write()
                if progress:
                    progress(done)


def in_order(rows: Rows) -> list[tuple[type[models.Model], list[models.Model]]]:
    """Return the tables so that what is pointed at comes first."""
    from django.apps import apps

    names = ["patients", "followups", "consultations"]
    order = [model for name in names for model in apps.get_app_config(name).get_models()]
    first = [Patient, Registration, PatientPhone, Appointment]
    late = [m for m in order if m not in first]
    return [(m, rows[m]) for m in [*first, *late] if m in rows]


@contextmanager
def trusted() -> Iterator[None]:
    """Skip the per-row foreign key checks where the database user may: the rows point only at each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser') = 'on'")
        allowed = cursor.fetchone()[0]
        if allowed:
            cursor.execute("SET LOCAL session_replication_role = replica")
    yield
    if allowed:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")

"""The kept rows of the undecided board: at every moment, with the marked ones derived, what the records say."""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Clinic
from accounts.permissions import Role
from clinic_crm.workbench.merging import merge_patients, undo_merge
from clinic_crm.workbench.undecided_moving import move_class
from consultations.models import Consultation, Plan, PlanItem, PlanOption, UndecidedCase, UndecidedMark, Visit
from consultations.services.mistakes import mark_error
from consultations.services.undecided import COLUMNS, UNDECIDED, cases_sql, fold, rebuild
from consultations.stages import Stage
from followups.services.contacts import log_contact, undo_contact
from patients.importing.service import import_patients
from patients.models import Patient, Registration
from tests.factories import (
    ClinicFactory,
    MembershipFactory,
    PatientFactory,
    RegistrationFactory,
    UserFactory,
    VisitFactory,
)

pytestmark = pytest.mark.django_db
CODES = ["C-E", "C-D", "C-C", "C-B", "C-A"]
Rows = set[tuple[Any, ...]]


def shown(clinic: Clinic) -> Rows:
    """Return what readers see: kept rows, and the marked patients' derived."""
    names = ", ".join(COLUMNS)
    sql = f"WITH {cases_sql()} SELECT {names} FROM kept UNION ALL SELECT {names} FROM fresh"
    with connection.cursor() as cursor:
        cursor.execute(sql, {"clinic": clinic.pk, "undecided": list(UNDECIDED)})
        rows = cursor.fetchall()
    assert len(rows) == len(set(rows))
    return set(rows)


def recorded(clinic: Clinic) -> Rows:
    """Derive the same from the records, one by one and in other words than the statement's."""
    people = Registration.objects.filter(clinic=clinic, patient__merged_into=None, patient__restricted_at=None)
    rows = people.exclude(patient__class_code="").select_related("patient")
    return {row for row in (_row(registration, clinic) for registration in rows) if row}


def _row(registration: Registration, clinic: Clinic) -> tuple[Any, ...] | None:
    patient = registration.patient
    cases = Consultation.objects.filter(clinic=clinic, patient=patient).order_by("opened_at", "pk")
    case = next((c for c in reversed(cases) if not c.visits.exists() or c.visits.filter(is_error=False).exists()), None)
    if case and case.status not in {"open", "refused"}:
        return None
    found = Visit.objects.filter(patient=patient, consultation=case, is_error=False) if case else Visit.objects.none()
    visits = list(found.order_by("-arrived_at", "-pk"))
    days = [day for day in (registration.last_contact_on, registration.last_visit_on) if day]
    since = patient.class_set_at or registration.created_at
    return (
        registration.pk,
        clinic.pk,
        patient.pk,
        patient.class_code,
        registration.owner_id,
        next((v.doctor_id for v in visits if v.doctor_id), registration.doctor_id),
        case.complaint if case else "",
        case.opened_at if case else since,
        max(days) if days else since.astimezone(clinic.tz).date(),
        next((v.decision_amount for v in visits if v.decision_amount is not None), None) or _planned(visits),
    )


def _planned(visits: list[Visit]) -> Decimal | None:
    plans = Plan.objects.filter(visit__in=visits, no_treatment=False).exclude(finished_at=None)
    for plan in plans.order_by("-made_at"):
        for option in plan.options.order_by("-is_chosen", "-is_suggested", "position", "pk"):
            if option.items.exists():
                return sum((item.unit_price * item.quantity for item in option.items.all()), -option.discount)
    return None


class Clinics:
    """Two clinics, their people, and what can happen to them."""

    def __init__(self, seed: int = 1) -> None:
        self.dice = random.Random(seed)
        self.clinics: list[Clinic] = [ClinicFactory(), ClinicFactory(zone="Pacific/Pago_Pago")]
        self.by = UserFactory(clinic=self.clinics[0], role=Role.MANAGER)
        MembershipFactory(user=self.by, clinic=self.clinics[1], role=Role.MANAGER)
        self.staff = [UserFactory(clinic=self.clinics[0]), UserFactory(clinic=self.clinics[0], role=Role.DOCTOR), None]
        self.people = [self.newcomer() for _n in range(5)]

    def newcomer(self) -> Patient:
        clinic = self.dice.choice(self.clinics)
        code = self.dice.choice(["", *CODES])
        at = self.moment() if code else None
        person = PatientFactory(clinic=clinic, class_code=code, class_set_at=at, reg_owner=self.dice.choice(self.staff))
        if self.dice.random() < 0.4:
            RegistrationFactory(patient=person, clinic=next(c for c in self.clinics if c != clinic))
        return person

    def moment(self) -> datetime:
        return timezone.now() - timedelta(hours=self.dice.randint(30, 3000))

    def day(self) -> date:
        return self.moment().date()

    def person(self) -> Patient:
        return self.dice.choice(Patient.objects.filter(merged_into=None).order_by("pk"))

    def check(self) -> None:
        for clinic in self.clinics:
            assert shown(clinic) == recorded(clinic)

    # --- what happens -------------------------------------------------------------------------

    def arrives(self) -> None:
        self.people.append(self.newcomer())

    def classed(self) -> None:
        person = self.person()
        if not person.class_code:
            Patient.objects.filter(pk=person.pk).update(class_code=self.dice.choice(CODES), class_set_at=self.moment())
            return
        code = self.dice.choice([c for c in CODES if c != person.class_code])
        move_class(
            patient=person, clinic=self.clinics[0], code=code, expected=person.class_code, by=self.by, reason="又来了"
        )

    def spoken_to(self) -> None:
        contact = log_contact(
            patient=self.person(), clinic=self.clinics[0], channel="phone", outcome="reached", by=self.by
        )
        if self.dice.random() < 0.5:
            undo_contact(contact=contact, by=self.by)

    def comes(self) -> None:
        person, clinic, at = self.person(), self.dice.choice(self.clinics), self.moment()
        case = Consultation.objects.filter(patient=person, clinic=clinic).last()
        if case is None or self.dice.random() < 0.4:
            case = Consultation.objects.create(patient=person, clinic=clinic, opened_at=at, complaint="implant")
        doctor = self.dice.choice(self.staff)
        facts = {"arrived_at": at, "received_at": at, "left_at": at, "stage": Stage.CLOSED, "doctor": doctor}
        visit = VisitFactory(clinic=clinic, patient=person, consultation=case, **facts)
        if self.dice.random() < 0.6:
            self.planned(visit)

    def planned(self, visit: Visit) -> None:
        at = self.moment()
        plan = Plan.objects.create(visit=visit, made_by=self.by, made_at=at, finished_at=self.dice.choice([at, None]))
        for place in range(2):
            option = PlanOption.objects.create(plan=plan, name="种植", position=place, discount=100 * place)
            price = self.dice.randint(300, 9000)
            rows = [PlanItem(option=option, name="x", unit_price=price, quantity=n) for n in (1, 2)]
            PlanItem.objects.bulk_create(rows)

    def plan_changes(self) -> None:
        plan = Plan.objects.order_by("pk")[: self.dice.randint(1, 9)].values("pk")
        options, items = PlanOption.objects.filter(plan__in=plan), PlanItem.objects.filter(option__plan__in=plan)
        self.dice.choice(
            [
                lambda: Plan.objects.filter(pk__in=plan).update(no_treatment=self.dice.random() < 0.3),
                lambda: Plan.objects.filter(pk__in=plan).update(finished_at=timezone.now()),
                lambda: options.filter(position=1).update(is_chosen=self.dice.random() < 0.5),
                lambda: options.update(discount=self.dice.randint(0, 200)),
                lambda: items.update(unit_price=self.dice.randint(10, 900)),
                lambda: items.filter(quantity=1).delete(),
                lambda: options.filter(position=0).delete(),
            ]
        )()

    def case_changes(self) -> None:
        rows = Consultation.objects.filter(patient=self.person())
        status = self.dice.choice(["open", "refused", "accepted", "lost"])
        rows.update(status=status, complaint=self.dice.choice(["implant", "pain"]))

    def decides(self) -> None:
        Visit.objects.filter(patient=self.person()).update(decision_amount=self.dice.choice([None, 100, 16_800]))

    def wrong(self) -> None:
        visit = Visit.objects.filter(patient=self.person(), is_error=False).first()
        if visit:
            mark_error(visit=visit, reason="录错", by=self.by)

    def handed_over(self) -> None:
        clinic, owner = self.dice.choice(self.clinics), self.dice.choice(self.staff)
        Registration.objects.filter(clinic=clinic).update(owner=owner, doctor=self.dice.choice(self.staff))

    def in_raw_words(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE patients_registration SET last_visit_on = %s WHERE id %% 2 = 0", [self.day()])

    def in_bulk(self) -> None:
        rows = list(Registration.objects.order_by("pk")[:3])
        for row in rows:
            row.last_contact_on = self.dice.choice([None, self.day()])
        Registration.objects.bulk_update(rows, ["last_contact_on"])

    def erased(self) -> None:
        Patient.objects.filter(pk=self.person().pk).update(restricted_at=self.dice.choice([None, timezone.now()]))

    def merged(self) -> None:
        people = Patient.objects.filter(merged_into=None, restricted_at=None).order_by("pk")
        one, other = self.dice.sample(list(people), 2) if people.count() > 2 else (None, None)
        if not one or not other:
            return
        done = merge_patients(winner=one, loser=other, clinic=self.clinics[0], by=self.by)
        self.check()
        if self.dice.random() < 0.7:
            undo_merge(merge=done, by=self.by)

    def zone_moves(self) -> None:
        zones = ["Asia/Shanghai", "Pacific/Kiritimati", "America/New_York"]
        self.zone_moves_to(self.dice.choice(zones))

    def zone_moves_to(self, zone: str) -> None:
        clinic = self.clinics[1] = Clinic.objects.get(pk=self.clinics[1].pk)  # it remembers its zone
        clinic.zone = zone
        clinic.save()


HAPPENINGS: list[Callable[[Clinics], None]] = [
    Clinics.arrives,
    Clinics.classed,
    Clinics.spoken_to,
    *[Clinics.comes] * 3,
    *[Clinics.plan_changes] * 2,
    Clinics.case_changes,
    Clinics.decides,
    Clinics.wrong,
    Clinics.handed_over,
    Clinics.in_raw_words,
    Clinics.in_bulk,
    Clinics.erased,
    Clinics.merged,
    Clinics.zone_moves,
]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_happens_the_rows_say_what_the_records_say(seed: int) -> None:
    clinics = Clinics(seed)
    clinics.check()
    for _n in range(35):
        clinics.dice.choice(HAPPENINGS)(clinics)
        if clinics.dice.random() < 0.5:
            fold()
        clinics.check()
    fold()
    assert not UndecidedMark.objects.exists()
    for clinic in clinics.clinics:
        assert set(UndecidedCase.objects.filter(clinic=clinic).values_list(*COLUMNS)) == recorded(clinic)
    assert rebuild() == 0


@pytest.mark.parametrize("happening", [h for h in dict.fromkeys(HAPPENINGS) if h is not Clinics.merged])
def test_without_its_triggers_a_table_is_missed(happening: Callable[[Clinics], None]) -> None:
    """The control: what the test above stands on does make the difference."""
    clinics = Clinics(7)
    for person in Patient.objects.all():
        visit = VisitFactory(clinic=clinics.clinics[0], patient=person, stage=Stage.CLOSED)
        clinics.planned(visit)
    fold()
    before = [shown(clinic) for clinic in clinics.clinics]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for _n in range(12):
            happening(clinics)
        if happening is Clinics.zone_moves:
            clinics.zone_moves_to("Pacific/Kiritimati")  # 25 hours from Pago Pago: another day at any hour
        cursor.execute("SET session_replication_role = DEFAULT")
    assert [shown(clinic) for clinic in clinics.clinics] == before
    assert [recorded(clinic) for clinic in clinics.clinics] != before
    assert rebuild() > 0
    clinics.check()


def test_changes_of_other_columns_leave_no_mark() -> None:
    clinic = ClinicFactory()
    visit = VisitFactory(clinic=clinic, patient=PatientFactory(clinic=clinic, class_code="C-E"))
    fold()
    Patient.objects.update(notes="x", awareness=3, class_code="C-E")
    Registration.objects.update(active_at=timezone.now(), tags=["x"])
    Visit.objects.update(stage=Stage.RECEIVED, stage_since=timezone.now(), version=5)
    Consultation.objects.filter(pk=visit.consultation_id).update(complaint_text="x")
    assert not UndecidedMark.objects.exists()


def test_imported_patients_stand_on_the_board(tmp_path: Path) -> None:
    clinic = ClinicFactory()
    path = tmp_path / "patients.csv"
    path.write_text("姓名,手机号码,客户分类\n沈雨薇,19900001734,C-E\n林亦文,19900001735,\n", encoding="utf-8")
    import_patients(path=path, clinic=clinic, by=None, today=clinic.today())
    assert len(shown(clinic)) == 1
    assert shown(clinic) == recorded(clinic)
    fold()
    assert UndecidedCase.objects.filter(clinic=clinic).count() == 1


def test_the_command_puts_right_what_was_written_past_the_triggers(capsys: Any) -> None:
    clinic = ClinicFactory()
    PatientFactory(clinic=clinic, class_code="C-E")
    fold()
    UndecidedCase.objects.update(klass="C-A")
    call_command("rebuild_undecided")
    assert "1 rows put right" in capsys.readouterr().out
    assert shown(clinic) == recorded(clinic)


def elsewhere(act: Callable[[], Any]) -> Any:
    """Run something on a connection of its own and return what it returned."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(act())
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("marked", [True, False], ids=["as it is", "control: without marks"])
def test_a_change_that_commits_after_a_fold_is_not_lost(*, marked: bool) -> None:
    clinic = ClinicFactory()
    person = PatientFactory(clinic=clinic, class_code="C-E")
    owner = UserFactory(clinic=clinic)
    fold()
    with transaction.atomic():
        if not marked:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL session_replication_role = replica")
        Registration.objects.filter(patient=person).update(owner=owner)
        elsewhere(fold)  # must not wait for the change, nor take its mark away
    assert (shown(clinic) == recorded(clinic)) is marked
    fold()
    assert (shown(clinic) == recorded(clinic)) is marked


@pytest.mark.django_db(transaction=True)
def test_of_two_who_fold_one_does() -> None:
    clinic = ClinicFactory()
    PatientFactory(clinic=clinic, class_code="C-E")
    assert UndecidedMark.objects.count() > 0
    with transaction.atomic():
        assert fold() > 0
        assert elsewhere(fold) == 0
    assert shown(clinic) == recorded(clinic)

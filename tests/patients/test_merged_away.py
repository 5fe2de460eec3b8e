"""What somebody writes to a record while it is merged into another: nothing lands on the record that goes."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from time import sleep
from typing import Any

import pgtrigger
import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.permissions import Role
from clinic_crm.merged_away import MergedAwayMiddleware
from clinic_crm.workbench.merging import merge_patients, undo_merge
from consultations.models import Visit
from followups.models import Appointment, Contact, Task
from followups.services import tasks
from followups.services.contacts import log_contact
from followups.views import task_making
from patients.merging.relations import relations
from patients.models import Patient, PatientPhone
from patients.models.living import loser_of
from patients.services import merging
from patients.services.contact import link_wechat
from tests.factories import ClinicFactory, PatientFactory, TaskFactory, UserFactory
from tests.patients.merge_rows import MAKERS, Cast

OWN = {"patients.PatientMerge.winner", "patients.PatientMerge.loser", "patients.Patient.merged_into"}


# --- by enumeration -------------------------------------------------------------------------------


def test_every_foreign_key_to_a_patient_refuses_merged_records():
    lacking = [
        relation.key
        for relation in relations()
        if relation.key not in OWN
        and f"{relation.field.name}_living" not in {trigger.name for trigger in relation.model._meta.triggers}
    ]
    assert not lacking, f"give these models triggers = [living(…)]: {lacking}"


@pytest.fixture
def merged() -> Cast:
    cast = Cast()
    merge_patients(winner=cast.winner, loser=cast.loser, clinic=cast.clinics[0], by=cast.by)
    return cast


@pytest.mark.django_db
@pytest.mark.parametrize("what", sorted(MAKERS))
def test_nothing_new_can_be_written_for_a_merged_record(what: str, merged: Cast):
    if what == "patients.Patient":
        with refused(merged.loser):
            Patient.objects.filter(pk=merged.third.pk).update(guardian=merged.loser)
        return
    with refused(merged.loser):
        MAKERS[what](merged, merged.loser, 0)
    if what != "consultations.Visit":  # whose maker wants a second open visit
        MAKERS[what](merged, merged.third, 0)


@contextmanager
def refused(loser: Patient) -> Iterator[None]:
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        yield
    assert loser_of(error.value) == loser.pk


@pytest.mark.django_db
def test_a_row_that_was_moved_is_not_taken_back_by_who_read_it_before():
    cast = Cast()
    task = TaskFactory(clinic=cast.clinics[0], patient=cast.loser)
    merge_patients(winner=cast.winner, loser=cast.loser, clinic=cast.clinics[0], by=cast.by)
    task.title = "问候"
    with refused(cast.loser):
        task.save()
    Task.objects.filter(pk=task.pk).update(title="问候")  # what does not name the patient goes through
    assert Task.objects.get(pk=task.pk).patient == cast.winner


@pytest.mark.django_db
def test_the_row_of_a_merged_record_stays_as_it_is(merged: Cast):
    with refused(merged.loser):
        Patient.objects.filter(pk=merged.loser.pk).update(notes="x")
    with refused(merged.loser):
        link_wechat(patient=merged.loser, clinic=merged.clinics[0], by=merged.by)


@pytest.mark.django_db
def test_after_an_undo_both_records_can_be_written_again():
    cast = Cast()
    made = merge_patients(winner=cast.winner, loser=cast.loser, clinic=cast.clinics[0], by=cast.by)
    undo_merge(merge=made, by=cast.by)
    for what in ("followups.Task", "followups.Contact", "followups.Appointment"):
        MAKERS[what](cast, cast.loser, 0)


# --- what the person is told ----------------------------------------------------------------------


class Kept(list[Any]):
    """Messages, in the place of a session."""

    used = False

    def add(self, *args: Any) -> None:
        self.append(args)


def answer(merged: Cast, path: str, user: Any, **headers: str) -> Any:
    request = RequestFactory().post(path, headers=headers)
    request.user = user
    request.htmx = "hx-request" in headers
    said = request._messages = Kept()
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        Contact.objects.create(clinic=merged.clinics[0], patient=merged.loser, channel="phone", outcome="reached")
    response = MergedAwayMiddleware(lambda _request: None).process_exception(request, error.value)
    return response, said


@pytest.mark.django_db
def test_the_page_says_where_the_record_went(merged: Cast):
    response, _said = answer(merged, "/x/", merged.by)
    page = response.content.decode()
    assert response.status_code == 409
    assert merged.loser.name in page
    assert merged.winner.name in page
    assert reverse("patient", args=[merged.winner.pk]) in page


@pytest.mark.django_db
def test_a_part_of_a_page_stays_and_a_toast_says_it(merged: Cast):
    response, said = answer(merged, "/x/", merged.by, **{"hx-request": "true"})
    assert (response.status_code, response["HX-Reswap"]) == (409, "none")
    assert said[0][2] == f"see {reverse('patient', args=[merged.winner.pk])}"


@pytest.mark.django_db
def test_programs_get_problem_details_and_strangers_no_names(merged: Cast):
    response, _said = answer(merged, "/api/x/", UserFactory(clinic=ClinicFactory()))
    assert (response.status_code, response["Content-Type"]) == (409, "application/problem+json")
    assert merged.winner.name not in response.content.decode()


@pytest.mark.django_db
def test_other_refusals_of_the_database_are_not_hidden(merged: Cast):
    request = RequestFactory().get("/")
    assert MergedAwayMiddleware(lambda _request: None).process_exception(request, DatabaseError("x")) is None
    assert MergedAwayMiddleware(lambda _request: None).process_exception(request, ValueError("x")) is None


@pytest.mark.django_db
def test_a_page_whose_record_is_merged_before_it_writes_answers_409(client: Any, monkeypatch: Any):
    cast = Cast()
    client.force_login(cast.by, backend="allauth.account.auth_backends.AuthenticationBackend")

    def merged_first(**facts: Any) -> Any:
        merge_patients(winner=cast.winner, loser=cast.loser, clinic=cast.clinics[0], by=cast.by)
        return log_contact(**facts)

    monkeypatch.setattr(task_making, "log_contact", merged_first)
    response = client.post(reverse("contact_add", args=[cast.loser.pk]), {"channel": "phone", "outcome": "reached"})
    assert response.status_code == 409
    assert reverse("patient", args=[cast.winner.pk]) in response.content.decode()


# --- at the same moment ---------------------------------------------------------------------------


class Race:
    """A merge that is held before its end, and somebody who writes to the record that goes."""

    def __init__(self, monkeypatch: Any) -> None:
        self.clinic = ClinicFactory()
        self.by = UserFactory(clinic=self.clinic, role=Role.MANAGER)
        self.winner, self.loser = (PatientFactory(clinic=self.clinic) for _ in range(2))
        self.moved, self.go_on = Event(), Event()
        end = merging._become_one

        def held(*args: Any) -> None:
            end(*args)
            self.moved.set()
            assert self.go_on.wait(timeout=60)

        monkeypatch.setattr(merging, "_become_one", held)

    def run(self, write: Callable[["Race"], Any]) -> str:
        with ThreadPoolExecutor(2) as pool:
            merge = pool.submit(self._merge)
            assert self.moved.wait(timeout=60)
            written = pool.submit(self._write, write)
            self._until_it_waits(written)
            self.go_on.set()
            merge.result(timeout=60)
            return written.result(timeout=60)

    def _merge(self) -> None:
        try:
            merge_patients(winner=self.winner, loser=self.loser, clinic=self.clinic, by=self.by)
        finally:
            connections.close_all()

    def _write(self, write: Callable[["Race"], Any]) -> str:
        try:
            with transaction.atomic():
                write(self)
        except DatabaseError as error:
            return "refused" if loser_of(error) == self.loser.pk else f"{error}"
        else:
            return "written"
        finally:
            connections.close_all()

    def _until_it_waits(self, written: Any) -> None:
        """Give the writer time to come to the lock; a control that need not wait ends."""
        for _look in range(2000):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_stat_clear_snapshot()")
                cursor.execute(
                    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
                )
                if written.done() or cursor.fetchone():
                    return
            sleep(0.01)

    def landed(self) -> list[str]:
        """Return which kinds of rows the record that went has now."""
        return sorted(
            relation.key
            for relation in relations()
            if relation.key not in OWN
            and relation.model._base_manager.filter(**{relation.field.name: self.loser}).exists()
        )


def _task(race: Race) -> None:
    tasks.create_task(
        clinic=race.clinic, patient=race.loser, kind="keep_in_touch", title="问候", due_at=timezone.now(), by=race.by
    )


def _visit(race: Race) -> None:
    Visit.objects.create(clinic=race.clinic, patient=race.loser, consultation=_case(race), arrived_at=timezone.now())


def _case(race: Race) -> Any:
    return Visit._meta.get_field("consultation").related_model.objects.create(clinic=race.clinic, patient=race.loser)


def _appointment(race: Race) -> None:
    at = timezone.now() + timedelta(days=1)
    Appointment.objects.create(
        clinic=race.clinic, patient=race.loser, kind="recheck", starts_at=at, ends_at=at + timedelta(hours=1)
    )


def _contact(race: Race) -> None:
    Contact.objects.create(clinic=race.clinic, patient=race.loser, channel="phone", outcome="reached", by=race.by)


def _phone(race: Race) -> None:
    PatientPhone.build(race.loser, "19900000007").save()


WRITES = {"task": _task, "visit": _visit, "appointment": _appointment, "contact": _contact, "phone": _phone}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", WRITES)
def test_a_write_during_a_merge_waits_and_is_refused(what: str, monkeypatch: Any):
    race = Race(monkeypatch)
    assert race.run(WRITES[what]) == "refused"
    assert race.landed() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["task", "contact"])
def test_control_without_the_trigger_the_row_lands_on_the_record_that_went(what: str, monkeypatch: Any):
    race = Race(monkeypatch)

    def unguarded(race: Race) -> None:
        with pgtrigger.ignore("followups.Task:patient_living", "followups.Contact:patient_living"):
            WRITES[what](race)

    assert race.run(unguarded) == "written"
    assert race.landed() == [f"followups.{what.title()}.patient"]


@pytest.mark.django_db(transaction=True)
def test_a_write_that_came_first_is_moved_by_the_merge_that_waited(monkeypatch: Any):
    race = Race(monkeypatch)
    race.go_on.set()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            _contact(race)
            merge = pool.submit(race._merge)
            race._until_it_waits(merge)
            assert not merge.done()
        merge.result(timeout=60)
    assert race.landed() == []
    assert Contact.objects.get().patient == race.winner

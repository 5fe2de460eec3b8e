"""What leaves on paper: nothing of another clinic, no number that is masked on the screen."""

from typing import Any

import pytest

from accounts.permissions import Role
from metrics.kpis import KPIS
from patients.models import Patient, PatientPhone, Registration
from tests.factories import RegistrationFactory, UserFactory
from tests.guards.routes import signed_in
from tests.guards.world import World
from tests.pdf_text import text_of
from tests.safety.marked import MARK, everything, mark_all

pytestmark = pytest.mark.django_db
NAME, PHONE, OCCUPATION = "沈雨薇", "19900009137", "图书管理员"


class TwoClinics:
    """One patient of two clinics, in each with one of everything; all that the other one knows is marked."""

    def __init__(self) -> None:
        self.here, there = World(), World()
        self.patient: Patient = self.here.patient
        RegistrationFactory(patient=self.patient, clinic=there.clinic)
        there.__dict__["patient"] = self.patient
        everything(there)
        assert mark_all() > 100
        type(there.clinic).objects.filter(pk=there.clinic.pk).update(name="远方青禾")
        type(there.clinic).objects.filter(pk=self.here.clinic.pk).update(name="青禾口腔", address="", phone="")
        self._own_words()
        everything(self.here)
        person = UserFactory(role=Role.MANAGER, clinic=self.here.clinic, full_name="方主管")
        self.client = signed_in(person)

    def _own_words(self) -> None:
        """What is the person's, not a clinic's, is told wherever they ask."""
        texts = {
            f.name: "" for f in Patient._meta.concrete_fields if f.get_internal_type() in ("CharField", "TextField")
        }
        Patient.objects.filter(pk=self.patient.pk).update(**texts | {"name": NAME, "occupation": OCCUPATION})
        PatientPhone.objects.filter(patient=self.patient).delete()
        PatientPhone.build(self.patient, PHONE).save()
        Registration.objects.filter(patient=self.patient, clinic=self.here.clinic).update(
            tags=[], complaint="", number="1"
        )


@pytest.fixture
def both() -> TwoClinics:
    return TwoClinics()


def test_the_patients_own_report_says_nothing_of_another_clinic(both: TwoClinics) -> None:
    answer = both.client.post(f"/patients/{both.patient.pk}/rights/report/")
    assert answer.status_code == 200
    said = text_of(answer.content)
    for what in (NAME, OCCUPATION, PHONE, "方主管", "远方青禾"):
        assert what in said, f"{what} is not read: what does this test look at?"
    assert MARK not in said


def test_the_report_of_key_figures_names_no_patient_and_no_number(both: TwoClinics) -> None:
    answer = both.client.post("/kpis/export/", {"what": "figures", "format": "pdf", "by": "coordinator"})
    assert answer["Content-Type"] == "application/pdf"
    said = text_of(answer.content)
    assert str(KPIS[0].name) in said
    for what in (MARK, NAME, PHONE, PHONE[-4:]):
        assert what not in said


@pytest.mark.parametrize("page", ["handoff/print/", "plan/print/"])
def test_what_is_printed_shows_no_other_clinic_and_no_whole_number(both: TwoClinics, page: str) -> None:
    answer: Any = both.client.get(f"/visits/{both.here.visit.pk}/{page}")
    assert answer.status_code == 200
    said = answer.content.decode()
    assert NAME in said
    assert MARK not in said
    assert PHONE not in said

"""Scripts are said to the patient: in their own language, whoever reads them."""

import pytest
from django.utils.translation import override

from consultations.scripts import fill
from patients.models import Patient
from tests.factories import VisitFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("{salutation}您好，请稍等{doctor}。", "沈女士您好，请稍等医生。"),
        ("Good morning, {salutation}.", "Good morning, Ms 沈."),
    ],
)
def test_a_title_follows_the_language_of_the_script(words: str, said: str) -> None:
    visit = VisitFactory(doctor=None)
    Patient.objects.filter(pk=visit.patient_id).update(name="沈雨薇", sex="f")
    visit.patient.refresh_from_db()
    with override("en"):
        assert fill(words, visit) == said

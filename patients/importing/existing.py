"""The patients a clinic has already, as the import asks for them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from patients import crypto
from patients.importing.plan import Known
from patients.models import Patient, PatientPhone, Referral, Registration


class PatientsOfClinic:
    """Looks up living patients registered in one clinic; a clinic without patients costs no query."""

    def __init__(self, clinic_id: int, before: Callable[[], None] = lambda: None) -> None:
        """`before` is called before each query."""
        self._clinic, self._before = clinic_id, before
        self._registrations = Registration.objects.filter(clinic=clinic_id)
        self._any = self._registrations.exists()

    def with_phones(self, phones: Sequence[str]) -> Iterable[Known]:
        """Return who bears any of these numbers."""
        if not self._any or not phones:
            return []
        self._before()
        numbers = {crypto.blind_index(phone): phone for phone in phones}
        rows = PatientPhone.objects.filter(
            number_index__in=list(numbers),
            patient__merged_into=None,
            patient__registrations__clinic=self._clinic,
        ).values_list("patient_id", "patient__name_key", "number_index")
        return [Known(patient, key, numbers[bytes(index)]) for patient, key, index in rows.order_by("patient_id")]

    def imported(self, fingerprints: Sequence[bytes]) -> dict[bytes, int]:
        """Return the patients that earlier imports made from these very rows; of merged ones, who is left."""
        if not self._any or not fingerprints:
            return {}
        self._before()
        rows = self._registrations.filter(import_key__in=list(fingerprints)).values_list(
            "import_key", "patient_id", "patient__merged_into"
        )
        return {bytes(key or b""): survivor_of(into) if into else patient for key, patient, into in rows}

    def named(self, keys: Sequence[str]) -> Iterable[tuple[str, int]]:
        """Return (name key, patient id) of the patients with these names."""
        if not self._any or not keys:
            return []
        found: list[tuple[str, int]] = []
        for start in range(0, len(keys), 5_000):
            found += Patient.objects.filter(
                name_key__in=keys[start : start + 5_000], merged_into=None, registrations__clinic=self._clinic
            ).values_list("name_key", "pk")
        return found

    def referrers(self) -> Mapping[int, int]:
        """Return the links there are: patient → who brought them."""
        if not self._any:
            return {}
        return dict(Referral.objects.filter(clinic=self._clinic).values_list("referred_id", "referrer_id"))


def survivor_of(patient_id: int) -> int:
    """Return the patient into whom this one was merged in the end, itself if it never was."""
    while into := Patient.objects.filter(pk=patient_id).values_list("merged_into", flat=True).first():
        patient_id = into
    return patient_id

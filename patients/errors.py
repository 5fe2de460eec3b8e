"""What the patients' services refuse, in words for the person."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from patients.models import Patient


class PatientError(Exception):
    """A refusal with a message for the person; nothing was written."""

    @property
    def message(self) -> str:
        return str(self)


class Refused(PatientError):
    """A rule that was not kept; the message says which (HTTP 422)."""


class StaleEdit(PatientError):
    """Somebody else changed the patient meanwhile (HTTP 409); `patient` is as it stands now."""

    def __init__(self, patient: "Patient") -> None:
        self.patient = patient
        super().__init__(_("%(patient)s was changed by somebody else meanwhile.") % {"patient": patient})

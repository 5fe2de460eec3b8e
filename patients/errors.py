"""What the patients' services refuse, in words for the person."""


class PatientError(Exception):
    """A refusal with a message for the person; nothing was written."""

    @property
    def message(self) -> str:
        return str(self)


class Refused(PatientError):
    """A rule that was not kept; the message says which (HTTP 422)."""

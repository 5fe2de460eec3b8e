"""Whose figures are asked for."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from accounts.models import Clinic

Breakdown = Literal["coordinator", "team", "doctor", "clinic", "month"]
BREAKDOWNS: tuple[Breakdown, ...] = ("coordinator", "team", "doctor", "clinic", "month")


@dataclass(frozen=True)
class Scope:
    """A set of clinics and, where given, only part of what happened in them.

    None means all, an empty tuple means nobody. Ids, not rows; the clinics are those the asker may see.
    """

    clinics: tuple[Clinic, ...]
    teams: tuple[int, ...] | None = None
    coordinators: tuple[int, ...] | None = None
    doctors: tuple[int, ...] | None = None
    channels: tuple[str, ...] | None = None  # patients.models.Channel
    complaints: tuple[str, ...] | None = None  # patients.classification.Complaint
    is_first: bool | None = None
    as_of: datetime | None = None  # facts recorded after it do not count; None: all that is known now

    @property
    def clinic_ids(self) -> tuple[int, ...]:
        return tuple(clinic.pk for clinic in self.clinics)

    @property
    def of_patients(self) -> bool:
        """Whether it asks for what is known of patients alone, and of no visitor of a chat who left nothing."""
        return (self.doctors, self.channels, self.complaints, self.is_first) != (None, None, None, None)

    @property
    def is_part(self) -> bool:
        """Whether only part of what happened in the clinics is asked for."""
        return self.of_patients or (self.teams, self.coordinators) != (None, None)

    def at(self, moment: datetime | None) -> "Scope":
        """Return the same scope as of another moment."""
        return replace(self, as_of=moment)

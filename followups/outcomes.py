"""What became of an appointment: late or not, why, and on whose side (DOMAIN §4, [S2]). No database here."""

from datetime import datetime, timedelta

from followups.models.appointments import AbsenceReason, Appointment, Side

Status = Appointment.Status
ASKED = frozenset({Status.NO_SHOW, Status.CANCELLED_PATIENT})  # of these it is asked why
BY_PATIENT = frozenset({Status.CANCELLED_PATIENT, Status.MOVED})  # these are early or late
CORRECTABLE = frozenset({Status.NO_SHOW, Status.CANCELLED_PATIENT, Status.CANCELLED_CLINIC})  # it was another of them
EXPECTED = frozenset({Status.BOOKED, Status.CONFIRMED})

# On whose side each reason usually lies; the person who asks may say otherwise.
USUAL_SIDE: dict[str, str] = {
    AbsenceReason.FORCED: Side.OURS,
    AbsenceReason.FAKE: Side.PATIENT,
    AbsenceReason.CALL_TIME: Side.OURS,
    AbsenceReason.CALL_TONE: Side.OURS,
    AbsenceReason.INSINCERE: Side.OURS,
    AbsenceReason.REPUTATION: Side.OURS,
    AbsenceReason.WEATHER: Side.CHANCE,
    AbsenceReason.INCOME: Side.PATIENT,
    AbsenceReason.OTHER: Side.PATIENT,
}


def is_late(*, starts_at: datetime, at: datetime, hours: int) -> bool:
    """Tell whether a cancellation or move at `at` came less than `hours` before the appointment."""
    return at > starts_at - timedelta(hours=hours)


def lateness(*, status: str, starts_at: datetime, at: datetime, hours: int) -> bool | None:
    """Return whether this outcome is late; None for those that are neither early nor late."""
    return is_late(starts_at=starts_at, at=at, hours=hours) if status in BY_PATIENT else None


def side_of(reason: str, side: str) -> str:
    """Return the side that goes with a reason: the one said, else the usual one; none without a reason."""
    return (side or USUAL_SIDE[reason]) if reason else ""


def still_to_ask(appointment: Appointment) -> bool:
    """Tell whether nobody has yet said why the patient did not come; imported history is not asked about."""
    return appointment.status in ASKED and not appointment.absence_reason and not appointment.number

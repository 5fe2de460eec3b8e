"""A time agreed in a chat, booked with whoever is free then."""

from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import Clinic, Membership, User
from accounts.permissions import Role
from followups.errors import BookingError, ClosedThen, Refused, SlotTaken
from followups.models import Appointment, Room
from followups.services import availability, booking
from followups.slots import Slot
from patients.models import Patient

ASKED = 8  # doctors that are asked for the nearest free times
OFFERED = 3


def book_somewhere(
    *,
    clinic: Clinic,
    patient: Patient,
    starts_at: datetime,
    doctor: User | None,
    room: Room | None,
    insist: bool,
    purpose: str,
    by: User,
) -> Appointment:
    """Book a first visit at a time, with the doctor and room said or with the first that is free.

    Raises: SlotTaken, ClosedThen with the nearest free times (of all doctors, when none was said); Refused; Busy.
    """
    kind = Appointment.Kind.FIRST
    ends_at = starts_at + availability.length_of(kind, clinic=clinic)
    pairs = [(doctor, room)] if doctor or room else _who_could(clinic)
    refusal: BookingError | None = None
    for who, where in pairs:
        try:
            availability.check_open(
                clinic=clinic, starts_at=starts_at, ends_at=ends_at, doctor=who, room=where, insist=insist
            )
            return booking.book(
                clinic=clinic, patient=patient, doctor=who, room=where, kind=kind, starts_at=starts_at, ends_at=ends_at,
                purpose=purpose, by=by,
            )  # fmt: skip
        except (SlotTaken, ClosedThen) as error:
            refusal = error if refusal is None or isinstance(error, SlotTaken) else refusal
    if refusal is None:
        raise Refused(_("The clinic has neither a doctor nor a room to book."), field="doctor")
    if len(pairs) > 1:
        refusal.nearest = _nearest(clinic, pairs, starts_at, ends_at)  # type: ignore[attr-defined]
    raise refusal


def _who_could(clinic: Clinic) -> list[tuple[User | None, Room | None]]:
    """Return the clinic's doctors, or its rooms where it has no doctor."""
    rows = Membership.objects.for_clinic(clinic).people().with_role(Role.DOCTOR).select_related("user").order_by("pk")
    found: list[tuple[User | None, Room | None]] = [(row.user, None) for row in rows]
    return found or [(None, room) for room in Room.objects.for_clinic(clinic).filter(is_active=True)]


def _nearest(
    clinic: Clinic, pairs: list[tuple[User | None, Room | None]], starts_at: datetime, ends_at: datetime
) -> list[Slot]:
    found: set[Slot] = set()
    for who, where in pairs[:ASKED]:
        found.update(
            availability.nearest_slots(
                clinic=clinic, wanted=starts_at, length=ends_at - starts_at, doctor=who, room=where, count=OFFERED
            )
        )
    return sorted(sorted(found, key=lambda slot: abs(slot.starts_at - starts_at))[:OFFERED])

"""What booking refuses, in words for the person."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from followups.slots import Slot


class BookingError(Exception):
    """A refusal with a message for the person; nothing was written. `field` names where it belongs on a form."""

    field: str | None = None

    @property
    def message(self) -> str:
        return str(self)


class Refused(BookingError):
    """A rule of booking was not kept (HTTP 422)."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        self.field = field
        super().__init__(message)


class SlotTaken(BookingError):
    """The doctor or the room is taken at that time (HTTP 409); `nearest` are the closest free times."""

    field = "at"

    def __init__(self, *, whose: str, nearest: Sequence[Slot]) -> None:
        self.whose = whose
        self.nearest = list(nearest)
        super().__init__(
            _("The room is taken at that time.") if whose == "room" else _("The doctor is taken at that time.")
        )


class ClosedThen(BookingError):
    """The doctor, the room or the clinic cannot be booked at that time (HTTP 409).

    `may_insist`: it is only outside the hours, so a person may book it all the same; nobody is away.
    """

    field = "at"

    def __init__(self, message: str, *, nearest: Sequence[Slot], may_insist: bool) -> None:
        self.nearest = list(nearest)
        self.may_insist = may_insist
        super().__init__(message)


class Outdated(BookingError):
    """Somebody else changed the appointment meanwhile (HTTP 409)."""

    def __init__(self, status: str) -> None:
        super().__init__(_("This appointment was changed meanwhile: %(status)s.") % {"status": status})


class Busy(BookingError):
    """The calendar was too busy to answer, even after several tries (HTTP 409)."""

    field = "at"

    def __init__(self) -> None:
        super().__init__(_("Many people are booking at this moment. Try again."))


class TaskHeld(BookingError):
    """A colleague is at this patient's tasks just now (HTTP 409)."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        super().__init__(_("%(name)s is on it.") % {"name": holder})


class TaskEnded(BookingError):
    """The task was ended by somebody else meanwhile (HTTP 409)."""

    def __init__(self, how: str) -> None:
        super().__init__(_("This task has ended meanwhile: %(how)s.") % {"how": how})


class ComplaintChanged(BookingError):
    """Somebody else changed the complaint meanwhile (HTTP 409)."""

    def __init__(self, how: str) -> None:
        super().__init__(_("This complaint was changed meanwhile: %(how)s.") % {"how": how})

"""Writing imported appointments, many at a time."""

from collections.abc import Callable, Iterable

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from followups.importing.plan import Taken
from followups.models import Appointment, AppointmentChange, Room
from followups.services import after
from patients.importing.copying import CopyInto, reserve_ids

Status = Appointment.Status
EXPECTED = frozenset({Status.BOOKED, Status.CONFIRMED})
PURPOSE, WHY_NOT, HISTORY = 200, 300, 300
AT_ONCE = 500


class Writer:
    """Writes the rows of one import into `clinic`, within the transaction of its caller."""

    def __init__(self, clinic: Clinic, by: User | None) -> None:
        self.clinic, self.by, self.now = clinic, by, timezone.now()
        self._rooms = dict(Room.objects.filter(clinic=clinic).values_list("name", "pk"))
        self._to_come: list[int] = []
        self._appointments = CopyInto(
            Appointment, "id", "clinic", "patient", "doctor", "room", "kind", "starts_at", "ends_at", "status",
            "holds_slot", "purpose", "ended_at", "absence_note", "number", "note", "created_at", "created_by",
        )  # fmt: skip
        self._changes = CopyInto(AppointmentChange, "appointment", "new_status", "reason", "at", "by")

    def take(self, rows: list[Taken]) -> None:
        """Write new appointments, and take over the outcome of those that were still expected."""
        fresh = [taken for taken in rows if taken.there is None]
        ids = reserve_ids(Appointment, len(fresh)) if fresh else []
        pairs = list(zip(ids, fresh, strict=True))
        self._appointments.send([self._line(pk, taken) for pk, taken in pairs])
        self._changes.send([self._change(pk, taken) for pk, taken in pairs])
        self._to_come += [pk for pk, taken in pairs if taken.row.status in EXPECTED and taken.row.starts_at > self.now]
        self._take_over(taken for taken in rows if taken.there is not None)

    def finish(self, tell: Callable[[], object]) -> None:
        """Let follow what follows from an appointment that stands: reminders, and tasks that are done by it.

        Args: tell: is called now and then, for whoever waits.
        """
        for start in range(0, len(self._to_come), AT_ONCE):
            tell()
            some = Appointment.objects.filter(pk__in=self._to_come[start : start + AT_ONCE])
            for row in some.with_people().select_related("clinic").order_by("pk"):
                after.booked(row, by=self.by)

    def _room(self, name: str) -> int | None:
        if name and name not in self._rooms:
            self._rooms[name] = Room.objects.get_or_create(clinic=self.clinic, name=name)[0].pk
        return self._rooms[name] if name else None

    def _line(self, pk: int, taken: Taken) -> str:
        row = taken.row
        whole = [
            row.note,
            *(text for text, size in ((row.purpose, PURPOSE), (row.why_not, WHY_NOT)) if len(text) > size),
        ]
        return self._appointments.line(
            (
                pk, self.clinic.pk, taken.patient, row.doctor, self._room(row.room), row.kind, row.starts_at,
                row.ends_at, row.status, taken.holds, row.purpose[:PURPOSE],
                row.ends_at if row.status == Status.NO_SHOW else None, row.why_not[:WHY_NOT], taken.number,
                "\n".join(text for text in whole if text), self.now, self._by,
            )
        )  # fmt: skip

    def _change(self, pk: int, taken: Taken) -> str:
        reason = taken.row.why_not[:HISTORY] or _("Imported")
        return self._changes.line((pk, taken.row.status, reason, self.now, self._by))

    def _take_over(self, rows: Iterable[Taken]) -> None:
        """An appointment that was to come and of which the file knows the outcome gets it; its time stays."""
        for taken in rows:
            there, new = taken.there, taken.row.status
            if there is None or there.status not in EXPECTED or new in EXPECTED:
                continue
            row = Appointment.objects.select_for_update(of=("self",)).with_people().get(pk=there.pk)
            if row.status not in EXPECTED:
                continue
            old, row.status = row.status, new
            row.holds_slot = row.holds_slot and new not in Appointment.FREE
            row.ended_at = self.now if new != Status.KEPT else None
            row.absence_note = taken.row.why_not[:WHY_NOT]
            row.save(update_fields=["status", "holds_slot", "ended_at", "absence_note"])
            AppointmentChange.objects.create(
                appointment=row, old_status=old, new_status=new, reason=row.absence_note, by=self.by
            )
            follow = {Status.KEPT: after.kept, Status.NO_SHOW: after.missed}.get(Status(new), after.freed)
            follow(row, by=self.by)

    @property
    def _by(self) -> int | None:
        return self.by.pk if self.by else None

"""The patients and appointments a clinic has already, as the import asks for them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain

from django.db.models import Max, Q

from accounts.models import Clinic
from followups.importing.plan import Likeness, There
from followups.importing.rules import WhoRow
from followups.importing.spans import Calendars
from followups.models import Appointment
from patients.importing.existing import PatientsOfClinic, survivor_of
from patients.models import ChartNumber


class ExistingInClinic:
    """Looks up what was there before the import began; what the import itself writes is left out."""

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic
        self._people = PatientsOfClinic(clinic.pk)
        self._last = Appointment.objects.aggregate(last=Max("pk"))["last"] or 0
        self._rows = Appointment.objects.filter(clinic=clinic, pk__lte=self._last)
        self._any = self._rows.exists()
        self._calendars = self._taken() if self._last else Calendars()

    def patients(self, rows: Sequence[WhoRow]) -> dict[int, int]:
        """Return whom the rows mean: row number → patient id; by card number, else by phone and name."""
        by_chart = self._by_chart(list(dict.fromkeys(chain.from_iterable(who.charts for who in rows))))
        phones = dict.fromkeys(chain.from_iterable(who.phones for who in rows if who.name))
        by_phone: dict[tuple[str, str], int] = {}
        for known in self._people.with_phones(list(phones)):
            by_phone.setdefault((known.phone, known.key), known.patient)  # in order of id: the first one
        found = {}
        for who in rows:
            means = [by_chart[chart] for chart in who.charts if chart in by_chart]
            means = means or [by_phone[at] for phone in who.phones if (at := (phone, who.name)) in by_phone]
            if means:
                found[who.row.number] = means[0]
        return found

    def _by_chart(self, charts: list[str]) -> dict[str, int]:
        rows = ChartNumber.objects.filter(clinic=self._clinic, number__in=charts).values_list(
            "number", "registration__patient", "registration__patient__merged_into"
        )
        return {chart: survivor_of(into) if into else patient for chart, patient, into in rows}

    def numbered(self, numbers: Sequence[str]) -> dict[str, There]:
        """Return the appointments with these numbers."""
        if not self._any or not numbers:
            return {}
        rows = self._rows.filter(number__in=numbers).values_list("number", "pk", "status")
        return {number: There(pk, status) for number, pk, status in rows}

    def unnumbered(self, likes: Sequence[Likeness]) -> dict[Likeness, list[There]]:
        """Return the appointments without a number that are like these, in order of id."""
        if not self._any or not likes:
            return {}
        found: dict[Likeness, list[There]] = {}
        wanted = {_in_utc(like): like for like in likes}
        rows = self._rows.filter(
            number="", patient__in={like[0] for like in likes}, starts_at__in={like[1] for like in likes}
        )
        names = "patient", "starts_at", "ends_at", "doctor", "room__name", "pk", "status"
        for patient, start, end, doctor, room, pk, status in rows.order_by("pk").values_list(*names):
            like = wanted.get(_in_utc((patient, start, end, doctor, room or "")))
            if like is not None:
                found.setdefault(like, []).append(There(pk, status))
        return found

    def is_taken(self, doctor: int | None, room: str, start: datetime, end: datetime) -> bool:
        """Tell whether doctor or room are taken by an appointment that was there before."""
        owners = [("doctor", doctor), ("room", room)]
        return self._calendars.is_taken(owners, start.timestamp(), end.timestamp())

    def _taken(self) -> Calendars:
        """Gather the taken time of the clinic's rooms, and of its doctors wherever they work."""
        doctors = self._clinic.memberships.values("user")
        holding = Appointment.objects.filter(Q(clinic=self._clinic) | Q(doctor__in=doctors), pk__lte=self._last)
        calendars = Calendars()
        names = "clinic_id", "doctor_id", "room__name", "starts_at", "ends_at"
        rows = holding.holding().order_by("starts_at").values_list(*names)
        for clinic, doctor, room, start, end in rows.iterator(chunk_size=5_000):
            owners = [("doctor", doctor)] if doctor else []
            if room and clinic == self._clinic.pk:
                owners.append(("room", room))
            calendars.take(owners, start.timestamp(), end.timestamp())
        return calendars


def _in_utc(like: Likeness) -> Likeness:
    return like[0], like[1].astimezone(UTC), like[2].astimezone(UTC), like[3], like[4]

"""Card numbers (病历号): each finds one person of a clinic, the first that bore it."""

from collections.abc import Iterable

from accounts.models import Clinic
from patients.importing.copying import CopyInto
from patients.models import ChartNumber


class Charts:
    """Writes the card numbers of one clinic that nobody has yet."""

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic.pk
        self._numbers = ChartNumber.objects.filter(clinic=clinic)
        self._any = self._numbers.exists()
        self._seen: set[str] = set()
        self.copy = CopyInto(ChartNumber, "clinic", "registration", "number")

    def write(self, pairs: Iterable[tuple[int, str]]) -> None:
        """Give each registration its number, (registration id, number), unless it is taken."""
        self.copy.send(self.lines(pairs))

    def lines(self, pairs: Iterable[tuple[int, str]]) -> list[str]:
        """Return the rows that give each registration its number, unless it is taken; they count as written."""
        fresh: dict[str, int] = {}
        for registration, number in pairs:
            if number not in self._seen:
                self._seen.add(number)
                fresh[number] = registration
        if self._any and fresh:
            for number in self._numbers.filter(number__in=list(fresh)).values_list("number", flat=True):
                del fresh[number]
        return [self.copy.line((self._clinic, fresh[number], number)) for number in fresh]

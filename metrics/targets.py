"""What a clinic wanted of a figure on a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from accounts.models import Clinic
from metrics.kpis import ACCURACY_TARGET, BY_SLUG
from metrics.models import KpiTarget

ACCURACY = "classification_accuracy"  # the one companion with a target of its own
SLUGS = (*BY_SLUG, ACCURACY)


@dataclass(frozen=True)
class Held:
    """The targets of some clinics with their history, read in one statement."""

    clinics: tuple[int, ...]
    rows: tuple[tuple[int, str, Decimal, date], ...]  # clinic, slug, value, from; the later ones last

    def of(self, slug: str, day: date, clinics: Iterable[int] | None = None) -> Decimal:
        """Return the target of `slug` that held on `day`; of clinics that differ the strictest: the highest, or the
        lowest where less is better. Without a row the KPI's own target holds."""
        usual = ACCURACY_TARGET if slug == ACCURACY else BY_SLUG[slug].target
        ids = self.clinics if clinics is None else tuple(clinics)
        values = [self._in(clinic, slug, day, usual) for clinic in ids] or [usual]
        down = slug != ACCURACY and BY_SLUG[slug].direction == "down"
        return min(values) if down else max(values)

    def _in(self, clinic: int, slug: str, day: date, usual: Decimal) -> Decimal:
        held = [value for pk, name, value, since in self.rows if (pk, name) == (clinic, slug) and since <= day]
        return held[-1] if held else usual


def held_by(clinics: Iterable[Clinic], *, until: date, as_of: datetime | None = None) -> Held:
    """Read the targets that began until a day; as of a moment only those that were set by then."""
    ids = tuple(clinic.pk for clinic in clinics)
    rows = KpiTarget.objects.filter(clinic__in=ids, valid_from__lte=until).order_by("valid_from", "pk")
    if as_of is not None:
        rows = rows.filter(created_at__lte=as_of)
    return Held(ids, tuple(rows.values_list("clinic", "slug", "value", "valid_from")))


def target_of(clinics: Iterable[Clinic], slug: str, day: date) -> Decimal | None:
    """Return the target of `slug` that held on `day`; of clinics that differ the strictest.

    Args: slug: of a KPI, or `ACCURACY`; None for any other.
    """
    return held_by(clinics, until=day).of(slug, day) if slug in SLUGS else None


def targets_of(clinics: Iterable[Clinic], day: date) -> dict[str, Decimal]:
    """Return every target that held on `day`, by slug, in one statement."""
    held = held_by(clinics, until=day)
    return {slug: held.of(slug, day) for slug in SLUGS}

"""What yesterday left undone: visits that ended without something that should be there (DOMAIN §2.11)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Clinic
from accounts.statements import Statement
from consultations.models import CheckoutItem, Visit
from consultations.stages import ENDED, UNDECIDED, Stage
from followups.models import Appointment
from followups.services.recheck_plans import missing_tomorrow

Words = str | Promise
NAMED = 4  # people named in one row
READ = (
    "decision", "is_first", "next_appointment_made_at", "classified_at", "form_completed_at", "patient__name",
    "patient__wechat_linked_at",
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    name: str
    url: str


@dataclass(frozen=True)
class Gap:
    """One kind of thing missing, and for whom; `url` mends the first."""

    code: str
    label: Words
    verb: Words
    people: list[Person]

    @property
    def url(self) -> str:
        return self.people[0].url

    @property
    def named(self) -> list[Person]:
        return self.people[:NAMED]

    @property
    def more(self) -> int:
        return len(self.people) - len(self.named)


KINDS: tuple[tuple[str, Words, Words], ...] = (
    ("next_appointment", _("no next visit"), pgettext_lazy("gap", "Book")),
    ("wechat", _("no WeChat"), pgettext_lazy("gap", "Add")),
    ("classification", _("no class yet"), pgettext_lazy("gap", "Classify")),
    ("form", _("form not done"), pgettext_lazy("gap", "Complete")),
)
PLANS = ("recheck_plan", _("recheck plan not ready"), pgettext_lazy("gap", "Write"))


def lacks(visit: Any) -> list[str]:
    """Return what a received, ended visit lacks; what a manager let go is no gap.

    `visit` carries `waived` (codes let go) and `comes_again` (a later appointment stands).
    """
    checks = {
        "next_appointment": visit.next_appointment_made_at is None and not visit.comes_again,
        "wechat": visit.patient.wechat_linked_at is None,
        "classification": visit.decision in UNDECIDED and visit.classified_at is None,
        "form": visit.is_first and visit.form_completed_at is None,
    }
    return [code for code, lacking in checks.items() if lacking and code not in visit.waived]


def mend_url(visit: Visit, code: str) -> str:
    """Return where a gap is mended."""
    if code == "next_appointment":
        query = f"?patient={visit.patient_id}&visit={visit.pk}&next={reverse('today')}"
        return reverse("appointment_new") + query
    page = reverse("visit", args=[visit.pk])
    return f"{page}?stage={Stage.INTAKE}" if code == "form" else f"{page}?stage={Stage.LEAVING}#item-{code}"


def gaps_of(clinic: Clinic, now: datetime) -> list[Gap]:
    """Return yesterday's gaps by kind, and the recheck plans that lack (two statements)."""
    start, end = clinic.day_bounds(clinic.today() - timedelta(days=1))
    found: dict[str, list[Person]] = {}
    for visit in _LEFT.rows(clinic=clinic.pk, start=start, end=end, now=now):
        for code in lacks(visit):
            found.setdefault(code, []).append(Person(visit.patient.name, mend_url(visit, code)))
    gaps = [Gap(code, label, verb, found[code]) for code, label, verb in KINDS if code in found]
    return _plans(clinic, now) + gaps


def _left(*, clinic: int, start: datetime, end: datetime, now: datetime) -> Any:
    waived = CheckoutItem.objects.filter(visit=OuterRef("pk"), waived_at__isnull=False).values("code")
    later = Appointment.objects.for_clinic(clinic).expected().filter(patient=OuterRef("patient"), starts_at__gt=now)
    open_ends = Q(next_appointment=None) | Q(patient__wechat_linked_at=None) | Q(form_completed_at=None, is_first=True)
    open_ends |= Q(decision__in=sorted(UNDECIDED), classified_at=None)
    return (
        Visit.objects.for_clinic(clinic)
        .filter(open_ends, left_at__gte=start, left_at__lt=end, stage__in=sorted(ENDED), received_at__isnull=False)
        .filter(is_error=False)
        .select_related("patient")
        .only(*READ)
        .annotate(waived=ArraySubquery(waived), comes_again=Exists(later))
        .order_by("left_at", "pk")
    )


_LEFT = Statement(_left)


def _plans(clinic: Clinic, now: datetime) -> list[Gap]:
    """Return the rechecks of today and tomorrow whose plan is not ready (one statement)."""
    tasks = missing_tomorrow(clinic=clinic, now=now)
    people = [Person(task.patient.name, reverse("task", args=[task.pk]) + "?scope=all") for task in tasks]
    return [Gap(*PLANS, people)] if people else []

"""The last finished months of the demo clinics, frozen, and a manager who gets the weekly digest."""

from time import monotonic

from django.utils import timezone

from accounts.models import Clinic, Membership
from accounts.permissions import Role
from accounts.windows import Window, plus_months
from metrics.services.digest import subscribe
from metrics.services.snapshots import freeze

MONTHS = 2
SECONDS = 4.0  # a large demo is not kept waiting: what is left is frozen by beat


def freeze_last_months(clinics: list[Clinic]) -> int:
    """Freeze the last two finished months of each clinic while there is time; returns how many were."""
    began, done, now = monotonic(), 0, timezone.now()
    for clinic in clinics:
        this = Window.of("month", clinic.today()).start
        for back in range(1, MONTHS + 1):
            if monotonic() - began > SECONDS:
                return done
            freeze(clinic=clinic, month=plus_months(this, -back), now=now)
            done += 1
    return done


def want_digests(clinics: list[Clinic]) -> None:
    """Have one manager of each clinic get the weekly digest."""
    for clinic in clinics:
        managers = Membership.objects.active().with_role(Role.MANAGER).filter(clinic=clinic).select_related("user")
        first = managers.order_by("pk").first()
        if first is not None:
            subscribe(clinic=clinic, by=first.user)

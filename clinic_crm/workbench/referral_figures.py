"""Referrals in figures: by coordinator, by referrer, and the thanks that are owed."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DecimalField, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from patients.models import Referral, ReferralThanks, Registration

WINDOWS = (("30", _("30 days")), ("90", _("90 days")), ("365", _("12 months")), ("all", _("All")))
SHOWN = 50
MONEY = DecimalField(max_digits=12, decimal_places=2)


def since(window: str, now: datetime) -> datetime | None:
    """Return where a window begins; None for all time."""
    return now - timedelta(days=int(window)) if window.isdigit() else None


def _in(field: str, start: datetime | None) -> Q:
    return Q(**{f"{field}__gte": start}) if start else Q(**{f"{field}__isnull": False})


def _counted(start: datetime | None) -> dict[str, Any]:
    thanked = _in("thanks__given_at", start)
    return {
        "brought": Count("pk", filter=_in("created_at", start)),
        "effective": Count("pk", filter=_in("effective_at", start)),
        "given": Count("thanks", filter=thanked),
        "cost": Coalesce(Sum("thanks__cost", filter=thanked), Value(0), output_field=MONEY),
        "owed": Count("thanks", filter=Q(thanks__given_at=None, thanks__isnull=False)),
    }


def _links(clinic: Clinic, start: datetime | None) -> "QuerySet[Any]":
    """Return the clinic's referrals in which anything happened in the window, or thanks are still owed."""
    rows: QuerySet[Any] = Referral.objects.for_clinic(clinic)
    if start is None:
        return rows
    happened = _in("created_at", start) | _in("effective_at", start) | _in("thanks__given_at", start)
    return rows.filter(happened | Q(thanks__isnull=False, thanks__given_at=None))


def by_coordinator(clinic: Clinic, start: datetime | None) -> list[dict[str, Any]]:
    """Return the figures of each coordinator whose patients referred somebody; the most effective first."""
    here = Registration.objects.for_clinic(clinic).filter(patient=OuterRef("referrer"))
    rows = _links(clinic, start).annotate(owner=Subquery(here.values("owner")[:1])).values("owner")
    found = list(rows.annotate(**_counted(start)).order_by("-effective", "-brought", "owner"))
    names = User.objects.in_bulk([row["owner"] for row in found if row["owner"]])
    return [row | {"name": str(names.get(row["owner"], ""))} for row in found]


def by_referrer(clinic: Clinic, start: datetime | None) -> list[dict[str, Any]]:
    """Return the figures of the referrers who brought the most; at most fifty."""
    rows = _links(clinic, start).values("referrer", "referrer__name", "referrer__class_code")
    return list(rows.annotate(**_counted(start)).order_by("-effective", "-brought", "referrer")[:SHOWN])


def owed(clinic: Clinic) -> "QuerySet[Any]":
    """Return the thanks not given yet, the longest owed first."""
    rows = ReferralThanks.objects.for_clinic(clinic).filter(given_at=None)
    people = rows.select_related("referral__referrer", "referral__referred")
    here = Registration.objects.for_clinic(clinic).filter(patient=OuterRef("referral__referrer"))
    return people.annotate(owner_name=Subquery(here.values("owner__full_name")[:1])).order_by("owed_since", "pk")

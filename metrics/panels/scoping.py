"""What every panel counts from: rows of a scope, of the days of a window, each clinic in its own zone."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import DecimalField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from accounts.models import Membership
from accounts.windows import Window
from consultations.models import Consultation, PlanItem, PlanOption, Visit
from followups.models import Appointment
from metrics.scope import Scope
from patients.models import Registration

MONEY: "DecimalField[Any, Any]" = DecimalField(max_digits=14, decimal_places=2)
NOTHING = Value(Decimal(0), output_field=MONEY)


def bounds(scope: Scope, window: Window) -> list[tuple[list[int], datetime, datetime]]:
    """Return the window's moments for each zone: (clinic ids, from, to)."""
    zones: dict[str, list[Any]] = {}
    for clinic in scope.clinics:
        zones.setdefault(clinic.zone, []).append(clinic)
    return [
        ([c.pk for c in clinics], clinics[0].day_bounds(window.start)[0], clinics[0].day_bounds(window.end)[0])
        for clinics in zones.values()
    ]


def within(scope: Scope, window: Window, field: str, clinic: str = "clinic") -> Q:
    """Return the condition that `field` lies in the window, in the clinic of the row."""
    met = Q(pk__in=[])
    for clinics, start, end in bounds(scope, window):
        met |= Q(**{f"{clinic}__in": clinics, f"{field}__gte": start, f"{field}__lt": end})
    return met


def whose(scope: Scope, coordinator: str, clinic: str = "clinic") -> Q:
    """Return the condition that somebody of the scope's coordinators and teams did it."""
    met = Q()
    if scope.coordinators is not None:
        met &= Q(**{f"{coordinator}__in": scope.coordinators})
    if scope.teams is not None:
        held = Membership.objects.filter(user=OuterRef(coordinator), clinic=OuterRef(clinic), team__in=scope.teams)
        met &= Q(Exists(held))
    return met


def of_patients(scope: Scope, patient: str = "patient") -> Q:
    """Return the condition that the patient came to the clinic by one of the scope's channels."""
    if scope.channels is None:
        return Q()
    here = Registration.objects.filter(patient=OuterRef(patient), clinic=OuterRef("clinic"), channel__in=scope.channels)
    return Q(Exists(here))


def of_complaints(scope: Scope, patient: str = "patient") -> Q:
    """Return the condition that the patient has a consultation there for one of the scope's complaints."""
    if scope.complaints is None:
        return Q()
    cases = Consultation.objects.filter(
        patient=OuterRef(patient), clinic=OuterRef("clinic"), complaint__in=scope.complaints
    )
    return Q(Exists(cases))


def visits(scope: Scope, window: Window, field: str) -> QuerySet[Visit]:
    """Return the visits of the scope whose `field` lies in the window; those entered in error never count."""
    rows: QuerySet[Visit] = Visit.objects.filter(within(scope, window, field), is_error=False)
    rows = rows.filter(whose(scope, "coordinator"), of_patients(scope))
    if scope.doctors is not None:
        rows = rows.filter(doctor__in=scope.doctors)
    if scope.complaints is not None:
        rows = rows.filter(consultation__complaint__in=scope.complaints)
    if scope.is_first is not None:
        rows = rows.filter(is_first=scope.is_first)
    return rows


def appointments(scope: Scope, window: Window) -> QuerySet[Appointment]:
    """Return the appointments of the scope that were for a time in the window; credit goes to who booked them."""
    rows: QuerySet[Appointment] = Appointment.objects.filter(within(scope, window, "starts_at"))
    rows = rows.filter(whose(scope, "created_by"), of_patients(scope), of_complaints(scope))
    if scope.doctors is not None:
        rows = rows.filter(doctor__in=scope.doctors)
    if scope.is_first is not None:
        rows = rows.filter(kind="first") if scope.is_first else rows.exclude(kind="first")
    return rows


def plan_value(visit: str = "pk") -> Any:
    """Return the yuan of a visit's plan: of the chosen option, else the suggested, else the first; None without."""
    item = ExpressionWrapper(F("unit_price") * F("quantity"), output_field=MONEY)
    items = PlanItem.objects.filter(option=OuterRef("pk")).order_by().values("option")
    subtotal = Subquery(items.annotate(total=Sum(item)).values("total"), output_field=MONEY)
    options = PlanOption.objects.filter(plan__visit=OuterRef(visit)).order_by("-is_chosen", "-is_suggested", "position")
    total = ExpressionWrapper(Coalesce(subtotal, NOTHING) - F("discount"), output_field=MONEY)
    return Subquery(options.annotate(total=total).values("total")[:1], output_field=MONEY)

"""Class audits: drawing, rating blind, and reading the agreement."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic, User
from accounts.permissions import Permission
from patients.agreement import reading
from patients.classification import Complaint, PatientClass
from patients.errors import Refused
from patients.models import ClassAudit, ClassAuditItem, Sex
from patients.queries import owners
from patients.services.audits import MOST, RatedAlready, by_coordinator, draw, rate, result_of, unrate

LISTED = 50
YEAR = timedelta(days=365)
MONTHS = 12


class DrawForm(forms.Form):
    """Whose classifications of which month, and how many."""

    coordinator = forms.ChoiceField(label=gettext_lazy("Coordinator"))
    month = forms.ChoiceField(label=gettext_lazy("Month"))
    size = forms.IntegerField(label=gettext_lazy("How many"), min_value=1, max_value=MOST, initial=20)

    def __init__(self, data: Any, clinic: Clinic) -> None:
        super().__init__(data)
        fields: dict[str, Any] = self.fields
        fields["coordinator"].choices = owners(clinic)
        fields["month"].choices = _months(clinic.today())


def _months(today: date) -> list[tuple[str, str]]:
    count = [today.year * 12 + today.month - 1 - back for back in range(MONTHS)]
    firsts = [date(n // 12, n % 12 + 1, 1) for n in count]
    return [(first.isoformat(), date_format(first, "YEAR_MONTH_FORMAT")) for first in firsts]


class RateForm(forms.Form):
    """A second opinion; a note is optional."""

    rated_class = forms.ChoiceField(label=gettext_lazy("Class"), choices=PatientClass.choices)
    rated_awareness = forms.TypedChoiceField(
        label=gettext_lazy("Awareness"),
        choices=[("", gettext_lazy("not said")), *((n, str(n)) for n in range(1, 6))],
        coerce=int,
        empty_value=None,
        required=False,
    )
    note = forms.CharField(label=gettext_lazy("Note"), max_length=300, required=False)


def _audits(request: StaffRequest, clinic: Clinic) -> Any:
    return ClassAudit.objects.for_user(request.user).for_clinic(clinic).select_related("coordinator", "drawn_by")


@requires(Permission.RATE_CLASSES)
@require_GET
def class_audits(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The samples drawn here; for who may read them, how far each coordinator's agree."""
    may_read = request.user.may(Permission.AUDIT_CLASSES, clinic)
    counts = {"total": Count("items"), "rated": Count("items", filter=Q(items__rated_at__isnull=False))}
    rows = _audits(request, clinic).annotate(**counts).order_by("-drawn_at", "-pk")
    if not may_read:  # who rates sees what there is to rate, never their own
        rows = rows.exclude(coordinator=request.user)
    by = by_coordinator(clinic=clinic, since=timezone.now() - YEAR) if may_read else []
    context = {
        "audits": rows[:LISTED],
        "may_read": may_read,
        "by": [(name, found, reading(found)) for name, found in by],
    }
    return render(request, "patients/audits.html", context)


@requires(Permission.AUDIT_CLASSES)
@require_http_methods(["GET", "POST"])
def class_audit_draw(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Draw a blind sample."""
    form = DrawForm(request.POST or None, clinic)
    if request.method == "POST" and form.is_valid():
        month = parse_date(form.cleaned_data["month"])
        coordinator = User.objects.get(pk=form.cleaned_data["coordinator"])
        assert month is not None
        try:
            audit = draw(
                clinic=clinic, coordinator=coordinator, month=month, size=form.cleaned_data["size"], by=request.user
            )
        except Refused as error:
            form.add_error("month", error.message)
        else:
            return redirect("class_audit", pk=audit.pk)
    return render(request, "patients/audit_draw.html", {"form": form}, status=422 if form.is_bound else 200)


@requires(Permission.AUDIT_CLASSES)
@require_GET
def class_audit(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """How far both raters agree; only what was rated twice is shown, so that nobody sees a class beforehand."""
    audit = get_object_or_404(_audits(request, clinic), pk=pk)
    items = ClassAuditItem.objects.for_user(request.user).filter(audit=audit)
    found = result_of(items)
    rated = items.filter(rated_at__isnull=False).select_related("class_change__patient", "rated_by")
    matrix = list(zip(found.labels, (list(zip(found.labels, row, strict=True)) for row in found.matrix), strict=True))
    context = {
        "audit": audit,
        "found": found,
        "reading": reading(found),
        "matrix": matrix,
        "rated": rated.order_by("position"),
        "total": items.count(),
        "may_rate": request.user.pk != audit.coordinator_id,
    }
    return render(request, "patients/audit.html", context)


@requires(Permission.RATE_CLASSES)
@require_http_methods(["GET", "POST"])
def class_audit_rate(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """One classification after the other, without its class."""
    audit = get_object_or_404(_audits(request, clinic), pk=pk)
    if audit.coordinator_id == request.user.pk:
        raise PermissionDenied
    items = ClassAuditItem.objects.for_user(request.user).filter(audit=audit).exclude(class_change__by=request.user)
    form, status = RateForm(), 200
    if request.method == "POST":
        form = RateForm(request.POST)
        item = get_object_or_404(items, position=_number(request.POST.get("position")))
        if form.is_valid() and _rate(request, item, form):
            return redirect("class_audit_rate", pk=pk)
        status = 422
    left = list(items.filter(rated_at=None).only("facts", "position", "audit_id")[:1])
    total = items.count()
    context: dict[str, Any] = {
        "audit": audit,
        "item": left[0] if left else None,
        "facts": _facts(left[0].facts) if left else {},
        "form": form,
        "rated": items.filter(rated_at__isnull=False).count(),
        "total": total,
        "mine": items.filter(rated_by=request.user).exists(),
        "classes": list(enumerate(PatientClass.values, 1)),
        "may_read": request.user.may(Permission.AUDIT_CLASSES, clinic),
    }
    return render(request, "patients/audit_rate.html", context, status=status)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0


def _rate(request: StaffRequest, item: ClassAuditItem, form: RateForm) -> bool:
    data = form.cleaned_data
    try:
        rate(
            item=item,
            rated_class=data["rated_class"],
            awareness=data["rated_awareness"],
            note=data["note"],
            by=request.user,
        )
    except RatedAlready as error:
        messages.warning(request, error.message)
    except Refused as error:
        form.add_error(None, error.message)
        return False
    return True


def _facts(facts: dict[str, Any]) -> dict[str, Any]:
    """Put the frozen facts into words."""
    complaints = dict(Complaint.choices)
    visits = [
        {"day": parse_date(v["day"]), "decision": DECISIONS.get(v["decision"], "")} for v in facts.get("visits", ())
    ]
    return facts | {
        "day": parse_date(facts.get("day", "")),
        "sex": dict(Sex.choices).get(facts.get("sex", ""), "") if facts.get("sex") else "",
        "complaint": complaints.get(facts.get("complaint", ""), ""),
        "decision": DECISIONS.get(facts.get("decision", ""), ""),
        "visits": visits,
    }


# The visit's decisions, by the words of the app above.
DECISIONS = {
    "accepted": gettext_lazy("Accepted"),
    "deposit": gettext_lazy("Deposit paid"),
    "undecided": gettext_lazy("Undecided"),
    "refused": gettext_lazy("Refused"),
    "no_treatment": gettext_lazy("No treatment indicated"),
}


@requires(Permission.RATE_CLASSES)
@require_POST
def class_audit_unrate(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take one's last rating back, to give it anew."""
    audit = get_object_or_404(_audits(request, clinic), pk=pk)
    try:
        unrate(audit=audit, by=request.user)
    except Refused as error:
        messages.warning(request, error.message)
    return redirect(reverse("class_audit_rate", args=[pk]))

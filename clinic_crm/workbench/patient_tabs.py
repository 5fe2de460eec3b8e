"""What each tab of the patient page shows."""

from collections.abc import Callable
from itertools import groupby
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext_lazy as _

from accounts.access import StaffRequest
from clinic_crm.workbench.timeline import read
from clinic_crm.workbench.timeline_items import items_of
from clinic_crm.workbench.timeline_kinds import TOGETHER, Reader
from consultations.models import ConsultationForm, Exam, ExamFile, Plan, PlanOption, Refund, Visit
from patients.models import Consent, Registration

LISTED = 100  # rows of a tab
Context = dict[str, Any]

# Chips of the timeline, in their order.
KINDS = (
    ("visit", _("Visits")),
    ("stage", _("Stages")),
    ("appointment", _("Appointments")),
    ("contact", _("Contacts")),
    ("class", _("Class")),
    ("decision", _("Decisions")),
    ("plan", _("Plans")),
    ("image", _("Images")),
    ("referral", _("Referrals")),
    ("consent", _("Consent")),
    ("care", _("Care")),
    ("complaint", _("Complaints")),
    ("merge", _("Merges")),
    ("reveal", _("Opened")),
)


def timeline_tab(request: StaffRequest, registration: Registration, reader: Reader) -> Context:
    """A page of the timeline; ?kind= one kind, ?after= the older part, ?day= where the part above ended."""
    kind = request.GET.get("kind", "")
    found = read(reader, kind=kind, cursor=request.GET.get("after", ""))
    items = items_of(
        found.events,
        subject=reader.patient_id,
        tz=registration.clinic.tz,
        first_visit=registration.first_visit_on,
        last_day=request.GET.get("day", ""),
    )
    last_day = items[-1].at.date().isoformat() if items else ""
    return {"items": items, "more": found.more, "last_day": last_day, "kind": kind if kind in reader.kinds else ""}


def _visits(reader: Reader) -> Any:
    return reader.rows(Visit).filter(patient=reader.patient_id, is_error=False)


def visits_tab(request: StaffRequest, registration: Registration, reader: Reader) -> Context:
    return {"visits": _visits(reader).with_people().select_related("clinic").order_by("-arrived_at")[:LISTED]}


def images_tab(request: StaffRequest, registration: Registration, reader: Reader) -> Context:
    files = reader.rows(ExamFile).kept().filter(exam__visit__patient=reader.patient_id)
    rows = files.select_related("exam__kind", "exam__visit").order_by(
        "-exam__visit__arrived_at", "exam__kind__position", "pk"
    )
    by_visit = groupby(rows[: 2 * LISTED], key=lambda file: file.exam.visit)
    return {"albums": [(visit, list(pictures)) for visit, pictures in by_visit]}


def forms_tab(request: StaffRequest, registration: Registration, reader: Reader) -> Context:
    forms = reader.rows(ConsultationForm).filter(visit__patient=reader.patient_id)
    people = forms.select_related("visit", "template", "completed_by").order_by("-visit__arrived_at")
    return {"forms": people[:LISTED]}


def plans_tab(request: StaffRequest, registration: Registration, reader: Reader) -> Context:
    plans = reader.rows(Plan).filter(visit__patient=reader.patient_id, finished_at__isnull=False)
    options = Prefetch("options", PlanOption.objects.prefetch_related("items"))
    return {
        "plans": plans.select_related("visit", "made_by").prefetch_related(options).order_by("-finished_at")[:LISTED]
    }


def fees_tab(request: StaffRequest, registration: Registration, reader: Reader) -> Context:
    exams = reader.rows(Exam).filter(visit__patient=reader.patient_id, done_at__isnull=False, fee__gt=0)
    agreed = _visits(reader).filter(decision_amount__isnull=False).order_by("-decided_at")
    refunds = reader.rows(Refund).filter(consultation__patient=reader.patient_id).standing().order_by("-at", "-pk")
    return {
        "fees": exams.select_related("kind", "visit").order_by("-done_at")[:LISTED],
        "agreed": agreed[:LISTED],
        "refunds": refunds.select_related("visit")[:LISTED],
    }


def profile_tab(request: StaffRequest, registration: Registration, reader: Reader) -> Context:
    rows = reader.rows(Consent).filter(patient=reader.patient_id).select_related("by")
    charts = registration.chart_numbers.values_list("number", flat=True)
    return {"consent_history": rows.order_by("-at", "-id")[:30], "charts": list(charts)}


TABS: dict[str, Callable[[StaffRequest, Registration, Reader], Context]] = {
    "timeline": timeline_tab,
    "visits": visits_tab,
    "plans": plans_tab,
    "images": images_tab,
    "forms": forms_tab,
    "fees": fees_tab,
    "profile": profile_tab,
}
ALWAYS = frozenset({"timeline", "visits", "profile"})
COUNTED = {"visits": ("tab_visits",), "plans": ("tab_plans",), "images": ("tab_images",), "forms": ("tab_forms",)}
LABELS = {
    "timeline": _("Timeline"),
    "visits": _("Visits"),
    "plans": _("Plans"),
    "images": _("Images"),
    "forms": _("Forms"),
    "fees": _("Fees"),
    "profile": _("Record and consent"),
}


def tabs_of(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Return the tabs that have something to show; those whose counts are missing are not this person's to see."""
    shown = []
    for name, label in LABELS.items():
        count = sum(counts.get(key, 0) for key in COUNTED.get(name, ()))
        if name == "fees":
            count = counts.get("tab_fees", 0) + counts.get("tab_paid", 0)
        if name in ALWAYS or count:
            shown.append({"value": name, "label": label, "count": count if name in COUNTED and count else ""})
    return shown


def chips_of(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Return the chips of the timeline that have something behind them."""
    found = []
    for kind, label in KINDS:
        count = sum(counts.get(name, 0) for name in TOGETHER.get(kind, (kind,)))
        found.append({"value": kind, "label": label, "count": count})
    return [chip for chip in found if chip["count"]]

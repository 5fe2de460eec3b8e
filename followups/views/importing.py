"""Pages of the import of appointments: upload, columns, what would happen, progress, report."""

from collections import Counter
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from followups.import_forms import ColumnsForm
from followups.importing.jobs import appointment_jobs
from followups.importing.rules import REASON_TEXTS
from patients.import_forms import UploadForm
from patients.import_pages import ImportPages
from patients.importing.errors import ImportRefused

EXAMPLES = 20
pages = ImportPages(appointment_jobs.kind, all="appointment_import", one="appointment_import", templates="followups")


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def appointment_import(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Upload a file; below, the clinic's imports."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        try:
            job = appointment_jobs.upload(clinic=clinic, by=request.user, file=form.cleaned_data["file"])
            return pages.to("columns", job)
        except ImportRefused as refusal:
            form.add_error("file", str(refusal))
    return pages.list(request, clinic, form)


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def appointment_import_columns(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Show what each column was taken for, to be corrected; then have the file checked."""
    job = pages.job(request, clinic, pk)
    return pages.columns(request, job, lambda sheet: appointment_jobs.table_of(job, sheet=sheet), ColumnsForm)


@requires(Permission.MANAGE_CALENDAR)
@require_GET
def appointment_import_detail(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Where an import stands: being checked, what would happen, its progress, its report."""
    job = pages.job(request, clinic, pk)
    return pages.detail(request, job, report=_shown(job.report))


def _shown(report: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a stored report as its page shows it."""
    if not report:
        return None
    shown: dict[str, Any] = {
        "created": report["created"], "updated": report["updated"], "merged": len(report["merged"]),
        "importable": report["created"] + report["updated"],
    }  # fmt: skip
    for kind in ("rejected", "warnings"):
        rows = report[kind]
        counts = Counter(one["reason"] for one in rows).most_common()
        shown[kind] = {
            "total": len(rows),
            "reasons": [(REASON_TEXTS.get(reason, reason), count) for reason, count in counts],
            "rows": [(one["row"], REASON_TEXTS.get(one["reason"], one["reason"])) for one in rows[:EXAMPLES]],
        }
    return shown


@requires(Permission.MANAGE_CALENDAR)
@require_POST
def appointment_import_start(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Begin a checked import."""
    return pages.start(request, pages.job(request, clinic, pk))


@requires(Permission.MANAGE_CALENDAR)
@require_POST
def appointment_import_discard(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Throw away a file that was not imported."""
    return pages.discard(request, pages.job(request, clinic, pk))


@requires(Permission.MANAGE_CALENDAR)
@require_GET
def appointment_import_rejected(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponseBase:
    """The rejected rows as they stand in the file, with their reasons, as CSV."""
    job = pages.job(request, clinic, pk)
    rejected = {one["row"]: one["reason"] for one in (job.report or {}).get("rejected", ())}
    return pages.rejected(request, job, appointment_jobs.table_of, rejected, REASON_TEXTS)

"""Pages of the import of appointments: upload, columns, what would happen, progress, report."""

from collections import Counter
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.audit import record
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import whole_number
from followups.import_forms import ColumnsForm
from followups.importing.jobs import appointment_jobs
from followups.importing.rules import REASON_TEXTS
from patients.import_forms import UploadForm
from patients.importing import job_states
from patients.importing.errors import ImportRefused
from patients.importing.rejected import rejected_csv
from patients.models import ImportJob

LISTED, EXAMPLES = 30, 20
Status = ImportJob.Status


def _job(request: StaffRequest, clinic: Clinic, pk: int) -> ImportJob:
    rows = ImportJob.objects.for_user(request.user).for_clinic(clinic).filter(kind=appointment_jobs.kind)
    found: ImportJob = get_object_or_404(rows.select_related("clinic", "created_by"), pk=pk)
    return found


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def appointment_import(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Upload a file; below, the clinic's imports."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            job = appointment_jobs.upload(clinic=clinic, by=request.user, file=form.cleaned_data["file"])
            return redirect("appointment_import_columns", job.pk)
        except ImportRefused as refusal:
            form.add_error("file", str(refusal))
    rows = (
        ImportJob.objects.for_clinic(clinic)
        .filter(kind=appointment_jobs.kind)
        .select_related("created_by")
        .defer("report")
    )
    if before := whole_number(request.GET.get("before")):
        rows = rows.filter(pk__lt=before)
    page = list(rows[: LISTED + 1])
    context = {"form": form, "jobs": page[:LISTED], "more": page[LISTED - 1].pk if len(page) > LISTED else None}
    return render(request, "followups/import_list.html", context, status=422 if request.method == "POST" else 200)


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def appointment_import_columns(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Show what each column was taken for, to be corrected; then have the file checked."""
    job = _job(request, clinic, pk)
    if request.method == "GET" and job.status not in job_states.OPEN:
        return redirect("appointment_import_detail", job.pk)
    asked = request.POST.get("sheet") if request.method == "POST" else request.GET.get("sheet")
    try:
        table = appointment_jobs.table_of(job, sheet=asked if asked is not None and asked != job.sheet else None)
    except (ImportRefused, OSError) as refusal:
        messages.error(request, str(refusal) if isinstance(refusal, ImportRefused) else _("The file is gone."))
        return redirect("appointment_import" if asked is None else request.path)
    form = ColumnsForm(request.POST if request.method == "POST" else None, table=table)
    if request.method == "POST" and form.is_valid():
        try:
            job_states.choose_columns(job=job, sheet=table.sheet, mapping=form.mapping, by=request.user)
        except job_states.NotInThisState:
            messages.error(request, _("This import has begun already; its columns stay as they are."))
        return redirect("appointment_import_detail", job.pk)
    context = {
        "job": job, "form": form, "table": table, "sheets": table.sheets if len(table.sheets) > 1 else (),
        "back": reverse("appointment_import"), "discard": reverse("appointment_import_discard", args=[job.pk]),
    }  # fmt: skip
    return render(request, "import_columns.html", context, status=422 if form.errors else 200)


@requires(Permission.MANAGE_CALENDAR)
@require_GET
def appointment_import_detail(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Where an import stands: being checked, what would happen, its progress, its report."""
    job = _job(request, clinic, pk)
    if job.status == Status.UPLOADED:
        return redirect("appointment_import_columns", job.pk)
    working = job.status in (Status.CHECKING, Status.QUEUED, Status.RUNNING)
    context: dict[str, Any] = {"job": job, "working": working, "report": _shown(job.report)}
    if request.htmx and working:
        return render(request, "followups/_import_progress.html", context)
    response = render(request, "followups/import_detail.html", context)
    if request.htmx:
        response["HX-Refresh"] = "true"  # the work is over: another page now
    return response


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
    job = _job(request, clinic, pk)
    try:
        job_states.start_import(job=job, by=request.user)
    except job_states.NotInThisState:
        messages.error(request, _("This import has begun already."))
    return redirect("appointment_import_detail", job.pk)


@requires(Permission.MANAGE_CALENDAR)
@require_POST
def appointment_import_discard(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Throw away a file that was not imported."""
    job = _job(request, clinic, pk)
    try:
        job_states.discard(job=job, by=request.user)
    except job_states.NotInThisState:
        messages.error(request, _("This import has begun already and is kept."))
        return redirect("appointment_import_detail", job.pk)
    messages.success(request, _("Discarded %(name)s.") % {"name": job.original_name})
    return redirect("appointment_import")


@requires(Permission.MANAGE_CALENDAR)
@require_GET
def appointment_import_rejected(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponseBase:
    """The rejected rows as they stand in the file, with their reasons, as CSV."""
    job = _job(request, clinic, pk)
    try:
        table = appointment_jobs.table_of(job)
    except (ImportRefused, OSError):
        messages.error(request, _("The file is gone."))
        return redirect("appointment_import_detail", job.pk)
    record(action="download_rejected", clinic=clinic, by=request.user, subject=job)
    rejected = {one["row"]: one["reason"] for one in (job.report or {}).get("rejected", ())}
    response = StreamingHttpResponse(
        rejected_csv(table, rejected, REASON_TEXTS), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="rejected-{job.pk}.csv"'
    return response

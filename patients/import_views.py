"""Pages of the import: upload, columns, preview, progress, report."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import requires
from accounts.audit import record
from accounts.models import Clinic, User
from accounts.permissions import Permission
from patients.import_forms import ColumnsForm, UploadForm
from patients.importing import job_states
from patients.importing.errors import ImportRefused
from patients.importing.jobs import patient_jobs
from patients.importing.patient_rules import REASON_TEXTS
from patients.importing.rejected import rejected_csv
from patients.importing.report import Report
from patients.models import ImportJob

LISTED = 30
Status = ImportJob.Status


def _job(request: HttpRequest, pk: int) -> ImportJob:
    """Fetch an import of one of the person's clinics. Raises PermissionDenied where they may not import."""
    user = request.user
    assert isinstance(user, User)
    rows = ImportJob.objects.filter(kind=patient_jobs.kind).for_user(user).select_related("clinic", "created_by")
    found: ImportJob = get_object_or_404(rows, pk=pk)
    if not user.may(Permission.IMPORT_PATIENTS, found.clinic):
        raise PermissionDenied
    return found


@requires(Permission.IMPORT_PATIENTS)
@require_http_methods(["GET", "POST"])
def import_list(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    """Upload a file; below, the clinic's imports."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            job = patient_jobs.upload(clinic=clinic, by=request.user, file=form.cleaned_data["file"])  # type: ignore[arg-type]
            return redirect("import_columns", job.pk)
        except ImportRefused as refusal:
            form.add_error("file", str(refusal))
    before = request.GET.get("before", "")
    rows = (
        ImportJob.objects.filter(kind=patient_jobs.kind).for_clinic(clinic).select_related("created_by").defer("report")
    )
    if before.isdecimal():
        rows = rows.filter(pk__lt=int(before[:18]))
    page = list(rows[: LISTED + 1])
    context = {"form": form, "jobs": page[:LISTED], "more": page[LISTED - 1].pk if len(page) > LISTED else None}
    return render(request, "patients/import_list.html", context, status=422 if form.errors else 200)


@requires(Permission.IMPORT_PATIENTS)
@require_http_methods(["GET", "POST"])
def import_columns(request: HttpRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Show what each column was taken for, to be corrected; then have the file checked."""
    job = _job(request, pk)
    if request.method == "GET" and job.status not in job_states.OPEN:
        return redirect("import_detail", job.pk)
    asked = request.POST.get("sheet") if request.method == "POST" else request.GET.get("sheet")
    try:
        table = patient_jobs.table_of(job, sheet=asked if asked is not None and asked != job.sheet else None)
    except (ImportRefused, OSError) as refusal:
        messages.error(request, str(refusal) if isinstance(refusal, ImportRefused) else _("The file is gone."))
        return redirect("import_list" if asked is None else request.path)
    form = ColumnsForm(request.POST if request.method == "POST" else None, table=table)
    if request.method == "POST" and form.is_valid():
        try:
            job_states.choose_columns(job=job, sheet=table.sheet, mapping=form.mapping, by=request.user)  # type: ignore[arg-type]
        except job_states.NotInThisState:
            messages.error(request, _("This import has begun already; its columns stay as they are."))
        return redirect("import_detail", job.pk)
    context = {
        "job": job,
        "form": form,
        "table": table,
        "sheets": table.sheets if len(table.sheets) > 1 else (),
        "back": reverse("import_list"),
        "discard": reverse("import_discard", args=[job.pk]),
    }
    return render(request, "import_columns.html", context, status=422 if form.errors else 200)


@requires(Permission.IMPORT_PATIENTS)
@require_GET
def import_detail(request: HttpRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Where an import stands: being checked, its preview, its progress, its report."""
    job = _job(request, pk)
    if job.status == Status.UPLOADED:
        return redirect("import_columns", job.pk)
    working = job.status in (Status.CHECKING, Status.QUEUED, Status.RUNNING)
    context: dict[str, Any] = {"job": job, "working": working, "report": Report(job.report) if job.report else None}
    if request.htmx and working:  # type: ignore[attr-defined]
        return render(request, "patients/_import_progress.html", context)
    response = render(request, "patients/import_detail.html", context)
    if request.htmx:  # type: ignore[attr-defined]
        response["HX-Refresh"] = "true"  # the work is over: another page now
    return response


@requires(Permission.IMPORT_PATIENTS)
@require_POST
def import_start(request: HttpRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Begin a checked import."""
    job = _job(request, pk)
    try:
        job_states.start_import(job=job, by=request.user)  # type: ignore[arg-type]
    except job_states.NotInThisState:
        messages.error(request, _("This import has begun already."))
    return redirect("import_detail", job.pk)


@requires(Permission.IMPORT_PATIENTS)
@require_POST
def import_discard(request: HttpRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Throw away a file that was not imported."""
    job = _job(request, pk)
    try:
        job_states.discard(job=job, by=request.user)  # type: ignore[arg-type]
    except job_states.NotInThisState:
        messages.error(request, _("This import has begun already and is kept."))
        return redirect("import_detail", job.pk)
    messages.success(request, _("Discarded %(name)s.") % {"name": job.original_name})
    return redirect("import_list")


@requires(Permission.IMPORT_PATIENTS)
@require_GET
def import_rejected(request: HttpRequest, clinic: Clinic, pk: int) -> HttpResponseBase:
    """The rejected rows as they stand in the file, with their reasons, as CSV."""
    job = _job(request, pk)
    report = Report(job.report or {})
    try:
        table = patient_jobs.table_of(job)
    except (ImportRefused, OSError):
        messages.error(request, _("The file is gone."))
        return redirect("import_detail", job.pk)
    record(action="download_rejected", clinic=job.clinic, by=request.user, subject=job)  # type: ignore[arg-type]
    response = StreamingHttpResponse(
        rejected_csv(table, report.rejected, REASON_TEXTS), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="rejected-{job.pk}.csv"'
    return response

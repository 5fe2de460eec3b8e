"""Pages of the import of patients: upload, columns, preview, progress, report."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from patients.import_forms import ColumnsForm, UploadForm
from patients.import_pages import ImportPages
from patients.importing.errors import ImportRefused
from patients.importing.jobs import patient_jobs
from patients.importing.patient_rules import REASON_TEXTS
from patients.importing.report import Report
from patients.models import ImportJob

pages = ImportPages(patient_jobs.kind, all="import_list", one="import", templates="patients")


def _job(request: StaffRequest, pk: int) -> ImportJob:
    """Fetch an import of one of the person's clinics. Raises PermissionDenied where they may not import."""
    rows = ImportJob.objects.filter(kind=patient_jobs.kind).for_user(request.user)
    found: ImportJob = get_object_or_404(rows.select_related("clinic", "created_by"), pk=pk)
    if not request.user.may(Permission.IMPORT_PATIENTS, found.clinic):
        raise PermissionDenied
    return found


@requires(Permission.IMPORT_PATIENTS)
@require_http_methods(["GET", "POST"])
def import_list(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Upload a file; below, the clinic's imports."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        try:
            job = patient_jobs.upload(clinic=clinic, by=request.user, file=form.cleaned_data["file"])
            return pages.to("columns", job)
        except ImportRefused as refusal:
            form.add_error("file", str(refusal))
    return pages.list(request, clinic, form)


@requires(Permission.IMPORT_PATIENTS)
@require_http_methods(["GET", "POST"])
def import_columns(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Show what each column was taken for, to be corrected; then have the file checked."""
    job = _job(request, pk)
    return pages.columns(request, job, lambda sheet: patient_jobs.table_of(job, sheet=sheet), ColumnsForm)


@requires(Permission.IMPORT_PATIENTS)
@require_GET
def import_detail(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Where an import stands: being checked, its preview, its progress, its report."""
    job = _job(request, pk)
    return pages.detail(request, job, report=Report(job.report) if job.report else None)


@requires(Permission.IMPORT_PATIENTS)
@require_POST
def import_start(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Begin a checked import."""
    return pages.start(request, _job(request, pk))


@requires(Permission.IMPORT_PATIENTS)
@require_POST
def import_discard(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Throw away a file that was not imported."""
    return pages.discard(request, _job(request, pk))


@requires(Permission.IMPORT_PATIENTS)
@require_GET
def import_rejected(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponseBase:
    """The rejected rows as they stand in the file, with their reasons, as CSV."""
    job = _job(request, pk)
    return pages.rejected(request, job, patient_jobs.table_of, Report(job.report or {}).rejected, REASON_TEXTS)

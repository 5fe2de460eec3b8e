"""What the pages of all imports do alike: list, columns, progress and report, begin, throw away."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from accounts.access import StaffRequest
from accounts.audit import record
from accounts.models import Clinic
from accounts.reading import whole_number
from patients.import_forms import ChooseColumnsForm
from patients.importing import job_states
from patients.importing.errors import ImportRefused
from patients.importing.job_states import Status
from patients.importing.reader import Table
from patients.importing.rejected import rejected_csv
from patients.models import ImportJob

LISTED = 30


@dataclass(frozen=True)
class ImportPages:
    """The pages of one kind of import.

    Args:
        kind: of its jobs.
        all: URL name of the list.
        one: what the URL names of the pages of one import begin with.
        templates: the folder of its import_list.html, import_detail.html and _import_progress.html.
    """

    kind: str
    all: str
    one: str
    templates: str

    def job(self, request: StaffRequest, clinic: Clinic, pk: int) -> ImportJob:
        """Fetch an import of the clinic, or answer 404."""
        rows = ImportJob.objects.for_user(request.user).for_clinic(clinic).filter(kind=self.kind)
        found: ImportJob = get_object_or_404(rows.select_related("clinic", "created_by"), pk=pk)
        return found

    def to(self, page: str, job: ImportJob) -> HttpResponse:
        """Go to a page of an import."""
        return redirect(f"{self.one}_{page}", job.pk)

    def list(self, request: StaffRequest, clinic: Clinic, form: Any, **more: Any) -> HttpResponse:
        """Show the form and the clinic's imports, newest first."""
        rows = ImportJob.objects.for_clinic(clinic).filter(kind=self.kind).select_related("created_by").defer("report")
        if before := whole_number(request.GET.get("before")):
            rows = rows.filter(pk__lt=before)
        page = [*rows[: LISTED + 1]]
        further = page[LISTED - 1].pk if len(page) > LISTED else None
        context = {"form": form, "jobs": page[:LISTED], "more": further} | more
        status = 422 if form.errors else 200
        return render(request, f"{self.templates}/import_list.html", context, status=status)

    def columns(
        self,
        request: StaffRequest,
        job: ImportJob,
        opened: Callable[[str | None], Table | None],
        form_class: type[ChooseColumnsForm],
    ) -> HttpResponse:
        """Show what each column was taken for, to be corrected; then have the file checked.

        Args: opened: opens the file by another sheet, or as the job has it; None where it has no columns.
        """
        if request.method == "GET" and job.status not in job_states.OPEN:
            return self.to("detail", job)
        asked = request.POST.get("sheet") if request.method == "POST" else request.GET.get("sheet")
        try:
            table = opened(asked if asked is not None and asked != job.sheet else None)
        except (ImportRefused, OSError) as refusal:
            messages.error(request, str(refusal) if isinstance(refusal, ImportRefused) else _("The file is gone."))
            return redirect(self.all if asked is None else request.path)
        if table is None:
            return self.to("detail", job)
        form = form_class(request.POST if request.method == "POST" else None, table=table)
        if request.method == "POST" and form.is_valid():
            return self._chosen(request, job, table, form)
        context = {
            "job": job, "form": form, "table": table, "sheets": table.sheets if len(table.sheets) > 1 else (),
            "back": reverse(self.all), "discard": reverse(f"{self.one}_discard", args=[job.pk]),
        }  # fmt: skip
        return render(request, "import_columns.html", context, status=422 if form.errors else 200)

    def _chosen(self, request: StaffRequest, job: ImportJob, table: Table, form: ChooseColumnsForm) -> HttpResponse:
        try:
            job_states.choose_columns(job=job, sheet=table.sheet, mapping=form.mapping, by=request.user)
        except job_states.NotInThisState:
            messages.error(request, _("This import has begun already; its columns stay as they are."))
        return self.to("detail", job)

    def detail(self, request: StaffRequest, job: ImportJob, **more: Any) -> HttpResponse:
        """Show where an import stands: being checked, what would happen, its progress, its report."""
        if job.status == Status.UPLOADED:
            return self.to("columns", job)
        working = job.status in (Status.CHECKING, Status.QUEUED, Status.RUNNING)
        context = {"job": job, "working": working} | more
        if request.htmx and working:
            return render(request, f"{self.templates}/_import_progress.html", context)
        response = render(request, f"{self.templates}/import_detail.html", context)
        if request.htmx:
            response["HX-Refresh"] = "true"  # the work is over: another page now
        return response

    def start(self, request: StaffRequest, job: ImportJob, **values: Any) -> HttpResponse:
        """Begin a checked import."""
        try:
            job_states.start_import(job=job, by=request.user, **values)
        except job_states.NotInThisState:
            messages.error(request, _("This import has begun already."))
        return self.to("detail", job)

    def discard(self, request: StaffRequest, job: ImportJob) -> HttpResponse:
        """Throw away a file that was not imported."""
        try:
            job_states.discard(job=job, by=request.user)
        except job_states.NotInThisState:
            messages.error(request, _("This import has begun already and is kept."))
            return self.to("detail", job)
        messages.success(request, _("Discarded %(name)s.") % {"name": job.original_name})
        return redirect(self.all)

    def rejected(
        self,
        request: StaffRequest,
        job: ImportJob,
        opened: Callable[[ImportJob], Table],
        reasons: Mapping[int, str],
        texts: Mapping[str, Any],
    ) -> HttpResponseBase:
        """Give the rejected rows as they stand in the file, with their reasons, as CSV."""
        try:
            table = opened(job)
        except (ImportRefused, OSError):
            messages.error(request, _("The file is gone."))
            return self.to("detail", job)
        record(action="download_rejected", clinic=job.clinic, by=request.user, subject=job)
        return csv_of(rejected_csv(table, reasons, texts), f"rejected-{job.pk}.csv")


def csv_of(lines: Any, name: str) -> StreamingHttpResponse:
    """Return lines as a file to be kept."""
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response

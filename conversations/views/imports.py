"""Pages of the import of chats: upload or paste, columns, check, progress, report; whose unknown names are."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.files.base import ContentFile
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.audit import record
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import own_address, whole_number
from conversations.import_forms import ColumnsForm, LinkForm, UploadForm
from conversations.importing.reasons import REASON_TEXTS
from conversations.services import import_jobs as jobs
from conversations.services.importing import link_name, unknown_names
from patients.export import BOM, harmless
from patients.importing import job_states
from patients.importing.errors import ImportRefused
from patients.models import ImportJob

LISTED, EXAMPLES = 30, 20
Status = ImportJob.Status


def _job(request: StaffRequest, clinic: Clinic, pk: int) -> ImportJob:
    rows = ImportJob.objects.for_user(request.user).for_clinic(clinic).filter(kind=jobs.KIND)
    found: ImportJob = get_object_or_404(rows.select_related("clinic", "created_by"), pk=pk)
    return found


@requires(Permission.IMPORT_CONVERSATIONS)
@require_http_methods(["GET", "POST"])
def conversation_import(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Upload a file or paste text; below, the clinic's imports."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        file, text = form.cleaned_data["file"], form.cleaned_data["text"]
        try:
            given = file or ContentFile(text.encode(errors="replace"), name="pasted.txt")
            name = file.name if file else _("Pasted text") + ".txt"
            job = jobs.upload(clinic=clinic, by=request.user, file=given, name=name)
            return redirect(
                "conversation_import_columns" if job.status == Status.UPLOADED else "conversation_import_detail", job.pk
            )
        except ImportRefused as refusal:
            form.add_error("file" if file else "text", str(refusal))
    rows = ImportJob.objects.for_clinic(clinic).filter(kind=jobs.KIND).select_related("created_by").defer("report")
    if before := whole_number(request.GET.get("before")):
        rows = rows.filter(pk__lt=before)
    page = list(rows[: LISTED + 1])
    context = {
        "form": form, "jobs": page[:LISTED], "more": page[LISTED - 1].pk if len(page) > LISTED else None,
        "may_rules": request.user.may(Permission.EDIT_CHAT_RULES, clinic), "strangers": len(unknown_names(clinic)),
    }  # fmt: skip
    return render(request, "conversations/import_list.html", context, status=422 if form.errors else 200)


@requires(Permission.IMPORT_CONVERSATIONS)
@require_http_methods(["GET", "POST"])
def conversation_import_columns(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Show what each column was taken for, to be corrected; then have the file checked."""
    job = _job(request, clinic, pk)
    if request.method == "GET" and job.status not in job_states.OPEN:
        return redirect("conversation_import_detail", job.pk)
    asked = request.POST.get("sheet") if request.method == "POST" else request.GET.get("sheet")
    try:
        source = jobs.source_of(job, sheet=asked if asked is not None and asked != job.sheet else None)
    except (ImportRefused, OSError) as refusal:
        messages.error(request, str(refusal) if isinstance(refusal, ImportRefused) else _("The file is gone."))
        return redirect("conversation_import" if asked is None else request.path)
    if source.kind != "table":
        return redirect("conversation_import_detail", job.pk)
    table = source.table  # type: ignore[attr-defined]
    form = ColumnsForm(request.POST if request.method == "POST" else None, table=table)
    if request.method == "POST" and form.is_valid():
        try:
            job_states.choose_columns(job=job, sheet=table.sheet, mapping=form.mapping, by=request.user)
        except job_states.NotInThisState:
            messages.error(request, _("This import has begun already; its columns stay as they are."))
        return redirect("conversation_import_detail", job.pk)
    context = {
        "job": job,
        "form": form,
        "table": table,
        "sheets": table.sheets if len(table.sheets) > 1 else (),
        "back": reverse("conversation_import"),
        "discard": reverse("conversation_import_discard", args=[job.pk]),
    }
    return render(request, "import_columns.html", context, status=422 if form.errors else 200)


@requires(Permission.IMPORT_CONVERSATIONS)
@require_GET
def conversation_import_detail(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Where an import stands: being checked, what would happen, its progress, its report."""
    job = _job(request, clinic, pk)
    if job.status == Status.UPLOADED:
        return redirect("conversation_import_columns", job.pk)
    working = job.status in (Status.CHECKING, Status.QUEUED, Status.RUNNING)
    context: dict[str, Any] = {"job": job, "working": working, "report": _shown(job), "is_table": bool(job.mapping)}
    if request.htmx and working:
        return render(request, "conversations/_import_progress.html", context)
    response = render(request, "conversations/import_detail.html", context)
    if request.htmx:
        response["HX-Refresh"] = "true"  # the work is over: another page now
    return response


def _shown(job: ImportJob) -> dict[str, Any] | None:
    """Return a stored report as its page shows it."""
    if not job.report or "taken" not in job.report:
        return None
    tally = jobs.restored(job.report)
    return {
        "tally": tally,
        "new": tally.created + tally.updated,
        "rejected": _counts(tally.rejected_counts),
        "rejected_total": sum(tally.rejected_counts.values()),
        "warnings": _counts(tally.warning_counts),
        "warning_total": sum(tally.warning_counts.values()),
        "rejected_rows": [
            (one["row"], REASON_TEXTS.get(one["reason"], one["reason"])) for one in tally.rejected[:EXAMPLES]
        ],
        "warning_rows": [
            (one["row"], REASON_TEXTS.get(one["reason"], one["reason"])) for one in tally.warnings[:EXAMPLES]
        ],
        "unknown": tally.unknown.most_common(EXAMPLES),
    }


def _counts(counts: Counter[str]) -> list[tuple[Any, int]]:
    return [(REASON_TEXTS.get(reason, reason), count) for reason, count in counts.most_common()]


@requires(Permission.IMPORT_CONVERSATIONS)
@require_POST
def conversation_import_start(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Begin a checked import."""
    job = _job(request, clinic, pk)
    try:
        job_states.start_import(job=job, by=request.user, report=None)
    except job_states.NotInThisState:
        messages.error(request, _("This import has begun already."))
    return redirect("conversation_import_detail", job.pk)


@requires(Permission.IMPORT_CONVERSATIONS)
@require_POST
def conversation_import_discard(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Throw away a file that was not imported."""
    job = _job(request, clinic, pk)
    try:
        job_states.discard(job=job, by=request.user)
    except job_states.NotInThisState:
        messages.error(request, _("This import has begun already and is kept."))
        return redirect("conversation_import_detail", job.pk)
    messages.success(request, _("Discarded %(name)s.") % {"name": job.original_name})
    return redirect("conversation_import")


@requires(Permission.IMPORT_CONVERSATIONS)
@require_GET
def conversation_import_rows(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponseBase:
    """Rows that were left out or odd, with their reasons, as CSV."""
    job = _job(request, clinic, pk)
    tally = jobs.restored(job.report or {})
    record(action="download_rejected", clinic=clinic, by=request.user, subject=job)
    response = StreamingHttpResponse(_lines(tally), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="chats-{job.pk}-rows.csv"'
    return response


def _lines(tally: Any) -> Iterator[str]:
    yield BOM + _line([_("Row"), _("What became of it"), _("Reason")])
    for words, rows in ((_("left out"), tally.rejected), (_("taken in"), tally.warnings)):
        for one in rows:
            yield _line([str(one["row"]), words, str(REASON_TEXTS.get(one["reason"], one["reason"]))])


def _line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([harmless(cell) for cell in cells])
    return buffer.getvalue()


@requires(Permission.EDIT_CHAT_RULES)
@require_http_methods(["GET", "POST"])
def consultant_names(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Names that write as consultants and are nobody's here: one click says whose they are, for past chats too."""
    form = LinkForm(request.POST if request.method == "POST" else None, clinic=clinic)
    if request.method == "POST" and form.is_valid():
        name, user = form.cleaned_data["name"], form.cleaned_data["user"]
        count = link_name(clinic=clinic, name=name, user=user, by=request.user)
        words = _("%(name)s is %(user)s, in %(count)d chats so far.")
        messages.success(request, words % {"name": name, "user": user, "count": count})
        return redirect(own_address(request, request.POST.get("next"), reverse("consultant_names")))
    context = {"form": form, "names": unknown_names(clinic), "tried": request.POST.get("name", "")}
    return render(request, "conversations/import_names.html", context, status=422 if form.is_bound else 200)

"""Pages of the import of chats: upload or paste, columns, check, progress, report; whose unknown names are."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.files.base import ContentFile
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.audit import record
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import own_address
from conversations.import_forms import ColumnsForm, LinkForm, UploadForm
from conversations.importing.reasons import REASON_TEXTS
from conversations.services import import_jobs as jobs
from conversations.services.importing import link_name, unknown_names
from patients.export import BOM, harmless
from patients.import_pages import ImportPages, csv_of
from patients.importing.errors import ImportRefused
from patients.importing.reader import Table
from patients.models import ImportJob

EXAMPLES = 20
Status = ImportJob.Status
pages = ImportPages(jobs.KIND, all="conversation_import", one="conversation_import", templates="conversations")


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
            return pages.to("columns" if job.status == Status.UPLOADED else "detail", job)
        except ImportRefused as refusal:
            form.add_error("file" if file else "text", str(refusal))
    may_rules = request.user.may(Permission.EDIT_CHAT_RULES, clinic)
    return pages.list(request, clinic, form, may_rules=may_rules, strangers=len(unknown_names(clinic)))


@requires(Permission.IMPORT_CONVERSATIONS)
@require_http_methods(["GET", "POST"])
def conversation_import_columns(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Show what each column was taken for, to be corrected; then have the file checked."""
    job = pages.job(request, clinic, pk)
    return pages.columns(request, job, lambda sheet: _table(job, sheet), ColumnsForm)


def _table(job: ImportJob, sheet: str | None) -> Table | None:
    source = jobs.source_of(job, sheet=sheet)
    return source.table if source.kind == "table" else None  # type: ignore[attr-defined,no-any-return]


@requires(Permission.IMPORT_CONVERSATIONS)
@require_GET
def conversation_import_detail(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Where an import stands: being checked, what would happen, its progress, its report."""
    job = pages.job(request, clinic, pk)
    return pages.detail(request, job, report=_shown(job), is_table=bool(job.mapping))


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
    return pages.start(request, pages.job(request, clinic, pk), report=None)


@requires(Permission.IMPORT_CONVERSATIONS)
@require_POST
def conversation_import_discard(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Throw away a file that was not imported."""
    return pages.discard(request, pages.job(request, clinic, pk))


@requires(Permission.IMPORT_CONVERSATIONS)
@require_GET
def conversation_import_rows(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponseBase:
    """Rows that were left out or odd, with their reasons, as CSV."""
    job = pages.job(request, clinic, pk)
    tally = jobs.restored(job.report or {})
    record(action="download_rejected", clinic=clinic, by=request.user, subject=job)
    return csv_of(_lines(tally), f"chats-{job.pk}-rows.csv")


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

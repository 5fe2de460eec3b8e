"""Figures, and the records behind them, as files: exactly what the address asks for."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import StaffRequest, requires
from accounts.audit import record
from accounts.models import Clinic
from accounts.permissions import Permission
from metrics import exports
from metrics.export_forms import FIGURES, KpiExportForm
from metrics.filters import Asked, BadScope, read_asked
from metrics.kpis import BY_SLUG, KPIS
from metrics.report_pdf import render_pdf
from metrics.reports import gather
from metrics.views.board import refused


@requires(Permission.VIEW_KPIS)
@require_http_methods(["GET", "POST"])
def export(request: StaffRequest, clinic: Clinic) -> HttpResponseBase:
    """Ask what is to leave the house and why, log it, and hand it out."""
    try:
        asked = read_asked(request.GET, request.user)
    except BadScope as error:
        return refused(request, clinic, error)
    if asked.is_own:
        raise PermissionDenied
    form = KpiExportForm(request.POST or None, initial={"what": FIGURES, "format": "pdf", "by": "coordinator"})
    if request.method == "POST" and form.is_valid():
        return _hand_out(request, asked, form.cleaned_data)
    context = {"form": form, "asked": asked, "query": asked.query(), "back": asked.url("kpis")}
    shell = "metrics/_report_export.html" if request.htmx else "metrics/report_export.html"
    return render(request, shell, context, status=422 if form.is_bound else 200)


def _hand_out(request: StaffRequest, asked: Asked, data: dict[str, Any]) -> HttpResponseBase:
    if data["what"] == FIGURES:
        return _figures(request, asked, data)
    kpis = [BY_SLUG[data["kpi"]]] if data["kpi"] else list(KPIS)
    found = exports.RecordExport(kpis, asked.scope, asked.window)
    _log(request, asked, data, count=found.count(), kpi=data["kpi"], reason=data["reason"].strip())
    return _file(asked, data["format"], exports.record_header(), found.lines(), _("records"))


def _figures(request: StaffRequest, asked: Asked, data: dict[str, Any]) -> HttpResponseBase:
    _log(request, asked, data, by_what=data["by"])
    if data["format"] == "pdf":
        response = HttpResponse(render_pdf(asked, by=data["by"] or None), content_type="application/pdf")
        name = _name(asked, _("kpis"))
        response["Content-Disposition"] = content_disposition_header(True, f"{name}.pdf")
        return response
    report = gather(asked.scope, asked.window, by=data["by"] or None)
    return _file(asked, data["format"], exports.figure_header(), list(exports.figure_lines(report)), _("kpis"))


def _log(request: StaffRequest, asked: Asked, data: dict[str, Any], **more: Any) -> None:
    """Write into each clinic's audit log what left."""
    told: dict[str, Any] = {
        "what": data["what"],
        "format": data["format"],
        "filters": sorted(f"{name}={value}" for name, value in asked.pairs),
        "from": asked.window.start.isoformat(),
        "to": asked.window.last_day.isoformat(),
    }
    told |= {name: value for name, value in more.items() if value != ""}
    for clinic in asked.scope.clinics:
        record(action="kpis_exported", clinic=clinic, by=request.user, **told)


def _name(asked: Asked, what: str) -> str:
    codes = "-".join(clinic.code for clinic in asked.scope.clinics[:3])
    return f"{what}-{codes}-{asked.window.start:%Y%m%d}-{asked.window.last_day:%Y%m%d}"


def _file(asked: Asked, shape: str, header: list[str], lines: Any, what: str) -> HttpResponseBase:
    name = _name(asked, what)
    if shape == "csv":
        response = StreamingHttpResponse(exports.as_csv(header, lines), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = content_disposition_header(True, f"{name}.csv")
        return response
    return FileResponse(exports.as_xlsx(header, lines, what), as_attachment=True, filename=f"{name}.xlsx")

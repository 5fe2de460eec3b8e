"""The list of patients, its columns and its export."""

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import StaffRequest, requires
from accounts.audit import record
from accounts.models import Clinic
from accounts.permissions import Permission
from patients.columns import COLUMNS, SESSION_KEY, allowed_columns, shown_columns
from patients.export import PatientExport, describe
from patients.filters import MINE, PatientFilterForm, without_cursor
from patients.forms import ExportForm
from patients.models import Channel, Registration, Sex
from patients.paging import SORTS, Page, ordered, page_of, sort_of
from patients.queries import attach_next_appointments
from patients.views.common import may_of, panel

SHOWN = (
    "number", "channel", "complaint", "tags", "active_at", "last_visit_on", "last_contact_on", "owner__full_name",
    "patient__name", "patient__sex", "patient__birth_date", "patient__class_code", "patient__is_important",
)  # fmt: skip
COUNTED = 1000  # a list longer than this is not counted to its end
FILTERS = ("klass", "owner", "channel", "last_from", "last_to", "away", "no_next", "tag")


def _listed(clinic: Clinic, form: PatientFilterForm) -> QuerySet[Registration]:
    rows: QuerySet[Registration] = Registration.objects.for_clinic(clinic)
    return form.apply(rows.filter(patient__merged_into=None, patient__restricted_at=None))


def _filters(request: StaffRequest, clinic: Clinic, *, shown: bool = False) -> PatientFilterForm:
    contact = request.user.may(Permission.REVEAL_CONTACT, clinic)
    return PatientFilterForm(request.GET, clinic=clinic, user=request.user, contact=contact, shown=shown)


def _dress(rows: list[Any], clinic: Clinic) -> None:
    """Give each row the words it is printed with; looked up once, not once a row."""
    channels = {value: str(label) for value, label in Channel.choices}
    sexes = {value: str(label) if value else "" for value, label in Sex.choices}
    today = clinic.today()
    for row in rows:
        age = row.patient.age_on(today)
        row.who = f"{sexes[row.patient.sex]} {'' if age is None else age}".strip()
        row.channel_word = channels.get(row.channel, "")


def _with(request: StaffRequest, **values: str) -> str:
    """Return the list's address with some parameters changed, at its first page."""
    params = without_cursor(request.GET)
    for name, value in values.items():
        params.pop(name, None)
        if value:
            params[name] = value
    return f"?{params.urlencode()}"


def _sorting(request: StaffRequest) -> list[dict[str, Any]]:
    return [{"value": key, "label": label, "url": _with(request, sort=key)} for key, label in SORTS.items()]


def _count(found: QuerySet[Registration], page: Page, *, only: bool) -> int:
    """Return how many are listed, at most COUNTED + 1; a first page that is the last needs no counting."""
    return len(page.rows) if only and not page.after else found.order_by()[: COUNTED + 1].count()


def _head(request: StaffRequest, name: str, sort: str) -> dict[str, Any]:
    """Return a column's head; where one can sort by it, the link turns the order round."""
    url = _with(request, sort=name if sort == f"-{name}" else f"-{name}") if name in SORTS else ""
    return {"label": COLUMNS[name], "sort": name, "url": url}


@requires(Permission.VIEW_PATIENTS)
@require_GET
def patient_list(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The clinic's patients: filtered, sorted, a page at a time."""
    form, may = _filters(request, clinic), may_of(request.user, clinic)
    sort = sort_of(request.GET.get("sort") or form.usual_sort)
    found = _listed(clinic, form)
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    page = page_of(found.select_related("patient", "owner").only(*SHOWN), sort=sort, after=after, before=before)
    attach_next_appointments(page.rows, clinic)
    _dress(page.rows, clinic)
    columns = shown_columns(request, may.reveal_contact)
    context = {
        "page": page,
        "may": may,
        "chips": form.chips(reverse("patient_list")),
        "count": _count(found, page, only=not (after or before)),
        "counted": COUNTED,
        "sort": sort,
        "sort_label": SORTS[sort],
        "sorts": _sorting(request),
        "columns": columns,
        "show": dict.fromkeys(columns, True),
        "is_mine": form.chosen("owner") == MINE,
        "mine_url": _with(request, owner=MINE),
        "all_url": _with(request, owner=""),
        "heads": [_head(request, name, sort) for name in columns],
        "prev_url": _with(request, before=page.before) if page.before else "",
        "next_url": _with(request, after=page.after) if page.after else "",
        "query": without_cursor(request.GET).urlencode(),
    }
    return render(request, "patients/list.html", context)


@requires(Permission.VIEW_PATIENTS)
@require_GET
def patient_filters(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The filters to choose from, as they are set in the address."""
    context = {
        "form": _filters(request, clinic, shown=True),
        "kept": [(k, v) for k, v in request.GET.items() if k in {"sort", "cols"}],
    }
    return panel(request, "patients/_filters.html", context, title=_("Filter"), back=_list_url(request))


def _list_url(request: StaffRequest) -> str:
    return f"{reverse('patient_list')}?{request.GET.urlencode()}"


@requires(Permission.VIEW_PATIENTS)
@require_http_methods(["GET", "POST"])
def patient_columns(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Ask which columns the person wants to see, and remember it."""
    contact = request.user.may(Permission.REVEAL_CONTACT, clinic)
    if request.method == "GET":
        shown = shown_columns(request, contact)
        columns = [(name, COLUMNS[name], name in shown) for name in allowed_columns(contact)]
        context = {"columns": columns, "query": request.GET.urlencode()}
        return panel(request, "patients/_columns.html", context, title=_("Columns"), back=_list_url(request))
    chosen = [name for name in allowed_columns(contact) if name in request.POST.getlist("column")]
    request.session[SESSION_KEY] = chosen
    params = request.GET.copy()
    params["cols"] = ",".join(chosen)
    return redirect(f"{reverse('patient_list')}?{params.urlencode(safe=',')}")


@requires(Permission.EXPORT_PATIENTS)
@require_http_methods(["GET", "POST"])
def patient_export(request: StaffRequest, clinic: Clinic) -> HttpResponseBase:
    """Ask what the export is for, log it, and hand out exactly the filtered list."""
    filters = _filters(request, clinic)
    found = _listed(clinic, filters)
    form = ExportForm(request.POST or None, initial={"format": "xlsx"})
    if request.method == "POST" and form.is_valid():
        return _export(request, clinic, found, form.cleaned_data)
    context = {
        "form": form,
        "count": found.order_by().count(),
        "chips": filters.chips(reverse("patient_list")),
        "may": may_of(request.user, clinic),
        "query": request.GET.urlencode(),
    }
    shell = "patients/_export.html" if request.htmx else "patients/export.html"
    return render(request, shell, context, status=422 if form.is_bound else 200)


def _export(
    request: StaffRequest, clinic: Clinic, found: QuerySet[Registration], data: dict[str, Any]
) -> HttpResponseBase:
    contact = request.user.may(Permission.REVEAL_CONTACT, clinic)
    full = contact and data["phones"]
    sort = sort_of(request.GET.get("sort"))
    filters = describe((k, v) for k in FILTERS for v in request.GET.getlist(k))
    told = {"reason": data["reason"], "format": data["format"], "full_phones": full, "filters": filters}
    record(action="patients_exported", clinic=clinic, by=request.user, count=found.order_by().count(), **told)
    export = PatientExport(ordered(found, sort), clinic, contact=contact, full_phones=full)
    name = _("patients-%(clinic)s-%(day)s") % {"clinic": clinic.code, "day": f"{clinic.today():%Y%m%d}"}
    if data["format"] == "csv":
        response = StreamingHttpResponse(export.csv(), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = content_disposition_header(True, f"{name}.csv")
        return response
    return FileResponse(export.xlsx(), as_attachment=True, filename=f"{name}.xlsx")

"""Inspections of etiquette: by person, one by one, one's own."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from metrics import etiquette_lists as lists
from metrics import etiquette_rules as rules
from metrics.forms import ANSWER_WORDS, EtiquetteFilterForm
from metrics.models import EtiquetteInspection, InspectionRecording
from metrics.services import etiquette as service
from metrics.services.etiquette_sample import week_sample


def _query(request: StaffRequest, **more: object) -> str:
    """Return the address's filters with some set anew."""
    params = request.GET.copy()
    params.pop("after", None)
    for name, value in more.items():
        params[name] = str(value)
    return params.urlencode()


@requires(Permission.INSPECT_ETIQUETTE, Permission.FOLLOW_UP)
@require_GET
def etiquette(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """What to inspect this week, and what inspections came to by person; others are led to their own."""
    if not request.user.may(Permission.INSPECT_ETIQUETTE, clinic):
        return redirect("etiquette_mine")
    form = EtiquetteFilterForm(request.GET, clinic=clinic)
    rows = lists.by_person(form.kept(lists.standing(clinic)))
    links = [{"row": row, "query": _query(request, staff=row.staff_id)} for row in rows]
    context = {"form": form, "rows": links, "shares": week_sample(clinic=clinic, viewer=request.user), "tab": "people"}
    return render(request, "metrics/etiquette.html", context, status=200 if form.is_valid() else 422)


@requires(Permission.INSPECT_ETIQUETTE)
@require_GET
def etiquette_records(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Inspections one by one, the newest first; filters as on the page by person."""
    form = EtiquetteFilterForm(request.GET, clinic=clinic)
    found = form.kept(lists.standing(clinic))
    rows, after = lists.page_of(found, request.GET.get("after", ""))
    context = {
        "form": form,
        "rows": rows,
        "next_url": f"?{_query(request, after=after)}" if after else "",
        "first_url": f"?{_query(request)}" if request.GET.get("after") else "",
        "tab": "records",
    }
    return render(request, "metrics/etiquette_records.html", context, status=200 if form.is_valid() else 422)


@requires(Permission.SIGNED_IN)
@require_GET
def etiquette_mine(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The scores one got oneself in this clinic."""
    mine = lists.own(request.user, clinic)
    rows, after = lists.page_of(mine, request.GET.get("after", ""))
    context = {
        "rows": rows,
        "means": lists.by_person(mine),
        "next_url": f"?{_query(request, after=after)}" if after else "",
        "first_url": "?" if request.GET.get("after") else "",
        "inspects": request.user.may(Permission.INSPECT_ETIQUETTE, clinic),
        "tab": "mine",
    }
    return render(request, "metrics/etiquette_mine.html", context)


def get_inspection(request: StaffRequest, clinic: Clinic, pk: int) -> EtiquetteInspection:
    """Return an inspection of this clinic that the person may see, or answer 404.

    Those who do not inspect see their own alone.
    """
    rows = EtiquetteInspection.objects.for_user(request.user).for_clinic(clinic)
    rows = rows.select_related("staff", "patient", "rubric", "inspected_by", "visit__doctor", "contact", "clinic")
    row: EtiquetteInspection = get_object_or_404(rows, pk=pk)
    if row.staff_id != request.user.pk and not request.user.may(Permission.INSPECT_ETIQUETTE, clinic):
        raise Http404
    return row


@requires(Permission.SIGNED_IN)
@require_GET
def etiquette_inspection(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """One score: what was answered, where points were lost, recordings, former scores of the same."""
    row = get_inspection(request, clinic, pk)
    return render(request, "metrics/etiquette_inspection.html", inspection_context(request, clinic, row))


def inspection_context(
    request: StaffRequest, clinic: Clinic, row: EtiquetteInspection, wrong: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return what the page of one score shows."""
    same = {"visit": row.visit_id, "staff": row.staff_id} if row.visit_id else {"contact": row.contact_id}
    every = EtiquetteInspection.objects.for_clinic(clinic).filter(**same)
    result, language = service.score_of(row), get_language() or ""
    words, lost = dict(ANSWER_WORDS), {one.item.code: one.points for one in result.lost}
    told = [
        {
            "label": item.words(language),
            "points": item.points,
            "lost": lost.get(item.code),
            "answer": words["na" if (given := row.answers[item.code]) is None else f"{given:g}"],
            "given": given,
        }
        for item in rules.items_of(row.rubric.items)
    ]
    recordings = InspectionRecording.objects.filter(inspection__in=every).select_related("uploaded_by")
    return {
        "row": row,
        "result": result,
        "items": told,
        "recordings": recordings.order_by("uploaded_at", "id"),
        "others": every.exclude(pk=row.pk).select_related("inspected_by", "rubric").order_by("-inspected_at", "-id"),
        "mine": row.staff_id == request.user.pk,
        "inspects": request.user.may(Permission.INSPECT_ETIQUETTE, clinic),
        "wrong": wrong,
    }


@requires(Permission.SIGNED_IN)
@require_POST
def etiquette_seen(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The person inspected has read it."""
    row = get_inspection(request, clinic, pk)
    try:
        service.mark_seen(inspection=row, by=request.user)
    except service.InspectionRefused as error:
        messages.error(request, error.message)
    return redirect("etiquette_inspection", row.pk)


@requires(Permission.INSPECT_ETIQUETTE)
@require_POST
def etiquette_take_back(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """A score that was given to the wrong visit or call counts no more."""
    row = get_inspection(request, clinic, pk)
    try:
        service.take_back(inspection=row, reason=request.POST.get("reason", ""), by=request.user)
    except service.InspectionRefused as error:
        context = inspection_context(request, clinic, row) | {"refused": error.message}
        return render(request, "metrics/etiquette_inspection.html", context, status=422)
    messages.success(request, _("The score was taken back."))
    return redirect("etiquette_records")

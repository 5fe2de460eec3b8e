"""Pages about people found twice: likely pairs, two records side by side, merges and their undo."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import own_address, whole_number
from clinic_crm.workbench.merging import merge_patients, undo_merge
from clinic_crm.workbench.merging_rows import cards_of, preferred, rows_of
from consultations.models import Visit
from patients import duplicates
from patients.errors import Refused
from patients.merging.fields import GROUPS
from patients.models import Patient, PatientMerge, Registration
from patients.search import find
from patients.services.merging import moved_counts, names_of, tell_apart, undo_refusal, written_since
from patients.views.common import get_registration, patient_url

MERGES = 30


@requires(Permission.MERGE_PATIENTS)
@require_GET
def duplicate_list(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Likely pairs, newest records first; ?before= goes on below."""
    user = request.user
    pairs, more = duplicates.find(
        clinics=user.clinic_ids(Permission.MERGE_PATIENTS),
        seen=user.clinic_ids(),
        before=whole_number(request.GET.get("before")),
    )
    cards = cards_of(user, {pk for pair in pairs for pk in (pair.newer, pair.older)})
    shown = [(cards[p.older], cards[p.newer], p.likeness) for p in pairs if p.older in cards and p.newer in cards]
    context = {"pairs": shown, "more": more, "tab": "likely", "started": "before" in request.GET}
    return render(request, "workbench/merge_duplicates.html", context)


@requires(Permission.MERGE_PATIENTS)
@require_POST
def duplicate_apart(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Two records are two people: they are not offered again."""
    ids = [whole_number(request.POST.get(name)) for name in ("one", "other")]
    if None in ids or ids[0] == ids[1]:
        messages.error(request, _("Two records are needed."))
        return redirect("duplicate_list")
    one, other = (_seen(request, clinic, pk) for pk in ids)
    tell_apart(one=one, other=other, clinic=clinic, by=request.user)
    words = {"one": one.name, "other": other.name}
    messages.success(request, _("%(one)s and %(other)s are two people; they are not shown together again.") % words)
    return redirect(own_address(request, request.POST.get("next"), reverse("duplicate_list")))


def _seen(request: StaffRequest, clinic: Clinic, pk: int | None) -> Patient:
    """Return a living patient whom the person may see; 404 else."""
    found: Patient = get_registration(request, clinic, pk or 0, Permission.VIEW_PATIENTS).patient
    return found


@requires(Permission.MERGE_PATIENTS)
@require_http_methods(["GET", "POST"])
def patient_merge(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Choose the other record (?q=), look at both side by side (?with=), merge."""
    registration = get_registration(request, clinic, pk, Permission.MERGE_PATIENTS)
    posted = request.method == "POST"
    wanted = request.POST.get("with") if posted else request.GET.get("with")
    other = whole_number(wanted)
    if other is None or other == pk:
        return _choose(request, registration, status=422 if posted else 200)
    one, two = registration.patient, _seen(request, registration.clinic, other)
    if not posted:
        return _side_by_side(request, one, two, keep=whole_number(request.GET.get("keep")))
    winner, loser = (two, one) if request.POST.get("keep") == str(two.pk) else (one, two)
    choices = {group.key: request.POST.get(group.key, "") for group in GROUPS}
    try:
        made = merge_patients(winner=winner, loser=loser, clinic=registration.clinic, by=request.user, choices=choices)
    except Refused as error:
        return _side_by_side(request, one, two, keep=winner.pk, error=str(error.message), posted=choices, status=409)
    undo = f"undo {reverse('merge_undo', args=[made.pk])}"
    messages.success(request, _("Merged: %(patient)s") % {"patient": winner.name}, extra_tags=undo)
    return redirect(patient_url(winner.pk))


def _choose(request: StaffRequest, registration: Registration, *, status: int) -> HttpResponse:
    said = request.GET.get("q", "")[:120]
    hits = find(said, user=request.user, clinic=registration.clinic, limit=12) if said else []
    hits = [hit for hit in hits if hit.patient.pk != registration.patient_id]
    context = {"patient": registration.patient, "said": said, "hits": hits}
    return render(request, "workbench/merge_choose.html", context, status=status)


def _side_by_side(
    request: StaffRequest,
    one: Patient,
    two: Patient,
    *,
    keep: int | None,
    error: str = "",
    posted: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    winner, loser = (two, one) if (keep or preferred(one, two)) == two.pk else (one, two)
    cards = cards_of(request.user, {one.pk, two.pk})
    known = duplicates.known_of({one.pk, two.pk})
    both = Visit.objects.in_clinic_now().filter(patient__in=[one.pk, two.pk]).values("patient").distinct().count()
    context: dict[str, Any] = {
        "patient": one,
        "other": two,
        "winner": cards[winner.pk],
        "loser": cards[loser.pk],
        "rows": rows_of(winner, loser, posted or {}),
        "moves": moved_counts(winner, loser),
        "likeness": duplicates.likeness(known[one.pk], known[two.pk]),
        "both_here": both > 1,
        "error": error,
    }
    return render(request, "workbench/merge_compare.html", context, status=status)


@requires(Permission.MERGE_PATIENTS)
@require_GET
def merge_list(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """What was merged, newest first, with what can still be taken back."""
    rows = PatientMerge.objects.for_user(request.user, Permission.MERGE_PATIENTS).defer("before")
    rows = rows.select_related("winner", "loser", "merged_by", "undone_by", "clinic").order_by("-merged_at", "-pk")
    page = Paginator(rows, MERGES).get_page(request.GET.get("page"))
    return render(request, "workbench/merge_list.html", {"page": page, "tab": "merged"})


def _merge_of(request: StaffRequest, pk: int) -> PatientMerge:
    rows = PatientMerge.objects.for_user(request.user).select_related("winner", "loser", "merged_by", "clinic")
    found: PatientMerge = get_object_or_404(rows, pk=pk)
    if not request.user.may(Permission.MERGE_PATIENTS, found.clinic):
        raise PermissionDenied
    return found


@requires(Permission.MERGE_PATIENTS)
@require_GET
def merge_detail(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """One merge: what moved, what was written since, whether it can be taken back."""
    merge = _merge_of(request, pk)
    context = {
        "merge": merge,
        "refusal": undo_refusal(merge, request.user),
        "since": written_since(merge),
        "moved": len(merge.before.get("changed", [])),
        "set_aside": names_of([[table, row["id"]] for table, row in merge.before.get("removed", [])]),
    }
    return render(request, "workbench/merge_detail.html", context)


@requires(Permission.MERGE_PATIENTS)
@require_POST
def merge_undo(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take a merge back."""
    merge = _merge_of(request, pk)
    try:
        kept = undo_merge(merge=merge, by=request.user)
    except Refused as error:
        messages.error(request, str(error.message))
        return redirect("merge_detail", pk=pk)
    words = {"winner": merge.winner.name, "loser": merge.loser.name}
    messages.success(request, _("%(winner)s and %(loser)s are two records again.") % words)
    if kept:
        messages.warning(request, _("Changed since and left as it is: %(what)s") % {"what": "、".join(names_of(kept))})
    return redirect("merge_detail", pk=pk)

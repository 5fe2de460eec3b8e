"""The undecided board: the page, more of a column, moving a card, the tray of suggestions."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic, User
from accounts.permissions import Permission
from accounts.reading import own_address
from clinic_crm.workbench import undecided, undecided_tray
from clinic_crm.workbench.classifying import suggestion_for
from clinic_crm.workbench.undecided import SORTS, View, usual_scope
from clinic_crm.workbench.undecided_forms import FILTER_NAMES, BoardFilterForm, MoveForm
from clinic_crm.workbench.undecided_moving import Moved, move_class, undo_move
from followups.services.suggesting import Outdated, accept, dismiss
from patients.classification import Complaint, PatientClass
from patients.errors import Refused
from patients.models import ClassChange, ClassSuggestion, Registration
from patients.views.common import get_registration, panel


def _view(request: StaffRequest, clinic: Clinic) -> View:
    return View.of(request.GET, usual=usual_scope(request.user, clinic))


def _chips(view: View) -> list[dict[str, str]]:
    """Return the filters that are set, in words, each with the address without it."""
    people = {n: getattr(view, n) for n in ("owner", "doctor") if getattr(view, n) is not None}
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=people.values())} if people else {}
    words = {
        "owner": _("Coordinator: %(name)s") % {"name": names.get(view.owner or 0, "?")},
        "doctor": _("Doctor: %(name)s") % {"name": names.get(view.doctor or 0, "?")},
        "complaint": str(dict(Complaint.choices).get(view.complaint, "")),
        "from_amount": _("from ¥%(n)s") % {"n": view.from_amount},
        "to_amount": _("up to ¥%(n)s") % {"n": view.to_amount},
        "from_age": _("case of %(n)s days or more") % {"n": view.from_age},
        "to_age": _("case of %(n)s days at most") % {"n": view.to_age},
        "flag": {"no_next": _("No next appointment"), "silent": _("No contact for over 14 days")}.get(view.flag, ""),
    }
    url = reverse("undecided")
    return [
        {"label": label, "remove": url + view.query(**{name: None})}
        for name, label in words.items()
        if getattr(view, name) not in (None, "")
    ]


def _links(view: View, scopes: tuple[int, int, int], *, teamed: bool) -> dict[str, Any]:
    url = reverse("undecided")
    shown = [("me", _("Mine"), scopes[0]), ("team", _("My team"), scopes[1]), ("all", _("Whole clinic"), scopes[2])]
    return {
        "view": view,
        "query": view.query(),
        "sort_label": SORTS[view.sort],
        "sorts": [(key, label, url + view.query(sort=key)) for key, label in SORTS.items()],
        "scopes": [(key, label, n, url + view.query(scope=key)) for key, label, n in shown if key != "team" or teamed],
        "no_next_url": url + view.query(flag="no_next"),
        "silent_url": url + view.query(flag="silent"),
        "chips": _chips(view),
    }


@requires(Permission.WORK_UNDECIDED)
@require_GET
def board(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Five classes of undecided patients; everything chosen stands in the address."""
    view, user = _view(request, clinic), request.user
    found = undecided.board_of(clinic, user, view, timezone.now())
    tray = undecided_tray.open_ones(clinic, user, view.scope)
    klass = view.klass or next((c.code for c in found.columns if c.head.shown), PatientClass.CE.value)
    url = reverse("undecided")
    context = {
        "board": found,
        "klass": klass,
        "columns": [(column, url + view.query(klass=column.code)) for column in found.columns],
        "tray": tray,
    }
    return render(request, "workbench/undecided.html", context | _links(view, found.scopes, teamed=found.scopes[1] > 0))


@requires(Permission.WORK_UNDECIDED)
@require_GET
def more(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The cards of ?klass= that follow ?after=: put below the others, or as a page without scripts."""
    view = _view(request, clinic)
    column = undecided.more_of(clinic, request.user, view, request.GET.get("after", ""), timezone.now())
    if column is None:
        return redirect(reverse("undecided") + view.query())
    context = {"column": column, "query": view.query(klass=column.code), "back": reverse("undecided") + view.query()}
    page = "workbench/_undecided_cards.html" if request.htmx else "workbench/undecided_more.html"
    return render(request, page, context)


@requires(Permission.WORK_UNDECIDED)
@require_GET
def filters(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The filters to choose from, as they are set in the address."""
    view = _view(request, clinic)
    kept = [(k, v) for k, v in request.GET.items() if k not in {*FILTER_NAMES, "after"}]
    context = {"form": BoardFilterForm(view, clinic), "kept": kept}
    back = reverse("undecided") + view.query()
    return panel(request, "workbench/_undecided_filters.html", context, title=_("Filter"), back=back)


@requires(Permission.WORK_UNDECIDED)
@require_http_methods(["GET", "POST"])
def move(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Ask for the reason of a move in place (?to= the class), then move; what somebody else did meanwhile is shown."""
    registration = get_registration(request, clinic, pk, Permission.WORK_UNDECIDED)
    shown = request.GET.get("to", "")
    initial = {"code": shown if shown in PatientClass.values else "", "expected": registration.patient.class_code}
    form = MoveForm(request.POST or None, initial=initial)
    if request.method == "GET" or not form.is_valid():
        return _form(request, registration, form, status=422 if form.is_bound else 200)
    data = form.cleaned_data
    try:
        change = move_class(patient=registration.patient, clinic=registration.clinic, by=request.user, **data)
    except Refused as error:
        form.add_error("reason", error.message)
        return _form(request, registration, form, status=422)
    except Moved as error:
        registration.patient = error.patient
        return _form(request, registration, form, status=409, moved=error)
    _say_moved(request, change)
    return _after(request, clinic, pk, form)


def _form(
    request: StaffRequest, registration: Registration, form: MoveForm, *, status: int, moved: Moved | None = None
) -> HttpResponse:
    patient = registration.patient
    context = {
        "patient": patient,
        "form": form,
        "code": form["code"].value() if form["code"].value() in PatientClass.values else "",
        "picks": not request.GET.get("to"),
        "suggestion": suggestion_for(patient, registration.clinic, patient.awareness),
        "moved": moved,
        "codes": [code for code in PatientClass.values if code != patient.class_code],
        "query": f"?{request.GET.urlencode()}" if request.GET else "",
        "back": reverse("undecided"),
    }
    page = "workbench/_undecided_move.html" if request.htmx else "workbench/undecided_move.html"
    return render(request, page, context, status=status)


def _say_moved(request: StaffRequest, change: ClassChange) -> None:
    words = _("%(patient)s is %(code)s now.") % {"patient": change.patient, "code": change.new_class}
    undo = f"undo {reverse('undecided_undo', args=[change.pk])}" if change.old_class else ""
    messages.success(request, words, extra_tags=undo)


def _after(request: StaffRequest, clinic: Clinic, pk: int, form: MoveForm) -> HttpResponse:
    """Answer a move: the card in its new column and the heads; without scripts the board."""
    back = own_address(request, request.POST.get("next"), reverse("undecided"))
    if not request.htmx:
        return redirect(back)
    view = View.of(request.GET, usual=usual_scope(request.user, clinic))
    heads = undecided.heads_of(clinic, request.user, view)
    card = undecided.card_of(clinic, request.user, pk, timezone.now())
    context = {"board": heads, "card": card} | _links(view, heads.scopes, teamed=heads.scopes[1] > 0)
    return render(request, "workbench/_undecided_moved.html", context)


@requires(Permission.WORK_UNDECIDED)
@require_POST
def undo(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take a move back, unless the class was set anew since."""
    change = get_object_or_404(
        ClassChange.objects.for_user(request.user).for_clinic(clinic).select_related("patient", "clinic"), pk=pk
    )
    try:
        back = undo_move(change=change, by=request.user)
    except Moved as error:
        messages.warning(request, error.message)
    else:
        words = {"patient": change.patient, "code": back.new_class}
        messages.success(request, _("%(patient)s is %(code)s again.") % words)
    return redirect(own_address(request, request.POST.get("next"), reverse("undecided")))


@requires(Permission.WORK_UNDECIDED)
@require_POST
def answer(request: StaffRequest, clinic: Clinic, pk: int, answered: str) -> HttpResponse:
    """Accept or dismiss a suggested change."""
    if answered not in {"accept", "dismiss"}:
        raise Http404
    waiting = ClassSuggestion.objects.for_user(request.user).for_clinic(clinic)
    suggestion = get_object_or_404(waiting.select_related("patient", "clinic"), pk=pk)
    try:
        if answered == "accept":
            _say_moved(request, accept(suggestion=suggestion, by=request.user))
        else:
            dismiss(suggestion=suggestion, by=request.user)
            words = _("Dismissed. It is suggested again only when something new happens.")
            messages.info(request, words)
    except Outdated as error:
        messages.warning(request, error.message)
    return redirect(own_address(request, request.POST.get("next"), reverse("undecided")))

"""What is done on a complaint's page: a note, an answer, another owner, joining, settling, opening again."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import StaffRequest, requires
from accounts.audit import record
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import whole_number
from clinic_crm.workbench.complaint_forms import ChangeForm, CloseForm, person_of
from clinic_crm.workbench.complaints import get_case, show_case
from followups.errors import BookingError, ComplaintChanged, Refused
from followups.services import complaint_acts as service
from patients import crypto
from patients.models import ComplaintCase, Patient
from patients.search import find

CaseView = Callable[[StaffRequest, ComplaintCase], HttpResponse]


def on_case(view: CaseView) -> Callable[..., HttpResponse]:
    """Find the case for `view`; what a service refuses is said on its page, and what was typed stays."""

    @wraps(view)
    def wrapper(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
        case = get_case(request, clinic, pk)
        try:
            return view(request, case)
        except BookingError as error:
            status = 409 if isinstance(error, ComplaintChanged) else 422
            return show_case(
                request, get_case(request, clinic, pk), status=status, error=error.message, **_kept(request)
            )

    return wrapper


def _kept(request: StaffRequest) -> dict[str, Any]:
    return {name: request.POST.get(name, "")[:2000] for name in ("text", "reason")}


def _version(request: StaffRequest) -> int:
    return whole_number(request.POST.get("version")) or 0


@requires(Permission.TAKE_COMPLAINTS)
@require_POST
@on_case
def complaint_step(request: StaffRequest, case: ComplaintCase) -> HttpResponse:
    """Write down a note, or what the patient was answered."""
    replied = request.POST.get("kind") == "replied"
    service.note(case=case, text=request.POST.get("text", ""), replied=replied, by=request.user)
    messages.success(request, _("Written down."))
    return redirect("complaint", case.pk)


@requires(Permission.SETTLE_COMPLAINTS)
@require_POST
@on_case
def complaint_change(request: StaffRequest, case: ComplaintCase) -> HttpResponse:
    """Give it to somebody else, judge it anew, say whom it is about."""
    form = ChangeForm(request.POST, case=case)
    if not form.is_valid():
        return show_case(request, case, status=422, change_form=form)
    data = form.cleaned_data
    service.change(
        case=case,
        owner=person_of(data["owner"]),
        about=person_of(data["about"]),
        severity=data["severity"],
        version=_version(request),
        by=request.user,
    )
    messages.success(request, _("Saved."))
    return redirect("complaint", case.pk)


@requires(Permission.SETTLE_COMPLAINTS)
@require_POST
@on_case
def complaint_close(request: StaffRequest, case: ComplaintCase) -> HttpResponse:
    """Settle it."""
    form = CloseForm(request.POST)
    if not form.is_valid():
        return show_case(request, case, status=422, close_form=form)
    data = form.cleaned_data
    try:
        service.close(
            case=case,
            outcome=data["outcome"],
            upheld=data["upheld"] == "yes",
            cost=data["cost"],
            text=data["text"],
            version=_version(request),
            by=request.user,
        )
    except ComplaintChanged as error:
        fresh = ComplaintCase.objects.select_related("patient", "owner", "about", "clinic", "joined_to").get(pk=case.pk)
        return show_case(request, fresh, status=409, error=error.message, close_form=form)
    messages.success(request, _("Settled: %(number)s") % {"number": case.number})
    return redirect("complaint", case.pk)


@requires(Permission.SETTLE_COMPLAINTS)
@require_POST
@on_case
def complaint_reopen(request: StaffRequest, case: ComplaintCase) -> HttpResponse:
    """Open a settled one again."""
    service.reopen(case=case, reason=request.POST.get("reason", ""), version=_version(request), by=request.user)
    messages.success(request, _("Opened again: %(number)s") % {"number": case.number})
    return redirect("complaint", case.pk)


@requires(Permission.SETTLE_COMPLAINTS)
@require_POST
@on_case
def complaint_join(request: StaffRequest, case: ComplaintCase) -> HttpResponse:
    """Count it as a repeat of another one."""
    rows = ComplaintCase.objects.visible_to(request.user).for_clinic(case.clinic_id)
    picked = whole_number(request.POST.get("to"))
    if picked is None:
        raise Refused(_("Choose which one it repeats."))
    to = get_object_or_404(rows, pk=picked)
    service.join(case=case, to=to, version=_version(request), by=request.user)
    messages.success(request, _("Counted with %(number)s.") % {"number": to.number})
    return redirect("complaint", to.pk)


@requires(Permission.SETTLE_COMPLAINTS)
@require_POST
@on_case
def complaint_unjoin(request: StaffRequest, case: ComplaintCase) -> HttpResponse:
    """It was another matter after all."""
    service.unjoin(case=case, version=_version(request), by=request.user)
    messages.success(request, _("A case of its own again: %(number)s") % {"number": case.number})
    return redirect("complaint", case.pk)


@requires(Permission.SETTLE_COMPLAINTS)
@require_POST
@on_case
def complaint_patient(request: StaffRequest, case: ComplaintCase) -> HttpResponse:
    """Say whose complaint it is."""
    picked = whole_number(request.POST.get("referrer"))
    if picked is None:
        said = request.POST.get("referrer_q", "").strip()
        hits = find(said, user=request.user, clinic=case.clinic, limit=6)
        words: dict[str, Any] = {"hits": hits, "said": said, "pick_error": _("Choose who it was.")}
        return show_case(request, case, status=422, **words)
    people = Patient.objects.for_user(request.user).living().filter(registrations__clinic=case.clinic_id)
    patient = get_object_or_404(people, pk=picked)
    service.set_patient(case=case, patient=patient, version=_version(request), by=request.user)
    messages.success(request, _("Saved: %(patient)s") % {"patient": patient})
    return redirect("complaint", case.pk)


@requires(Permission.REVEAL_CONTACT)
@require_POST
@on_case
def complaint_contact(request: StaffRequest, case: ComplaintCase) -> HttpResponse:
    """Open the number that was left on the public page; logged."""
    if case.contact_encrypted is None:
        return redirect("complaint", case.pk)
    record(action="complaint_contact_shown", clinic=case.clinic, by=request.user, subject=case, name=case.number)
    return show_case(request, case, number=crypto.decrypt(case.contact_encrypted))

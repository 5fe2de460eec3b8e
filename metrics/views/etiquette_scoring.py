"""Scoring a visit or a call-back: one page, one post."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import whole_number
from consultations.models import Visit
from followups.models import Contact
from metrics import etiquette_rules as rules
from metrics.etiquette_audio import ACCEPT
from metrics.forms import InspectionForm, read_recordings
from metrics.models import EtiquetteInspection, EtiquetteRubric
from metrics.services import etiquette as service


@dataclass
class Sheet:
    """The page of one scoring: what is scored, by which version, over which former score."""

    subject: service.Subject
    rubric: EtiquetteRubric
    form: InspectionForm
    standing: EtiquetteInspection | None
    expected: int | None
    status: int = 200
    conflict: bool = False
    problem: str = ""
    wrong_files: tuple[str, ...] = ()


@requires(Permission.INSPECT_ETIQUETTE)
@require_http_methods(["GET", "POST"])
def etiquette_visit(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Score the etiquette of a visit."""
    visits = Visit.objects.for_user(request.user).for_clinic(clinic).with_people().select_related("clinic")
    return _scored(request, get_object_or_404(visits, pk=pk))


@requires(Permission.INSPECT_ETIQUETTE)
@require_http_methods(["GET", "POST"])
def etiquette_call(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Score the etiquette of a call-back."""
    calls = Contact.objects.for_user(request.user).for_clinic(clinic)
    return _scored(request, get_object_or_404(calls.select_related("patient", "by", "clinic", "task"), pk=pk))


def _scored(request: StaffRequest, subject: service.Subject) -> HttpResponse:
    if request.method == "GET":
        return _show(request, _blank(subject))
    sheet = _answered(request, subject)
    if "fill" in request.POST:  # "the rest: yes", for browsers without scripts
        sheet.form = _form(sheet.rubric, initial=sheet.form.filled())
        return _show(request, sheet)
    recordings, wrong = read_recordings(request.FILES.getlist("recordings"))
    if not sheet.form.is_valid() or wrong:
        sheet.status, sheet.wrong_files = 422, tuple(wrong)
        return _show(request, sheet)
    try:
        made = service.inspect(
            subject=subject, answers=sheet.form.answers(), note=sheet.form.cleaned_data["note"], by=request.user,
            version=sheet.rubric.version, expected=sheet.expected, recordings=recordings,
        )  # fmt: skip
    except service.InspectionConflict as error:
        sheet.standing, sheet.expected, sheet.conflict, sheet.status = error.standing, error.standing.pk, True, 409
        return _show(request, sheet)
    except service.InspectionRefused as error:
        sheet.problem, sheet.status = error.message, 422
        return _show(request, sheet)
    words = {"who": made.staff, "score": f"{made.score.normalize():f}"}
    messages.success(request, _("%(who)s: %(score)s points") % words)
    return redirect("etiquette_inspection", made.pk)


def _form(rubric: EtiquetteRubric, *args: Any, **kwargs: Any) -> InspectionForm:
    return InspectionForm(rules.items_of(rubric.items), *args, language=get_language() or "", **kwargs)


def _blank(subject: service.Subject) -> Sheet:
    rubric = service.current_rubric(subject.clinic, service.kind_of(subject))
    standing = service.standing_of(subject)
    return Sheet(subject, rubric, _form(rubric), standing, standing.pk if standing else None)


def _answered(request: StaffRequest, subject: service.Subject) -> Sheet:
    """Read what was sent: by the version of the rubric that the person saw, where there is such a one."""
    current = service.current_rubric(subject.clinic, service.kind_of(subject))
    version = whole_number(request.POST.get("version")) or current.version
    rubric = current
    if version != current.version:
        rows = EtiquetteRubric.objects.for_clinic(subject.clinic_id).filter(kind=current.kind, version=version)
        rubric = (rows.first() if version < 2**31 else None) or current
    expected = whole_number(request.POST.get("expected"))
    return Sheet(subject, rubric, _form(rubric, request.POST), service.standing_of(subject), expected)


def _show(request: StaffRequest, sheet: Sheet) -> HttpResponse:
    subject = sheet.subject
    known = _known(subject)
    rows = [row | {"known": known.get(row["item"].code, "")} for row in sheet.form.rows()]
    context = {
        "sheet": sheet,
        "subject": subject,
        "is_visit": isinstance(subject, Visit),
        "who": service.inspected_person(subject),
        "refusal": service.refusal(subject, request.user),
        "rows": rows,
        "mine": _mine(sheet) if sheet.conflict else None,
        "accept": ACCEPT,
    }
    return render(request, "metrics/etiquette_score.html", context, status=sheet.status)


def _mine(sheet: Sheet) -> rules.Score:
    """Return what one's own answers come to, to stand beside the other's."""
    return rules.score(sheet.form.items, sheet.form.answers())


def _clock(at: datetime) -> str:
    return f"{timezone.localtime(at):%H:%M}"


def _known(subject: service.Subject) -> dict[str, str]:
    """Return what the records tell about some of the items, to help the memory; nothing is answered by it."""
    if isinstance(subject, Contact):
        return _known_of_call(subject)
    known = {}
    if subject.received_at:
        minutes = max(0, int((subject.received_at - subject.arrived_at).total_seconds() // 60))
        words = ngettext("Waited %(count)d minute", "Waited %(count)d minutes", minutes)
        known["apology"] = words % {"count": minutes}
    if subject.complaint_confirmed_at:
        known["complaint"] = _("Confirmed at %(time)s") % {"time": _clock(subject.complaint_confirmed_at)}
    if subject.doctor:
        known["names"] = _("doctor %(name)s") % {"name": subject.doctor}
    if subject.doctor_left_at:
        known["doctor_leaves"] = _("Left at %(time)s") % {"time": _clock(subject.doctor_left_at)}
    return known


def _known_of_call(call: Contact) -> dict[str, str]:
    patient, at = call.patient, timezone.localtime(call.at)
    words = {"time": f"{at:%H:%M}"}
    if not (patient.call_from and patient.call_to):
        return {"hour": _("Called at %(time)s; no wish is known") % words}
    words |= {"start": f"{patient.call_from:%H:%M}", "end": f"{patient.call_to:%H:%M}"}
    return {"hour": _("Called at %(time)s; the patient wishes %(start)s–%(end)s") % words}

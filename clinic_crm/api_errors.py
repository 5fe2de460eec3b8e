"""The one table from what services refuse to what the API answers (RFC 9457)."""

from collections.abc import Mapping
from typing import Any

from django.core import exceptions as django_errors
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.problems import Problem
from accounts.models import User
from accounts.windows import BadWindow
from consultations import errors as visits
from consultations.form_rules import AnswerError
from consultations.images import BadImage
from consultations.services.exams import FileThere
from consultations.services.forms import FormClosed
from consultations.services.handoff import NoteChanged
from consultations.services.plans import PlanChanged
from consultations.teeth import NotATooth
from conversations import errors as chats
from conversations.inspection.rules import RulesError
from followups import errors as booking
from followups.services import suggesting
from followups.slots import Slot
from metrics.etiquette_audio import BadRecording
from metrics.etiquette_rules import BadAnswers
from metrics.filters import BadScope
from metrics.services.etiquette import InspectionConflict, InspectionRefused, RubricConflict
from metrics.services.snapshots import NotOver
from metrics.services.targets import TargetRefused
from patients.errors import PatientError, StaleEdit
from patients.importing.errors import ImportRefused, Unreadable
from patients.models import Patient
from patients.models.living import loser_of
from patients.services.audits import RatedAlready
from patients.services.merging import current_id

CONFLICTS: tuple[type[Exception], ...] = (
    StaleEdit, RatedAlready, suggesting.Outdated,
    booking.SlotTaken, booking.ClosedThen, booking.Outdated, booking.Busy, booking.TaskHeld, booking.TaskEnded,
    booking.ComplaintChanged,
    visits.StageConflict, visits.AlreadyHere, NoteChanged, PlanChanged, FileThere,
    chats.Changed, InspectionConflict, RubricConflict,
)  # fmt: skip
REFUSALS: tuple[type[Exception], ...] = (
    PatientError, ImportRefused, Unreadable, booking.BookingError, visits.VisitError, AnswerError, BadImage, NotATooth,
    chats.ChatError, RulesError, InspectionRefused, TargetRefused, NotOver, BadAnswers, BadRecording,
)  # fmt: skip
# Before REFUSALS: most of these are of the same families.
TABLE: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((BadScope, BadWindow), "bad-request"),
    ((FormClosed,), "gone"),
    (CONFLICTS, "conflict"),
    (REFUSALS, "invalid"),
    ((Http404, django_errors.ObjectDoesNotExist), "not-found"),
    ((PermissionDenied,), "forbidden"),
    ((django_errors.RequestDataTooBig,), "too-large"),
    ((django_errors.SuspiciousOperation, django_errors.BadRequest), "bad-request"),
)
BY_STATUS = {
    status.HTTP_400_BAD_REQUEST: "bad-request",
    status.HTTP_401_UNAUTHORIZED: "unauthenticated",
    status.HTTP_403_FORBIDDEN: "forbidden",
    status.HTTP_404_NOT_FOUND: "not-found",
    status.HTTP_405_METHOD_NOT_ALLOWED: "method-not-allowed",
    status.HTTP_406_NOT_ACCEPTABLE: "not-acceptable",
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: "unsupported-media-type",
    status.HTTP_429_TOO_MANY_REQUESTS: "too-many-requests",
}


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an error as a problem; None for a fault of ours, which is not hidden.

    Args: context: `view` and `request`, as rest_framework gives them to EXCEPTION_HANDLER.
    """
    problem = problem_of(error, context["view"], context["request"])
    return problem.response() if problem is not None else None


def problem_of(error: Exception, view: Any, request: Request) -> Problem | None:
    """Return the problem that an error is."""
    if isinstance(error, Problem):
        problem: Problem | None = error
    elif isinstance(error, exceptions.ValidationError):
        problem = Problem("invalid", errors=flat(error.detail))
    elif isinstance(error, django_errors.ValidationError):
        problem = Problem("invalid", errors=_by_field(error))
    elif isinstance(error, exceptions.APIException):
        problem = _of_framework(error)
    elif isinstance(error, DatabaseError):
        problem = _merged_away(error, request)
    else:
        problem = _of_service(error, getattr(view, "field_names", {}))
    if problem is not None and problem.slug == "conflict":
        _add_versions(problem, view, request)
    return problem


def _of_service(error: Exception, names: Mapping[str, str]) -> Problem | None:
    slug = next((slug for kinds, slug in TABLE if isinstance(error, kinds)), None)
    if slug is None:
        return None
    own_words = not isinstance(error, Http404 | django_errors.ObjectDoesNotExist | django_errors.SuspiciousOperation)
    return Problem(slug, str(error) if own_words else "", **_more(error, names))


def _more(error: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """Return what an error knows beside its words: the field, what is missing, the nearest free times."""
    more: dict[str, Any] = {}
    if isinstance(getattr(error, "errors", None), Mapping):
        more["errors"] = {
            names.get(name, name): words if isinstance(words, list) else [str(words)]
            for name, words in error.errors.items()
        }
    elif getattr(error, "field", None):
        more["errors"] = {names.get(error.field, error.field): [str(error)]}
    if getattr(error, "nearest", None):
        more["nearest"] = [_slot(slot) for slot in error.nearest]
    if hasattr(error, "may_insist"):
        more["may_insist"] = error.may_insist
    lacks = getattr(error, "missing", None) or getattr(error, "lacks", None)
    if lacks:
        more["missing"] = [str(getattr(one, "code", one)) for one in lacks]
    if getattr(error, "comes_next", None):
        more["next_stage"] = error.comes_next
    return more


def _slot(slot: Slot) -> dict[str, Any]:
    return {
        "starts_at": timezone.localtime(slot.starts_at).isoformat(),
        "ends_at": timezone.localtime(slot.ends_at).isoformat(),
    }


def _of_framework(error: exceptions.APIException) -> Problem:
    slug = BY_STATUS.get(error.status_code, "bad-request")
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))  # type: ignore[attr-defined]
    own_words = slug in ("unauthenticated", "bad-request", "method-not-allowed", "unsupported-media-type", "forbidden")
    default = str(error.detail) == str(error.default_detail)
    return Problem(slug, str(error.detail) if own_words and not default else "", headers=headers)


def _merged_away(error: DatabaseError, request: Request) -> Problem | None:
    loser = loser_of(error)
    if loser is None:
        return None
    now = current_id(loser) or 0
    seen = Patient.objects.for_user(request.user) if isinstance(request.user, User) else Patient.objects.none()
    kept = seen.filter(pk=now).first()
    words = _("This record was merged into another meanwhile. Nothing was written.")
    return Problem("conflict", words, merged_into=kept.pk if kept is not None else None)


def _add_versions(problem: Problem, view: Any, request: Request) -> None:
    """Show both: how it stands, and what was sent."""
    if "current" not in problem.more and hasattr(view, "current_state"):
        problem.more["current"] = view.current_state()
    if "yours" not in problem.more and type(sent := _sent(request)) is dict:  # JSON; not a form with files
        problem.more["yours"] = sent


def _sent(request: Request) -> Any:
    """Return the body; None for one that cannot be read, where nobody had to."""
    try:
        return request.data
    except exceptions.APIException:
        return None


def flat(detail: Any, place: str = "") -> dict[str, list[str]]:
    """Return errors by field, those of inner fields under a dotted name."""
    if isinstance(detail, Mapping):
        parts = [(name, inner) for name, inner in detail.items()]
    elif isinstance(detail, list) and any(isinstance(one, Mapping | list) for one in detail):
        parts = list(enumerate(detail))
    else:
        words = detail if isinstance(detail, list) else [detail]
        return {place or "non_field_errors": [str(one) for one in words]}
    found: dict[str, list[str]] = {}
    for name, inner in parts:
        if inner:
            found |= flat(inner, f"{place}.{name}" if place else str(name))
    return found


def _by_field(error: django_errors.ValidationError) -> dict[str, list[str]]:
    if hasattr(error, "error_dict"):
        return {("non_field_errors" if name == "__all__" else name): said for name, said in error.message_dict.items()}
    return {"non_field_errors": list(error.messages)}

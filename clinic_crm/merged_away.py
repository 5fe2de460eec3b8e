"""What somebody wrote to a record while it was merged into another: a 409 that says so, and shows the way there."""

from collections.abc import Callable

from django.contrib import messages
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from patients.models import Patient
from patients.models.living import loser_of
from patients.services.merging import current_id


class MergedAwayMiddleware:
    """Answers the database's refusal to write to a merged record, wherever it came up. Stands after HtmxMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        loser = loser_of(error) if isinstance(error, DatabaseError) else None
        if loser is None:
            return None
        words, address = _told(request.user, loser)
        if request.path.startswith("/api/"):
            told = {"type": "about:blank", "title": _("Conflict"), "status": 409, "detail": words}
            return JsonResponse(told, status=409, content_type="application/problem+json")
        if getattr(request, "htmx", False):
            messages.error(request, words, extra_tags=f"see {address}" if address else "")
            return HttpResponse(status=409, headers={"HX-Reswap": "none"})
        return render(request, "409.html", {"reason": words, "record": address}, status=409)


def _told(user: object, loser: int) -> tuple[str, str]:
    """Return what to say, and where the record is now; no names to those who may not see them."""
    seen = Patient.objects.for_user(user) if isinstance(user, User) else Patient.objects.none()
    kept = seen.filter(pk=current_id(loser) or loser).first()
    if kept is None:
        return _("This record was merged into another meanwhile. Nothing was written."), ""
    names = {"patient": Patient.objects.get(pk=loser).name, "other": kept.name}
    words = _("%(patient)s was merged into %(other)s meanwhile. Nothing was written; open that record.") % names
    return words, reverse("patient", args=[kept.pk])

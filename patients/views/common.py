"""What the patients' views share: fetching within one's clinics, and answering as a page or as a panel."""

from types import SimpleNamespace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from accounts.access import StaffRequest
from accounts.models import Clinic, User
from accounts.permissions import Permission
from accounts.statements import Statement
from patients.models import Registration

CLOSED_TO_OTHERS = (Permission.TREAT, Permission.ANSWER_RIGHTS)  # who sees a record closed after erasure


def may_of(user: User, clinic: Clinic | int) -> SimpleNamespace:
    """Return what the person may do in the clinic, by name, for templates."""
    return SimpleNamespace(**{p.value: user.may(p, clinic) for p in Permission})


def get_registration(request: StaffRequest, clinic: Clinic, pk: int, *permissions: Permission) -> Registration:
    """Return how patient `pk` is registered in the clinic the person works in now, else in another of theirs.

    A record closed after erasure is for those who treat or answer for it.
    Raises: Http404 when registered in none of the person's clinics; PermissionDenied when in none of those
    where it is, the role grants any of `permissions`.
    """
    user = request.user
    assert isinstance(user, User)
    rows = _REGISTERED.rows(patient=pk, clinics=tuple(user.clinic_ids()))
    found = sorted(rows, key=lambda r: r.clinic_id != clinic.pk)
    if not found:
        raise Http404
    for registration in found:
        if registration.patient.restricted_at and not any(
            user.may(p, registration.clinic_id) for p in CLOSED_TO_OTHERS
        ):
            continue
        if any(user.may(permission, registration.clinic_id) for permission in permissions):
            return registration
    raise PermissionDenied


def _registered(*, patient: int, clinics: tuple[int, ...]) -> Any:
    rows = Registration.objects.filter(clinic__in=clinics, patient=patient, patient__merged_into=None)
    return rows.select_related("patient", "clinic", "owner", "doctor")


_REGISTERED = Statement(_registered)


def patient_url(pk: int) -> str:
    return reverse("patient", args=[pk])


def panel(
    request: StaffRequest, body: str, context: dict[str, Any], *, title: str, back: str, status: int = 200
) -> HttpResponse:
    """Render a form as a drawer over the page (htmx), or as a page of its own."""
    shell = "patients/_drawer.html" if request.htmx else "patients/panel.html"
    return render(request, shell, {**context, "body": body, "title": title, "back": back}, status=status)


def done(request: StaffRequest, url: str) -> HttpResponse:
    """Answer a panel that did its work: the page below is drawn anew."""
    if request.htmx:
        here = request.htmx.current_url_abs_path or ""
        return HttpResponseClientRefresh() if here.split("?")[0] == url else HttpResponseClientRedirect(url)
    return redirect(url)

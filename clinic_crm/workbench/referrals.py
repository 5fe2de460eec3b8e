"""Referrals (转介绍): the page of figures and thanks, a patient's own, and the code they show to friends."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.qr import qr_svg
from accounts.reading import whole_number
from clinic_crm.workbench import referral_figures as figures
from followups.services.referral_tasks import refer, take_referral_back, take_thanks_back, thank
from patients.errors import PatientError
from patients.models import Patient, PublicLink, Referral, ReferralThanks, Registration
from patients.referral_tree import tree_of
from patients.services.referral_links import link_for, revoke
from patients.views.adding import people_meant
from patients.views.common import done, get_registration, panel, patient_url

MOST = Decimal("10000000")
Purpose = PublicLink.Purpose


class ThanksForm(forms.Form):
    """How a referrer was thanked."""

    how = forms.CharField(label=gettext_lazy("How they were thanked"), max_length=120)
    cost = forms.DecimalField(
        label=gettext_lazy("Cost, yuan"),
        min_value=Decimal(0),
        max_value=MOST,
        max_digits=10,
        decimal_places=2,
        initial=0,
    )


@requires(Permission.RECORD_CARE)
@require_GET
def referral_list(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Thanks owed, then the figures by coordinator and by referrer; ?window= 30, 90, 365 days or all."""
    asked = request.GET.get("window", "")
    window = asked if asked in dict(figures.WINDOWS) else "365"
    start = figures.since(window, timezone.now())
    owed = list(figures.owed(clinic)[: figures.SHOWN + 1])
    context = {
        "window": window,
        "windows": figures.WINDOWS,
        "owed": owed[: figures.SHOWN],
        "more_owed": len(owed) > figures.SHOWN,
        "coordinators": figures.by_coordinator(clinic, start),
        "referrers": figures.by_referrer(clinic, start),
    }
    return render(request, "workbench/referral_list.html", context)


@requires(Permission.RECORD_CARE)
@require_http_methods(["GET", "POST"])
def thanks_give(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Note how a referrer was thanked."""
    rows = ReferralThanks.objects.for_user(request.user).for_clinic(clinic)
    row = get_object_or_404(rows.select_related("referral__referrer", "referral__referred", "given_by"), pk=pk)
    form = ThanksForm(request.POST or None)
    error = ""
    if request.method == "POST" and form.is_valid():
        try:
            thank(row=row, by=request.user, **form.cleaned_data)
        except PatientError as refused:
            error = refused.message
        else:
            undo = reverse("thanks_undo", args=[row.pk])
            said = _("Thanked: %(name)s") % {"name": row.referral.referrer}
            messages.success(request, said, extra_tags=f"undo {undo}")
            return done(request, reverse("referral_list"))
    context = {"row": row, "form": form, "error": error}
    status = 200 if request.method == "GET" else 409 if error else 422
    title, back = _("Thanks for a referral"), reverse("referral_list")
    return panel(request, "workbench/_referral_thanks.html", context, title=title, back=back, status=status)


@requires(Permission.RECORD_CARE)
@require_POST
def thanks_undo(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """They were not thanked after all, or otherwise."""
    rows = ReferralThanks.objects.for_user(request.user).for_clinic(clinic).select_related("referral__referrer")
    row = get_object_or_404(rows, pk=pk)
    try:
        take_thanks_back(row=row, by=request.user)
    except PatientError as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("Thanks are owed again: %(name)s") % {"name": row.referral.referrer})
    return redirect("referral_list")


@requires(Permission.EDIT_PATIENTS)
@require_http_methods(["GET", "POST"])
def patient_referral(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Who brought this patient, and whom they brought, with whom those brought."""
    registration = get_registration(request, clinic, pk, Permission.EDIT_PATIENTS)
    context = _referrals(request, registration)
    status = 200
    if request.method == "POST" and request.POST.get("action") == "unlink":
        error = _unlink(request, context["referral"])
        if not error:
            return done(request, patient_url(pk))
        status, context["error"] = 422, error
    elif request.method == "POST":
        status = 422
        if not request.POST.get("referrer"):
            said = request.POST.get("referrer_q", "")
            hits = [hit for hit in people_meant(said, request, clinic, limit=6) if hit.patient.pk != pk]
            context |= {"hits": hits, "said": said, "error": _("Choose who it was.")}
        else:
            error = _link(request, registration, request.POST["referrer"])
            if not error:
                return done(request, patient_url(pk))
            context["error"] = error
    return panel(request, "patients/_referral.html", context, title=_("Referral"), back=patient_url(pk), status=status)


def _referrals(request: StaffRequest, registration: Registration) -> dict[str, Any]:
    links = Referral.objects.for_user(request.user).select_related("referrer")
    link: Referral | None = links.filter(referred=registration.patient_id).first()
    counts = link is not None and link.effective_at is not None
    return {
        "patient": registration.patient,
        "referral": link,
        "may_unlink": not counts or (link and request.user.may(Permission.APPROVE_WAIVER, link.clinic_id)),
        "tree": tree_of(registration.patient, request.user),
    }


def _link(request: StaffRequest, registration: Registration, picked: str) -> str:
    """Link the chosen referrer; return what was refused, "" when done."""
    people = Patient.objects.for_user(request.user).living()
    referrer = get_object_or_404(people, pk=whole_number(picked) or 0)
    patient = registration.patient
    try:
        refer(referrer=referrer, referred=patient, clinic=registration.clinic, by=request.user)
    except PatientError as error:
        return error.message
    messages.success(request, _("%(referrer)s brought %(patient)s.") % {"referrer": referrer, "patient": patient})
    return ""


def _unlink(request: StaffRequest, referral: Referral | None) -> str:
    """Take the link back; return what was refused, "" when done or when it is gone already."""
    if referral is not None:
        try:
            take_referral_back(referral=referral, by=request.user)
        except PatientError as error:
            return error.message
        messages.success(request, _("The referral was taken back."))
    return ""


@requires(Permission.EDIT_PATIENTS)
@require_http_methods(["GET", "POST"])
def patient_referral_code(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """The code a patient shows to friends; posting makes it, or makes it useless."""
    registration = get_registration(request, clinic, pk, Permission.EDIT_PATIENTS)
    patient, here = registration.patient, registration.clinic
    rows = PublicLink.objects.for_clinic(here).filter(purpose=Purpose.REFERRAL, patient=patient, revoked_at=None)
    link = rows.select_related("clinic").first()
    if request.method == "POST":
        if request.POST.get("action") == "revoke" and link is not None:
            revoke(link=link, by=request.user)
            messages.success(request, _("The code is revoked."))
        elif request.POST.get("action") == "make":
            link_for(clinic=here, purpose=Purpose.REFERRAL, patient=patient, by=request.user)
        return redirect("patient_referral_code", pk)
    url = request.build_absolute_uri(reverse("referral_public", args=[link.code])) if link else ""
    context = {"patient": patient, "link": link, "url": url, "qr": qr_svg(url) if url else "", "place": here}
    return render(request, "patients/referral_code.html", context)

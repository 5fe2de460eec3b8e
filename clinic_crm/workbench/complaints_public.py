"""The complaint page for anybody who scans the clinic's code, and the sheet with the code for the desk."""

from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import StaffRequest, public, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.qr import qr_svg
from clinic_crm.workbench.complaint_forms import PublicComplaintForm
from followups.errors import BookingError
from followups.services.complaints import NewComplaint, take_public
from patients.models import ComplaintCase, PublicLink
from patients.services.referral_links import link_for, revoke
from patients.views.public import address_of, public_page, show, too_many

WHY = "whoever scans the clinic's printed code may complain; the page shows nothing but the clinic's name"
HOUR = 3600  # seconds
PER_ADDRESS = 10  # complaints an hour from one address: a waiting room shares one
PER_LINK = 60  # complaints an hour through one link
SALT = "workbench.complaint"
Purpose = PublicLink.Purpose


@public(WHY)
@require_http_methods(["GET", "HEAD", "POST"])
@public_page(Purpose.COMPLAINT)
def complaint_public(request: HttpRequest, link: PublicLink) -> HttpResponse:
    """The form: what happened, what is wished, and how to be reached."""
    if request.method != "POST":
        return _form(request, link, PublicComplaintForm())
    form = PublicComplaintForm(request.POST)
    if not form.is_valid():
        return _form(request, link, form, status=422)
    if form.cleaned_data["website"]:  # a program: it is thanked, and nothing is kept
        return _thanks(request, link, "")
    ours, theirs = f"complaint:{link.pk}", f"complaint-from:{address_of(request)}"
    if too_many(theirs, PER_ADDRESS, HOUR) or too_many(ours, PER_LINK, HOUR):
        form.add_error(
            None, _("Too many complaints came in a short time. Please tell us at the desk, or try again later.")
        )
        return _form(request, link, form, status=429)
    try:
        case = take_public(clinic=link.clinic, details=_details(form.cleaned_data))
    except BookingError as error:
        form.add_error(None, error.message)
        return _form(request, link, form, status=422)
    return _thanks(request, link, case.number)


def _details(data: dict[str, Any]) -> NewComplaint:
    return NewComplaint(
        category=data["category"],
        what=data["what"],
        wish=data["wish"],
        name=data["name"],
        phone=data["phone"],
        source=ComplaintCase.Source.PUBLIC_LINK,
    )


def _form(request: HttpRequest, link: PublicLink, form: PublicComplaintForm, status: int = 200) -> HttpResponse:
    return show(request, "workbench/complaint_public.html", {"link": link, "form": form}, status)


def _thanks(request: HttpRequest, link: PublicLink, number: str) -> HttpResponse:
    """Go on to a page of its own, so that loading it again sends nothing twice."""
    said = signing.dumps(number, salt=SALT)
    english = "&lang=en" if request.GET.get("lang") == "en" else ""
    return redirect(f"{reverse('complaint_thanks', args=[link.code])}?n={said}{english}")


@public(WHY)
@require_safe
@public_page(Purpose.COMPLAINT)
def complaint_thanks(request: HttpRequest, link: PublicLink) -> HttpResponse:
    """Thanks, with the number to ask by."""
    try:
        number = signing.loads(request.GET.get("n", ""), salt=SALT, max_age=24 * HOUR)
    except signing.BadSignature:
        return redirect("complaint_public", link.code)
    return show(request, "workbench/complaint_thanks.html", {"link": link, "number": number, "n": request.GET["n"]})


@requires(Permission.SETTLE_COMPLAINTS)
@require_http_methods(["GET", "POST"])
def complaint_link(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The sheet for the desk; posting makes the link, or revokes it so that a new one can be printed."""
    rows = PublicLink.objects.for_clinic(clinic).filter(purpose=Purpose.COMPLAINT, revoked_at=None)
    link = rows.select_related("clinic", "created_by").first()
    if request.method == "POST":
        if request.POST.get("action") == "revoke" and link is not None:
            revoke(link=link, by=request.user)
            messages.success(request, _("The link is revoked. What is printed leads nowhere from now on."))
        elif request.POST.get("action") == "make":
            link_for(clinic=clinic, purpose=Purpose.COMPLAINT, by=request.user)
        return redirect("complaint_link")
    url = request.build_absolute_uri(reverse("complaint_public", args=[link.code])) if link else ""
    context = {"link": link, "url": url, "qr": qr_svg(url) if url else ""}
    return render(request, "workbench/complaint_link.html", context)

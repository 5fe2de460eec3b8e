"""The search in the top bar. It is posted: what is typed may be a phone number, which belongs in no address."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from patients.search import digits_of, find, tidy


@requires(Permission.VIEW_PATIENTS)
@require_http_methods(["GET", "POST"])
def search(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """People that fit what was typed: a list under the box (htmx), or a page."""
    said = tidy(request.POST.get("q", ""))
    context = {
        "said": said,
        "hits": find(said, user=request.user, clinic=clinic),
        "may_add": request.user.may(Permission.QUICK_ADD, clinic),
        "is_number": bool(digits_of(said)),
    }
    page = "workbench/_search_results.html" if request.htmx else "workbench/search.html"
    return render(request, page, context)

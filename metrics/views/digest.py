"""Who gets the weekly digest."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from accounts.reading import own_address
from metrics.services.digest import subscribe, unsubscribe


@requires(Permission.VIEW_KPIS)
@require_POST
def switch(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Switch the person's own digest of the clinic on or off."""
    if request.POST.get("wanted") == "1":
        subscribe(clinic=clinic, by=request.user)
        messages.success(request, _("You get the week's figures on Monday mornings at 8."))
    else:
        unsubscribe(clinic=clinic, by=request.user)
        messages.success(request, _("You get no weekly figures any more."))
    return redirect(own_address(request, request.POST.get("back"), reverse("kpi_frozen")))

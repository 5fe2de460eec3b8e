"""Campaigns: the list, writing one, who gets it and who does not, approving, stopping, results."""

from datetime import time, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import reading
from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from followups.campaign_forms import CHANNELS, CampaignForm
from followups.errors import BookingError, Refused
from followups.models import Campaign, CampaignMember, ContactChannel, Message
from followups.services import campaigns as services
from patients.filters import NARROW

A_PAGE, SHOWN = 30, 30
LEVELS = {"draft": "none", "submitted": "watch", "running": "info", "done": "good", "stopped": "bad"}


def _filters(params: QueryDict) -> dict[str, list[str]]:
    """Return the filters of the patient list that an address or form names."""
    return {name: [v[:40] for v in params.getlist(name) if v] for name in NARROW if any(params.getlist(name))}


def _get(request: StaffRequest, clinic: Clinic, pk: int) -> Campaign:
    rows = (
        Campaign.objects.for_user(request.user).for_clinic(clinic).select_related("created_by", "decided_by", "clinic")
    )
    found: Campaign = get_object_or_404(rows, pk=pk)
    return found


@requires(Permission.RUN_CAMPAIGNS)
@require_GET
def campaign_list(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The clinic's campaigns, the latest first."""
    rows = Campaign.objects.for_clinic(clinic).select_related("created_by")
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    shown = [(row, LEVELS[row.status]) for row in page]
    return render(request, "followups/campaign_list.html", {"page": page, "rows": shown})


@requires(Permission.RUN_CAMPAIGNS)
@require_http_methods(["GET", "POST"])
def campaign_edit(request: StaffRequest, clinic: Clinic, pk: int | None = None) -> HttpResponse:
    """Write a campaign and choose its patients; the button "count" only counts them anew."""
    campaign = _get(request, clinic, pk) if pk else None
    posted = request.method == "POST"
    filters = _filters(request.POST if posted else request.GET)
    if campaign is not None and not posted:
        filters = campaign.filters
    form = _form(request, clinic, campaign)
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        values = {name: data[name] for name in ("name", "text", "starts_at", "per_hour")}
        values["channel"] = data["by_channel"]
        try:
            saved = services.save_campaign(clinic=clinic, by=request.user, filters=filters, campaign=campaign, **values)
        except BookingError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, _("Saved as a draft."))
            return redirect("campaign", pk=saved.pk)
    context = {"form": form, "campaign": campaign, "filters": filters} | _audience(request, clinic, filters, form)
    return render(request, "followups/campaign_edit.html", context, status=422 if form.errors else 200)


def _form(request: StaffRequest, clinic: Clinic, campaign: Campaign | None) -> CampaignForm:
    if request.method == "POST" and "count" not in request.POST:
        return CampaignForm(request.POST, clinic=clinic, campaign=campaign)
    usual: dict[str, Any] = {"day": clinic.today() + timedelta(days=1), "at": time(10), "per_hour": 60}
    initial = usual | {"by_channel": ContactChannel.SMS} if campaign is None else {}
    typed = {name: request.POST[name] for name in CampaignForm.base_fields if name in request.POST}
    return CampaignForm(clinic=clinic, campaign=campaign, initial=initial | typed)


def _audience(
    request: StaffRequest, clinic: Clinic, filters: dict[str, list[str]], form: CampaignForm
) -> dict[str, Any]:
    """Return who would get it: the filters' form and the counts."""
    said = str(form["by_channel"].value())
    channel = said if said in CHANNELS else ContactChannel.SMS
    counts = services.preview(clinic=clinic, user=request.user, filters=filters, channel=channel)
    return {"filter_form": services.filter_form(clinic, request.user, filters, shown=True)} | _counted(counts)


def _counted(counts: dict[str, int]) -> dict[str, Any]:
    labels = dict(CampaignMember.LeftOut.choices)
    out = [(code, labels[code], counts[code]) for code in labels if counts.get(code)]
    return {"count_in": counts.get("", 0), "out": out, "count_out": sum(count for _c, _l, count in out)}


@requires(Permission.RUN_CAMPAIGNS)
@require_GET
def campaign(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """One campaign: text, who is in, who is left out and why, results. ?out= shows those left out for a reason."""
    return _show(request, clinic, _get(request, clinic, pk))


def _show(request: StaffRequest, clinic: Clinic, row: Campaign, *, status: int = 200) -> HttpResponse:
    drafted = row.status == Campaign.Status.DRAFT
    if drafted:
        writer = row.created_by or request.user
        counts = services.preview(clinic=clinic, user=writer, filters=row.filters, channel=row.channel)
    else:
        counts = services.members_by_reason(row)
    out = request.GET.get("out", "")
    chosen = out if out in CampaignMember.LeftOut.values else ""
    listed = row.members.filter(left_out=chosen).select_related("patient").order_by("due_at", "pk")
    form = services.filter_form(clinic, row.created_by or request.user, row.filters, shown=True)
    context = {
        "campaign": row,
        "level": LEVELS[row.status],
        "chips": form.chips(""),
        "members": [] if drafted else list(listed[:SHOWN]),
        "shown": SHOWN,
        "chosen": chosen,
        "may_approve": request.user.may(Permission.APPROVE_CAMPAIGNS, clinic),
    } | _counted(counts)
    if row.decided_at and row.status != Campaign.Status.SUBMITTED:
        context |= _results(row)
    return render(request, "followups/campaign.html", context, status=status)


def _results(row: Campaign) -> dict[str, Any]:
    found = services.results(row)
    labels = dict(Message.Suppressed.choices)
    return {"results": found, "suppressed": [(labels.get(code, code), n) for code, n in found["suppressed"].items()]}


def _done(request: StaffRequest, clinic: Clinic, pk: int, act: Any, said: str, **more: Any) -> HttpResponse:
    """Do something with a campaign; a refusal is told above the page."""
    row = _get(request, clinic, pk)
    try:
        act(campaign=row, by=request.user, **more)
    except BookingError as error:
        messages.error(request, error.message)
        row = _get(request, clinic, pk)
        return _show(request, clinic, row, status=422 if isinstance(error, Refused) else 409)
    messages.success(request, said)
    return redirect("campaign", pk=pk)


def _version(request: StaffRequest) -> int:
    return reading.whole_number(request.POST.get("version")) or 0


@requires(Permission.RUN_CAMPAIGNS)
@require_POST
def campaign_submit(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Fix who gets it, and ask for approval."""
    return _done(request, clinic, pk, services.submit, _("Waiting for approval."))


@requires(Permission.APPROVE_CAMPAIGNS)
@require_POST
def campaign_approve(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Let it go out as it was read."""
    said = _("Approved; it goes out as planned.")
    return _done(request, clinic, pk, services.approve, said, version=_version(request))


@requires(Permission.APPROVE_CAMPAIGNS)
@require_POST
def campaign_send_back(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Return it to its writer."""
    return _done(request, clinic, pk, services.send_back, _("Sent back as a draft."), version=_version(request))


@requires(Permission.APPROVE_CAMPAIGNS)
@require_POST
def campaign_stop(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Stop it; what has not left yet is dropped."""
    return _done(request, clinic, pk, services.stop, _("Stopped; what had not left yet was dropped."))

"""The rules editor with its try-it box, the preview on earlier chats, versions, and the rubrics."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from conversations import transcript
from conversations.errors import Changed
from conversations.inspection import Rules
from conversations.inspection.codes import CODES
from conversations.models import ReinspectionJob, RuleSet
from conversations.rule_forms import RulesForm
from conversations.services import rule_sets as service
from conversations.views.common import links

VERSIONS = 20
SAMPLE = 20_000  # signs of a pasted chat


def _editor(request: StaffRequest, clinic: Clinic, form: RulesForm, *, status: int = 200, **extra: Any) -> HttpResponse:
    jobs = ReinspectionJob.objects.for_clinic(clinic).select_related("rule_set")
    context = {
        "form": form,
        "active": service.active_rules(clinic),
        "versions": list(RuleSet.objects.for_clinic(clinic).select_related("created_by")[:VERSIONS]),
        "job": jobs.first(),
        "sample": request.POST.get("sample", "")[:SAMPLE],
        "tab": "rules",
        **links(request, clinic), **extra,
    }  # fmt: skip
    return render(request, "conversations/rules.html", context, status=status)


def _form(request: StaffRequest, clinic: Clinic) -> RulesForm:
    active = service.active_rules(clinic)
    return RulesForm(request.POST or None, rules=active.data, version=active.version)


@requires(Permission.EDIT_CHAT_RULES)
@require_GET
def chat_rules(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Thresholds, word lists and codes, with a box to try them."""
    return _editor(request, clinic, _form(request, clinic))


@requires(Permission.EDIT_CHAT_RULES)
@require_POST
def chat_rules_save(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Save what the form says as a new version."""
    form = _form(request, clinic)
    if not form.is_valid():
        return _editor(request, clinic, form, status=422)
    said = form.cleaned_data
    facts = {"note": said["note"], "seen": said["seen"], "reinspect": said["reinspect"]}
    try:
        saved = service.save_rules(clinic=clinic, data=form.data_read, by=request.user, **facts)
    except Changed as error:
        theirs = service.differences(form.data_read, error.now.data)
        return _editor(request, clinic, form, status=409, conflict=error, theirs=theirs)
    messages.success(request, _("Rules saved: version %(n)s") % {"n": saved.version})
    return redirect("chat_rules")


@requires(Permission.EDIT_CHAT_RULES)
@require_POST
def chat_rules_try(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Inspect the pasted text by the rules on the form, saved or not."""
    form = _form(request, clinic)
    if not form.is_valid():
        return _tried(request, clinic, form, {"try_error": _("Mend the rules first.")}, status=422)
    sample = request.POST.get("sample", "")[:SAMPLE]
    said, found, verdict = service.try_on(sample, Rules.from_data(form.data_read))
    findings = transcript.dressed(found)
    context = {
        "rows": transcript.rows_of(said, findings, None),
        "whole": [finding for finding in findings if finding.message is None],
        "findings": findings, "verdict": verdict, "tried": True,
    }  # fmt: skip
    return _tried(request, clinic, form, context)


def _tried(
    request: StaffRequest, clinic: Clinic, form: RulesForm, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    if request.htmx:
        return render(request, "conversations/_tried.html", context, status=status)
    return _editor(request, clinic, form, status=status, **context)


@requires(Permission.EDIT_CHAT_RULES)
@require_POST
def chat_rules_preview(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Begin to count what the rules on the form would change of the latest chats."""
    form = _form(request, clinic)
    if not form.is_valid():
        context = {"preview_error": _("Mend the rules first.")}
        if request.htmx:
            return render(request, "conversations/_rules_preview.html", context, status=422)
        return _editor(request, clinic, form, status=422, **context)
    token = service.start_preview(clinic=clinic, data=form.data_read, by=request.user)
    if request.htmx:
        return render(request, "conversations/_rules_preview.html", {"preview": _progress(clinic, token, request)})
    return redirect("chat_rules_preview_step", token=token)


def _progress(clinic: Clinic, token: str, request: StaffRequest) -> dict[str, Any]:
    """Take the next step, and say how far it is and what was found."""
    state = service.preview_step(clinic=clinic, token=token, by=request.user)
    if state is None:
        raise Http404
    codes = sorted({*state["added"], *state["removed"]}, key=lambda code: -CODES[code].severity)
    rows = [
        {"label": CODES[code].label, "added": state["added"].get(code, 0), "removed": state["removed"].get(code, 0),
         "more": state["examples"].get(f"added:{code}", []), "fewer": state["examples"].get(f"removed:{code}", [])}
        for code in codes
    ]  # fmt: skip
    total = len(state["ids"])
    return {"token": token, "done": state["done"], "total": total, "changed": state["changed"], "rows": rows,
            "is_over": state["done"] >= total}  # fmt: skip


@requires(Permission.EDIT_CHAT_RULES)
@require_GET
def chat_rules_preview_step(request: StaffRequest, clinic: Clinic, token: str) -> HttpResponse:
    """Go on counting; without htmx a page that leads on. Writes nothing but the preview's memory."""
    context = {"preview": _progress(clinic, token, request)}
    page = "conversations/_rules_preview.html" if request.htmx else "conversations/rules_preview.html"
    return render(request, page, context)


@requires(Permission.EDIT_CHAT_RULES)
@require_GET
def chat_rules_job(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """How far the latest inspection of earlier chats is."""
    job = ReinspectionJob.objects.for_clinic(clinic).select_related("rule_set").first()
    if not request.htmx:
        return redirect("chat_rules")
    return render(request, "conversations/_rules_job.html", {"job": job})


@requires(Permission.EDIT_CHAT_RULES)
@require_http_methods(["GET", "POST"])
def chat_rules_version(request: StaffRequest, clinic: Clinic, version: int) -> HttpResponse:
    """What an earlier version changed of the rules as they stand; POST makes it the newest again. 0: the built-in."""
    active = service.active_rules(clinic)
    if version:
        rows = RuleSet.objects.for_user(request.user).for_clinic(clinic)
        chosen = get_object_or_404(rows, version=version)
    else:
        chosen = RuleSet(clinic=clinic, version=0, data={})
    if request.method == "POST":
        note = _("as version %(n)s") % {"n": version} if version else _("the built-in rules")
        saved = service.save_rules(clinic=clinic, data=chosen.data, note=note, seen=active.version, by=request.user)
        messages.success(request, _("Rules saved: version %(n)s") % {"n": saved.version})
        return redirect("chat_rules")
    context = {"chosen": chosen, "active": active, "lines": service.differences(active.data, chosen.data)}
    return render(request, "conversations/rules_version.html", context)

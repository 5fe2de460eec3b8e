"""Appealing a finding, and the answer."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from conversations import queries
from conversations.errors import Changed, Refused
from conversations.forms import AnswerForm, AppealForm
from conversations.models import Appeal
from conversations.services import appeals
from conversations.transcript import dressed
from conversations.views.common import chat_url, dialog, done, get_chat, get_finding
from conversations.views.page import chat_page


@requires(Permission.VIEW_CONVERSATIONS)
@require_http_methods(["GET", "POST"])
def finding_appeal(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Say why a finding about one's own words does not hold; once."""
    finding = get_finding(request, clinic, pk)
    form, status = AppealForm(request.POST or None), 200
    if request.method == "POST" and form.is_valid():
        try:
            appeals.make_appeal(finding=finding, text=form.cleaned_data["text"], by=request.user)
        except Changed as error:
            form.add_error(None, error.message)
            status = 409
        except Refused as error:
            form.add_error(error.field, error.message)
        else:
            messages.success(request, _("Appeal handed in"))
            return done(request, chat_url(finding.conversation_id))
    if form.errors and status == 200:
        status = 422
    context = {"form": form, "finding": dressed([finding])[0]}
    back = chat_url(finding.conversation_id)
    return dialog(request, "conversations/_appeal_form.html", context, title=_("Appeal"), back=back, status=status)


@requires(Permission.SCORE_CONVERSATIONS)
@require_POST
def appeal_answer(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Answer an appeal: the finding stands, or is withdrawn and the score follows."""
    rows = Appeal.objects.for_user(request.user).for_clinic(clinic)
    rows = rows.filter(finding__conversation__in=queries.visible(request.user, clinic).values("pk"))
    appeal = get_object_or_404(rows.select_related("finding"), pk=pk)
    chat = get_chat(request, clinic, appeal.finding.conversation_id)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return chat_page(request, clinic, chat, status=422, answer_error=_("Choose an answer."), answering=appeal.pk)
    said = form.cleaned_data
    try:
        appeals.answer_appeal(appeal=appeal, upheld=said["upheld"] == "yes", answer=said["answer"], by=request.user)
    except Changed as error:
        return chat_page(request, clinic, chat, status=409, answer_error=error.message, answering=appeal.pk)
    except Refused as error:
        told = {"answer_error": error.message, "answering": appeal.pk, "answer_text": said["answer"]}
        return chat_page(request, clinic, chat, status=422, **told)
    done_words = _("Appeal upheld; the finding is withdrawn.") if said["upheld"] == "yes" else _("The finding stands.")
    messages.success(request, done_words)
    return redirect(chat_url(chat.pk))

"""How a clinic's messages read and leave: texts, quiet hours, senders."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from followups import ad_words, message_sets
from followups.errors import Refused
from followups.message_forms import (
    LANGUAGES,
    MessagingSettingsForm,
    ProviderForm,
    SenderForm,
    TemplateForm,
    TemplateKeyForm,
    providers_for,
)
from followups.models import MessageTemplate, SenderAccount
from followups.models.messages import MessageChannel, MessagePurpose
from followups.services import messaging, templates
from followups.services.reminders import settings_of


@requires(Permission.MANAGE_MESSAGES)
@require_GET
def message_templates(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The texts by purpose in one language and channel, a clinic's own marked; ?language= ?channel=."""
    languages, channels = dict(LANGUAGES), dict(MessageChannel.choices)
    language = request.GET.get("language", "")
    language = language if language in languages else "zh-hans"
    channel = request.GET.get("channel", "")
    channel = channel if channel in channels else MessageChannel.SMS.value
    own = {t.purpose: t for t in MessageTemplate.objects.for_clinic(clinic).filter(language=language, channel=channel)}
    rows = [
        {"purpose": value, "label": label, "own": own.get(value), "body": _shown(own.get(value), value, language)}
        for value, label in MessagePurpose.choices
    ]
    context = {"rows": rows, "language": language, "channel": channel, "languages": LANGUAGES,
               "channels": MessageChannel.choices}  # fmt: skip
    return render(request, "followups/message_templates.html", context)


def _shown(own: MessageTemplate | None, purpose: str, language: str) -> str:
    return own.body if own is not None and own.is_active else message_sets.built_in(purpose, language)


@requires(Permission.MANAGE_MESSAGES)
@require_http_methods(["GET", "POST"])
def message_template(request: StaffRequest, clinic: Clinic, purpose: str, language: str, channel: str) -> HttpResponse:
    """Change the words of a purpose, with a preview; what cannot be filled in is refused beside the field."""
    key = TemplateKeyForm({"purpose": purpose, "language": language, "channel": channel})
    if not key.is_valid():
        raise Http404
    own = MessageTemplate.objects.for_clinic(clinic).filter(**key.cleaned_data).first()
    initial = {
        "body": own.body if own else message_sets.built_in(purpose, language),
        "provider_code": own.provider_code if own else "",
        "is_active": own is None or own.is_active,
    }
    form = TemplateForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid() and "preview" not in request.POST:
        try:
            templates.save_template(clinic=clinic, by=request.user, **key.cleaned_data, **form.cleaned_data)
        except Refused as error:
            form.add_error(error.field, error.message)
        else:
            messages.success(request, _("Text saved"))
            return redirect(f"{reverse('message_templates')}?language={language}&channel={channel}")
    context = _template_context(clinic, form, key.cleaned_data, own)
    return render(request, "followups/message_template.html", context, status=422 if form.errors else 200)


def _template_context(
    clinic: Clinic, form: TemplateForm, key: dict[str, str], own: MessageTemplate | None
) -> dict[str, Any]:
    purpose = key["purpose"]
    body = str(form["body"].value() or "")
    found = ad_words.check(body, marketing=purpose in message_sets.NATURES, words=templates.ad_list(clinic))
    sample = message_sets.SAMPLES | {"clinic": clinic.name, "address": clinic.address, "phone": clinic.phone}
    return {
        "form": form,
        "own": own,
        "label": MessagePurpose(purpose).label,
        "places": [(f"{{{name}}}", message_sets.VARIABLES[name]) for name in message_sets.ALLOWED[purpose]],
        "preview": message_sets.fill(body, sample),
        "found": found,
        "ask": bool(found.flagged) and not found.refused,
        "back": f"{reverse('message_templates')}?language={key['language']}&channel={key['channel']}",
        **key,
    }


@requires(Permission.MANAGE_MESSAGES)
@require_POST
def message_template_reset(
    request: StaffRequest, clinic: Clinic, purpose: str, language: str, channel: str
) -> HttpResponse:
    """Go back to the built-in words."""
    rows = MessageTemplate.objects.for_clinic(clinic)
    own = rows.filter(purpose=purpose, language=language, channel=channel).first()
    if own is not None:
        templates.reset_template(template=own, by=request.user)
    messages.success(request, _("The built-in text is back"))
    return redirect("message_template", purpose, language, channel)


@requires(Permission.MANAGE_MESSAGES)
@require_http_methods(["GET", "POST"])
def message_settings(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Quiet hours, the day's limit, reminders, and the words of medical advertising."""
    form = MessagingSettingsForm(request.POST or None, instance=settings_of(clinic))
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in messaging.CHOICES}
        messaging.save_settings(clinic=clinic, by=request.user, words=form.words(), **values)
        messages.success(request, _("Settings saved"))
        return redirect("message_settings")
    return render(request, "followups/message_settings.html", {"form": form}, status=422 if form.errors else 200)


@requires(Permission.MANAGE_MESSAGES)
@require_GET
def sender_list(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Who sends each channel."""
    accounts = {a.channel: a for a in SenderAccount.objects.for_clinic(clinic).select_related("updated_by")}
    rows = [
        {"channel": value, "label": label, "account": accounts.get(value)} for value, label in MessageChannel.choices
    ]
    return render(request, "followups/senders.html", {"rows": rows})


@requires(Permission.MANAGE_MESSAGES)
@require_http_methods(["GET", "POST"])
def sender_edit(request: StaffRequest, clinic: Clinic, channel: str) -> HttpResponse:
    """Choose who sends a channel, and with which settings; ?provider=."""
    if channel not in MessageChannel.values:
        raise Http404
    account = SenderAccount.objects.for_clinic(clinic).select_related("clinic").filter(channel=channel).first()
    chosen = ProviderForm(request.POST if request.method == "POST" else request.GET, channel=channel)
    provider = chosen.cleaned_data["provider"] if chosen.is_valid() else (account.provider if account else "log")
    form = SenderForm(request.POST or None, provider=provider, account=account, clinic=clinic)
    if request.method == "POST" and chosen.is_valid() and form.is_valid():
        try:
            messaging.save_sender(
                clinic=clinic, channel=channel, provider=provider, is_on=form.cleaned_data["is_on"],
                config=form.config(), by=request.user,
            )  # fmt: skip
        except Refused as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, _("Sender saved"))
            return redirect("sender_list")
    context = {
        "form": form,
        "channel": channel,
        "label": MessageChannel(channel).label,
        "provider": provider,
        "providers": providers_for(channel),
        "callback": _callback(request, account) if account and account.provider == provider != "log" else "",
    }
    wrong = request.method == "POST" and (form.errors or not chosen.is_valid())
    return render(request, "followups/sender.html", context, status=422 if wrong else 200)


def _callback(request: StaffRequest, account: SenderAccount) -> str:
    """Return the address that the provider reports to."""
    path = reverse("message_callback", args=[account.pk, messaging.callback_token(account)])
    return request.build_absolute_uri(path)

"""The patient's own form behind the signed link: no sign-in, nothing but this one form.

The views are exempt from the CSRF check: they use no cookie, the address itself is the secret, and under
`Referrer-Policy: no-referrer` browsers send no origin to check.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.access import public
from accounts.middleware import chosen_language
from consultations.answer_form import AnswerForm
from consultations.form_links import LinkExpired, LinkInvalid
from consultations.form_rules import Group, Question, spoken
from consultations.models import ConsultationForm
from consultations.scripts import salutation
from consultations.services.forms import FormClosed, Sheet, save_answers, sheet_of
from consultations.services.patient_form import form_behind, give_consent, hand_in
from patients.errors import Refused
from patients.services.consents import needs_guardian

WHY = "the signed link is the key: it opens one patient's form for a day"
LANGUAGES = ("zh-hans", "en")
PER_MINUTE = 60  # requests to one form
GUESSES_PER_MINUTE = 20  # wrong links from one address
PageView = Callable[..., HttpResponse]


def _too_many(key: str, limit: int) -> bool:
    """Count a request; tell whether the minute's limit is passed. Without the cache nobody is held up."""
    try:
        cache.add(key, 0, timeout=60)
        return cache.incr(key) > limit
    except Exception:
        return False


def _language(request: HttpRequest) -> str:
    asked = request.GET.get("lang", "")
    return asked if asked in LANGUAGES else LANGUAGES[0]


def _show(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render a screen; notices meant for staff who use the same browser stay out."""
    template = f"consultations/patient_form/{name}.html"
    return render(request, template, {"messages": (), "clinic": None, **context}, status=status)


def _closed(request: HttpRequest, why: str, status: int) -> HttpResponse:
    return _show(request, "closed", {"why": why}, status)


def _unknown(request: HttpRequest) -> HttpResponse:
    """Answer a link that leads to no form, in the language that this browser chose."""
    guesses = f"patient-form-wrong:{request.META.get('REMOTE_ADDR', '')}"
    language = _language(request) if request.GET.get("lang") else chosen_language(request)
    with translation.override(language):
        return _closed(request, "invalid", 429 if _too_many(guesses, GUESSES_PER_MINUTE) else 404)


def _answer(view: PageView, request: HttpRequest, token: str, **kwargs: Any) -> HttpResponse:
    try:
        form = form_behind(token)
    except LinkExpired:
        return _closed(request, "expired", 410)
    except FormClosed:
        return _closed(request, "closed", 410)
    except LinkInvalid:
        return _unknown(request)
    if _too_many(f"patient-form:{form.pk}", PER_MINUTE):
        return _closed(request, "busy", 429)
    try:
        with timezone.override(form.visit.clinic.tz):
            return view(request, form, Page(request, form, token), **kwargs)
    except FormClosed:
        return _closed(request, "closed", 410)


def patient_page(view: PageView) -> PageView:
    """Open the form behind the link for `view`, in the language asked for, uncached and unindexed."""

    @wraps(view)
    def wrapper(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponse:
        with translation.override(_language(request)):
            response = _answer(view, request, token, **kwargs)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return csrf_exempt(wrapper)


class Page:
    """Addresses and words that all screens of one form share."""

    def __init__(self, request: HttpRequest, form: ConsultationForm, token: str) -> None:
        self.token = token
        self.language = _language(request)
        self.tablet = request.GET.get("tablet") == "1"
        self.path = request.path
        self.sheet: Sheet = sheet_of(form, self.language)
        self.salutation = salutation(form.visit.patient)
        self.clinic = form.visit.clinic

    @property
    def query(self) -> str:
        return self._query(self.language)

    def _query(self, language: str) -> str:
        parts = ["tablet=1"] * self.tablet + [f"lang={language}"] * (language != LANGUAGES[0])
        return f"?{'&'.join(parts)}" if parts else ""

    def url(self, name: str, *args: Any) -> str:
        return reverse(name, args=[self.token, *args]) + self.query

    @property
    def other_language(self) -> tuple[str, str]:
        """The label and address of this screen in the other language."""
        other, label = ("en", "English") if self.language == LANGUAGES[0] else (LANGUAGES[0], "中文")
        return label, self.path + (self._query(other) or "?")

    @property
    def groups(self) -> list[Group]:
        """The groups that have something to ask, in order."""
        return [group for group in self.sheet.groups if self.sheet.asked(group)]

    def resume_url(self) -> str:
        """The first screen on which nothing was answered yet; the review when all were seen."""
        answers = self.sheet.form.answers
        for number, group in enumerate(self.groups, start=1):
            if not any(question.code in answers for question in group.questions):
                return self.url("patient_form_step", number)
        return self.url("patient_form_review")


@public(WHY)
@patient_page
@require_http_methods(["GET", "HEAD", "POST"])
def patient_form(request: HttpRequest, form: ConsultationForm, page: Page) -> HttpResponse:
    """The beginning: consent first, then on to where the patient left off."""
    refused, error = False, ""
    if request.method == "POST" and not form.consented_at:
        refused = request.POST.get("care") != "1"
        try:
            if not refused:
                give_consent(form=form, **_agreed(request))
                return redirect(page.resume_url())
        except Refused as refusal:
            error = refusal.message
    if form.consented_at:
        return redirect(page.url("patient_form_done") if form.patient_submitted_at else page.resume_url())
    child = needs_guardian(form.visit.patient)
    context = {"page": page, "refused": refused, "error": error, "child": child, "said": request.POST}
    return _show(request, "consent", context, 422 if refused or error else 200)


def _agreed(request: HttpRequest) -> dict[str, Any]:
    """Return what was ticked, and the guardian who ticked it for a child."""
    ticked = {name: request.POST.get(name) == "1" for name in ("contact", "marketing")}
    return ticked | {
        "guardian_name": request.POST.get("guardian_name", "")[:60],
        "guardian_relation": request.POST.get("guardian_relation", "")[:20],
    }


@public(WHY)
@patient_page
@require_http_methods(["GET", "HEAD", "POST"])
def patient_form_step(request: HttpRequest, form: ConsultationForm, page: Page, number: int) -> HttpResponse:
    """One group of questions; every way off the screen saves it."""
    groups = page.groups
    if not form.consented_at or not 1 <= number <= len(groups):
        return redirect(page.url("patient_form"))
    group = groups[number - 1]
    answers = AnswerForm([group], form.answers, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        valid = answers.is_valid()
        saved = save_answers(form=form, sent=answers.sent(), seen=answers.seen(), by=None)
        page.sheet = sheet_of(saved, page.language)
        if valid or request.POST.get("go") in {"back", "language"}:
            return redirect(_next_url(page, group, request.POST.get("go", "")))
    context = {
        "page": page,
        "answer_form": answers,
        "section": answers.sections[0],
        "number": number,
        "count": len(groups),
        "back_url": page.url("patient_form_step", number - 1) if number > 1 else "",
    }
    return _show(request, "step", context, 422 if answers.errors else 200)


def _next_url(page: Page, group: Group, go: str) -> str:
    """Where the screen leads; answers may have changed which groups there are, so count from this one."""
    codes = [g.code for g in page.groups]
    here = codes.index(group.code) + 1 if group.code in codes else 1
    if go == "language":
        return page.other_language[1]
    target = here - 1 if go == "back" else here + 1
    return page.url("patient_form_step", max(1, target)) if target <= len(codes) else page.url("patient_form_review")


def _said(question: Question, form: ConsultationForm, missing: set[str]) -> tuple[str, str, bool]:
    """Return a question, the answer in words and whether it must still be given."""
    return question.label, spoken(question, form.answers.get(question.code)), question.code in missing


@public(WHY)
@patient_page
@require_http_methods(["GET", "HEAD", "POST"])
def patient_form_review(request: HttpRequest, form: ConsultationForm, page: Page) -> HttpResponse:
    """All answers on one screen before they are handed in."""
    if not form.consented_at:
        return redirect(page.url("patient_form"))
    if request.method == "POST":
        hand_in(form=form)
        return redirect(page.url("patient_form_done"))
    missing = {question.code for question in page.sheet.progress.missing}
    sections = [
        {
            "title": group.title,
            "url": page.url("patient_form_step", number),
            "rows": [row for q in page.sheet.asked(group) if any((row := _said(q, form, missing))[1:])],
        }
        for number, group in enumerate(page.groups, start=1)
    ]
    context = {"page": page, "sections": sections, "missing_count": len(missing), "count": len(sections)}
    return _show(request, "review", context)


@public(WHY)
@patient_page
@require_http_methods(["GET", "HEAD"])
def patient_form_done(request: HttpRequest, form: ConsultationForm, page: Page) -> HttpResponse:
    """Thanks; the answers can still be changed until the coordinator completes the form."""
    if not form.patient_submitted_at:
        return redirect(page.url("patient_form"))
    return _show(request, "done", {"page": page})

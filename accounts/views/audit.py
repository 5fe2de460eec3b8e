"""The audit log of a clinic."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_GET

from accounts.access import StaffRequest, requires
from accounts.audit_words import ACTIONS, FACTS, action_name, fact_name
from accounts.forms import LIMITED_STAGES, AuditFilterForm
from accounts.models import AuditEvent, AuditEventQuerySet, Clinic, User
from accounts.permissions import Permission, Role

PAGE = 50
SHOWN_BY = {"patient": "patient", "visit": "visit"}  # subject → the route of its page
# Codes that details hold, in words.
CODE_NAMES = {**dict(Role.choices), "phone": gettext_lazy("Phone"), "wechat": gettext_lazy("WeChat"), "qq": "QQ"}
STAGE_NAMES = {code: label for code, label, _minutes in LIMITED_STAGES}
MONEY = frozenset({"amount", "cost", "price"})
FACT_ORDER = {key: place for place, key in enumerate(FACTS)}


@dataclass(frozen=True)
class AuditLine:
    """One event in words."""

    at: datetime
    actor: User | None
    action: str
    subject: str
    url: str
    detail: list[tuple[str, str]]


@requires(Permission.VIEW_AUDIT)
@require_GET
def audit_log(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """List what was seen, exported and changed in the clinic, newest first."""
    actions = {code: action_name(code) for code in ACTIONS}
    form = AuditFilterForm(request.GET or None, clinic=clinic, actions=actions)
    events = AuditEvent.objects.for_user(request.user, Permission.VIEW_AUDIT).for_clinic(clinic)
    if form.is_valid():
        events = _filtered(events, form.cleaned_data, clinic)
    rows, older = _page(events, request.GET.get("before", ""))
    chosen = {key: value for key, value in request.GET.items() if key in form.fields and value}
    context = {
        "lines": _lines(rows),
        "form": form,
        "filtered": bool(chosen),
        "older": "?" + urlencode(chosen | {"before": older}) if older else "",
        "newest": "?" + urlencode(chosen) if request.GET.get("before") else "",
    }
    return render(request, "accounts/audit_log.html", context)


def _filtered(events: AuditEventQuerySet, wanted: dict[str, Any], clinic: Clinic) -> AuditEventQuerySet:
    if wanted["actor"]:
        events = events.filter(actor=wanted["actor"])
    if wanted["action"]:
        events = events.filter(action=wanted["action"])
    if wanted["since"]:
        events = events.filter(at__gte=clinic.day_bounds(wanted["since"])[0])
    if wanted["until"]:
        events = events.filter(at__lt=clinic.day_bounds(wanted["until"])[1])
    return events


def _page(events: AuditEventQuerySet, before: str) -> tuple[list[AuditEvent], str]:
    """Return one page of events and the key of the next, older one; a key that is none counts as no key."""
    moment, _sep, number = before.rpartition("~")
    try:
        at = parse_datetime(moment)
    except ValueError:
        at = None
    if at is not None and at.tzinfo is not None and number.isdecimal() and len(number) < 19:
        events = events.filter(Q(at__lt=at) | Q(at=at, pk__lt=int(number)), at__lte=at)
    rows = list(events.select_related("actor").order_by("-at", "-pk")[: PAGE + 1])
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return rows[:PAGE], f"{last.at.isoformat()}~{last.pk}" if last else ""


def _lines(rows: list[AuditEvent]) -> list[AuditLine]:
    people = {row.subject_id for row in rows if row.subject == "user"}
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=people)} if people else {}
    return [_line(row, names) for row in rows]


def _line(row: AuditEvent, names: dict[int, str]) -> AuditLine:
    subject = names.get(row.subject_id or 0, "") if row.subject == "user" else _subject(row)
    facts = sorted(row.detail.items(), key=lambda fact: FACT_ORDER.get(fact[0], len(FACT_ORDER)))
    detail = [
        (fact_name(key), _money(value) if key in MONEY else _stage(value) if key == "stage" else _value(value))
        for key, value in facts
        if value not in ("", None)
    ]
    return AuditLine(row.at, row.actor, action_name(row.action), subject, _url(row), detail)


def _subject(row: AuditEvent) -> str:
    found = (config.models.get(row.subject) for config in apps.get_app_configs())
    model = next((model for model in found if model is not None), None)
    name = str(model._meta.verbose_name) if model else row.subject
    return f"{name} {row.subject_id}" if row.subject_id else name


def _url(row: AuditEvent) -> str:
    route = SHOWN_BY.get(row.subject)
    try:
        return reverse(route, args=[row.subject_id]) if route and row.subject_id else ""
    except NoReverseMatch:
        return ""


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{STAGE_NAMES.get(key) or fact_name(key)} {_value(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_value(inner) for inner in value)
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return str(CODE_NAMES.get(value, value)) if isinstance(value, str) else str(value)


def _stage(value: Any) -> str:
    return str(STAGE_NAMES.get(value, value)) if isinstance(value, str) else _value(value)


def _money(value: Any) -> str:
    """Return an amount as the pages write it; what is no amount stands as it was kept."""
    try:
        return f"¥{Decimal(str(value)):,.2f}".removesuffix(".00")
    except InvalidOperation:
        return _value(value)

"""The rubrics, and the monthly score of each consultant's WeChat and QQ front."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts import reading
from accounts.access import StaffRequest, requires
from accounts.models import Clinic, Membership, User
from accounts.permissions import Permission, Role
from conversations.errors import Changed, Refused
from conversations.forms import ChatRubricForm, FrontItems, FrontScoreForm
from conversations.models import FrontScore, Rubric
from conversations.services.rubrics import active_rubric, save_rubric, score_front
from conversations.views.common import links, scores
from conversations.views.page import level_of

HISTORY = 13  # months


def _rubrics(request: StaffRequest, clinic: Clinic, *, status: int = 200, **extra: Any) -> HttpResponse:
    chat, front = (active_rubric(clinic, kind) for kind in (Rubric.Kind.CHAT, Rubric.Kind.FRONT))
    context = {
        "chat": chat, "front": front,
        "chat_form": ChatRubricForm(rubric=chat),
        "front_items": FrontItems(initial=front.data, prefix="items"),
        "versions": list(Rubric.objects.for_clinic(clinic).select_related("created_by")[:20]),
        "tab": "rubrics",
        **links(request, clinic), **extra,
    }  # fmt: skip
    return render(request, "conversations/rubrics.html", context, status=status)


def _save(
    request: StaffRequest, clinic: Clinic, kind: str, data: Any, seen: int, bound: dict[str, Any]
) -> HttpResponse:
    try:
        saved = save_rubric(clinic=clinic, kind=kind, data=data, seen=seen, by=request.user)
    except Changed as error:
        return _rubrics(request, clinic, status=409, conflict=error, conflict_kind=kind, **bound)
    except Refused as error:
        return _rubrics(request, clinic, status=422, refused=error.message, **bound)
    messages.success(request, _("Rubric saved: version %(n)s") % {"n": saved.version})
    return redirect("chat_rubrics")


@requires(Permission.EDIT_CHAT_RULES)
@require_http_methods(["GET", "POST"])
def chat_rubrics(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """What faults cost, and what a front is scored by; saving makes a new version."""
    if request.method == "GET":
        return _rubrics(request, clinic)
    if request.POST.get("kind") == Rubric.Kind.CHAT:
        form = ChatRubricForm(request.POST, rubric=active_rubric(clinic, Rubric.Kind.CHAT))
        if not form.is_valid():
            return _rubrics(request, clinic, status=422, chat_form=form)
        return _save(
            request, clinic, Rubric.Kind.CHAT, form.rubric_data, form.cleaned_data["seen"], {"chat_form": form}
        )
    items = FrontItems(request.POST, prefix="items")
    seen = reading.whole_number(request.POST.get("seen"))
    if not items.is_valid() or seen is None:
        return _rubrics(request, clinic, status=422, front_items=items)
    data = [
        {"code": row["code"] or get_random_string(8), "label": row["label"].strip(), "points": row["points"] or 0,
         "help": row["help"].strip()}
        for row in items.cleaned_data
        if row.get("label") or row.get("points")
    ]  # fmt: skip
    return _save(request, clinic, Rubric.Kind.FRONT, data, seen, {"front_items": items})


def _month(request: StaffRequest, clinic: Clinic) -> date:
    said = reading.day(f"{request.POST.get('month') or request.GET.get('month', '')}-01")
    return said or clinic.today().replace(day=1)


def _shifted(month: date, by: int) -> date:
    years, index = divmod(month.year * 12 + month.month - 1 + by, 12)
    return date(years, index + 1, 1)


def _people(request: StaffRequest, clinic: Clinic) -> list[User]:
    """Online consultants of the clinic; a consultant sees only themselves."""
    held = Membership.objects.people().for_clinic(clinic).with_role(Role.ONLINE_CONSULTANT)
    if not scores(request, clinic):
        held = held.filter(user=request.user)
    return [row.user for row in held.select_related("user").order_by("user__full_name", "user")]


@requires(Permission.VIEW_CONVERSATIONS)
@require_GET
def fronts(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Each consultant's front in a month; ?month=2026-11."""
    month = _month(request, clinic)
    people = _people(request, clinic)
    rows = FrontScore.objects.for_clinic(clinic).filter(
        consultant__in=people, month__gte=_shifted(month, 1 - HISTORY), month__lte=month
    )
    by_person: dict[int, dict[date, FrontScore]] = {}
    for row in rows.select_related("scored_by").order_by("month"):
        by_person.setdefault(row.consultant_id, {})[row.month] = row
    shown = []
    for person in people:
        known = by_person.get(person.pk, {})
        now = known.get(month)
        trend = [float(score.score) for score in known.values()]
        shown.append({"person": person, "score": now, "level": level_of(now.score) if now else "", "trend": trend})
    context = {
        "month": month, "rows": shown, "manages": scores(request, clinic), "tab": "fronts",
        "before": _shifted(month, -1), "next": _shifted(month, 1) if _shifted(month, 1) <= clinic.today() else None,
        **links(request, clinic),
    }  # fmt: skip
    return render(request, "conversations/fronts.html", context)


@requires(Permission.VIEW_CONVERSATIONS)
@require_http_methods(["GET", "POST"])
def front(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """One consultant's front: the score of a month, with the months before. Managers give it."""
    people = User.objects.for_user(request.user).for_clinic(clinic)
    manages = scores(request, clinic)
    person = get_object_or_404(people if manages else people.filter(pk=request.user.pk), pk=pk)
    month = _month(request, clinic)
    rows = FrontScore.objects.for_clinic(clinic).filter(consultant=person).select_related("rubric", "scored_by")
    current = rows.filter(month=month).first()
    rubric = active_rubric(clinic, Rubric.Kind.FRONT)
    initial = {**(current.points if current else {}), "note": current.note if current else ""}
    form = FrontScoreForm(request.POST or None, items=rubric.data, initial=initial)
    if request.method == "POST" and manages and form.is_valid():
        facts = {"points": form.points, "note": form.cleaned_data["note"], "month": month}
        try:
            saved = score_front(clinic=clinic, consultant=person, by=request.user, **facts)
        except Refused as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, _("Scored: %(score)s of 100") % {"score": f"{saved.score:g}"})
            return redirect(f"{reverse('fronts')}?month={month:%Y-%m}")
    context = {
        "person": person, "month": month, "form": form, "current": current, "rubric": rubric, "manages": manages,
        "items": [{**item, "field": form[item["code"]], "given": (current.points if current else {}).get(item["code"])}
                  for item in rubric.data],
        "history": list(rows.order_by("-month")[:HISTORY]), "tab": "fronts", **links(request, clinic),
    }  # fmt: skip
    return render(request, "conversations/front.html", context, status=422 if form.errors else 200)

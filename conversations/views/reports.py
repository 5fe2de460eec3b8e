"""Reports on chats: per consultant and team, with the chats behind every number, and their exports."""

from dataclasses import replace
from typing import Any

from django.http import FileResponse, Http404, HttpResponse, HttpResponseBadRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.audit import record
from accounts.models import Clinic
from accounts.permissions import Permission
from conversations import queries
from conversations.forms import ChatFilterForm
from conversations.reports.counting import WHOLE
from conversations.reports.export import TYPES, ChatExport, table_lines, write
from conversations.reports.filters import Scope, read_scope
from conversations.reports.naming import Naming, loss_name
from conversations.reports.pages import PAGES, SWITCHED, Page
from conversations.reports.people import labels
from conversations.reports.records import Part, read_part, records, span
from conversations.reports.sorting import Order, arranged
from conversations.reports.tables import Table, seconds
from conversations.views.common import links, scores
from conversations.views.report_bar import bar_of, days_words
from patients.export import describe
from patients.forms import ExportForm

FORMATS = ("csv", "xlsx")


def _scope(request: StaffRequest, clinic: Clinic) -> Scope:
    return read_scope(request.GET.dict(), clinic, request.user)


def _group(request: StaffRequest, scope: Scope) -> str:
    """By what the lines are: consultants, or teams where the person sees more than the own line."""
    return "team" if request.GET.get("group") == "team" and not scope.own else "consultant"


@requires(Permission.VIEW_CONVERSATIONS)
@require_GET
def report(request: StaffRequest, clinic: Clinic, page: str) -> HttpResponse:
    """One page of the report. A consultant sees the own line only."""
    scope, names = _scope(request, clinic), {name: str(title) for name, (title, _build) in PAGES.items()}
    group = _group(request, scope)
    order = Order.of(request.GET.dict())
    sorted_by = order.params() if order else {}
    more = ({"group": group} if group == "team" else {}) | sorted_by
    said = {"page": page, "page_title": names[page], "scope": scope, "group": group, "now": timezone.now()}
    said |= {"bar": bar_of(scope, request.GET.dict(), more), "is_switched": page in SWITCHED and not scope.own}
    said |= {"tabs": [(name, title, f"{_address(name)}?{scope.query(**more)}") for name, title in names.items()]}
    said |= {"export_query": scope.query(page=page, **more), "manages": scores(request, clinic)}
    said |= {"by_person": f"?{scope.query(**sorted_by)}", "by_team": f"?{scope.query(**sorted_by, group='team')}"}
    if scope.trouble:
        return render(request, "conversations/report.html", said | links(request, clinic), status=422)
    built = _built(page, scope, group, order)
    said |= {"tables": built.tables, "by_slug": {table.slug: table for table in built.tables}, **built.extra}
    said["days"] = days_words(built.extra.get("shown", scope.window))
    said |= {"whole": built.whole, "cards": _cards(scope, built.whole) if page == "people" else []}
    return render(request, "conversations/report.html", said | links(request, clinic))


def _built(page: str, scope: Scope, group: str, order: Order | None) -> Page:
    """Count a page, its tables in the order that the address asks for."""
    built, said = PAGES[page][1](scope, group), scope.params() | ({"group": group} if group == "team" else {})
    return replace(built, tables=[arranged(table, order, said) for table in built.tables])


def _address(page: str) -> str:
    return reverse("conversation_reports" if page == "people" else f"conversation_reports_{page}")


def _cards(scope: Scope, whole: Any) -> list[dict[str, Any]]:
    """The whole in six numbers."""
    naming, words = Naming(scope, "consultant"), labels()
    found: list[dict[str, Any]] = [
        {"label": _("Chats"), "value": f"{whole.chats:,}", "href": naming.link(WHOLE),
         "under": _("%(n)s effective") % {"n": f"{whole.effective:,}"}},
    ]  # fmt: skip
    for part in ("contact", "booking", "arrival", "acceptance"):
        share, cost = whole.share(part), whole.cost_per(part)
        each = _("¥%(cost)s each") % {"cost": f"{round(cost):,}"} if cost is not None else ""
        found.append(
            {"label": words[part], "share": share, "href": naming.link(WHOLE, part), "under": each,
             "value": f"{share.percent:.1f}%" if share.of else "—"}
        )  # fmt: skip
    lost = f"¥{round(whole.lost_cost):,}"
    under = _("%(n)s chats without contact") % {"n": f"{whole.lost:,}"}
    href, tone = naming.link(WHOLE, lost=True), "bad" if whole.lost_cost else ""
    return [*found, {"label": pgettext("money", "Lost"), "value": lost, "href": href, "under": under, "tone": tone}]


def _about(scope: Scope, part: Part) -> list[str]:
    """Say which chats a list holds: the line, the part, and how they were narrowed."""
    known = labels() | {
        "chats": _("Chats"), "scored": _("with a score"), "carded": _("scored by a manager"),
        "unanswered": _("Never answered"), "no_show": _("No-show"),
    }  # fmt: skip
    told = [known.get(part.name, "")]
    if part.name == "loss":
        told = [loss_name(part.value)]
    elif part.name in ("reply", "silence"):
        low, high = span(part.value)
        kind = _("First reply") if part.name == "reply" else _("Longest silence")
        until = f"–{seconds(high)}" if part.value.partition("-")[2] else _(" and more")
        told = [f"{kind} {seconds(low)}{until}"]
    elif part.name == "ending":
        told = [str(dict(queries.Conversation.Ending.choices).get(part.value, _("Not inspected yet")))]
    elif part.name == "coming":
        told = [_("with an appointment")]
    if part.by != "whole":
        told.insert(0, Naming(scope, part.by).learn([part.key]).name(part.key))
    told += [_("without any contact")] if part.lost else []
    return [*told, _("with a known cost")] if part.costed else told


@requires(Permission.VIEW_CONVERSATIONS)
@require_GET
def report_chats(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The chats behind a number of a report."""
    scope, part = _scope(request, clinic), read_part(request.GET.dict())
    if scope.trouble:
        raise Http404
    every = records(scope, part, request.user)
    got = list(queries.for_list(queries.after(every, request.GET.get("after", ""), "latest"))[: queries.SIZE + 1])
    rows, params = got[: queries.SIZE], scope.params() | part.params()
    queries.gravest(rows)
    here = request.path + "?" + scope.query(**part.params())
    following = scope.query(**part.params(), after=queries.cursor(rows[-1], "latest")) if len(got) > len(rows) else ""
    said = {
        "rows": rows, "scope": scope, "figures": queries.figures(every), "about": _about(scope, part),
        "days": days_words(scope.window), "manages": scores(request, clinic), "query": scope.query(**part.params()),
        "first_url": here if request.GET.get("after") else "", "next_url": f"?{following}" if following else "",
        "back": f"{reverse('conversation_reports')}?{scope.query()}", "params": params,
    }  # fmt: skip
    return render(request, "conversations/report_chats.html", said)


def _file(lines: Any, form: str, name: str) -> HttpResponseBase:
    return FileResponse(write(lines, form), as_attachment=True, filename=f"{name}.{form}", content_type=TYPES[form])


@requires(Permission.VIEW_CONVERSATIONS)
@require_POST
def report_export(request: StaffRequest, clinic: Clinic) -> HttpResponseBase:
    """One table of a report as a file; the filters stand in the address."""
    scope, page, form = _scope(request, clinic), request.GET.get("page", ""), request.POST.get("format", "")
    if page not in PAGES or form not in FORMATS or scope.trouble:
        return HttpResponseBadRequest()
    built = _built(page, scope, _group(request, scope), Order.of(request.GET.dict()))
    table: Table | None = next((one for one in built.tables if one.slug == request.POST.get("table")), None)
    if table is None:
        return HttpResponseBadRequest()
    filters = describe(scope.params().items())
    record(
        action="chat_report_exported", clinic=clinic, by=request.user, format=form, filters=filters,
        table=f"{page} {table.slug}",
    )  # fmt: skip
    name = f"chats-{page}-{table.slug}-{clinic.code}-{scope.window.start:%Y%m%d}-{scope.window.last_day:%Y%m%d}"
    return _file(table_lines(table, clinic, days_words(scope.window)), form, name)


@requires(Permission.VIEW_CONVERSATIONS)
@require_http_methods(["GET", "POST"])
def conversation_export(request: StaffRequest, clinic: Clinic) -> HttpResponseBase:
    """The chats of a list as a file: ask what for, log it, hand out exactly what the list shows."""
    if "part" in request.GET:
        scope = _scope(request, clinic)
        if scope.trouble:
            raise Http404
        rows = records(scope, read_part(request.GET.dict()), request.user)
    else:
        said = ChatFilterForm(request.GET, clinic=clinic, sees_all=scores(request, clinic)).said
        rows = queries.filtered(queries.visible(request.user, clinic), clinic, said)
    form = ExportForm(request.POST or None, initial={"format": "xlsx"})
    if request.method == "POST" and form.is_valid():
        filters = describe((name, str(value)) for name, value in request.GET.items())
        shape, why, count = form.cleaned_data["format"], form.cleaned_data["reason"], rows.order_by().count()
        record(
            action="chats_exported", clinic=clinic, by=request.user, count=count, filters=filters, format=shape,
            reason=why,
        )  # fmt: skip
        return _file(ChatExport(rows, clinic).lines(), shape, f"chats-{clinic.code}-{clinic.today():%Y%m%d}")
    back = reverse("conversation_report_chats" if "part" in request.GET else "conversations")
    shown = {"form": form, "count": rows.order_by().count(), "back": f"{back}?{request.GET.urlencode()}"}
    return render(request, "conversations/report_export.html", shown, status=422 if form.is_bound else 200)

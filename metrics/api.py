"""The key figures for other programs: the same scopes, refusals and numbers as the pages."""

from collections.abc import Callable
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.http import Http404, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Permission
from accounts.reading import whole_number
from metrics.described import described, related
from metrics.filters import BadScope, read_asked
from metrics.kpis import BY_SLUG
from metrics.record_keys import record_sets
from metrics.records import exclusions_of
from metrics.reports import as_answer, gather
from metrics.scope import BREAKDOWNS, Breakdown

MOST, USUAL = 500, 100  # records in one answer
PROBLEM = "application/problem+json"


class Session(SessionAuthentication):
    """The product's own session; a stranger is told 401, and not sent to a page."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class SeesFigures(BasePermission):
    """Whoever may see key figures, at least their own, where they work now."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = cast(User, request.user)
        clinic = user.working_in if user.is_authenticated else None
        return clinic is not None and user.may(Permission.VIEW_OWN_KPIS, clinic)


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an error as problem details (RFC 9457); None for a fault of ours, which is not hidden."""
    more: dict[str, Any] = {}
    if isinstance(error, BadScope):
        status, title, detail, more = 400, _("Bad request"), str(error), {"errors": error.errors}
    elif isinstance(error, Http404 | exceptions.NotFound):
        status, title, detail = 404, _("Not found"), _("There is no such thing here.")
    elif isinstance(error, PermissionDenied | exceptions.PermissionDenied):
        status, title, detail = 403, _("Not allowed"), _("These figures are not for you.")
    elif isinstance(error, exceptions.APIException):
        status, title, detail = error.status_code, str(error.default_detail), str(error.detail)
    else:
        return None
    told = {"type": "about:blank", "title": title, "status": status, "detail": detail} | more
    headers = {"WWW-Authenticate": "Session"} if status == 401 else None
    return Response(told, status=status, headers=headers, content_type=PROBLEM)


class FiguresView(APIView):
    """What every answer of this API has in common."""

    authentication_classes = [Session]
    permission_classes = [SeesFigures]
    http_method_names = ["get", "head", "options"]
    access = (Permission.VIEW_OWN_KPIS,)

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return problem

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def params(self, request: Request) -> QueryDict:
        return request._request.GET

    def user(self, request: Request) -> User:
        return cast(User, request.user)


class Kpis(FiguresView):
    """The ten key figures: ?window= &day= or &from= &to=, ?clinic= …, ?by=coordinator|team|doctor|clinic|month."""

    def get(self, request: Request) -> Response:
        asked = read_asked(self.params(request), self.user(request))
        return Response(as_answer(gather(asked.scope, asked.window, by=read_by(self.params(request)))))


class KpiRecords(FiguresView):
    """The records behind a key figure: ?part=counted|failing|excluded:<reason>, ?limit=, ?after= (from `next`)."""

    def get(self, request: Request, slug: str) -> Response:
        kpi = BY_SLUG.get(slug)
        if kpi is None:
            raise Http404
        params = self.params(request)
        asked = read_asked(params, self.user(request))
        part = params.get("part") or "counted"
        reasons = exclusions_of(kpi, asked.scope, asked.window)
        if part not in {"counted", "failing", *(f"excluded:{code}" for code, _why, _count in reasons)}:
            raise BadScope({"part": _("Unknown value.")})
        sets = record_sets(kpi, asked.scope, asked.window, part)
        at, after, limit = _cursor(params, len(sets))
        rows, onward = _page(sets, at, after, limit)
        following = None
        if onward:
            query = params.copy()
            query["after"] = onward
            following = f"{request.path}?{query.urlencode(safe=':')}"
        told = {
            "slug": kpi.slug,
            "part": part,
            "count": sum(found.order_by().count() for found in sets),
            "excluded": [{"reason": code, "label": str(why), "count": count} for code, why, count in reasons],
            "records": [_told(row, asked.scope.clinics[0].tz) for row in rows],
            "next": following,
        }
        return Response(told)


def read_by(params: QueryDict) -> Breakdown | None:
    """Return what the figures are broken down by; raises BadScope for something else."""
    by = params.get("by", "")
    if by and by not in BREAKDOWNS:
        raise BadScope({"by": _("Unknown value.")})
    return next((known for known in BREAKDOWNS if known == by), None)


def _cursor(params: QueryDict, sets: int) -> tuple[int, int, int]:
    """Return in which set of records to go on, after which id, and how many to give."""
    limit = whole_number(params["limit"]) if params.get("limit") else USUAL
    if limit is None or not 1 <= limit <= MOST:
        raise BadScope({"limit": _("A number from 1 to %(most)s.") % {"most": MOST}})
    place, _colon, last = (params.get("after") or "0:0").partition(":")
    at, after = whole_number(place), whole_number(last)
    if at is None or after is None or at >= sets:
        raise BadScope({"after": _("Unknown value.")})
    return at, after, limit


def _page(sets: list[Any], at: int, after: int, limit: int) -> tuple[list[Any], str]:
    """Return up to `limit` records in the order of their ids, and where the next page begins ("" at the end)."""
    rows: list[tuple[int, Any]] = []
    for n in range(at, len(sets)):
        found = sets[n].filter(pk__gt=after) if n == at else sets[n]
        found = found.select_related(*related(found.model)).order_by("pk")[: limit - len(rows) + 1]
        rows += [(n, row) for row in found]
        if len(rows) > limit:
            where, last = rows[limit - 1]
            return [row for _n, row in rows[:limit]], f"{where}:{last.pk}"
    return [row for _n, row in rows], ""


def _told(record: Any, zone: ZoneInfo) -> dict[str, Any]:
    """Return one record as it goes out: no numbers to call, nothing of the person's health."""
    told = described(record)
    patient = told.patient
    return {
        "id": record.pk,
        "key": told.key,
        "clinic": told.clinic,
        "patient": {"id": patient.pk, "name": patient.name} if patient is not None else None,
        "at": timezone.localtime(told.at, zone).isoformat() if told.at else None,
        "staff": told.person or None,
        "url": told.url or None,
    }


kpis: Any = Kpis.as_view()
kpi_records: Any = KpiRecords.as_view()
for _view in (kpis, kpi_records):
    _view.access = FiguresView.access

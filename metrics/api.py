"""The key figures for other programs: the same scopes, refusals and numbers as the pages."""

from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.problems import Problem
from accounts.api.views import ApiView
from accounts.permissions import Permission
from accounts.reading import whole_number
from metrics.api_shapes import FiguresOut, RecordsOut
from metrics.described import described, related
from metrics.filters import NAMES, BadScope, read_asked
from metrics.kpis import BY_SLUG, KPIS, Companion, Kpi
from metrics.record_keys import querysets, record_sets
from metrics.records import exclusions_of, records_of
from metrics.reports import as_answer, gather
from metrics.scope import BREAKDOWNS, Breakdown
from patients.classification import Complaint
from patients.models import Channel

MOST, USUAL = 500, 100  # records in one answer


SEVERAL = frozenset({"clinic", "team", "tc", "doctor", "channel", "complaint", "visits"})


class FiguresView(ApiView):
    """What both have in common: ?clinic= names the clinics that are counted, any number of times."""

    tag = "Key figures"
    scope = "metrics"
    access = (Permission.VIEW_OWN_KPIS,)
    one_clinic = False

    def known_names(self) -> set[str]:
        return {*(self.query_names or ()), *NAMES} - {"compare"}  # which belongs to the pages

    def repeatable_names(self) -> set[str]:
        return set(SEVERAL)

    def params(self, request: Request) -> QueryDict:
        """Return what is asked, with clinics by id: they may be named by their codes, as X-Clinic names one."""
        params = request._request.GET.copy()
        ids = {clinic.code: str(clinic.pk) for clinic in self.user.clinics()}
        said = [value for value in params.getlist("clinic") if value]
        if not said and (code := request.headers.get("X-Clinic", "")):
            if code not in ids:
                raise Problem("not-found", _("There is no such clinic here."))
            said = [code]
        params.setlist("clinic", [ids.get(value, value) for value in said])
        return params


SCOPE = [
    OpenApiParameter("X-Clinic", str, "header", description="Code of the clinic that is counted without ?clinic=."),
    OpenApiParameter("window", description="day, week, month (default), quarter, year, or free with from and to"),
    OpenApiParameter("day", OpenApiTypes.DATE, description="a day of the window; today by default"),
    OpenApiParameter("from", OpenApiTypes.DATE, description="first day of a free window"),
    OpenApiParameter("to", OpenApiTypes.DATE, description="last day of a free window, itself included"),
    OpenApiParameter(
        "clinic", str, many=True, description="codes or ids, or all; without any, where the account works now"
    ),
    OpenApiParameter("as_of", OpenApiTypes.DATETIME, description="what was known at that moment"),
    OpenApiParameter("team", int, many=True, description="ids of teams, `team_id` in /staff/"),
    OpenApiParameter("tc", int, many=True, description="ids of coordinators, from /staff/"),
    OpenApiParameter("doctor", int, many=True, description="ids of doctors, from /staff/"),
    OpenApiParameter("channel", str, many=True, enum=Channel.values, description="how the patients came"),
    OpenApiParameter("complaint", str, many=True, enum=Complaint.values, description="what they came for"),
    OpenApiParameter("visits", str, many=True, enum=["first", "return"], description="first visits, or later ones"),
]
BESIDE = [companion.slug for kpi in KPIS for companion in kpi.companions]
BY = OpenApiParameter("by", enum=list(BREAKDOWNS), description="broken down by")
PLACE = [
    OpenApiParameter("figure", enum=BESIDE, description="of a figure that stands beside the key figure, by its slug"),
    OpenApiParameter("part", description="counted (default), failing, or excluded:<reason>"),
    OpenApiParameter("limit", int, description="1 to 500; 100 by default"),
    OpenApiParameter("after", description="from `next`"),
]


class Kpis(FiguresView):
    """The ten key figures."""

    query_names = frozenset({"by"})

    @extend_schema(operation_id="kpis_list", parameters=[*SCOPE, BY], responses=FiguresOut)
    def get(self, request: Request) -> Response:
        """The ten key figures of a window of days, as the pages count them; broken down on request."""
        asked = read_asked(self.params(request), self.user)
        return Response(as_answer(gather(asked.scope, asked.window, by=read_by(self.params(request)))))


class KpiRecords(FiguresView):
    """The records behind a key figure."""

    query_names = frozenset({"figure", "part", "limit", "after"})

    @extend_schema(
        operation_id="kpis_records",
        parameters=[
            OpenApiParameter("slug", str, "path", enum=list(BY_SLUG), description="Which key figure."),
            *SCOPE,
            *PLACE,
        ],
        responses=RecordsOut,
    )
    def get(self, request: Request, slug: str) -> Response:
        """The records behind a key figure, page by page along `next`; as many as the figure counts."""
        kpi = BY_SLUG.get(slug)
        if kpi is None:
            raise Http404
        params = self.params(request)
        asked = read_asked(params, self.user)
        of = _figure(params, kpi)
        part = params.get("part") or "counted"
        reasons = exclusions_of(kpi, asked.scope, asked.window) if isinstance(of, Kpi) else []
        if part not in {"counted", "failing", *(f"excluded:{code}" for code, _why, _count in reasons)}:
            raise BadScope({"part": _("Unknown value.")})
        sets = (
            record_sets(of, asked.scope, asked.window, part)
            if isinstance(of, Kpi)
            else list(querysets(records_of(of, asked.scope, asked.window, part)))
        )
        at, after, limit = _cursor(params, len(sets))
        rows, onward = _page(sets, at, after, limit)
        following = None
        if onward:
            query = params.copy()
            query["after"] = onward
            following = f"{request.path}?{query.urlencode(safe=':')}"
        told = {
            "slug": of.slug,
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


def _figure(params: QueryDict, kpi: Kpi) -> Kpi | Companion:
    """Return the key figure, or the one beside it that ?figure= names; raises BadScope for another."""
    known = {"": kpi, kpi.slug: kpi} | {companion.slug: companion for companion in kpi.companions}
    found = known.get(params.get("figure", ""))
    if found is None:
        raise BadScope({"figure": _("Unknown value.")})
    return found


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

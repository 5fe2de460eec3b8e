"""What describes the API: its schema, its pages, its kinds of problems."""

import json
from functools import lru_cache

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from accounts.access import public
from accounts.api.problems import KINDS, PLACE


@lru_cache(maxsize=1)
def schema_json() -> str:
    """Return the OpenAPI description, in English; worked out once by each process."""
    with translation.override("en"):
        found = SchemaGenerator().get_schema(request=None, public=True)
        return json.dumps(found, ensure_ascii=False, default=str)


@public("describes the API and holds no data")
@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """Give the OpenAPI description."""
    return HttpResponse(schema_json(), content_type="application/vnd.oai.openapi+json")


@public("describes the API and holds no data")
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Show the description as a page on which requests can be tried, as whoever is signed in."""
    return render(request, "accounts/api_docs.html")


@public("describes the API and holds no data")
@require_safe
def problem(request: HttpRequest, slug: str) -> HttpResponse:
    """Describe a kind of problem: a page for a person, JSON for a program."""
    kind = KINDS.get(slug)
    if kind is None:
        raise Http404
    if request.get_preferred_type(["text/html", "application/json"]) == "text/html":
        return render(request, "accounts/api_problem.html", {"slug": slug, "kind": kind})
    told = {"type": PLACE + slug, "title": str(kind.title), "status": kind.status, "meaning": str(kind.meaning)}
    return JsonResponse(told, json_dumps_params={"ensure_ascii": False})

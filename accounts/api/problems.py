"""Errors as the API tells them: problem details (RFC 9457), with types that have an address of their own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework.response import Response

CONTENT_TYPE = "application/problem+json"
PLACE = "/api/problems/"


@dataclass(frozen=True)
class Kind:
    """A kind of problem: the HTTP status, what it is called, and what a program can do about it."""

    status: int
    title: str | Promise
    meaning: str | Promise


KINDS: dict[str, Kind] = {
    "bad-request": Kind(
        400, _("Bad request"), _("The request cannot be read: broken JSON, an unknown parameter, a bad value in the query.")
    ),
    "unauthenticated": Kind(
        401, _("Not signed in"), _("No token, or one that is unknown, expired or revoked, or whose account is disabled.")
    ),
    "forbidden": Kind(403, _("Not allowed"), _("The account's role in this clinic does not allow it.")),
    "scope": Kind(403, _("Outside the token's scopes"), _("The account may do this, but not with this token.")),
    "not-found": Kind(404, _("Not found"), _("There is no such thing here, or it belongs to another clinic.")),
    "method-not-allowed": Kind(405, _("Method not allowed"), _("This address does not answer to this method.")),
    "not-acceptable": Kind(406, _("Not acceptable"), _("Answers are JSON.")),
    "conflict": Kind(
        409,
        _("Conflict"),
        _("Somebody else changed it meanwhile, or what is asked for is taken: “current” is how it stands, “yours” what was sent."),
    ),
    "gone": Kind(410, _("Gone"), _("It is closed, and stays so.")),
    "precondition-failed": Kind(
        412, _("Changed meanwhile"), _("If-Match names an older version. Read it again; “current” is its ETag now.")
    ),
    "too-large": Kind(413, _("Too large"), _("What was sent is larger than is taken.")),
    "unsupported-media-type": Kind(415, _("Unsupported media type"), _("The body is of another type than this address reads.")),
    "invalid": Kind(
        422, _("Not as it should be"), _("A field or a rule was not kept; “errors” says which field and why. Nothing was written.")
    ),
    "idempotency-key": Kind(
        422, _("Key used before"), _("This Idempotency-Key went with another request. Take a new key for a new request.")
    ),
    "precondition-required": Kind(
        428, _("If-Match is missing"), _("A change needs the ETag of the version it starts from, in If-Match.")
    ),
    "too-many-requests": Kind(429, _("Too many requests"), _("Wait as many seconds as Retry-After says.")),
    "busy": Kind(
        503, _("Busy"), _("An identical request is still running, or others change the same thing. Nothing was written: ask again, with the same key.")
    ),
    "server-error": Kind(500, _("Error on our side"), _("Something failed here. Nothing was written.")),
}  # fmt: skip


class Problem(Exception):
    """An answer that is a problem. `more` are further members: errors, current, yours …"""

    def __init__(self, slug: str, detail: str = "", *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        self.slug, self.detail, self.more = slug, detail, more
        self.headers = dict(headers or {})
        super().__init__(detail or slug)

    @property
    def status(self) -> int:
        return KINDS[self.slug].status

    def body(self) -> dict[str, Any]:
        """Return the members of the answer."""
        return told(self.slug, self.detail, **self.more)

    def response(self) -> Response:
        return Response(self.body(), status=self.status, headers=self.headers, content_type=CONTENT_TYPE)


def told(slug: str, detail: str = "", **more: Any) -> dict[str, Any]:
    """Return the members of a problem, in the reader's language."""
    kind = KINDS[slug]
    words = str(detail or kind.meaning)
    return {"type": PLACE + slug, "title": str(kind.title), "status": kind.status, "detail": words} | more


def plain(slug: str, detail: str = "", **more: Any) -> HttpResponse:
    """Return a problem outside of the API's views: unknown addresses, refused requests, broken code."""
    body = json.dumps(told(slug, detail, **more), ensure_ascii=False)
    answer = HttpResponse(body, status=KINDS[slug].status, content_type=CONTENT_TYPE)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def is_asked_by_program(path: str) -> bool:
    """Tell whether an address is the API's, whose errors are problems and not pages."""
    return path.startswith("/api/")

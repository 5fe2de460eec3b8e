"""Idempotency-Key: however often a POST with one key arrives, and however many at once, it has one effect."""

import hashlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.request import Request

from accounts.api.problems import Problem
from accounts.services.kept_answers import Kept, StillRunning, claim, keep

if TYPE_CHECKING:
    from accounts.api.views import ApiMixin

HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{1,255}")
CARRIED = ("Content-Type", "Location", "ETag", "Content-Language")  # headers that belong to the answer
UNKEPT = frozenset({412, 428})  # nothing ran: the version has to be named first


def key_of(request: Request) -> str:
    """Return the key of a POST, empty without one. Raises Problem for what cannot be one."""
    said = request.headers.get(HEADER)
    if request.method != "POST" or said is None:
        return ""
    if not KEY.fullmatch(said):
        raise Problem("bad-request", _("An Idempotency-Key has 1 to 255 visible ASCII characters."))
    return said


def answered(view: "ApiMixin", request: Request, key: str, act: Callable[[], Any]) -> Any:
    """Answer a POST with a key: by doing it, or with what was answered before.

    The answer is stored in the transaction of its effect, so that a crash loses both or neither.
    """
    mark = fingerprint(request, view.clinic.code)
    with transaction.atomic():
        try:
            taken = claim(key=key, method="POST", path=request.path, fingerprint=mark, by=view.user)
        except StillRunning:
            raise Problem("busy", headers={"Retry-After": "1"})
        if isinstance(taken, Kept):
            return _again(taken, mark)
        try:
            with transaction.atomic():
                response = act()
        except Exception as error:
            response = view.handle_exception(error)  # raises what is a fault of ours: nothing is kept
        response = view.finished(request, response)
        if response.status_code >= 500 or response.status_code in UNKEPT:
            transaction.set_rollback(True)
        else:
            headers = {name: response.headers[name] for name in CARRIED if name in response.headers}
            keep(pk=taken, status=response.status_code, headers=headers, body=response.content)
    return response


def _again(kept: Kept, mark: str) -> HttpResponse:
    if kept.fingerprint != mark:
        raise Problem("idempotency-key")
    answer = HttpResponse(kept.body, status=kept.status)
    for name, value in kept.headers.items():
        answer.headers[name] = value
    answer.headers["Idempotent-Replayed"] = "true"
    return answer


def fingerprint(request: Request, clinic: str) -> str:
    """Return what makes two requests the same: address, clinic, version named, and body."""
    made = hashlib.sha256()
    for part in (request.method, request.get_full_path(), clinic, request.headers.get("If-Match", "")):
        made.update(f"{part}\n".encode())
    if request.content_type.startswith("multipart/"):  # its boundary differs each time
        _hash_parts(request, made)
    else:
        made.update(request._request.body)
    return made.hexdigest()


def _hash_parts(request: Request, made: Any) -> None:
    for name, values in sorted(request._request.POST.lists()):
        made.update(f"{name}={values!r}\n".encode())
    for name, files in sorted(request._request.FILES.lists()):
        for file in files:
            content = hashlib.sha256()
            for chunk in file.chunks():
                content.update(chunk)
            file.seek(0)
            made.update(f"{name}:{file.name}:{content.hexdigest()}\n".encode())

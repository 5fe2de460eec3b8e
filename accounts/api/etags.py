"""Versions of rows in headers: ETag on what is read, If-Match on what is changed."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.api.problems import Problem

ANY = "*"


def version_of(row: Any) -> str:
    """Return what changes with each change of a row: its `version`, else when it was last changed; "" for neither."""
    version = getattr(row, "version", None)
    if version is not None:
        return str(version)
    changed = getattr(row, "updated_at", None)
    return f"{changed.timestamp():.6f}" if isinstance(changed, datetime) else ""


def etag_of(version: str, body: bytes) -> str:
    """Return the ETag of a representation: the row's version, and what this reader sees of it."""
    return f'"{version}-{hashlib.sha256(body).hexdigest()[:12]}"'


def check_if_match(request: Request, version: str, current: Callable[[], str]) -> None:
    """Raise Problem unless If-Match names the version as it stands (428 without it, 412 for another).

    Args: current: the whole ETag of the row as it stands. Of a row with a version, the version alone has to be the
    same, since two readers do not see the same of it; of one without, all that is told.
    """
    said = request.headers.get("If-Match")
    if said is None:
        raise Problem("precondition-required")
    if said.strip() == ANY:
        return
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in said.split(",")}
    now = current().strip('"')
    if now in tags or (version and version in {tag.rpartition("-")[0] for tag in tags}):
        return
    raise Problem("precondition-failed", current=f'"{now}"')


def unchanged(request: Request, response: HttpResponse) -> bool:
    """Tell whether the reader has just this already (If-None-Match)."""
    said, tag = request.headers.get("If-None-Match"), response.headers.get("ETag")
    if said is None or tag is None or request.method not in ("GET", "HEAD") or response.status_code != 200:
        return False
    return said.strip() == ANY or tag in {one.strip().removeprefix("W/") for one in said.split(",")}

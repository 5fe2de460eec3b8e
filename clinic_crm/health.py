"""For the machines that watch the installation: is it alive, is it ready, what has it counted."""

import time
from collections.abc import Callable
from functools import cache

import redis
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from accounts.access import public
from followups.jobs import late_jobs

HEARTBEAT_KEY = "clinic-crm:worker-heartbeat"
HEARTBEAT_SECONDS = 35  # three beats and a little
JOBS_GRACE_SECONDS = 15 * 60  # after a start: what was missed while the machine was off is being made up for
_started = time.monotonic()


class NotReadyError(Exception):
    """A part the installation needs does not work; the message says how."""


@cache
def _redis(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)


def record_heartbeat() -> None:
    """Note that a worker executed something just now."""
    _redis(settings.REDIS_URL).set(HEARTBEAT_KEY, time.time())


def check_database() -> None:
    """Raise NotReadyError unless the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        raise NotReadyError("unreachable") from error


def check_redis() -> None:
    """Raise NotReadyError unless Redis answers."""
    try:
        _redis(settings.REDIS_URL).ping()
    except redis.RedisError as error:
        raise NotReadyError("unreachable") from error


_migrated = False


def check_migrations() -> None:
    """Raise NotReadyError while a migration is not applied; once all are, this process need not look again."""
    global _migrated  # noqa: PLW0603
    if _migrated:
        return
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise NotReadyError(f"unknown, the database {DEFAULT_DB_ALIAS!r} is unreachable") from error
    if plan:
        raise NotReadyError(f"{len(plan)} not applied")
    _migrated = True


def check_worker() -> None:
    """Raise NotReadyError unless a worker did something within HEARTBEAT_SECONDS."""
    try:
        beat = _redis(settings.REDIS_URL).get(HEARTBEAT_KEY)
    except redis.RedisError as error:
        raise NotReadyError("unknown, Redis is unreachable") from error
    if beat is None:
        raise NotReadyError("no heartbeat yet")
    if (age := time.time() - float(beat)) > HEARTBEAT_SECONDS:  # type: ignore[arg-type]
        raise NotReadyError(f"last heartbeat {age:.0f} s ago")


def check_jobs() -> None:
    """Raise NotReadyError when a periodic job should have run by now; a start is given time to catch up."""
    if time.monotonic() - _started < JOBS_GRACE_SECONDS:
        return
    try:
        late = late_jobs()
    except DatabaseError as error:
        raise NotReadyError("unknown, the database is unreachable") from error
    if late:
        raise NotReadyError(f"late: {', '.join(late)}")


CHECKS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "redis": check_redis,
    "migrations": check_migrations,
    "worker": check_worker,
    "jobs": check_jobs,
}


@public("a load balancer asks whether the process lives")
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as the process serves requests; touches nothing else."""
    return HttpResponse("ok\n", content_type="text/plain")


@public("a load balancer asks whether to send people here")
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when every part works, else 503 naming those that do not."""
    parts = {}
    for name, check in CHECKS.items():
        try:
            check()
        except NotReadyError as error:
            parts[name] = f"failed: {error}"
        else:
            parts[name] = "ok"
    ready = set(parts.values()) == {"ok"}
    response = JsonResponse({"ready": ready} | parts, status=200 if ready else 503)
    response._has_been_logged = True  # type: ignore[attr-defined]  # "not ready" is an answer, not a fault
    return response


@public("a collector scrapes figures, from the addresses in METRICS_ALLOWED_ADDRESSES alone")
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with Prometheus figures, to an allowed address that asks directly; to others as if not there."""
    came_through_proxy = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    if came_through_proxy or request.META.get("REMOTE_ADDR") not in settings.METRICS_ALLOWED_ADDRESSES:
        raise Http404
    return ExportToDjangoView(request)

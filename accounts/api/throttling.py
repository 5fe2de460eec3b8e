"""Rate limits per token, or per person in a browser: counted by the minute, in the cache."""

import logging
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiToken

log = logging.getLogger(__name__)
WINDOW = 60  # seconds


class PerToken(BaseThrottle):
    """Counts requests; strangers are not counted, because they get nothing. Without the cache nobody is refused."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return True
        limit = settings.API_REQUESTS_PER_MINUTE
        now = time.time()
        left_of_window = WINDOW - int(now) % WINDOW
        who = f"t{request.auth.pk}" if isinstance(request.auth, ApiToken) else f"u{request.user.pk}"
        count = _count(f"api:{who}:{int(now) // WINDOW}")
        request._request.api_limits = {  # type: ignore[attr-defined]
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": str(max(0, limit - count)),
            "RateLimit-Reset": str(left_of_window),
        }
        self.left = left_of_window
        return count <= limit

    def wait(self) -> float | None:
        return self.left


def _count(key: str) -> int:
    try:
        cache.add(key, 0, timeout=2 * WINDOW)
        return cache.incr(key)
    except (RedisError, ValueError):  # the cache is away, or was emptied this moment
        log.warning("requests are not counted")
        return 0

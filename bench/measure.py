"""Timing of requests and statements, always with the floors beside them."""

import http.client
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db import connection

WARM, TIMES = 8, 60


@dataclass(frozen=True)
class Timing:
    """Milliseconds at the middle and at 95 in 100, statements and bytes of one response."""

    p50: float
    p95: float
    statements: int = 0
    size: int = 0


def timing(samples: list[float], statements: int = 0, size: int = 0) -> Timing:
    """Return the middle and the slow end of some milliseconds."""
    ordered = sorted(samples)
    return Timing(statistics.median(ordered), ordered[int(len(ordered) * 0.95) - 1], statements, size)


@dataclass
class Browser:
    """A signed-in keep-alive client of one server."""

    port: int
    cookies: dict[str, str]

    def __post_init__(self) -> None:
        self.link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(
        self, path: str, post: dict[str, str] | None = None, *, well: tuple[int, ...] = (200,)
    ) -> tuple[float, int, int]:
        """Return milliseconds, statements and bytes of one answer. Raises RuntimeError for another status."""
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        body = None
        if post is not None:
            body = urlencode(post)
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"}
            headers["X-CSRFToken"] = self.cookies["csrftoken"]
        start = time.perf_counter()
        self.link.request("POST" if post is not None else "GET", path, body, headers)
        response = self.link.getresponse()
        content = response.read()
        spent = (time.perf_counter() - start) * 1000
        if response.status not in well:
            raise RuntimeError(f"{path} answered {response.status}")
        return spent, int(response.headers.get("X-Statements", 0)), len(content)

    def time(self, path: str, posts: list[dict[str, str]] | None = None) -> Timing:
        """Ask `path` often; with `posts`, each of them in turn."""
        turns = posts or [None]  # type: ignore[list-item]
        for n in range(WARM):
            self.ask(path, turns[n % len(turns)])
        answers = [self.ask(path, turns[n % len(turns)]) for n in range(TIMES)]
        return timing([a[0] for a in answers], max(a[1] for a in answers), max(a[2] for a in answers))


def statement_floor() -> Timing:
    """S: SELECT 1 through psycopg2."""
    samples = []
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        for _n in range(2000):
            start = time.perf_counter()
            cursor.execute("SELECT 1")
            cursor.fetchone()
            samples.append((time.perf_counter() - start) * 1000)
    return timing(samples)


def seconds(act: Callable[[], object]) -> float:
    """Return how long `act` takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start

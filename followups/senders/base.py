"""What every sender is: sends one message, asks what became of it, and never leaves its caller in doubt.

A provider's answer is one of four: it has taken the message, it refuses it for good, it has surely not taken it
(try again), or nobody knows (ask before anything is sent again). Whatever is unclear is the last.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

import httpx
import pybreaker
from django.conf import settings

from followups.senders.addresses import ForbiddenAddress, check_address

TOO_MANY = 429
OK, MULTIPLE, REFUSED, BROKEN = 200, 300, 400, 500


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"  # for good
    RETRY = "retry"  # surely not taken
    HELD = "held"  # not tried: the circuit is open
    UNKNOWN = "unknown"


class Found(StrEnum):
    """What the provider says of a message it was asked about."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    ABSENT = "absent"  # it never came: sending it again is safe
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True)
class Outgoing:
    """One message as a sender sees it. `uid` is the same at every try: the provider knows it again by that."""

    uid: str
    to: str
    body: str
    channel: str = "sms"
    variables: Mapping[str, str] = field(default_factory=dict)
    template_code: str = ""
    to_staff: bool = False
    agent: str = ""  # who sends it, for a task in WeCom
    provider_id: str = ""
    tried_at: datetime | None = None


@dataclass(frozen=True)
class Result:
    outcome: Outcome
    provider_id: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Reply:
    found: Found
    provider_id: str = ""
    detail: str = ""


class NotConfigured(Exception):
    """Something is missing in the sender's settings; the message names it."""


class NotTaken(Exception):
    """The provider has surely not taken the message."""


class Unclear(Exception):
    """Nobody can say whether the provider has taken the message."""


_breakers: dict[str, pybreaker.CircuitBreaker] = {}


def breaker_of(key: str) -> pybreaker.CircuitBreaker:
    """Return the circuit breaker of an account; opens after five failures in a row, tries again after a minute."""
    if key not in _breakers:
        _breakers[key] = pybreaker.CircuitBreaker(fail_max=5, reset_timeout=settings.MESSAGE_CIRCUIT_SECONDS)
    return _breakers[key]


def _raise(error: Exception) -> None:
    raise error


class Sender(ABC):
    """The base of all senders. `config` is the account's decrypted settings."""

    provider: ClassVar[str] = ""
    required: ClassVar[tuple[str, ...]] = ()
    endpoint: ClassVar[str] = ""
    calls_out: ClassVar[bool] = True

    def __init__(self, config: Mapping[str, str], *, key: str = "") -> None:
        self.config = config
        self.breaker = breaker_of(key or f"{self.provider}:{self.base}")

    @property
    def base(self) -> str:
        return str(self.config.get("endpoint") or self.endpoint).rstrip("/")

    def send(self, message: Outgoing) -> Result:
        """Hand one message to the provider; never raises."""
        try:
            self._check()
            return self._guarded(lambda: self._send(message))
        except NotConfigured as error:
            return Result(Outcome.REJECTED, detail=str(error)[:300])
        except pybreaker.CircuitBreakerError:
            return Result(Outcome.HELD, detail="circuit")
        except (NotTaken, ForbiddenAddress) as error:
            return Result(Outcome.RETRY, detail=str(error)[:300])
        except Exception as error:
            return Result(Outcome.UNKNOWN, detail=f"{type(error).__name__}: {error}"[:300])

    def query(self, message: Outgoing) -> Reply:
        """Ask what became of a message; never raises."""
        try:
            self._check()
            return self._query(message)
        except Exception as error:
            return Reply(Found.CANNOT_TELL, detail=f"{type(error).__name__}: {error}"[:300])

    @abstractmethod
    def _send(self, message: Outgoing) -> Result:
        """Call the provider; raises NotTaken when it surely did not take the message."""

    def _query(self, message: Outgoing) -> Reply:
        return Reply(Found.CANNOT_TELL)

    def _check(self) -> None:
        missing = [name for name in self.required if not self.config.get(name)]
        if missing:
            raise NotConfigured(f"missing: {', '.join(missing)}")
        if self.base:
            check_address(self.base)

    def _guarded(self, call: Callable[[], Result]) -> Result:
        """Run `call` under the circuit breaker, which is told of failures afterwards: it would let in one at a time."""
        if self.breaker.current_state != pybreaker.STATE_CLOSED:
            return self.breaker.call(call)  # type: ignore[no-any-return]
        try:
            result = call()
        except (NotTaken, Unclear, httpx.HTTPError) as error:
            try:
                self.breaker.call(_raise, error)
            except pybreaker.CircuitBreakerError:
                raise error from None
            raise
        self.breaker.call(lambda: None)
        return result

    def _ask(self, method: str, url: str, **kwargs: Any) -> httpx.Response:
        """Do one request. Raises NotTaken when it surely did nothing, Unclear when that cannot be known."""
        seconds = settings.MESSAGE_TIMEOUT_SECONDS
        limits = httpx.Timeout(seconds, connect=min(seconds, 5))
        try:
            with httpx.Client(timeout=limits, follow_redirects=False, trust_env=False) as client:
                response = client.request(method, url, **kwargs)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotTaken(f"{type(error).__name__}: {error}") from error
        except httpx.HTTPError as error:
            raise Unclear(f"{type(error).__name__}: {error}") from error
        if response.status_code == TOO_MANY:
            raise NotTaken("HTTP 429")
        if response.status_code >= BROKEN:
            raise Unclear(f"HTTP {response.status_code}")
        return response

    @staticmethod
    def _json(response: httpx.Response) -> dict[str, Any]:
        """Return the answer's object. Raises Unclear for anything else."""
        try:
            said = response.json()
        except ValueError as error:
            raise Unclear(f"HTTP {response.status_code}, no JSON") from error
        if not isinstance(said, dict):
            raise Unclear(f"HTTP {response.status_code}, no object")
        return said

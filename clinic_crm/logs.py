"""What the log leaves out."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from structlog import DropEvent

PROBES = {"GET /healthz", "GET /readyz", "HEAD /healthz", "HEAD /readyz"}


def drop_probes(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Leave out the requests of load balancers and supervisors: their answer says it all, every few seconds."""
    if event.get("request") in PROBES:
        raise DropEvent
    return event

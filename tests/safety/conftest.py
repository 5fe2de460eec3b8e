"""As for the guards: thousands of requests, of which only what comes out counts."""

from tests.guards.conftest import _nothing_recorded

__all__ = ["_nothing_recorded"]

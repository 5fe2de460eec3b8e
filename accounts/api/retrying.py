"""A write that PostgreSQL ended, to break a deadlock or to keep transactions apart, is done again as a whole."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError
from django.utils.translation import gettext as _
from rest_framework.request import Request

from accounts.api.problems import Problem

ENDED = frozenset({"40P01", "40001"})  # deadlock, serialization failure
TRIES = 3
LONGEST_PAUSE = 0.05  # seconds, before the first repetition; then twice as long
T = TypeVar("T")


def retried(request: Request, write: Callable[[], T]) -> T:
    """Run a request's write, which opens the outermost transaction, until PostgreSQL lets it through.

    A service cannot do this itself: the locks for which it was ended are the request's whole transaction's.
    Raises Problem "busy" after the last try; every other error as it is.
    """
    for attempt in range(TRIES):
        try:
            return write()
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", "") not in ENDED:
                raise
        _rewind(request)
        if attempt < TRIES - 1:
            time.sleep(random.uniform(0, LONGEST_PAUSE) * 2**attempt)  # noqa: S311 - whoever met does not meet again
    words = _("Others are changing the same thing at this moment. Nothing was written; ask again.")
    raise Problem("busy", words, headers={"Retry-After": "1"})


def _rewind(request: Request) -> None:
    """Let what was uploaded be read again from its beginning."""
    for _name, files in request._request.FILES.lists():
        for file in files:
            file.seek(0)

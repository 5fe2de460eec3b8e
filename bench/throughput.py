"""Requests a second with eight clients at once on the patient list, as a share of what the bare view gives them."""

import time
from threading import Thread

from django.urls import reverse

from accounts.models import Clinic
from bench.measure import Browser
from bench.people import signed_in

CLIENTS, SECONDS = 8, 6.0


def report(port: int) -> None:
    """Print both figures and their ratio; the bare view is measured before and after."""
    clinic = Clinic.objects.get(code="QH")
    browsers = [signed_in("demo_tc", port) for _n in range(CLIENTS)]
    floor = f"/bench/floor/?clinic={clinic.pk}"
    _per_second(browsers, floor, 1.0)
    before, found, after = (_per_second(browsers, path) for path in (floor, reverse("patient_list"), floor))
    bare = (before + after) / 2
    print(
        f"\n{CLIENTS} clients: bare view {before:.0f}/s before, {after:.0f}/s after · patient list {found:.0f}/s"
        f" = {found / bare:.0%} of it"
    )


def _per_second(browsers: list[Browser], path: str, seconds: float = SECONDS) -> float:
    """Return how many answers all browsers together got in a second."""
    counts = [0] * len(browsers)
    until = time.perf_counter() + seconds

    def ask(number: int) -> None:
        while time.perf_counter() < until:
            browsers[number].ask(path)
            counts[number] += 1

    start = time.perf_counter()
    threads = [Thread(target=ask, args=(number,)) for number in range(len(browsers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - start)

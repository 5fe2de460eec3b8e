"""The undecided board at a size: the page, more of a column, and what a column holds."""

from django.urls import reverse
from django.utils import timezone

from accounts.models import Clinic, User
from bench.measure import Browser
from clinic_crm.workbench import undecided


def report(scale: int, browser: Browser, floor: float) -> None:
    """Print the board's times as ratios to the floor F of the same run (milliseconds)."""
    clinic, user = Clinic.objects.get(code="QH"), User.objects.get(username="demo_tc")
    every = undecided.View(scope="all")
    board = undecided.board_of(clinic, user, every, timezone.now())
    longest = max(board.columns, key=lambda column: column.head.shown)
    asked = [
        ("undecided board, mine", reverse("undecided")),
        ("undecided board, all", reverse("undecided") + "?scope=all"),
    ]
    if longest.more:
        query = every.query(klass=longest.code, after=longest.more)
        asked.append(("more of a column", reverse("undecided_more") + query))
    print(f"undecided: {board.total:,} patients, longest column {longest.head.shown:,}")
    for name, path in asked:
        timing = browser.time(path)
        print(
            f"{name:24}{timing.p50:9.2f}{timing.p95:9.2f}{timing.p50 / floor:7.2f} × F{timing.statements:6} statements"
        )

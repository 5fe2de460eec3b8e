"""The figures counted in SQL are those of the plain count, over random histories, also as of moments past."""

from datetime import UTC, date, datetime

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.windows import Window
from metrics.counting import figures
from metrics.figures import Figure
from metrics.scope import Scope
from tests.metrics import standings
from tests.metrics.histories import END, Histories
from tests.metrics.reference import Pair, count

EXAMPLES = 6
WINDOW = Window(date(2026, 3, 9), date(2026, 4, 13))
LATER = (datetime(2026, 3, 20, 4, tzinfo=UTC), datetime(2026, 4, 12, 16, tzinfo=UTC))
pytestmark = pytest.mark.django_db


def flat(row: list[Figure]) -> dict[str, Pair]:
    every = [one for figure in row for one in (figure, *figure.companions.values())]
    return {figure.of.slug: (float(figure.numerator), float(figure.denominator)) for figure in every}


def differences(sql: dict[str, Pair], plain: dict[str, Pair]) -> dict[str, tuple[Pair, Pair]]:
    assert set(sql) == set(plain)
    return {slug: (pair, plain[slug]) for slug, pair in sql.items() if pair != plain[slug]}


@given(seed=st.integers(0, 2**32))
@settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_sql_counts_what_the_plain_count_counts(seed: int) -> None:
    check(seed)


def check(seed: int) -> None:
    """Compare everything for one history, which is then thrown away."""
    with transaction.atomic():
        told = Histories(seed)
        compare(told, seed)
        assert standings.kept() == standings.told(), seed
        assert standings.both_ways(told.clinics) == [], seed
        transaction.set_rollback(True)


def compare(told: Histories, seed: int) -> None:
    zero = dict.fromkeys(count(told.world, WINDOW.start, WINDOW.end, now=END), (0.0, 0.0))
    for moment in (None, END, *LATER):
        scope = Scope(tuple(told.clinics), as_of=moment)
        found = figures(scope, WINDOW, by="coordinator")
        for tc in (None, *(user.pk for user in told.staff)):
            plain = count(told.world, WINDOW.start, WINDOW.end, now=moment or END, tc=tc)
            sql = flat(found[tc]) if tc in found else zero
            assert differences(sql, plain) == {}, (seed, moment, tc)

"""Class audits at the same moment: one rating counts, one sample is drawn; and, as a control, without the locks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models import QuerySet

from patients.errors import PatientError
from patients.models import ClassAudit, ClassAuditItem
from patients.services import audits
from patients.services.audits import rate
from tests.patients.test_audits import House

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 3


def both(*acts: Callable[[], Any]) -> list[str]:
    """Do two things at the same moment; returns how each ended."""
    barrier = Barrier(len(acts))

    def one(act: Callable[[], Any]) -> str:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=60)
            act()
        except PatientError as error:
            return type(error).__name__
        else:
            return "done"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return sorted(pool.map(one, acts))


def without_locks(monkeypatch: Any) -> None:
    """Nobody waits, and both have read before either writes."""
    both_read = Barrier(2)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, *args, **kwargs: rows)
    real = audits.PatientClass

    class Classes:
        @property
        def values(self) -> list[str]:
            both_read.wait(timeout=60)
            return real.values

    monkeypatch.setattr(audits, "PatientClass", Classes())
    monkeypatch.setattr(audits, "candidates", _waiting(audits.candidates, both_read))


def _waiting(act: Callable[..., Any], barrier: Barrier) -> Callable[..., Any]:
    def wait(**facts: Any) -> Any:
        barrier.wait(timeout=60)
        return act(**facts)

    return wait


def ratings(house: House, audit: ClassAudit) -> tuple[Callable[[], Any], Callable[[], Any]]:
    item = audit.items.get()
    return (
        lambda: rate(item=item, rated_class="C-E", by=house.other),
        lambda: rate(item=item, rated_class="C-D", by=house.manager),
    )


def test_two_raters_of_one_item_at_once_one_counts_and_the_other_is_told():
    house = House(changes=2)
    for _round in range(ROUNDS):
        audit = house.draw(size=1)
        assert both(*ratings(house, audit)) == ["RatedAlready", "done"]
        item = ClassAuditItem.objects.get(audit=audit)
        assert (item.rated_class, item.rated_by) in {("C-E", house.other), ("C-D", house.manager)}


def test_control_without_the_lock_both_raters_think_that_theirs_counts(monkeypatch: Any):
    house = House(changes=2)
    audit = house.draw(size=1)
    without_locks(monkeypatch)
    assert both(*ratings(house, audit)) == ["done", "done"]


def test_a_month_drawn_twice_at_once_gives_one_sample():
    for _round in range(ROUNDS):
        house = House(changes=2)
        assert both(house.draw, house.draw) == ["Refused", "done"]
        assert ClassAudit.objects.filter(clinic=house.clinic).count() == 1


def test_control_without_the_lock_a_month_is_drawn_twice(monkeypatch: Any):
    house = House(changes=2)
    without_locks(monkeypatch)
    assert both(house.draw, house.draw) == ["done", "done"]
    assert ClassAudit.objects.filter(clinic=house.clinic).count() == 2


def test_a_month_is_drawn_again_once_somebody_has_rated():
    house = House(changes=2)
    first = house.draw(size=1)
    ratings(house, first)[0]()
    assert house.draw(size=1) != first

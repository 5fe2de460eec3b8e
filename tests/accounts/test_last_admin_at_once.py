"""Two administrators disable each other at the same moment: one of them remains."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from accounts.models import Membership
from accounts.permissions import Role
from accounts.services import members
from tests.factories import MembershipFactory

ROUNDS = 5


def disable_at_once(targets, barrier):
    def disable(membership):
        try:
            barrier.wait(60)
            members.disable_member(membership=membership, by=None)
        except ValidationError:
            return "refused"
        else:
            return "done"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(disable, targets))


@pytest.mark.django_db(transaction=True)
def test_one_administrator_remains():
    for _round in range(ROUNDS):
        Membership.objects.all().delete()
        targets = [MembershipFactory(role=Role.ADMIN) for _ in range(2)]
        assert disable_at_once(targets, Barrier(2)) == ["done", "refused"]
        assert Membership.objects.active().with_role(Role.ADMIN).count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_locks_both_are_gone(monkeypatch):
    """The control: checking without locking lets both through."""
    meet = Barrier(2)
    check = members.check_another_admin

    def check_then_wait(**options):
        check(**options)
        meet.wait(60)

    monkeypatch.setattr(members, "_locked", lambda m: Membership.objects.select_related("user", "clinic").get(pk=m.pk))
    monkeypatch.setattr(members, "check_another_admin", check_then_wait)
    targets = [MembershipFactory(role=Role.ADMIN) for _ in range(2)]
    assert disable_at_once(targets, Barrier(2)) == ["done", "done"]
    assert not Membership.objects.active().with_role(Role.ADMIN).exists()

"""Statements composed once: the same rows as the queryset's, whatever the values, and never those of an earlier call."""

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Exists, OuterRef

from accounts.models import Clinic, Membership, User
from accounts.permissions import Role
from accounts.statements import Statement
from tests.factories import ClinicFactory, UserFactory

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def people(order: str, *, clinic: int, role: str, since: datetime, ids: tuple[int, ...]) -> Any:
    there = Membership.objects.filter(user=OuterRef("pk"), clinic=clinic, role=role)
    rows = User.objects.filter(Exists(there), date_joined__gte=since, pk__in=ids)
    return rows.annotate(held=Count("memberships")).only("full_name").order_by(order)


def held(*, clinic: int) -> Any:
    return Membership.objects.filter(clinic=clinic).select_related("user", "clinic").order_by("pk")


@pytest.fixture
def clinics() -> list[Clinic]:
    return list(ClinicFactory.create_batch(2))


@pytest.fixture
def staff(clinics: list[Clinic]) -> list[User]:
    roles = (Role.COORDINATOR, Role.COORDINATOR, Role.DOCTOR)
    return [UserFactory.create(clinic=clinic, role=role) for clinic in clinics for role in roles]


def values(clinic: Clinic, staff: list[User], **other: Any) -> dict[str, Any]:
    ids = tuple(user.pk for user in staff)
    return {"clinic": clinic.pk, "role": str(Role.COORDINATOR), "since": LONG_AGO, "ids": ids} | other


def test_the_rows_are_the_querysets_for_every_value_and_shape(clinics: list[Clinic], staff: list[User]) -> None:
    statement = Statement(people)
    asked = [values(clinic, staff, role=str(role)) for clinic in clinics for role in (Role.COORDINATOR, Role.DOCTOR)]
    asked += [values(clinics[0], staff[:n]) for n in (1, 2, 3)]
    asked += [values(clinics[0], staff, since=datetime.now(UTC) + timedelta(days=1))]
    for order in ("pk", "-pk"):
        for told in asked:
            assert statement.is_kept(order, **told)
            found, plain = statement.rows(order, **told), list(people(order, **told))
            assert [(u.pk, u.held, u.full_name) for u in found] == [(u.pk, u.held, u.full_name) for u in plain]
            assert all(u.get_deferred_fields() == plain[0].get_deferred_fields() for u in found)


def test_it_counts(clinics: list[Clinic], staff: list[User]) -> None:
    statement = Statement(people)
    assert statement.count("pk", **values(clinics[0], staff)) == 2
    assert statement.count("pk", **values(clinics[1], staff, role=str(Role.DOCTOR))) == 1
    assert statement.count("pk", **values(clinics[1], [])) == 0


def test_related_rows_come_with_it_in_one_statement(
    clinics: list[Clinic], staff: list[User], django_assert_num_queries: Any
) -> None:
    statement = Statement(held)
    statement.rows(clinic=clinics[0].pk)
    with django_assert_num_queries(1):
        names = [(row.user.full_name, row.clinic.name) for row in statement.rows(clinic=clinics[1].pk)]
    assert names == [(user.full_name, clinics[1].name) for user in staff[3:]]


def test_plain_values_come_too(clinics: list[Clinic], staff: list[User]) -> None:
    statement = Statement(lambda *, clinic: held(clinic=clinic).values_list("user__full_name", "role"))
    for clinic in clinics:
        assert statement.rows(clinic=clinic.pk) == list(held(clinic=clinic.pk).values_list("user__full_name", "role"))


def test_a_list_of_nothing_asks_for_nothing(clinics: list[Clinic], django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert Statement(people).rows("pk", **values(clinics[0], [])) == []


def test_a_value_that_is_worked_on_while_composing_is_composed_every_time(clinics: list[Clinic]) -> None:
    statement = Statement(lambda *, clinic: Clinic.objects.filter(pk=clinic + 0).filter(pk__lte=clinic + 1))
    assert not statement.is_kept(clinic=clinics[0].pk)
    assert [statement.rows(clinic=clinic.pk) for clinic in clinics] == [[clinic] for clinic in clinics]


def test_none_and_true_belong_to_the_shape(clinics: list[Clinic]) -> None:
    for value in (None, True, 1.5):
        with pytest.raises(TypeError):
            Statement(held).rows(clinic=value)


@pytest.mark.django_db(transaction=True)
def test_each_thread_reads_over_its_own_connection(clinics: list[Clinic], staff: list[User]) -> None:
    statement, found = Statement(held), []
    statement.rows(clinic=clinics[0].pk)

    def read() -> None:
        try:
            found.extend(statement.rows(clinic=clinics[1].pk))
        finally:
            connection.close()

    thread = Thread(target=read)
    thread.start()
    thread.join()
    assert [row.user for row in found] == staff[3:]

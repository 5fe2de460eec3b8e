"""What is prepared in a connection gives what the plain statement gives, and outlives a change of its tables."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import NotSupportedError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import prepared
from accounts.models import Clinic, User
from accounts.statements import Statement
from tests.factories import ClinicFactory, UserFactory

pytestmark = pytest.mark.django_db
WIDTH = Clinic._meta.get_field("code").max_length


def named(*, code: str) -> Any:
    return Clinic.objects.filter(code=code)


def joined(*, since: datetime) -> Any:
    return User.objects.filter(date_joined__gte=since, username__contains="%s").order_by("pk")


@pytest.fixture
def clinic() -> Clinic:
    return ClinicFactory.create()


@pytest.fixture
def altered(clinic: Clinic) -> Iterator[None]:
    """Have the names of clinics in a column of another width; as it was afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_clinic ALTER COLUMN code TYPE varchar(99)")
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE accounts_clinic ALTER COLUMN code TYPE varchar({WIDTH})")


def first_words(statement: Statement, **values: Any) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        statement.rows(**values)
    return [query["sql"].split()[0] for query in asked.captured_queries]


def test_a_statement_is_executed_by_its_name_and_counted_once(clinic: Clinic) -> None:
    statement = Statement(named)
    assert first_words(statement, code=clinic.code) == ["EXECUTE"]
    assert statement.rows(code=clinic.code) == [clinic]
    assert statement.rows(code="none") == []
    assert statement.count(code=clinic.code) == 1


def test_signs_of_a_text_and_the_types_of_moments_are_kept(clinic: Clinic) -> None:
    odd = UserFactory.create(username="odd%s$1", clinic=clinic)
    UserFactory.create(username="plain", clinic=clinic)
    statement = Statement(joined)
    assert statement.rows(since=datetime(2020, 1, 1, tzinfo=UTC)) == [odd]
    assert statement.rows(since=datetime(2199, 1, 1, tzinfo=UTC)) == []


def test_behind_pgbouncer_nothing_is_prepared(clinic: Clinic, settings: Any) -> None:
    settings.PGBOUNCER = True
    statement = Statement(named)
    assert first_words(statement, code=clinic.code) == ["SELECT"]
    assert statement.rows(code=clinic.code) == [clinic]


def test_a_connection_that_holds_enough_is_asked_plainly(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "MOST", 0)
    prepared.forget(connection)
    statement = Statement(named)
    assert first_words(statement, code=clinic.code) == ["SELECT"]
    assert statement.rows(code=clinic.code) == [clinic]


@pytest.mark.django_db(transaction=True)
def test_a_table_that_was_altered_is_read_again(clinic: Clinic, request: pytest.FixtureRequest) -> None:
    statement = Statement(named)
    statement.rows(code=clinic.code)
    request.getfixturevalue("altered")
    assert statement.rows(code=clinic.code) == [clinic]


@pytest.mark.django_db(transaction=True)
def test_in_a_transaction_an_altered_table_fails_once(clinic: Clinic, request: pytest.FixtureRequest) -> None:
    statement = Statement(named)
    statement.rows(code=clinic.code)
    request.getfixturevalue("altered")
    with pytest.raises(NotSupportedError), transaction.atomic():
        statement.rows(code=clinic.code)
    with transaction.atomic():
        assert statement.rows(code=clinic.code) == [clinic]

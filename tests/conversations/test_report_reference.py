"""The figures of the reports equal a slow count in plain Python."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.permissions import Role
from accounts.windows import Window
from conversations.reports.counting import WHOLE, lines
from conversations.reports.figures import KINDS, RESULTS
from conversations.reports.filters import Scope
from conversations.reports.losses import losses, losses_by
from followups.models.appointments import AbsenceReason
from tests.conversations.report_world import Told, counted, make, money
from tests.factories import ClinicFactory, TeamFactory, UserFactory

pytestmark = pytest.mark.django_db
EXAMPLES = 10
START = datetime(2026, 9, 28, 16, tzinfo=UTC)  # midnight of the 29th in the clinic
BY = ("whole", "consultant", "team", "channel", "keyword", "hour", "weekday", "week", "month")
CODES = ("abuse", "taboo.shirking", "taboo.scolding", "neglect.silence", "not_invited", "third_party_missed")
STATES = ("booked", "kept", "cancelled_patient", "no_show:", *(f"no_show:{value}" for value in AbsenceReason.values))


def chats(people, teams):
    """A strategy of lists of chats."""
    who = st.sampled_from([*people, None])
    visit = st.tuples(
        st.integers(-3, 20), st.sampled_from(["", "accepted", "deposit", "refused"]),
        st.sampled_from(["", "", "error", "refunded", "reopened"]),
    )  # fmt: skip
    coming = st.sampled_from(STATES).flatmap(lambda last: st.sampled_from([[last], ["moved", last], ["error"]]))
    chat = st.builds(
        Told,
        at=st.integers(0, 70 * 24 * 60).map(lambda n: START + timedelta(minutes=n)),
        led=who,
        team=st.sampled_from([*teams, None]),
        channel=st.sampled_from(["百度", "", "抖音"]),
        keyword=st.sampled_from(["种植牙", "矫正", ""]),
        cost=st.sampled_from([None, Decimal(100), Decimal("153.50"), Decimal(200)]),
        effective=st.booleans(),
        ending=st.sampled_from(["greeting", "visitor", "consultant", "system"]),
        reply=st.sampled_from([None, 0, 10, 11, 30, 31, 301, 4000]),
        silence=st.sampled_from([None, 5, 120, 121, 601]),
        score=st.sampled_from([None, Decimal(80), Decimal("66.50")]),
        card=st.sampled_from([None, Decimal(90)]),
        error=st.sampled_from([False, False, False, True]),
        contacts=st.lists(st.tuples(st.sampled_from(KINDS), who), max_size=3),
        booking=st.sampled_from([(), (), *people, None]),
        findings=st.lists(st.sampled_from(CODES), max_size=3, unique=True).flatmap(
            lambda codes: st.tuples(*(st.tuples(st.just(code), who) for code in codes)).map(list)
        ),
        withdrawn=st.lists(st.tuples(st.sampled_from(CODES), who), max_size=1),
        visits=st.lists(visit, max_size=2),
        kept=st.sampled_from([None, None, -1, 4]),
        coming=st.one_of(st.just([]), coming),
    )
    return st.lists(chat, min_size=6, max_size=14)


@pytest.fixture
def clinic():
    return ClinicFactory()


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(data=st.data())
def test_sql_counts_what_plain_python_counts(clinic, data):
    with transaction.atomic():
        manager = UserFactory(clinic=clinic, role=Role.MANAGER)
        people = [UserFactory(clinic=clinic, role=Role.ONLINE_CONSULTANT) for _n in range(2)]
        told = data.draw(chats(people, [TeamFactory(clinic=clinic)]))
        make(clinic, told, manager)
        window = Window(START.astimezone(clinic.tz).date(), (START + timedelta(days=71)).astimezone(clinic.tz).date())
        for person in (None, people[0]):
            scope = Scope(clinic, window, person=person.pk if person else None)
            for by in BY if person is None else ("consultant",):
                compare_lines(scope, by, told, person)
            compare_losses(scope, told, person)
        transaction.set_rollback(True)


def compare_lines(scope, by, told, person):
    found, wanted = lines(scope, by), counted(told, by, scope.clinic.tz, person)
    keys = {"*" if key == WHOLE else key for key, line in found.items() if line.chats or any(line.found.values())}
    assert keys == {key for key, names in wanted.items() if names.keys() & {"chats", *KINDS, *RESULTS}}
    for key, names in wanted.items():
        line = found.get(WHOLE if key == "*" else key)
        if line is None:
            continue
        ids = {name: names[name] for name in ("chats", "effective", "lost", *KINDS, *RESULTS)}
        assert (line.chats, line.effective, line.lost) == tuple(len(ids[n]) for n in ("chats", "effective", "lost"))
        assert {name: line.found.get(name, 0) for name in (*KINDS, *RESULTS)} == {
            name: len(ids[name]) for name in (*KINDS, *RESULTS)
        }
        assert (line.cost, line.lost_cost) == (money(told, ids["chats"]), money(told, ids["lost"]))
        known = {chat.row.pk for chat in told if chat.cost is not None}
        assert line.costed == len(ids["chats"] & known)
        assert all(line.paid.get(name, 0) == len(ids[name] & known) for name in RESULTS)
        assert (line.scored, line.carded) == (len(names["scored"]), len(names["carded"]))


def compare_losses(scope, told, person):
    wanted = counted(told, "consultant", scope.clinic.tz, person)
    found = losses(scope)
    lost = {chat.row.pk for chat in told if chat.lost}
    for value, loss in {**found.codes, **found.kinds}.items():
        ids = wanted["*"][f"loss {value}"]
        assert (loss.chats, loss.lost, loss.cost) == (len(ids), len(ids & lost), money(told, ids & lost)), value
    expected = {name.removeprefix("loss ") for name in wanted["*"] if name.startswith("loss ") and wanted["*"][name]}
    assert expected == {*found.codes, *found.kinds}
    for key, kinds in losses_by(scope, "consultant")[1].items():
        for kind, loss in kinds.items():
            ids = wanted[key][f"loss {kind}"]
            assert (loss.chats, loss.lost, loss.cost) == (len(ids), len(ids & lost), money(told, ids & lost))

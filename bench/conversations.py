"""The report pages on 100,000 chats of one clinic and year, against SQL written by hand that counts the same."""

import statistics
import time
from collections.abc import Callable
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import Clinic, Membership, Team, User
from accounts.permissions import Role
from accounts.windows import Window
from conversations.models import Conversation
from conversations.reports.counting import lines
from conversations.reports.filters import Scope
from conversations.reports.losses import losses
from conversations.reports.pages import PAGES
from conversations.reports.windows import step_of, trend_of

SIZE = 100_000
CODE = "CB"
PEOPLE = 20
MONTH, YEAR = Window(date(2026, 10, 1), date(2026, 11, 1), "month"), Window(date(2025, 11, 1), date(2026, 11, 1))
TIMES = 5

CHATS = """
INSERT INTO conversations_conversation (clinic_id, source_key, content_hash, channel, keyword, cost, consultant_id,
  consultant_name, team_id, team_name, visitor_name, started_at, ended_at, message_count, visitor_messages,
  visitor_chars, consultant_messages, consultant_chars, first_reply_seconds, longest_silence_seconds, import_notes,
  ending, third_party, in_scope, is_effective, inspected_at, score, severity, is_error, imported_at)
SELECT %(clinic)s, 'bench-' || n, '', '渠道' || n %% 5, '关键词' || n %% 400, 100 + n %% 100,
  (%(people)s::bigint[])[1 + n %% %(count)s], '', (%(teams)s::bigint[])[1 + n %% 4], '', '访客' || n,
  at, at + interval '9 min', 20, 10, 200, 10, 300, nullif(n %% 97, 0), n %% 400, '{}',
  (ARRAY['greeting', 'visitor', 'consultant', 'system'])[1 + n %% 4], false, true, n %% 3 > 0, at,
  40 + n %% 60, n %% 4, false, at
FROM (SELECT n, timestamptz '2025-11-01 00:00+08' + n * interval '315 s' AS at FROM generate_series(1, %(size)s) n) made"""
CAPTURES = """
INSERT INTO conversations_capture (conversation_id, booking_at, booking_user_id)
SELECT id, CASE WHEN id %% 4 = 0 THEN started_at + interval '2 days' END, CASE WHEN id %% 4 = 0 THEN consultant_id END
FROM conversations_conversation WHERE clinic_id = %(clinic)s AND id %% 2 = 0"""
CONTACTS = """
INSERT INTO conversations_capturedcontact (capture_id, kind, value_encrypted, value_index, last4, user_id, group_name,
  remark, created_at)
SELECT p.id, kind, '', decode(md5(p.id || kind), 'hex'), '0000', c.consultant_id, '', '', c.started_at
FROM conversations_capture p JOIN conversations_conversation c ON c.id = p.conversation_id
CROSS JOIN (VALUES ('phone'), ('wechat')) kinds (kind)
WHERE c.clinic_id = %(clinic)s AND (kind = 'phone' OR c.id %% 6 = 0)"""
FINDINGS = """
INSERT INTO conversations_finding (conversation_id, code, user_id, quote, detail, advice, note, created_at,
  withdrawn_reason)
SELECT c.id, code, c.consultant_id, '', '{}', '', '', c.started_at, ''
FROM conversations_conversation c
CROSS JOIN (VALUES ('not_invited', 2), ('taboo.shirking', 7), ('neglect.silence', 3), ('error.typo', 5)) f (code, every)
WHERE c.clinic_id = %(clinic)s AND c.id %% every = 0"""
PATIENTS = """
UPDATE conversations_conversation c SET patient_id = p.id
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM patients_patient LIMIT 10000) p
WHERE c.clinic_id = %(clinic)s AND c.source_key = 'bench-' || p.n * 9"""

# One statement for what a page of lines shows, as somebody would write it who needs nothing else.
LINES_BY_HAND = """
SELECT KEYS, count(*), count(*) FILTER (WHERE c.is_effective), sum(c.cost), avg(c.score),
  count(*) FILTER (WHERE x.phone), count(*) FILTER (WHERE x.wechat), count(*) FILTER (WHERE x.qq),
  count(*) FILTER (WHERE x.id IS NOT NULL) AS contact, count(p.booking_at),
  count(*) FILTER (WHERE EXISTS (SELECT 1 FROM consultations_visit v WHERE v.patient_id = c.patient_id
    AND v.clinic_id = c.clinic_id AND NOT v.is_error AND v.arrived_at >= c.started_at)),
  count(*) FILTER (WHERE EXISTS (SELECT 1 FROM consultations_visit v WHERE v.patient_id = c.patient_id
    AND v.clinic_id = c.clinic_id AND NOT v.is_error AND v.decision IN ('accepted', 'deposit')
    AND v.decided_at >= c.started_at)),
  count(*) FILTER (WHERE x.id IS NULL) AS lost, sum(c.cost) FILTER (WHERE x.id IS NULL)
FROM conversations_conversation c
LEFT JOIN conversations_capture p ON p.conversation_id = c.id
LEFT JOIN (SELECT capture_id AS id, bool_or(kind = 'phone') AS phone, bool_or(kind = 'wechat') AS wechat,
           bool_or(kind = 'qq') AS qq FROM conversations_capturedcontact GROUP BY 1) x ON x.id = p.id
WHERE c.clinic_id = %(clinic)s AND NOT c.is_error AND c.started_at >= %(start)s AND c.started_at < %(end)s
GROUP BY SETS"""
LOCAL = "c.started_at AT TIME ZONE 'Asia/Shanghai'"


def _lines_by_hand(keys: str, sets: str) -> str:
    return LINES_BY_HAND.replace("KEYS", keys).replace("SETS", sets)


BY_HAND = _lines_by_hand("c.consultant_id", "1")
SOURCES_BY_HAND = _lines_by_hand("c.channel, c.keyword", "GROUPING SETS ((1), (2), ())")
TREND_BY_HAND = _lines_by_hand(f"date_trunc('month', {LOCAL})", "1")
# Without the opening hours, which would make it slower.
TIMES_BY_HAND = _lines_by_hand(
    f"extract(isodow FROM {LOCAL}), extract(hour FROM {LOCAL})", "GROUPING SETS ((1, 2), (1), (2), ())"
)
LOSSES_BY_HAND = """
SELECT f.code, count(*), count(*) FILTER (WHERE x.id IS NULL), sum(c.cost) FILTER (WHERE x.id IS NULL)
FROM conversations_conversation c
JOIN (SELECT DISTINCT conversation_id, code FROM conversations_finding WHERE withdrawn_at IS NULL) f
  ON f.conversation_id = c.id
LEFT JOIN (SELECT DISTINCT p.conversation_id AS id FROM conversations_capture p
           JOIN conversations_capturedcontact x ON x.capture_id = p.id) x ON x.id = c.id
WHERE c.clinic_id = %(clinic)s AND NOT c.is_error AND c.started_at >= %(start)s AND c.started_at < %(end)s
GROUP BY 1"""

SERVICE_BY_HAND = """
SELECT c.consultant_id, c.ending, count(*), count(*) FILTER (WHERE c.first_reply_seconds > 30),
  count(*) FILTER (WHERE c.longest_silence_seconds > 120),
  percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY c.first_reply_seconds),
  percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY c.longest_silence_seconds)
FROM conversations_conversation c
WHERE c.clinic_id = %(clinic)s AND NOT c.is_error AND c.started_at >= %(start)s AND c.started_at < %(end)s
GROUP BY GROUPING SETS ((1), (1, 2), ())"""
PAGES_BY_HAND = {
    "people": [BY_HAND], "trend": [TREND_BY_HAND], "losses": [BY_HAND, LOSSES_BY_HAND], "sources": [SOURCES_BY_HAND],
    "times": [TIMES_BY_HAND], "service": [SERVICE_BY_HAND],
}  # fmt: skip


def grow() -> tuple[Clinic, User]:
    """Have a clinic with its chats, and who looks at them."""
    clinic, _new = Clinic.objects.get_or_create(code=CODE, defaults={"name": "bench chats"})
    manager, _new = User.objects.get_or_create(username="bench_chats", defaults={"full_name": "bench"})
    Membership.objects.get_or_create(user=manager, clinic=clinic, defaults={"role": Role.MANAGER})
    if Conversation.objects.for_clinic(clinic).count() >= SIZE:
        return clinic, manager
    teams = [Team.objects.get_or_create(clinic=clinic, name=f"{n}")[0].pk for n in range(4)]
    people = []
    for n in range(PEOPLE):
        user, _new = User.objects.get_or_create(username=f"bench_chat_{n}", defaults={"full_name": f"consultant {n}"})
        Membership.objects.get_or_create(user=user, clinic=clinic, defaults={"role": Role.ONLINE_CONSULTANT})
        people.append(user.pk)
    values: dict[str, Any] = {"clinic": clinic.pk, "people": people, "count": PEOPLE, "teams": teams, "size": SIZE}
    with connection.cursor() as cursor:
        for statement in (CHATS, CAPTURES, CONTACTS, FINDINGS, PATIENTS):
            cursor.execute(statement, values)
        cursor.execute("VACUUM ANALYZE")
    return clinic, manager


def _both(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Return the middle of how long each takes, in ms; in turn, so that whatever else runs slows both alike."""
    samples: dict[Callable[[], object], list[float]] = {one: [], other: []}
    for _n in range(TIMES + 1):
        for act, taken in samples.items():
            start = time.perf_counter()
            act()
            taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(samples[one][1:]), statistics.median(samples[other][1:])


def _days_of(page: str, scope: Scope) -> Scope:
    """Return the days that a page shows: a trend goes back 13 months."""
    if page != "trend":
        return scope
    windows = trend_of(scope.window, step_of(scope.window))
    return scope.over(Window(windows[0].start, windows[-1].end))


def _by_hand(statement: str, scope: Scope) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"clinic": scope.clinic.pk, "start": scope.bounds[0], "end": scope.bounds[1]})
        return list(cursor.fetchall())


def _compare(scope: Scope) -> None:
    """Raise AssertionError where both count differently."""
    found = lines(scope, "consultant")
    for person, chats, *facts in _by_hand(BY_HAND, scope):
        line = found[str(person)]
        ours = [line.found.get(name, 0) for name in ("phone", "wechat", "qq", "contact", "booking")]
        assert (line.chats, line.effective, line.cost, ours) == (chats, facts[0], facts[1], facts[3:8])
        assert (line.lost, line.lost_cost) == (facts[10], facts[11] or 0)
    codes = losses(scope).codes
    for code, *facts in _by_hand(LOSSES_BY_HAND, scope):
        assert [codes[code].chats, codes[code].lost, codes[code].cost] == [*facts[:2], facts[2] or 0]


def report() -> None:
    """Print each page's time beside the statements by hand."""
    clinic, manager = grow()
    client = Client()
    client.force_login(manager, backend=settings.AUTHENTICATION_BACKENDS[-1])
    print(f"\nreports on {SIZE:,} chats{'ms':>24}{'by hand':>9}{'ratio':>7}{'statements':>12}")
    for name, window in (("month", MONTH), ("year", YEAR)):
        scope = Scope(clinic, window)
        _compare(scope)
        hand = {"people": BY_HAND, "losses": LOSSES_BY_HAND}
        counted = {"people": lambda s=scope: lines(s, "consultant"), "losses": lambda s=scope: losses(s)}
        for what, statement in hand.items():
            ours, plain = _both(counted[what], lambda s=scope, t=statement: _by_hand(t, s))  # type: ignore[misc]
            print(f"{f'{what}, {name}: counting':34}{ours:12.1f}{plain:9.1f}{ours / plain:7.2f}")
        for page in PAGES:
            address = f"/conversations/reports/{'' if page == 'people' else page + '/'}?{scope.query()}"
            response = client.get(address)
            assert response.status_code == 200
            by_hand, days = PAGES_BY_HAND[page], _days_of(page, scope)
            ours, plain = _both(
                lambda a=address: client.get(a),  # type: ignore[misc]
                lambda h=by_hand, s=days: [_by_hand(one, s) for one in h],  # type: ignore[misc]
            )
            told = f"{f'{page} page, {name}':34}{ours:12.1f}{plain:9.1f}{ours / plain:7.2f}"
            print(f"{told}{response.headers.get('X-Statements', ''):>12}")

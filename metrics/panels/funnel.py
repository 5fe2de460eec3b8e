"""From the conversation to the patient who comes back, with the money on the way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.windows import Window
from conversations.models import Conversation
from metrics.panels.scoping import bounds
from metrics.scope import Scope

STEPS: tuple[tuple[str, str | Promise, str | Promise], ...] = (
    ("conversation", pgettext_lazy("funnel", "Conversations"), ""),
    ("captured", pgettext_lazy("funnel", "Captured"), _("not captured")),
    ("booked", pgettext_lazy("funnel", "Booked"), _("not booked")),
    ("arrived", pgettext_lazy("funnel", "Arrived"), _("not arrived")),
    ("received", pgettext_lazy("funnel", "Received"), _("not received")),
    ("presented", pgettext_lazy("funnel", "Plan presented"), _("no plan presented")),
    ("accepted", pgettext_lazy("funnel", "Accepted"), _("not accepted")),
    ("returned", pgettext_lazy("funnel", "Came back"), _("not come back")),
)
CODES = tuple(code for code, _label, _gone in STEPS)

# One row for each conversation of the window with how far it came (0 to 7): whoever reached a step is counted in
# all before it. Reads the window's conversations by `conversation_list`, and their patients' visits by
# `visits_of_patient`.
REACHED = """
    SELECT c.id, c.patient_id, c.cost, v.id AS visit_id, v.amount, v.decided_well, v.plan_id,
        CASE
            WHEN v.decided_well AND v.again THEN 7
            WHEN v.decided_well THEN 6
            WHEN v.presented THEN 5
            WHEN v.received_at IS NOT NULL THEN 4
            WHEN v.id IS NOT NULL THEN 3
            WHEN c.appointment_id IS NOT NULL OR k.booking_at IS NOT NULL THEN 2
            WHEN c.patient_id IS NOT NULL
                OR EXISTS (SELECT 1 FROM conversations_capturedcontact x WHERE x.capture_id = k.id) THEN 1
            ELSE 0
        END AS reached
    FROM conversations_conversation c
    LEFT JOIN conversations_capture k ON k.conversation_id = c.id
    LEFT JOIN LATERAL (
        SELECT f.id, f.received_at, f.coordinator_id, f.doctor_id, f.is_first, f.consultation_id, p.id AS plan_id,
            COALESCE(f.decision_amount, f.deposit_amount) AS amount,
            f.explaining_started_at IS NOT NULL OR f.decision IN ('accepted', 'deposit') AS presented,
            f.decision IN ('accepted', 'deposit') AND NOT EXISTS (
                SELECT 1 FROM consultations_refund r
                WHERE r.consultation_id = f.consultation_id AND r.is_full AND r.cancels_id IS NULL
                    AND NOT EXISTS (SELECT 1 FROM consultations_refund u WHERE u.cancels_id = r.id)
            ) AS decided_well,
            EXISTS (
                SELECT 1 FROM consultations_visit n
                WHERE n.patient_id = f.patient_id AND NOT n.is_error AND n.received_at > f.left_at
            ) AS again
        FROM consultations_visit f
        LEFT JOIN consultations_plan p ON p.visit_id = f.id
        WHERE f.patient_id = c.patient_id AND f.clinic_id = c.clinic_id AND NOT f.is_error
            AND f.arrived_at >= c.started_at
        ORDER BY f.arrived_at, f.id LIMIT 1
    ) v ON TRUE
    WHERE NOT c.is_error AND ({where})
"""
PLAN_SUMS = """
    SELECT sum(o.total) FROM (SELECT DISTINCT plan_id FROM reached WHERE reached >= 5 AND plan_id IS NOT NULL) d
    CROSS JOIN LATERAL (
        SELECT (SELECT sum(i.unit_price * i.quantity) FROM consultations_planitem i WHERE i.option_id = o.id)
            - o.discount AS total
        FROM consultations_planoption o WHERE o.plan_id = d.plan_id
        ORDER BY o.is_chosen DESC, o.is_suggested DESC, o.position LIMIT 1
    ) o
"""
COUNTS = """
    WITH reached AS ({reached})
    SELECT count(*) FILTER (WHERE reached >= 0), count(*) FILTER (WHERE reached >= 1),
        count(*) FILTER (WHERE reached >= 2), count(*) FILTER (WHERE reached >= 3),
        count(*) FILTER (WHERE reached >= 4), count(*) FILTER (WHERE reached >= 5),
        count(*) FILTER (WHERE reached >= 6), count(*) FILTER (WHERE reached >= 7),
        sum(cost), ({plans}),
        (SELECT sum(amount) FROM (SELECT DISTINCT visit_id, amount FROM reached WHERE reached >= 6) a)
    FROM reached
"""


# Whose chats they are: the consultant's, or of whom the visit is that came of them. Doctor, complaint, channel and kind
# of visit are known of those who left a contact or came; the others belong to none.
OF_TEAM = """(c.team_id = ANY(%s) OR EXISTS (
    SELECT 1 FROM accounts_membership m
    WHERE m.user_id = v.coordinator_id AND m.clinic_id = c.clinic_id AND m.team_id = ANY(%s)
))"""
OF_CHANNEL = """EXISTS (
    SELECT 1 FROM patients_registration r
    WHERE r.patient_id = c.patient_id AND r.clinic_id = c.clinic_id AND r.channel = ANY(%s)
)"""
OF_COMPLAINT = """EXISTS (
    SELECT 1 FROM consultations_consultation n WHERE n.id = v.consultation_id AND n.complaint = ANY(%s)
)"""
NARROWED: tuple[tuple[str, Callable[[Scope], list[Any] | None]], ...] = (
    (OF_TEAM, lambda scope: _listed(scope.teams)),
    ("(c.consultant_id = ANY(%s) OR v.coordinator_id = ANY(%s))", lambda scope: _listed(scope.coordinators)),
    ("v.doctor_id = ANY(%s)", lambda scope: _listed(scope.doctors)),
    (OF_CHANNEL, lambda scope: _listed(scope.channels)),
    (OF_COMPLAINT, lambda scope: _listed(scope.complaints)),
    ("v.is_first = ANY(%s)", lambda scope: None if scope.is_first is None else [scope.is_first]),
)


def _listed(chosen: Sequence[Any] | None) -> list[Any] | None:
    return None if chosen is None else list(chosen)


@dataclass(frozen=True)
class Step:
    """One step: how many reached it, of how many before, who did not."""

    code: str
    label: str | Promise
    gone_label: str | Promise
    n: int
    before: int
    whole: int

    @property
    def gone(self) -> int:
        return self.before - self.n

    @property
    def share(self) -> Decimal | None:
        """Percent of the step before; None of nobody."""
        return Decimal(self.n * 100) / self.before if self.before else None

    @property
    def height(self) -> int:
        """Of 38: the bar's height against the first step."""
        return max(1, round(38 * self.n / self.whole)) if self.whole and self.n else 0

    @property
    def height_before(self) -> int:
        return max(1, round(38 * self.before / self.whole)) if self.whole and self.before else 0

    @property
    def top(self) -> int:
        return 40 - self.height

    @property
    def top_before(self) -> int:
        return 40 - self.height_before


@dataclass(frozen=True)
class Funnel:
    steps: list[Step]
    cost: Decimal
    planned: Decimal
    accepted: Decimal

    @property
    def total(self) -> int:
        return self.steps[0].n

    @property
    def won(self) -> Step:
        return self.steps[CODES.index("accepted")]

    @property
    def won_share(self) -> Decimal | None:
        return Decimal(self.won.n * 100) / self.total if self.total else None

    @property
    def per_won(self) -> Decimal | None:
        """What one acceptance cost in conversations, in yuan."""
        return self.cost / self.won.n if self.won.n else None


def _where(scope: Scope, window: Window) -> tuple[str, list[Any]]:
    said, values = [], []
    for clinics, start, end in bounds(scope, window):
        said.append("(c.clinic_id = ANY(%s) AND c.started_at >= %s AND c.started_at < %s)")
        values += [clinics, start, end]
    told = ["(" + (" OR ".join(said) or "FALSE") + ")"]
    for condition, wanted in NARROWED:
        if (chosen := wanted(scope)) is not None:
            told.append(condition)
            values += [chosen] * condition.count("%s")
    return " AND ".join(told), values


def count(scope: Scope, window: Window) -> Funnel:
    """Count how far the conversations begun in the window came (one statement)."""
    where, values = _where(scope, window)
    with connection.cursor() as cursor:
        cursor.execute(COUNTS.format(reached=REACHED.format(where=where), plans=PLAN_SUMS), values)
        row = cursor.fetchone()
    counts, money = list(row[:8]), [Decimal(value or 0) for value in row[8:]]
    steps = [
        Step(code, label, gone, counts[place], counts[place - 1] if place else counts[0], counts[0])
        for place, (code, label, gone) in enumerate(STEPS)
    ]
    return Funnel(steps, *money)


def records(scope: Scope, window: Window, part: str) -> QuerySet[Any] | None:
    """Return the conversations that reached a step ("booked"), or went no further than before it ("not:booked")."""
    gone, code = part.startswith("not:"), part.removeprefix("not:")
    if code not in CODES:
        return None
    place = CODES.index(code)
    where, values = _where(scope, window)
    met = f"reached = {place - 1}" if gone else f"reached >= {place}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM ({REACHED.format(where=where)}) r WHERE {met}", values)  # noqa: S608
        ids = [row[0] for row in cursor.fetchall()]
    return Conversation.objects.filter(pk__in=ids).select_related("clinic", "consultant", "patient")


def words(part: str) -> str:
    """Return what the conversations of a part are called."""
    _code, label, gone = STEPS[CODES.index(part.removeprefix("not:"))]
    return str(gone if part.startswith("not:") else label)

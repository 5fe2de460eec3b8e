"""KPIs 1, 4, 5 and 7: of visits that ended, and of visits received, in the window."""

from metrics.sql.ground import Ground, day_after, local_day
from metrics.sql.source import Measure, Source, beside, share

PAYING = "('accepted', 'deposit')"


def ended(ground: Ground) -> str:
    """Visits by when they ended: who left undecided or refused (KPI 1), who had been received (KPI 5)."""
    end = day_after("v.left_at", "b.zone")
    return f"""
    SELECT b.w, v.id, v.clinic_id, v.coordinator_id, v.doctor_id,
        CASE WHEN v.wrong THEN 'excluded:error'
            WHEN v.decision NOT IN ('undecided', 'refused') THEN 'excluded:decided'
            WHEN {_classified(ground, end)} THEN 'counted' ELSE 'failing' END AS classification,
        CASE WHEN v.wrong THEN 'excluded:error'
            WHEN v.received_at IS NULL THEN 'excluded:not_received'
            WHEN later.made THEN 'counted' ELSE 'failing' END AS next_appointment,
        later.covered
    FROM {ground.bounds()} JOIN {ground.any_visit} v ON {ground.within("v.left_at")}
    CROSS JOIN LATERAL (
        SELECT COALESCE(bool_or(a.created_at < {end} AND a.status <> 'error'
                AND (a.ended_at IS NULL OR a.ended_at > v.left_at)), FALSE) AS made,
            COALESCE(bool_or(a.status IN ('booked', 'confirmed', 'kept')), FALSE) AS covered
        FROM {ground.appointment} a
        WHERE {ground.same_person("a", "v")} AND a.clinic_id = v.clinic_id AND a.starts_at > v.left_at
    ) later
    WHERE {ground.of_visit("v")}"""


def _classified(ground: Ground, end: str) -> str:
    """Complaint, class, awareness, trust and, where it is not the suggested class, the reason: by the end of the day."""
    return f"""(v.complaint_confirmed_at IS NULL OR v.complaint_confirmed_at < {end})
        AND EXISTS (
            SELECT 1 FROM consultations_consultation n WHERE n.id = v.consultation_id AND n.complaint <> ''
        ) AND EXISTS (
            SELECT 1 FROM {ground.change} c WHERE {ground.same_person("c", "v")} AND c.clinic_id = v.clinic_id
            AND c.at >= v.arrived_at AND c.at < {end}
            AND c.new_class <> '' AND c.awareness IS NOT NULL AND c.trust IS NOT NULL
            AND (c.suggested IN ('', c.new_class) OR c.reason <> '')
        )"""


ENDED = Source(
    ended,
    (
        share("classification"),
        share("next_appointment"),
        beside("next_appointment.covered", "s.covered", "next_appointment"),
    ),
    {
        "classification": ("classification", "id"),
        "next_appointment": ("next_appointment", "id"),
        "next_appointment.covered": (
            (
                "CASE WHEN s.next_appointment LIKE 'excluded%%' THEN s.next_appointment"
                " WHEN s.covered THEN 'counted' ELSE 'failing' END"
            ),
            "id",
        ),
    },
)


def received(ground: Ground) -> str:
    """Visits by when they were received: the form of first visits (KPI 4), and the consultations that begin (KPI 7)."""
    day = local_day("v.received_at", "b.zone")
    opened = "TRUE"  # a visit may have moved to a consultation of its own later
    if ground.replayed:
        opened = (
            "EXISTS (SELECT 1 FROM consultations_consultation n"
            " WHERE n.id = v.consultation_id AND n.opened_at <= %(as_of)s)"
        )
    complete = "v.form_completed_at IS NOT NULL AND v.form_completed_at <= COALESCE(v.handoff_at, 'infinity')"
    return f"""
    SELECT b.w, v.id, v.consultation_id, v.clinic_id, v.coordinator_id, v.doctor_id,
        CASE WHEN v.wrong THEN 'excluded:error' WHEN k.began_before OR NOT {ground.first("v")} THEN 'excluded:return'
            WHEN {complete} THEN 'counted' ELSE 'failing' END AS form,
        v.form_completed_at > v.handoff_at AS late,
        CASE WHEN v.wrong THEN CASE WHEN k.visits = 0 THEN 'excluded:error' END
            WHEN k.began_before OR NOT ({opened}) THEN NULL
            WHEN k.decision = 'no_treatment' THEN 'excluded:no_treatment'
            WHEN k.decision IN {PAYING} AND NOT r.in_full THEN 'counted' ELSE 'failing' END AS closing,
        {local_day("k.closed_at", "b.zone")} = {day} AS same_day,
        {local_day("k.closed_at", "b.zone")} <= {day} + 30 AS thirty_days,
        k.presented, k.amount, GREATEST(k.amount - r.amount, 0) AS kept
    FROM {ground.bounds()} JOIN {ground.any_visit} v ON {ground.within("v.received_at")}
    CROSS JOIN LATERAL ({_case(ground)}) k
    CROSS JOIN LATERAL ({_refunds(ground, "v.consultation_id", "k.decided_at")} AND k.decision IN {PAYING}) r
    WHERE {ground.of_visit("v")}"""


def _case(ground: Ground) -> str:
    """How a consultation stands: by its latest decision, not by a column that is overwritten.

    Where only one of its visits decided, that is the latest; the others are put in order.
    """
    amount = "COALESCE(d.decision_amount, d.deposit_amount)"
    return f"""
        SELECT c.began_before, c.visits, c.closed_at, c.decided_at, c.presented,
            CASE WHEN c.decisions > 1 THEN last.decision ELSE c.decision END AS decision,
            COALESCE(CASE WHEN c.decisions > 1 THEN last.amount ELSE c.amount END, 0) AS amount
        FROM (
            SELECT bool_or((d.received_at, d.id) < (v.received_at, v.id)) AS began_before, count(*) AS visits,
                count(d.decided_at) AS decisions, max(d.decided_at) AS decided_at, max(d.decision) AS decision,
                min(d.decided_at) FILTER (WHERE d.decision IN {PAYING}) AS closed_at,
                bool_or(d.explaining_started_at IS NOT NULL) AS presented,
                max({amount}) FILTER (WHERE d.decided_at IS NOT NULL) AS amount
            FROM {ground.visit} d WHERE d.consultation_id = v.consultation_id
        ) c LEFT JOIN LATERAL (
            SELECT d.decision, {amount} AS amount FROM {ground.visit} d
            WHERE c.decisions > 1 AND c.began_before IS NOT TRUE
            AND d.consultation_id = v.consultation_id AND d.decided_at IS NOT NULL
            ORDER BY d.decided_at DESC, d.id DESC LIMIT 1
        ) last ON TRUE"""


def _refunds(ground: Ground, consultation: str, since: str) -> str:
    """What was paid back since the decision, and whether all of it was: refunds that were not taken back."""
    return f"""
        SELECT COALESCE(bool_or(f.is_full), FALSE) AS in_full, COALESCE(sum(f.amount), 0) AS amount
        FROM consultations_refund f
        WHERE f.consultation_id = {consultation} AND f.cancels_id IS NULL AND f.at >= {since} AND {ground.known("f.at")}
        AND NOT EXISTS (
            SELECT 1 FROM consultations_refund u WHERE u.cancels_id = f.id AND {ground.known("u.at")}
        )"""


refunds = _refunds
OF_CLOSING = "s.closing IN ('counted', 'failing')"
CLOSED = "s.closing = 'counted'"


def _closing(flag: str) -> str:
    """The part of a consultation in a companion: of the same ones, those closed and flagged."""
    return (
        "CASE WHEN s.closing LIKE 'excluded%%' THEN s.closing"
        f" WHEN {CLOSED} AND {flag} THEN 'counted' WHEN s.closing IS NOT NULL THEN 'failing' END"
    )


RECEIVED = Source(
    received,
    (
        share("form"),
        beside("form.late", "s.late", "form"),
        share("closing"),
        beside("closing.same_day", f"{CLOSED} AND s.same_day", "closing"),
        beside("closing.thirty_days", f"{CLOSED} AND s.thirty_days", "closing"),
        Measure(
            "closing.money",
            f"COALESCE(sum(s.kept) FILTER (WHERE {CLOSED}), 0)",
            f"COALESCE(sum(s.amount) FILTER (WHERE {OF_CLOSING}), 0)",
        ),
        Measure(
            "closing.presented",
            f"count(*) FILTER (WHERE {CLOSED} AND s.presented)",
            f"count(*) FILTER (WHERE {OF_CLOSING} AND s.presented)",
        ),
    ),
    {
        "form": ("form", "id"),
        "form.late": (
            "CASE WHEN s.form LIKE 'excluded%%' THEN s.form WHEN s.late THEN 'counted' ELSE 'failing' END",
            "id",
        ),
        "closing": ("closing", "consultation_id"),
        "closing.same_day": (_closing("s.same_day"), "consultation_id"),
        "closing.thirty_days": (_closing("s.thirty_days"), "consultation_id"),
        "closing.money": (_closing("s.amount > 0"), "consultation_id"),
        "closing.presented": (
            (
                f"CASE WHEN NOT s.presented AND s.closing IS NOT NULL THEN 'excluded:not_presented'"
                f" ELSE {_closing('TRUE')} END"
            ),
            "consultation_id",
        ),
    },
)

"""The ten key figures as somebody would write them by hand for this database, over the columns that say it most
directly. By coordinator, with the whole; parameters: clinics, start, end (dates), year (twelve months before `end`)."""

BOUNDS = """
b AS MATERIALIZED (
    SELECT id AS clinic_id, zone, %(start)s::timestamp AT TIME ZONE zone AS s, %(end)s::timestamp AT TIME ZONE zone AS e,
        %(year)s::timestamp AT TIME ZONE zone AS y FROM accounts_clinic WHERE id = ANY(%(clinics)s)
)"""
OUTER = "AND {0} >= %(low)s AND {0} < %(high)s"
BY_TC = "GROUP BY GROUPING SETS ((), (v.coordinator_id))"

HAND: dict[str, str] = {
    "ended": f"""WITH {BOUNDS}
    SELECT GROUPING(v.coordinator_id) = 1, v.coordinator_id,
        count(*) FILTER (WHERE v.decision IN ('undecided', 'refused') AND EXISTS (
            SELECT 1 FROM patients_classchange c WHERE c.patient_id = v.patient_id AND c.at >= v.arrived_at
            AND c.at < (date_trunc('day', v.left_at AT TIME ZONE b.zone) + interval '1 day') AT TIME ZONE b.zone
            AND c.awareness IS NOT NULL AND c.trust IS NOT NULL)),
        count(*) FILTER (WHERE v.decision IN ('undecided', 'refused')),
        count(*) FILTER (WHERE v.received_at IS NOT NULL AND EXISTS (
            SELECT 1 FROM followups_appointment a WHERE a.patient_id = v.patient_id AND a.starts_at > v.left_at
            AND a.created_at < (date_trunc('day', v.left_at AT TIME ZONE b.zone) + interval '1 day') AT TIME ZONE b.zone
            AND a.status <> 'error' AND (a.ended_at IS NULL OR a.ended_at > v.left_at))),
        count(*) FILTER (WHERE v.received_at IS NOT NULL),
        count(*) FILTER (WHERE v.received_at IS NOT NULL AND EXISTS (
            SELECT 1 FROM followups_appointment a WHERE a.patient_id = v.patient_id AND a.starts_at > v.left_at
            AND a.status IN ('booked', 'confirmed', 'kept')))
    FROM b JOIN consultations_visit v ON v.clinic_id = b.clinic_id AND v.left_at >= b.s AND v.left_at < b.e
        {OUTER.format("v.left_at")} AND NOT v.is_error {BY_TC}""",
    "received": f"""WITH {BOUNDS}
    SELECT GROUPING(v.coordinator_id) = 1, v.coordinator_id,
        count(*) FILTER (WHERE v.is_first AND v.form_completed_at <= v.handoff_at), count(*) FILTER (WHERE v.is_first)
    FROM b JOIN consultations_visit v ON v.clinic_id = b.clinic_id AND v.received_at >= b.s AND v.received_at < b.e
        {OUTER.format("v.received_at")} AND NOT v.is_error {BY_TC}""",
    "closing": f"""WITH {BOUNDS}
    SELECT GROUPING(v.coordinator_id) = 1, v.coordinator_id,
        count(*) FILTER (WHERE yes AND back.id IS NULL), count(*),
        count(*) FILTER (WHERE yes AND back.id IS NULL AND (k.at AT TIME ZONE b.zone)::date = (v.first_received_at AT TIME ZONE b.zone)::date),
        count(*) FILTER (WHERE yes AND back.id IS NULL AND (k.at AT TIME ZONE b.zone)::date <= (v.first_received_at AT TIME ZONE b.zone)::date + 30),
        sum(k.amount) FILTER (WHERE yes AND back.id IS NULL), sum(k.amount)
    FROM b JOIN (
        SELECT *, status IN ('accepted', 'deposit') AS yes
        FROM consultations_consultation
    ) v ON v.clinic_id = b.clinic_id AND v.first_received_at >= b.s AND v.first_received_at < b.e
        {OUTER.format("v.first_received_at")} AND v.status <> 'no_treatment'
    CROSS JOIN LATERAL (
        SELECT min(d.decided_at) FILTER (WHERE d.decision IN ('accepted', 'deposit')) AS at,
            max(d.decision_amount) AS amount, bool_or(d.explaining_started_at IS NOT NULL) AS shown
        FROM consultations_visit d WHERE d.consultation_id = v.id AND NOT d.is_error
    ) k
    LEFT JOIN consultations_refund back ON back.consultation_id = v.id AND back.is_full AND back.cancels_id IS NULL
        AND NOT EXISTS (SELECT 1 FROM consultations_refund u WHERE u.cancels_id = back.id) {BY_TC}""",
    "wechat": f"""WITH {BOUNDS}, seen AS (
        SELECT v.coordinator_id AS tc, GROUPING(v.coordinator_id) = 1 AS whole, v.patient_id, min(v.received_at) AS at,
            min(b.zone) AS zone, bool_or(v.is_first) AS is_new
        FROM b JOIN consultations_visit v ON v.clinic_id = b.clinic_id AND v.received_at >= b.s AND v.received_at < b.e
            {OUTER.format("v.received_at")} AND NOT v.is_error
        GROUP BY GROUPING SETS ((v.patient_id), (v.patient_id, v.coordinator_id))
    ) SELECT whole, tc, count(*) FILTER (WHERE p.wechat_linked_at <
            (date_trunc('day', at AT TIME ZONE zone) + interval '1 day') AT TIME ZONE zone), count(*),
        count(*) FILTER (WHERE is_new AND EXISTS (SELECT 1 FROM patients_referral r WHERE r.referred_id = p.id)),
        count(*) FILTER (WHERE is_new)
    FROM seen JOIN patients_patient p ON p.id = seen.patient_id GROUP BY whole, tc""",
    "referral": f"""WITH {BOUNDS}, seen AS (
        SELECT v.coordinator_id AS tc, GROUPING(v.coordinator_id) = 1 AS whole, v.patient_id, min(b.y) AS y, max(b.e) AS e
        FROM b JOIN consultations_visit v ON v.clinic_id = b.clinic_id AND v.received_at >= b.y AND v.received_at < b.e
            AND v.received_at >= %(long)s AND v.received_at < %(high)s AND NOT v.is_error
        GROUP BY GROUPING SETS ((v.patient_id), (v.patient_id, v.coordinator_id))
    ) SELECT whole, tc, count(*) FILTER (WHERE EXISTS (SELECT 1 FROM patients_referral r
            WHERE r.referrer_id = patient_id AND r.effective_at >= y AND r.effective_at < e)), count(*)
    FROM seen GROUP BY whole, tc""",
    "classes": f"""WITH {BOUNDS}, before AS (
        SELECT DISTINCT ON (c.patient_id) c.patient_id, c.by_id, c.new_class, c.at
        FROM b JOIN patients_classchange c ON c.clinic_id = b.clinic_id AND c.at < b.s
        ORDER BY c.patient_id, c.at DESC, c.id DESC
    ), during AS (
        SELECT c.patient_id, (array_agg(c.by_id ORDER BY c.at))[1] AS by_id, min(c.at) AS at,
            (array_agg(c.new_class ORDER BY c.at))[1] AS first_class,
            (array_agg(c.new_class ORDER BY c.at DESC))[1] AS last_class
        FROM b JOIN patients_classchange c ON c.clinic_id = b.clinic_id AND c.at >= b.s AND c.at < b.e GROUP BY 1
    ), v AS (
        SELECT patient_id, COALESCE(o.by_id, n.by_id) AS coordinator_id, COALESCE(o.new_class, n.first_class) AS was,
            COALESCE(n.last_class, o.new_class) AS became, COALESCE(o.at, n.at) AS at, o.at IS NOT NULL AS old
        FROM before o FULL JOIN during n USING (patient_id)
    ) SELECT GROUPING(v.coordinator_id) = 1, v.coordinator_id,
        count(*) FILTER (WHERE yes.at IS NOT NULL
            OR array_position(o.o, became::text) > array_position(o.o, was::text)), count(*)
    FROM v CROSS JOIN (SELECT ARRAY['C-E', 'C-D', 'C-C', 'C-B', 'C-A'] AS o, max(s) AS s, max(e) AS e FROM b) o
    LEFT JOIN LATERAL (
        SELECT min(d.decided_at) AS at FROM consultations_visit d WHERE d.patient_id = v.patient_id AND NOT d.is_error
        AND d.decision IN ('accepted', 'deposit') AND d.decided_at >= v.at AND d.decided_at < o.e
    ) yes ON TRUE
    WHERE was IN ('C-E', 'C-D', 'C-C', 'C-B') AND (yes.at IS NULL OR yes.at >= o.s) {BY_TC}""",
    "appointments": f"""WITH {BOUNDS}
    SELECT GROUPING(v.coordinator_id) = 1, v.coordinator_id, count(*) FILTER (WHERE v.status = 'cancelled_patient'),
        count(*), count(*) FILTER (WHERE v.status = 'no_show'),
        count(*) FILTER (WHERE v.status IN ('cancelled_patient', 'no_show') OR v.status = 'moved' AND v.is_late)
    FROM b JOIN (SELECT *, created_by_id AS coordinator_id FROM followups_appointment) v
        ON v.clinic_id = b.clinic_id AND v.starts_at >= b.s AND v.starts_at < b.e
        {OUTER.format("v.starts_at")} AND v.status NOT IN ('cancelled_clinic', 'error') {BY_TC}""",
    "complaints": f"""WITH {BOUNDS}
    SELECT GROUPING(v.coordinator_id) = 1, v.coordinator_id, count(*), count(*) FILTER (WHERE v.is_upheld)
    FROM b JOIN (SELECT *, about_id AS coordinator_id FROM patients_complaintcase) v
        ON v.clinic_id = b.clinic_id AND v.received_at >= b.s AND v.received_at < b.e AND v.joined_to_id IS NULL {BY_TC}""",
}
# Which figures each of them gives, after whole and coordinator; None: no figure of its own.
GIVES: dict[str, tuple[tuple[str, str], ...]] = {
    "ended": (("classification", "n"), ("classification", "d"), ("next_appointment", "n"), ("next_appointment", "d"),
        ("next_appointment.covered", "n")),
    "received": (("form", "n"), ("form", "d")),
    "closing": (("closing", "n"), ("closing", "d"), ("closing.same_day", "n"), ("closing.thirty_days", "n"),
        ("closing.money", "n"), ("closing.money", "d")),
    "wechat": (("wechat", "n"), ("wechat", "d"), ("referral.new_patients", "n"), ("referral.new_patients", "d")),
    "referral": (("referral", "n"), ("referral", "d")),
    "classes": (("c_conversion", "n"), ("c_conversion", "d")),
    "appointments": (("cancellation", "n"), ("cancellation", "d"), ("cancellation.no_show", "n"),
        ("cancellation.broken", "n")),
    "complaints": (("complaints", "n"), ("complaints.upheld", "n")),
}  # fmt: skip

"""KPIs 8 and 9, and whom KPI 10 is measured by: patients received, each once, in every group once."""

from collections.abc import Callable

from metrics.sql.ground import Ground, day_after, local_day
from metrics.sql.source import Measure, Source


def _seen(ground: Ground, name: str) -> str:
    """Received visits with what their person is grouped by."""
    return f"""
    SELECT {name}.w, v.clinic_id, v.coordinator_id, v.doctor_id, v.holder_id, v.patient_id, v.received_at,
        {name}.start_at, {name}.end_at, {name}.zone
    FROM {ground.bounds(name)} JOIN {ground.visit} v ON {ground.within("v.received_at", name)}
    WHERE {ground.of_visit("v")}"""


def received(ground: Ground) -> str:
    """Persons received in the window: linked on WeChat by the end of their first day in it, new, brought by others."""
    return f"""
    SELECT t.w, t.is_whole, t.key, t.patient_id, CASE WHEN link.linked_at < t.day_end AND NOT (
            link.by_guardian AND p.birth_date IS NOT NULL AND (p.birth_date + interval '18 years')::date <= t.day
        ) THEN 'counted' ELSE 'failing' END AS wechat,
        new.is_new, new.is_new AND EXISTS (
            SELECT 1 FROM {ground.referral} r WHERE r.referred_id = t.patient_id AND {ground.known("r.created_at")}
        ) AS brought
    FROM (
        SELECT {ground.keyed}, s.patient_id, min(s.holder_id) AS holder_id, min(s.received_at) AS first_at,
            {_earliest(ground, day_after)} AS day_end, {_earliest(ground, local_day)} AS day
        FROM ({_seen(ground, "b")}) s {ground.member} {ground.grouping("s.patient_id")}
    ) t JOIN patients_patient p ON p.id = t.patient_id
    CROSS JOIN LATERAL (SELECT {ground.linked}) link
    CROSS JOIN LATERAL (SELECT NOT EXISTS (
        SELECT 1 FROM {ground.visit} e WHERE {ground.same_person("e", "t")} AND e.received_at < t.first_at
    ) AS is_new OFFSET 0) new"""


def _earliest(ground: Ground, told: Callable[[str, str], str]) -> str:
    """Return the earliest day (its end) that the visits `s` of a person fall on, told once per zone, not per visit."""
    zones = [f"(%(zones)s::text[])[{place}]" for place in range(1, len(ground.zones) + 1)]
    return f"LEAST({', '.join(told(f'min(s.received_at) FILTER (WHERE s.zone = {zone})', zone) for zone in zones)})"


def returned(ground: Ground) -> str:
    """Persons received in the twelve months: whether somebody they brought was received in them (DOMAIN §4).

    Few of them brought anybody: those few are found first, once, and looked at more closely.
    """
    return f"""
    SELECT t.w, t.is_whole, t.key, t.patient_id, CASE WHEN t.patient_id IN (
        SELECT r.referrer_id FROM {ground.referral} r
        WHERE r.effective_at >= %(y_low)s::timestamptz AND r.effective_at < %(y_high)s::timestamptz
    ) AND EXISTS (
        SELECT 1 FROM {ground.referral} r WHERE r.referrer_id = t.patient_id
        AND r.effective_at >= t.start_at AND r.effective_at < t.end_at
        AND {ground.known("r.effective_at")} AND {ground.known("r.created_at")}
        AND NOT (
            EXISTS (SELECT 1 FROM {ground.any_visit} e
                WHERE e.patient_id = r.referred_id AND e.wrong AND e.received_at IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM {ground.visit} e
                WHERE e.patient_id = r.referred_id AND e.received_at IS NOT NULL AND {ground.known("e.received_at")})
        )
    ) THEN 'counted' ELSE 'failing' END AS referral
    FROM (
        SELECT {ground.keyed}, s.patient_id, min(s.start_at) AS start_at, max(s.end_at) AS end_at
        FROM ({_seen(ground, "y")}) s {ground.member} {ground.grouping("s.patient_id")}
    ) t"""


PEOPLE = Source(
    received,
    (
        Measure("wechat", "count(*) FILTER (WHERE s.wechat = 'counted')", "count(*)"),
        Measure("people", "count(*)", "count(*)"),
        Measure("referral.new_patients", "count(*) FILTER (WHERE s.brought)", "count(*) FILTER (WHERE s.is_new)"),
    ),
    {
        "wechat": ("wechat", "patient_id"),
        "people": ("'counted'", "patient_id"),
        "referral.new_patients": (
            "CASE WHEN s.brought THEN 'counted' WHEN s.is_new THEN 'failing' ELSE 'excluded:known' END",
            "patient_id",
        ),
    },
    grouped=received,
)
YEAR = Source(
    returned,
    (Measure("referral", "count(*) FILTER (WHERE s.referral = 'counted')", "count(*)"),),
    {"referral": ("referral", "patient_id")},
    grouped=returned,
)

"""KPI 2: of patients standing in C-E to C-B, those who rose or accepted."""

from metrics.sql.ground import Ground
from metrics.sql.source import Source, beside, share
from metrics.sql.visits import PAYING, refunds

LOWER = "('C-E', 'C-D', 'C-C', 'C-B')"
ORDER = "ARRAY['C-E', 'C-D', 'C-C', 'C-B', 'C-A']::text[]"


def standing(ground: Ground, classes: str = LOWER) -> str:
    """Persons by how they stood when the window began or came to stand in it, and how at its end.

    A correction is no move: it tells what the class before it had been all along. So changes fall into steps, each a
    move with the corrections after it. The first step in C-E to C-B is how a person came in, the last one how they
    stand. Whoever accepted before the window began was no longer undecided. `classes`: those to stand in.
    """
    doctor = "NULL::bigint"
    if ground.by == "doctor" or ground.scope.doctors is not None:
        doctor = "(SELECT o.doctor_id FROM consultations_visit o WHERE o.classification_id = m.change_id LIMIT 1)"
    accepted = _accepted(ground)
    return f"""
    SELECT m.w, m.patient_id, m.clinic_id, m.coordinator_id, m.doctor_id, m.class_code, m.last_class,
        CASE WHEN m.accepted_at < m.start_at THEN 'excluded:accepted'
            WHEN m.accepted_at IS NOT NULL OR m.rank_end > m.rank_start THEN 'counted' ELSE 'failing'
        END AS c_conversion,
        m.accepted_at IS NULL AND m.rank_end < m.rank_start AS fell, m.accepted_at IS NOT NULL AS accepted
    FROM (
        SELECT m.*, {doctor} AS doctor_id, ({accepted}) AS accepted_at,
            array_position({ORDER}, m.class_code::text) AS rank_start,
            array_position({ORDER}, m.last_class::text) AS rank_end
        FROM ({_steps(ground, classes)}) m
        WHERE {ground.of_channel("m.holder_id", "m.clinic_id")} AND {ground.of_complaint("m.holder_id", "m.clinic_id")}
        AND {ground.of_first("m.holder_id", "m.clinic_id", _came_once(ground))}
        OFFSET 0 -- the planner would look for the acceptance wherever it is named
    ) m WHERE {ground.credited("m.coordinator_id", "m.doctor_id", "m.clinic_id")}"""


def _accepted(ground: Ground) -> str:
    """When the person first accepted since they came in, up to the end; not where all was paid back since."""
    return f"""
        SELECT min(d.decided_at) FROM {ground.visit} d
        CROSS JOIN LATERAL ({refunds(ground, "d.consultation_id", "d.decided_at")} AND f.at < m.end_at) r
        WHERE {ground.same_person("d", "m")} AND d.decision IN {PAYING}
        AND d.decided_at >= m.at AND d.decided_at < m.end_at AND NOT r.in_full"""


def _came_once(ground: Ground) -> str:
    """The person was received once at most when they came to stand in the class."""
    return (
        f"(SELECT count(*) FROM {ground.visit} e WHERE {ground.same_person('e', 'm')} AND e.received_at <= m.at) <= 1"
    )


def _steps(ground: Ground, classes: str) -> str:
    """Per window and person: the step they came in by, and the class they stand in at the end."""
    order = "PARTITION BY w, patient_id ORDER BY at, id"
    return f"""
    SELECT DISTINCT ON (w, patient_id) w, patient_id, holder_id, clinic_id, coordinator_id, change_id, at, class_code,
        last_class, start_at, end_at
    FROM (
        SELECT w, patient_id, holder_id, step, start_at, end_at, last_class,
            first_value(clinic_id) OVER step_rows AS clinic_id, first_value(by_id) OVER step_rows AS coordinator_id,
            first_value(id) OVER step_rows AS change_id, first_value(at) OVER step_rows AS at,
            last_value(new_class) OVER step_rows AS class_code
        FROM (
            SELECT *, last_value(new_class) OVER (
                    {order} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                ) AS last_class,
                count(*) FILTER (WHERE NOT is_correction OR place = 1) OVER ({order}) AS step
            FROM (
                SELECT *, row_number() OVER ({order}) AS place FROM (
                    SELECT b.w, b.start_at, b.end_at, c.id, c.at, c.patient_id, c.holder_id, c.clinic_id, c.by_id,
                        c.new_class, c.is_correction, c.at < b.start_at AND lead(c.at < b.start_at) OVER (
                            PARTITION BY b.w, c.patient_id ORDER BY c.at, c.id
                        ) IS TRUE AS overtaken
                    FROM {ground.bounds()} JOIN {ground.change} c ON c.clinic_id = b.clinic_id AND c.at < b.end_at
                ) every WHERE NOT overtaken
            ) placed
        ) stepped
        WINDOW step_rows AS (
            PARTITION BY w, patient_id, step ORDER BY at, id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        )
    ) told WHERE class_code IN {classes} ORDER BY w, patient_id, step"""


CLASSES = Source(
    standing,
    (share("c_conversion"), beside("c_conversion.fell", "s.fell", "c_conversion")),
    {
        "c_conversion": ("c_conversion", "patient_id"),
        "c_conversion.fell": (
            (
                "CASE WHEN s.c_conversion LIKE 'excluded%%' THEN s.c_conversion"
                " WHEN s.fell THEN 'counted' ELSE 'failing' END"
            ),
            "patient_id",
        ),
    },
)

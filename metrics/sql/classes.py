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
        doctor = doctor_of("m.change_id")
    stood, accepted = _stepped(_every(ground), classes), _accepted(ground)
    if not (ground.replayed or ground.listed):
        stood, accepted = _kept(ground, classes), f"CASE WHEN m.accepted_at < m.end_at THEN ({accepted}) END"
    return f"""
    SELECT m.w, m.patient_id, m.clinic_id, m.coordinator_id, m.doctor_id, m.class_code, m.last_class,
        CASE WHEN m.won_at < m.start_at THEN 'excluded:accepted'
            WHEN m.won_at IS NOT NULL OR m.rank_end > m.rank_start THEN 'counted' ELSE 'failing'
        END AS c_conversion,
        m.won_at IS NULL AND m.rank_end < m.rank_start AS fell, m.won_at IS NOT NULL AS accepted
    FROM (
        SELECT m.*, {doctor} AS doctor_id, ({accepted}) AS won_at,
            array_position({ORDER}, m.class_code::text) AS rank_start,
            array_position({ORDER}, m.last_class::text) AS rank_end
        FROM ({stood}) m
        WHERE {ground.of_channel("m.holder_id", "m.clinic_id")} AND {ground.of_complaint("m.holder_id", "m.clinic_id")}
        AND {ground.of_first("m.holder_id", "m.clinic_id", came_once(ground))}
        OFFSET 0 -- the planner would look for the acceptance wherever it is named
    ) m WHERE {ground.credited("m.coordinator_id", "m.doctor_id", "m.clinic_id")}"""


def doctor_of(change: str) -> str:
    """The doctor of the visit that a change of class was made in."""
    return f"(SELECT o.doctor_id FROM consultations_visit o WHERE o.classification_id = {change} LIMIT 1)"


def _accepted(ground: Ground) -> str:
    """When the person first accepted since they came in, up to the end; not where all was paid back since."""
    return f"""
        SELECT min(d.decided_at) FROM {ground.visit} d
        CROSS JOIN LATERAL ({refunds(ground, "d.consultation_id", "d.decided_at")} AND f.at < m.end_at) r
        WHERE {ground.same_person("d", "m")} AND d.decision IN {PAYING}
        AND d.decided_at >= m.at AND d.decided_at < m.end_at AND NOT r.in_full"""


def came_once(ground: Ground) -> str:
    """The person was received once at most when they came to stand in the class."""
    return (
        f"(SELECT count(*) FROM {ground.visit} e WHERE {ground.same_person('e', 'm')} AND e.received_at <= m.at) <= 1"
    )


def _every(ground: Ground) -> str:
    """The changes of a window from the facts alone."""
    return _not_overtaken(f"""
        SELECT b.w, b.start_at, b.end_at, c.id, c.at, c.patient_id, c.holder_id, c.clinic_id, c.by_id, c.new_class,
            c.is_correction, NULL::timestamptz AS accepted_at
        FROM {ground.bounds()} JOIN {ground.change} c ON c.clinic_id = b.clinic_id AND c.at < b.end_at""")


def _not_overtaken(changes: str) -> str:
    """Of changes up to a window's end those in it, and of those before it each person's last."""
    return f"""
    SELECT * FROM (
        SELECT *, at < start_at AND lead(at < start_at) OVER (PARTITION BY w, patient_id ORDER BY at, id) IS TRUE
            AS overtaken
        FROM ({changes}) upto
    ) every WHERE NOT overtaken"""


def _stepped(changes: str, classes: str) -> str:
    """Per window and person: the step they came in by, and the class they stand in at the end."""
    order = "PARTITION BY w, patient_id ORDER BY at, id"
    return f"""
    SELECT DISTINCT ON (w, patient_id) w, patient_id, holder_id, clinic_id, coordinator_id, change_id, at, accepted_at,
        class_code, last_class, start_at, end_at
    FROM (
        SELECT w, patient_id, holder_id, step, start_at, end_at, last_class,
            first_value(clinic_id) OVER step_rows AS clinic_id, first_value(by_id) OVER step_rows AS coordinator_id,
            first_value(id) OVER step_rows AS change_id, first_value(at) OVER step_rows AS at,
            first_value(accepted_at) OVER step_rows AS accepted_at, last_value(new_class) OVER step_rows AS class_code
        FROM (
            SELECT *, last_value(new_class) OVER (
                    {order} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                ) AS last_class,
                count(*) FILTER (WHERE NOT is_correction OR place = 1) OVER ({order}) AS step
            FROM (SELECT *, row_number() OVER ({order}) AS place FROM ({changes}) changes) placed
        ) stepped
        WINDOW step_rows AS (
            PARTITION BY w, patient_id, step ORDER BY at, id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        )
    ) told WHERE class_code IN {classes} ORDER BY w, patient_id, step"""


# Changes of the window as PostgreSQL keeps them (metrics.models.Standing). Most persons have one: they stood in a class
# when the window began, or came into it, and nothing more happened. Only the others have to be put in order.
ALONE = "(s.since < b.start_at OR s.is_first) AND (s.is_last OR s.until >= b.end_at)"
OVER_IN_IT = "s.until >= b.start_at AND s.until < b.end_at AND NOT s.is_last AND s.since < b.end_at"
LAST_IN_IT = (
    "s.since >= b.start_at AND s.since < b.end_at AND NOT s.is_first AND (s.is_last OR s.until >= b.end_at)"
    " AND s.until >= b.start_at"
)


def _kept(ground: Ground, classes: str) -> str:
    """As `_stepped` over `_every`, without whoever had accepted before the window began and nothing came after."""
    rows = f"FROM {ground.bounds()} JOIN metrics_standing s ON s.clinic_id = b.clinic_id"
    columns = (
        "b.w, b.start_at, b.end_at, s.change_id AS id, s.since AS at, s.patient_id, s.patient_id AS holder_id,"
        " s.clinic_id, s.by_id, s.new_class, s.is_correction, s.accepted_at"
    )
    here = elsewhere = ""
    if len(ground.scope.clinics) > 1:  # whoever has changes in several clinics: all of them together
        here = " AND NOT s.elsewhere"
        elsewhere = f" UNION ALL {_not_overtaken(f'SELECT {columns} {rows} AND s.elsewhere AND s.since < b.end_at')}"
    moved = (
        f"SELECT {columns}, FALSE AS overtaken {rows} AND {OVER_IN_IT}{here}"
        f" UNION ALL SELECT {columns}, FALSE {rows} AND {LAST_IN_IT}{here}{elsewhere}"
    )
    return f"""
    SELECT b.w, s.patient_id, s.patient_id AS holder_id, s.clinic_id, s.by_id AS coordinator_id, s.change_id,
        s.since AS at, s.accepted_at, s.new_class AS class_code, s.new_class AS last_class, b.start_at, b.end_at
    {rows} AND s.until >= b.start_at AND s.since < b.end_at AND {ALONE}{here}
    WHERE s.new_class IN {classes}
    UNION ALL SELECT * FROM ({_stepped(moved, classes)}) moved"""


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

"""KPI 3, the scores that managers gave, and the accuracy beside KPI 1."""

from metrics.sql.ground import Ground
from metrics.sql.source import Measure, Source, share


def given(ground: Ground) -> str:
    """Inspections in person and by telephone, and score cards of chats, by when they were given."""
    return f"""
    SELECT b.w, k.id, k.kind, k.score, k.clinic_id, k.coordinator_id, k.doctor_id,
        CASE WHEN k.wrong THEN 'excluded:error' WHEN {_replaced(ground)} THEN 'excluded:replaced'
            WHEN k.score >= %(etiquette_target)s THEN 'counted' ELSE 'failing' END AS etiquette
    FROM {ground.bounds()} JOIN ({_inspections(ground)} UNION ALL {_cards()}) k ON {ground.within("k.at")}
    WHERE {ground.credited("k.coordinator_id", "k.doctor_id", "k.clinic_id")}
    AND {ground.of_channel("k.patient_id", "k.clinic_id")} AND {ground.of_complaint("k.patient_id", "k.clinic_id")}
    AND {ground.of_first("k.patient_id", "k.clinic_id", "COALESCE(k.is_first, FALSE)")}"""


def _replaced(ground: Ground) -> str:
    return "k.replaced_at <= %(as_of)s" if ground.replayed else "k.replaced_at IS NOT NULL"


def _inspections(ground: Ground) -> str:
    asked = ground.scope.is_first is not None
    first = f"i.visit_id IS NOT NULL AND {ground.first('v')}" if asked else "NULL::boolean"
    known = " AND u.at <= %(as_of)s" if ground.replayed else ""
    undone = f"EXISTS (SELECT 1 FROM followups_contact u WHERE u.undoes_id = i.contact_id{known})"
    return f"""
        SELECT i.id, CASE WHEN i.visit_id IS NULL THEN 'call' ELSE 'visit' END AS kind, i.score, i.clinic_id,
            i.staff_id AS coordinator_id, v.doctor_id, i.inspected_at AS at, i.replaced_at,
            COALESCE(v.wrong, FALSE) OR {undone} AS wrong, COALESCE(i.patient_id, v.holder_id) AS patient_id,
            {first} AS is_first
        FROM metrics_etiquetteinspection i LEFT JOIN {ground.any_visit} v ON v.id = i.visit_id"""


def _cards() -> str:
    return """
        SELECT c.id, 'chat' AS kind, c.score, n.clinic_id, COALESCE(c.consultant_id, n.consultant_id), NULL::bigint,
            c.scored_at, c.replaced_at, n.is_error, n.patient_id, FALSE
        FROM conversations_scorecard c JOIN conversations_conversation n ON n.id = c.conversation_id"""


def _mean(slug: str, where: str) -> Measure:
    which = f"s.etiquette IN ('counted', 'failing') AND {where}"
    return Measure(slug, f"COALESCE(sum(s.score) FILTER (WHERE {which}), 0)", f"count(*) FILTER (WHERE {which})")


def _of_kind(kind: str) -> tuple[str, str]:
    return f"CASE WHEN s.kind = '{kind}' THEN s.etiquette END", "id"


SCORES = Source(
    given,
    (
        _mean("etiquette", "TRUE"),
        *(_mean(f"etiquette.{kind}", f"s.kind = '{kind}'") for kind in ("visit", "call", "chat")),
    ),
    {
        "etiquette": ("CASE WHEN s.kind <> 'chat' THEN s.etiquette END", "id"),
        "etiquette.any": ("etiquette", "id"),
        **{f"etiquette.{kind}": _of_kind(kind) for kind in ("visit", "call", "chat")},
    },
)


def rated(ground: Ground) -> str:
    """Classifications judged a second time, by when that was done."""
    former = ""
    if ground.replayed:  # a rating that was taken back since stood then
        former = """ UNION ALL
        SELECT i.id, u.clinic_id, u.coordinator_id, i.class_change_id, (f ->> 'at')::timestamptz, f ->> 'class'
        FROM patients_classaudititem i JOIN patients_classaudit u ON u.id = i.audit_id,
            jsonb_array_elements(i.former) f
        WHERE (f ->> 'until')::timestamptz > %(as_of)s"""
    doctor = "NULL::bigint"
    if ground.by == "doctor" or ground.scope.doctors is not None:
        doctor = "(SELECT o.doctor_id FROM consultations_visit o WHERE o.classification_id = i.class_change_id LIMIT 1)"
    return f"""
    SELECT * FROM (
        SELECT b.w, i.id, i.clinic_id, i.coordinator_id, {doctor} AS doctor_id,
            CASE WHEN i.rated_class = c.new_class THEN 'counted' ELSE 'failing' END AS accuracy,
            c.patient_id, c.at
        FROM {ground.bounds()} JOIN (
            SELECT i.id, u.clinic_id, u.coordinator_id, i.class_change_id, i.rated_at, i.rated_class
            FROM patients_classaudititem i JOIN patients_classaudit u ON u.id = i.audit_id
            WHERE i.rated_at IS NOT NULL{former}
        ) i ON {ground.within("i.rated_at")}
        JOIN patients_classchange c ON c.id = i.class_change_id
    ) i WHERE {ground.credited("i.coordinator_id", "i.doctor_id", "i.clinic_id")}
    AND {ground.of_channel("i.patient_id", "i.clinic_id")} AND {ground.of_complaint("i.patient_id", "i.clinic_id")}
    AND {ground.of_first("i.patient_id", "i.clinic_id", _came_once())}"""


def _came_once() -> str:
    return (
        "(SELECT count(*) FROM consultations_visit e WHERE e.patient_id = i.patient_id"
        " AND NOT e.is_error AND e.received_at <= i.at) <= 1"
    )


RATINGS = Source(
    rated, (share("classification.accuracy", "accuracy"),), {"classification.accuracy": ("accuracy", "id")}
)

"""KPI 10: complaint cases received in the window."""

from metrics.sql.ground import Ground
from metrics.sql.source import Measure, Source


def cases(ground: Ground) -> str:
    """Cases, credited to whom they are about; repeats belong to the case they were joined to."""
    return f"""
    SELECT b.w, k.id, k.clinic_id, k.about_id AS coordinator_id, k.about_id AS doctor_id,
        CASE WHEN {_joined(ground)} THEN 'excluded:repeat' ELSE 'counted' END AS complaints,
        {_upheld(ground)} AS upheld
    FROM {ground.bounds()} JOIN patients_complaintcase k ON {ground.within("k.received_at")}
    WHERE {ground.credited("k.about_id", "k.about_id", "k.clinic_id")}
    AND {ground.of_channel("k.patient_id", "k.clinic_id")} AND {ground.of_complaint("k.patient_id", "k.clinic_id")}
    AND {ground.of_first("k.patient_id", "k.clinic_id", _came_once())}"""


def _came_once() -> str:
    return (
        "(SELECT count(*) FROM consultations_visit e WHERE e.patient_id = k.patient_id"
        " AND NOT e.is_error AND e.received_at <= k.received_at) <= 1"
    )


def _joined(ground: Ground) -> str:
    if not ground.replayed:
        return "k.joined_to_id IS NOT NULL"
    said = "h.complaint_id = k.id AND (h.detail ? 'to' OR h.detail ? 'unjoined') AND h.kind IN ('joined', 'changed')"
    return (
        f"COALESCE((SELECT h.detail ? 'to' FROM patients_complaintstep h WHERE {said} AND h.at <= %(as_of)s"
        " ORDER BY h.at DESC, h.id DESC LIMIT 1),"
        f" k.joined_to_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM patients_complaintstep h WHERE {said}))"
    )


def _upheld(ground: Ground) -> str:
    if not ground.replayed:
        return "COALESCE(k.is_upheld, FALSE)"
    said = "h.complaint_id = k.id AND h.kind IN ('closed', 'reopened')"
    return (
        "COALESCE((SELECT h.kind = 'closed' AND COALESCE((h.detail ->> 'upheld')::boolean, FALSE)"
        f" FROM patients_complaintstep h WHERE {said} AND h.at <= %(as_of)s ORDER BY h.at DESC, h.id DESC LIMIT 1),"
        f" k.closed_at <= %(as_of)s AND k.is_upheld AND NOT EXISTS ("
        f"SELECT 1 FROM patients_complaintstep h WHERE {said}), FALSE)"
    )


CASES = Source(
    cases,
    (
        Measure("complaints", "count(*) FILTER (WHERE s.complaints = 'counted')", "0"),
        Measure("complaints.upheld", "count(*) FILTER (WHERE s.complaints = 'counted' AND s.upheld)", "0"),
    ),
    {
        "complaints": ("complaints", "id"),
        "complaints.upheld": (
            "CASE WHEN s.complaints LIKE 'excluded%%' THEN s.complaints WHEN s.upheld THEN 'counted' ELSE 'failing' END",
            "id",
        ),
    },
)

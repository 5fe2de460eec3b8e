"""KPI 6: appointments due in the window."""

from metrics.sql.ground import Ground
from metrics.sql.source import Source, beside, share


def due(ground: Ground) -> str:
    """Appointments by the time they were for, credited to whoever booked them; one that was moved was due too."""
    return f"""
    SELECT b.w, a.id, a.clinic_id, a.created_by_id AS coordinator_id, a.doctor_id, a.status, a.is_late,
        CASE a.status WHEN 'error' THEN 'excluded:error' WHEN 'cancelled_clinic' THEN 'excluded:clinic'
            WHEN 'cancelled_patient' THEN 'counted' ELSE 'failing' END AS cancellation
    FROM {ground.bounds()} JOIN {ground.appointment} a ON {
        ground.within("a.starts_at").replace(ground.known("a.starts_at"), "TRUE")
    }
    WHERE {ground.credited("a.created_by_id", "a.doctor_id", "a.clinic_id")}
    AND {ground.of_channel("a.holder_id", "a.clinic_id")} AND {ground.of_complaint("a.holder_id", "a.clinic_id")}
    AND {ground.of_first("a.holder_id", "a.clinic_id", "a.kind = 'first'")}"""


def _part(flag: str) -> tuple[str, str]:
    told = f"CASE WHEN s.cancellation LIKE 'excluded%%' THEN s.cancellation WHEN {flag} THEN 'counted'"
    return f"{told} ELSE 'failing' END", "id"


NO_SHOW = "s.status = 'no_show'"
BROKEN = "(s.status IN ('cancelled_patient', 'no_show') OR (s.status = 'moved' AND s.is_late))"
APPOINTMENTS = Source(
    due,
    (
        share("cancellation"),
        beside("cancellation.no_show", NO_SHOW, "cancellation"),
        beside("cancellation.broken", BROKEN, "cancellation"),
    ),
    {
        "cancellation": ("cancellation", "id"),
        "cancellation.no_show": _part(NO_SHOW),
        "cancellation.broken": _part(BROKEN),
    },
)

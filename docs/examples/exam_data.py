"""A worked example of the handbook: an eleventh key figure. Run by tests/docs/test_examples.py."""

# 1. What it is.
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from metrics.kpis import Kpi

EXAM_DATA = Kpi(
    number=11,
    slug="exam_data",
    name=_("Exam data"),
    meaning=_("Of received visits that ended: left with their exams complete."),
    target=Decimal(90),
    records="visit",
)

# 2. How it is counted.
from metrics.sql.ground import Ground  # noqa: E402
from metrics.sql.source import Source, share  # noqa: E402


def examined(ground: Ground) -> str:
    """Visits by when they ended, and whether their exams were complete by then."""
    return f"""
    SELECT b.w, v.id, v.clinic_id, v.coordinator_id, v.doctor_id,
        CASE WHEN v.wrong THEN 'excluded:error'
            WHEN v.received_at IS NULL THEN 'excluded:not_received'
            WHEN x.exams_completed_at <= v.left_at THEN 'counted' ELSE 'failing' END AS exam_data
    FROM {ground.bounds()} JOIN {ground.any_visit} v ON {ground.within("v.left_at")}
    JOIN consultations_visit x ON x.id = v.id
    WHERE {ground.of_visit("v")}"""  # noqa: S608 - own fragments; values are parameters


EXAMINED = Source(examined, (share("exam_data"),), {"exam_data": ("exam_data", "id")})

# 3. Where it is hooked in.
from metrics import counting, kpis, records  # noqa: E402


def hook_in() -> None:
    """Add the figure to those that board, drill-down, export and snapshot read."""
    kpis.KPIS = counting.KPIS = (*kpis.KPIS, EXAM_DATA)
    kpis.BY_SLUG[EXAM_DATA.slug] = EXAM_DATA
    counting.SOURCES = records.SOURCES = (*counting.SOURCES, EXAMINED)

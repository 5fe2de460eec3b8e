"""The recheck plan (复查方案) that was made ready for a visit: shown where the patient is received and examined ([S1])."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from accounts.statements import Statement
from consultations.models import Visit
from followups.models import Task, TaskEvent, TaskKind

EVER = datetime(1970, 1, 1, tzinfo=UTC)


def plan_for(visit: Visit) -> TaskEvent | None:
    """Return the latest plan written between the patient's last visit here and this one, in `detail["note"]`."""
    found: list[TaskEvent] = _PLAN.rows(clinic=visit.clinic_id, patient=visit.patient_id, before=visit.arrived_at)
    return found[0] if found else None


def _written(clinic: Any, patient: Any, before: Any) -> QuerySet[Any, Any]:
    """Return the plans of a patient since the last visit before a moment, the latest first."""
    clinic_, patient_, before_ = (OuterRef(x) if isinstance(x, OuterRef) else x for x in (clinic, patient, before))
    visits = Visit.objects.filter(clinic=clinic_, patient=patient_, arrived_at__lt=before_, is_error=False)
    last = visits.filter(received_at__isnull=False).order_by("-arrived_at").values("arrived_at")[:1]
    told = TaskEvent.objects.filter(
        task__clinic=clinic, task__patient=patient, task__kind=TaskKind.RECHECK_PLAN, task__status=Task.Status.DONE
    )
    told = told.filter(action=TaskEvent.Action.DONE, at__lte=before, at__gt=Coalesce(Subquery(last), Value(EVER)))
    written: QuerySet[Any, Any] = told.order_by("-at", "-id")
    return written


def _plan(*, clinic: int, patient: int, before: datetime) -> QuerySet[Any, Any]:
    return _written(clinic, patient, before).select_related("by")[:1]


_PLAN = Statement(_plan)


def written_plans() -> QuerySet[Any, Any]:
    """Return the plans of `plan_for` of each visit, the latest first, to be asked about with visits."""
    return _written(OuterRef("clinic"), OuterRef("patient"), OuterRef("arrived_at"))


def plan_words() -> Subquery:
    """Return the words of `plan_for`, to be read with visits in one statement; null without a plan."""
    words = KeyTextTransform("note", "detail")
    return Subquery(written_plans().annotate(words=words).values("words")[:1])

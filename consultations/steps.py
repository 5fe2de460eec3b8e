"""The stages of one visit as the stepper shows them."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.statements import Statement
from consultations.models import StageChange, Visit
from consultations.stages import ENDED, ROUTES, Stage


def _minutes(start: datetime, end: datetime) -> int:
    return max(0, int((end - start).total_seconds() // 60))


def _changes(*, visit: int) -> Any:
    return StageChange.objects.filter(visit=visit).order_by("at", "id").values_list("new_stage", "at")


_CHANGES = Statement(_changes)


def _times(visit: Visit) -> dict[str, tuple[datetime, datetime | None]]:
    """Return when each stage was entered and left; the first entry of each."""
    changes = _CHANGES.rows(visit=visit.pk)
    ends = [at for _stage, at in changes[1:]] + [None]
    times: dict[str, tuple[datetime, datetime | None]] = {}
    for (stage, at), end in zip(changes, ends, strict=False):
        times.setdefault(stage, (at, end))
    return times


def _note(stage: str, visit: Visit, span: tuple[datetime, datetime | None] | None) -> str:
    if span is None:
        people = {Stage.DOCTOR: visit.doctor, Stage.EXPLAINING: visit.coordinator}
        return str(people.get(Stage(stage)) or "")
    start, end = span
    spent = _minutes(start, end or timezone.now())
    if stage == Stage.ARRIVED:
        clock = timezone.localtime(start, visit.clinic.tz).strftime("%H:%M")
        return _("%(clock)s, waited %(count)d min") % {"clock": clock, "count": spent}
    if end is None and visit.stage_limit:
        return _("%(count)d min, limit %(limit)d") % {"count": spent, "limit": visit.stage_limit}
    return _("%(count)d min") % {"count": spent}


def _state(stage: str, visit: Visit, reached: int, index: int, seen: bool) -> str:
    if stage == visit.stage:
        limit = visit.stage_limit
        return "late" if limit and visit.minutes_in_stage(timezone.now()) > limit else "current"
    if index < reached:
        return "done" if seen else "skipped"
    return "future"


def steps_of(visit: Visit, shown: str) -> list[dict[str, Any]]:
    """Return the stages on the visit's route: label, state, minutes, link; `shown` is the open one."""
    path = [stage for stage in ROUTES[visit.route] if stage not in ENDED]
    times = _times(visit)
    reached = path.index(Stage(visit.stage)) if visit.stage in path else len(path)
    if visit.stage == Stage.LEFT_UNSEEN:
        reached = max(path.index(Stage(s)) for s in times if s in path) + 1
    return [
        {
            "label": stage.label,
            "state": _state(stage, visit, reached, index, stage in times),
            "note": _note(stage, visit, times.get(stage)),
            "url": f"{visit.get_absolute_url()}?stage={stage}" if index <= reached else "",
            "shown": stage == shown,
        }
        for index, stage in enumerate(path)
    ]

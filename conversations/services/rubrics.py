"""How points are given: the clinic's rubrics, each change a new version; and the monthly scores of fronts."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from conversations.errors import Changed, Refused
from conversations.models import FrontScore, Rubric
from conversations.rubric_sets import builtin

FULL = 100


def active_rubric(clinic: Clinic, kind: str) -> Rubric:
    """Return the clinic's rubric; where none was made yet, the built-in one as version 0, not saved."""
    found: Rubric | None = Rubric.objects.for_clinic(clinic).filter(kind=kind, is_active=True).first()
    return found or Rubric(clinic=clinic, kind=kind, version=0, data=builtin(kind))


def _hold(clinic: Clinic) -> None:
    """Let one change of a clinic's rubrics wait for the other."""
    list(Clinic.objects.select_for_update(no_key=True).filter(pk=clinic.pk).values_list("pk"))


@transaction.atomic
def ensure_rubric(*, clinic: Clinic, kind: str, by: User | None) -> Rubric:
    """Return the clinic's saved rubric, making version 1 of the built-in one when there is none."""
    rubric = active_rubric(clinic, kind)
    if rubric._state.adding:
        _hold(clinic)
        rubric = active_rubric(clinic, kind)
        if rubric._state.adding:
            rubric.version, rubric.created_by = 1, by
            rubric.save(force_insert=True)
    return rubric


@transaction.atomic
def save_rubric(*, clinic: Clinic, kind: str, data: Any, seen: int, by: User) -> Rubric:
    """Make a new version of a rubric.

    Args: seen: the version that was being changed. Raises: Refused when points do not add up;
    Changed (409, `now`: the rubric as it stands) when somebody saved another version meanwhile.
    """
    data = checked_front(data) if kind == Rubric.Kind.FRONT else data
    _hold(clinic)
    former = active_rubric(clinic, kind)
    if former.version != seen:
        raise Changed(_("Somebody saved version %(n)s meanwhile.") % {"n": former.version}, now=former)
    if former.data == data and not former._state.adding:
        return former
    Rubric.objects.for_clinic(clinic).filter(kind=kind, is_active=True).update(is_active=False)
    rubric: Rubric = Rubric.objects.create(
        clinic=clinic, kind=kind, version=former.version + 1, data=data, created_by=by
    )
    record(action="chat_rubric_saved", clinic=clinic, by=by, subject=rubric, kind=kind, version=rubric.version)
    return rubric


def checked_front(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a front's items when each has a name and the points add up to 100. Raises: Refused."""
    if not items or any(not item["label"].strip() for item in items):
        raise Refused(_("Every item needs a name."), field="items")
    total = sum(item["points"] for item in items)
    if total != FULL:
        raise Refused(_("The points add up to %(n)s, not to 100.") % {"n": total}, field="items")
    return items


@transaction.atomic
def score_front(
    *, clinic: Clinic, consultant: User, month: date, points: Mapping[str, int], note: str, by: User
) -> FrontScore:
    """Score a consultant's WeChat and QQ front for a month; scoring the month again replaces it, audited.

    Args: month: any day of it; points: per item of the clinic's rubric, at most the item's.
    Raises: Refused for a month to come, or points that an item does not have.
    """
    first = month.replace(day=1)
    if first > clinic.today():
        raise Refused(_("That month has not begun."), field="month")
    rubric = ensure_rubric(clinic=clinic, kind=Rubric.Kind.FRONT, by=by)
    given = {}
    for item in rubric.data:
        value = points.get(item["code"])
        if value is None or not 0 <= value <= item["points"]:
            words = {"item": item["label"], "most": item["points"]}
            raise Refused(_("%(item)s: 0 to %(most)s points.") % words, field=item["code"])
        given[item["code"]] = value
    total = Decimal(sum(given.values()))
    former = (
        FrontScore.objects.for_clinic(clinic).select_for_update().filter(consultant=consultant, month=first).first()
    )
    facts = {"rubric": rubric, "points": given, "score": total, "note": note, "scored_by": by}
    row, _made = FrontScore.objects.update_or_create(
        clinic=clinic, consultant=consultant, month=first, defaults=facts | {"scored_at": timezone.now()}
    )
    was = str(former.score) if former else None
    record(action="front_scored", clinic=clinic, by=by, subject=row, was=was, now=str(total))
    return row  # type: ignore[no-any-return]

"""Why patients did not come, by whose side it lies on: ours, the patient's, chance ([S2])."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.windows import Window
from followups.models import Appointment
from followups.models.appointments import AbsenceReason, Side
from metrics.panels.scoping import appointments
from metrics.scope import Scope

MISSED = (Appointment.Status.NO_SHOW, Appointment.Status.CANCELLED_PATIENT)
UNASKED = "unasked"


@dataclass(frozen=True)
class Reason:
    """One reason on one side, with how many did not show and how many cancelled."""

    side: str
    side_label: str | Promise
    code: str
    label: str | Promise
    no_shows: int
    cancelled: int

    @property
    def total(self) -> int:
        return self.no_shows + self.cancelled

    @property
    def part(self) -> str:
        return f"{self.side}:{self.code}" if self.code else UNASKED


@dataclass(frozen=True)
class Absences:
    reasons: list[Reason]
    sides: Sequence[tuple[str, str | Promise, int]]
    total: int
    unasked: int

    @property
    def chart(self) -> dict[str, Any]:
        """The bars: one for each side, piled up of no-shows and cancellations."""
        keys = [*Side.values, *([""] if self.unasked else [])]
        labels = dict(Side.choices) | {"": _("not asked")}

        def column(name: str) -> list[int]:
            return [sum(getattr(r, name) for r in self.reasons if r.side == key) for key in keys]

        return {
            "type": "bar",
            "stacked": True,
            "labels": [str(labels[key]) for key in keys],
            "series": [
                {"name": str(_("No-shows")), "values": column("no_shows"), "tone": "bad"},
                {"name": str(_("Cancelled by the patient")), "values": column("cancelled"), "tone": "watch"},
            ],
        }


def count(scope: Scope, window: Window) -> Absences:
    """Count the missed appointments of the window by side and reason (one statement)."""
    rows = appointments(scope, window).filter(status__in=MISSED).order_by()
    found = rows.values("absence_side", "absence_reason").annotate(
        no_shows=Count("pk", filter=Q(status=Appointment.Status.NO_SHOW)),
        cancelled=Count("pk", filter=Q(status=Appointment.Status.CANCELLED_PATIENT)),
    )
    sides, names = dict(Side.choices), dict(AbsenceReason.choices)
    reasons = [
        Reason(
            side=row["absence_side"],
            side_label=sides.get(row["absence_side"], _("not asked")),
            code=row["absence_reason"],
            label=names.get(row["absence_reason"], _("Reason not asked")),
            no_shows=row["no_shows"],
            cancelled=row["cancelled"],
        )
        for row in found
    ]
    order = {side: place for place, side in enumerate([*Side.values, ""])}
    reasons.sort(key=lambda r: (order[r.side], -r.total, r.code))
    by_side = [(code, label, sum(r.total for r in reasons if r.side == code)) for code, label in Side.choices]
    total = sum(r.total for r in reasons)
    return Absences(reasons, by_side, total, total - sum(n for _code, _label, n in by_side))


def records(scope: Scope, window: Window, part: str) -> QuerySet[Any] | None:
    """Return the appointments of "all", "unasked", a side, or "side:reason"; None for an unknown part."""
    rows = appointments(scope, window).filter(status__in=MISSED).select_related("patient", "clinic", "doctor")
    side, _colon, reason = part.partition(":")
    if part == "all":
        return rows
    if part == UNASKED:
        return rows.filter(absence_side="")
    if side not in Side.values or (reason and reason not in AbsenceReason.values):
        return None
    return rows.filter(absence_side=side, **({"absence_reason": reason} if reason else {}))


def words(part: str) -> str:
    """Return what the appointments of a part are called."""
    side, _colon, reason = part.partition(":")
    names = [dict(Side.choices).get(side, ""), dict(AbsenceReason.choices).get(reason, "")]
    return " · ".join(str(name) for name in names if name) or (_("not asked") if part == UNASKED else _("All"))

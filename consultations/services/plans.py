"""The doctor's treatment plan: its clinical content, and leaving the room (stage 8)."""

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.permissions import Permission
from consultations.errors import MoveRefused, Refused, VisitError
from consultations.models import Plan, PlanItem, PlanOption, Visit
from consultations.plan_rules import (
    ITEM_CLINICAL,
    MOST_ITEMS,
    MOST_OPTIONS,
    OPTION_CLINICAL,
    PLAN_CLINICAL,
    ItemDraft,
    Lack,
    OptionDraft,
    PlanDraft,
    plan_lacks,
    subtotal,
)
from consultations.services.moves import locked, move, write_stage
from consultations.stages import Missing, Route, Stage
from consultations.teeth import spoken_teeth

WRITING = frozenset({Stage.DOCTOR, Stage.EXAM, Stage.EXPLAINING, Stage.DECISION})

LACKS: dict[Lack, Any] = {
    Lack.TITLE: gettext_lazy("a title"),
    Lack.FINDINGS: gettext_lazy("findings that say why no treatment is indicated"),
    Lack.OPTIONS: gettext_lazy("at least one option"),
    Lack.NAMES: gettext_lazy("the name of each option"),
    Lack.ITEMS: gettext_lazy("an item in each option"),
}


@dataclass(frozen=True)
class Difference:
    """One line of a plan that two people wrote differently."""

    label: str
    mine: str
    theirs: str


class PlanChanged(VisitError):
    """Somebody else changed the plan meanwhile (HTTP 409): `plan` is as it stands, with what differs."""

    def __init__(self, plan: Plan, differences: list[Difference]) -> None:
        self.plan = plan
        self.differences = differences
        super().__init__(_("The plan was changed by somebody else meanwhile; compare and save again."))


class PlanIncomplete(VisitError):
    """The plan lacks parts: `lacks` says which (HTTP 422)."""

    def __init__(self, lacks: tuple[Lack, ...]) -> None:
        self.lacks = lacks
        names = _(", ").join(str(LACKS[lack]) for lack in lacks)
        super().__init__(_("The plan still needs: %(what)s") % {"what": names})


def plan_of(visit: Visit) -> Plan | None:
    """Return the visit's plan with its options and items loaded (three queries), None without one."""
    return Plan.objects.filter(visit=visit).select_related("made_by").prefetch_related("options__items").first()


def draft_of(plan: Plan) -> PlanDraft:
    """Return the stored clinical content."""
    options = tuple(
        OptionDraft(
            id=option.pk,
            items=tuple(_item_draft(item) for item in option.items.all()),
            **{name: getattr(option, name) for name in OPTION_CLINICAL},
        )
        for option in plan.options.all()
    )
    return PlanDraft(options=options, **{name: getattr(plan, name) for name in PLAN_CLINICAL})


def _item_draft(item: PlanItem) -> ItemDraft:
    values = {name: getattr(item, name) for name in ITEM_CLINICAL}
    return ItemDraft(id=item.pk, **values | {"teeth": tuple(values["teeth"])})


def lines_of(draft: PlanDraft) -> dict[str, str]:
    """Return a plan as labelled lines, for showing what differs between two of them."""
    lines = {
        _("Title"): draft.title,
        _("Findings"): draft.findings,
        _("Principles"): draft.principles,
        _("No treatment indicated"): _("yes") if draft.no_treatment else _("no"),
    }
    for letter, option in zip("ABCDEFGH", draft.options, strict=False):
        parts = [option.name, option.duration, option.pain_note, option.side_effects, option.care]
        parts += [_("pain %(level)s of 5") % {"level": option.pain}] * (option.pain is not None)
        parts += [_("the doctor suggests it")] * option.is_suggested
        parts += [f"{item.name} {spoken_teeth(item.teeth)} ×{item.quantity}/{item.sessions}" for item in option.items]
        lines[_("Option %(letter)s") % {"letter": letter}] = "; ".join(part for part in parts if part)
    return lines


def differences(mine: PlanDraft, theirs: PlanDraft) -> list[Difference]:
    """Return the lines in which two plans differ."""
    ours, others = lines_of(mine), lines_of(theirs)
    labels = list(dict.fromkeys([*ours, *others]))
    return [
        Difference(label, ours.get(label, ""), others.get(label, ""))
        for label in labels
        if ours.get(label, "") != others.get(label, "")
    ]


def locked_plan(visit: Visit) -> Plan | None:
    """Return the visit's plan locked for this transaction, with options and items."""
    plan = Plan.objects.select_for_update().filter(visit=visit).first()
    return plan and Plan.objects.prefetch_related("options__items").get(pk=plan.pk)


def touch(plan: Plan, **columns: Any) -> None:
    """Write columns of a plan and count its version up."""
    for name, value in columns.items():
        setattr(plan, name, value)
    plan.version += 1
    plan.save(update_fields=[*columns, "version"])


@transaction.atomic
def save_plan(*, visit: Visit, draft: PlanDraft, version: int, by: User, finish: bool = False) -> Plan:
    """Keep the clinical content of the plan; prices stay as they are.

    With `finish` it must be whole, and is given to the coordinator. A change while it is explained takes the
    ticks of what was explained away: patient, coordinator and doctor must speak of the same plan ([S1]).
    Args: version: the plan's version the writer saw, 0 for none yet.
    Raises: PlanChanged; PlanIncomplete; MoveRefused for anyone but a doctor, or before the note was
    acknowledged; Refused once it was signed or the visit went on.
    """
    if not by.may(Permission.TREAT, visit.clinic_id):
        raise MoveRefused([Missing.DOCTOR])
    fresh = locked(visit)
    if fresh.handoff_acknowledged_at is None:
        raise MoveRefused([Missing.ACKNOWLEDGEMENT])
    if fresh.stage not in WRITING:
        raise Refused(_("The plan is written while the doctor treats or it is explained."))
    plan = locked_plan(fresh) or Plan.objects.create(visit=fresh, made_by=by, version=0)
    _check_unsigned(plan)
    stored = draft_of(plan)
    if plan.version != version and draft != stored:
        raise PlanChanged(plan, differences(draft, stored))
    lacks = plan_lacks(draft)
    done = finish or plan.finished_at is not None
    if done and lacks:
        raise PlanIncomplete(lacks)
    if draft != stored or plan.version == 0:
        _write(plan, draft, by)
        _unexplain(fresh)
    if done and plan.finished_at is None:
        touch(plan, finished_at=timezone.now())
    return plan


def _check_unsigned(plan: Plan) -> None:
    if plan.signed_at:
        raise Refused(_("The patient has signed this plan; take the signature back first."))


def _unexplain(visit: Visit) -> None:
    if visit.explained_points:
        Visit.objects.filter(pk=visit.pk).update(explained_points=[], updated_at=timezone.now())


def _write(plan: Plan, draft: PlanDraft, by: User) -> None:
    if len(draft.options) > MOST_OPTIONS or any(len(option.items) > MOST_ITEMS for option in draft.options):
        raise Refused(
            _("A plan has at most %(options)d options of %(items)d items.")
            % {"options": MOST_OPTIONS, "items": MOST_ITEMS}
        )
    stored = {option.pk: option for option in plan.options.all()}
    kept = {option.id for option in draft.options if option.id in stored}
    PlanOption.objects.filter(plan=plan).exclude(pk__in=kept).delete()
    for position, option in enumerate(draft.options):
        _write_option(plan, stored.get(option.id or 0), option, position)
    touch(plan, made_by=by, **{name: getattr(draft, name) for name in PLAN_CLINICAL})


def _write_option(plan: Plan, row: PlanOption | None, draft: OptionDraft, position: int) -> None:
    row = row or PlanOption(plan=plan)
    for name in OPTION_CLINICAL:
        setattr(row, name, getattr(draft, name))
    row.position = position
    stored = {item.pk: item for item in row.items.all()} if row.pk else {}
    row.save()
    kept = {item.id for item in draft.items if item.id in stored}
    PlanItem.objects.filter(option=row).exclude(pk__in=kept).delete()
    items = [_write_item(row, stored.get(item.id or 0), item, n) for n, item in enumerate(draft.items)]
    whole = subtotal((item.unit_price, item.quantity) for item in items)
    if row.discount > whole:  # less is to be paid now: a discount cannot exceed it
        PlanOption.objects.filter(pk=row.pk).update(discount=max(whole, Decimal(0)))


def _write_item(option: PlanOption, row: PlanItem | None, draft: ItemDraft, position: int) -> PlanItem:
    row = row or PlanItem(option=option)
    for name, value in asdict(draft).items():
        if name in ITEM_CLINICAL:
            setattr(row, name, list(value) if name == "teeth" else value)
    row.position = position
    row.save()
    return row


@transaction.atomic
def send_to_exam(*, visit: Visit, by: User, expected: str | None = Stage.DOCTOR) -> Visit:
    """The doctor sends the patient to the exams ordered (doctor-first route).

    Raises: Refused when none was ordered; MoveRefused; StageConflict.
    """
    fresh = locked(visit, expected=expected)
    if fresh.handoff_acknowledged_at is None:
        raise MoveRefused([Missing.ACKNOWLEDGEMENT])
    if fresh.route != Route.DOCTOR_FIRST:
        raise MoveRefused([Missing.ORDER])
    if not fresh.exams.exists():
        raise Refused(_("Order an exam first."))
    return move(visit=fresh, to=Stage.EXAM, by=by)


@transaction.atomic
def leave_room(*, visit: Visit, by: User, expected: str | None = None) -> Visit:
    """The doctor leaves (退场): from here on the coordinator explains price, time and choice ([S1]).

    A whole plan that was not given yet is given now.
    Raises: MoveRefused with what is missing (note read, plan, exam data); PlanIncomplete; StageConflict.
    """
    fresh = locked(visit, expected=expected)
    if not by.may(Permission.TREAT, fresh.clinic_id):
        raise MoveRefused([Missing.DOCTOR])
    plan = locked_plan(fresh)
    if plan is not None and plan.finished_at is None:
        lacks = plan_lacks(draft_of(plan))
        if lacks:
            raise PlanIncomplete(lacks)
        touch(plan, finished_at=timezone.now())
    return move(visit=fresh, to=Stage.EXPLAINING, by=by)


@transaction.atomic
def come_back(*, visit: Visit, by: User) -> Visit:
    """The doctor has not left after all: the visit stands where it stood, while the coordinator has explained nothing.

    Raises: StageConflict when it went on; MoveRefused for anyone but a doctor; Refused once something was explained.
    """
    if not by.may(Permission.TREAT, visit.clinic_id):
        raise MoveRefused([Missing.DOCTOR])
    fresh = locked(visit, expected=Stage.EXPLAINING)
    plan = locked_plan(fresh)
    if fresh.explained_points or (plan is not None and plan.signed_at):
        raise Refused(_("The coordinator explains the plan already; the plan can still be changed."))
    last = fresh.stage_changes.filter(new_stage=Stage.EXPLAINING).order_by("-at", "-id").first()
    where = last.old_stage if last else Stage.DOCTOR
    why = _("the doctor stays")
    return write_stage(visit=fresh, to=where, by=by, reason=why, doctor_left_at=None, explaining_started_at=None)

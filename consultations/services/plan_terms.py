"""The coordinator's part of a plan: price, discount, schedule, what was explained, choice and signature (stage 9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import Permission
from consultations.errors import MoveRefused, Refused
from consultations.models import Plan, PlanItem, PlanOption, Visit
from consultations.plan_rules import ITEM_MONEY, OPTION_MONEY, is_signature, subtotal
from consultations.points import ALL_POINTS
from consultations.services.moves import locked
from consultations.services.plans import Difference, PlanChanged, locked_plan, touch
from consultations.stages import Missing, Stage

EXPLAINED_IN = frozenset({Stage.EXPLAINING, Stage.DECISION})


@dataclass(frozen=True)
class Terms:
    """What the coordinator sets on one option. `discount` in yuan; `duration` is the schedule in words."""

    discount: Decimal = Decimal(0)
    payment_note: str = ""
    duration: str = ""


def _explaining(visit: Visit, by: User) -> Visit:
    if not by.may(Permission.COORDINATE, visit.clinic_id):
        raise MoveRefused([Missing.COORDINATOR])
    fresh = locked(visit)
    if fresh.stage not in EXPLAINED_IN:
        raise Refused(_("The plan is explained once the doctor has left the room."))
    return fresh


def _finished(visit: Visit) -> Plan:
    plan = locked_plan(visit)
    if plan is None or plan.finished_at is None:
        raise MoveRefused([Missing.PLAN])
    return plan


def _unsigned(visit: Visit) -> Plan:
    plan = _finished(visit)
    if plan.signed_at:
        raise Refused(_("The patient has signed this plan; take the signature back first."))
    return plan


@transaction.atomic
def set_terms(
    *,
    visit: Visit,
    prices: Mapping[int, Decimal],
    terms: Mapping[int, Terms],
    deposit: Decimal | None,
    version: int,
    by: User,
) -> Plan:
    """Set unit prices (by item id), discount, payment note and schedule (by option id), and the deposit asked for.

    Nothing clinical can be written here. Amounts in yuan; ids of other plans are left alone.
    Raises: PlanChanged when the plan is no longer at `version`; Refused for a negative price, a discount
    above the sum, a deposit above what is to be paid, or once signed; MoveRefused for others.
    """
    fresh = _explaining(visit, by)
    if not by.may(Permission.VIEW_MONEY, fresh.clinic_id):
        raise MoveRefused([Missing.COORDINATOR])
    plan = _unsigned(fresh)
    if plan.version != version:
        raise PlanChanged(plan, _price_differences(plan, prices, terms))
    for option in plan.options.all():
        _set_option(option, prices, terms.get(option.pk))
    _check_deposit(plan, deposit)
    Visit.objects.filter(pk=fresh.pk).update(deposit_amount=deposit, updated_at=timezone.now())
    touch(plan)
    return plan


def _price_differences(plan: Plan, prices: Mapping[int, Decimal], terms: Mapping[int, Terms]) -> list[Difference]:
    found, discount = [], _("Discount")
    for option in plan.options.all():
        for item in option.items.all():
            mine = prices.get(item.pk)
            if mine is not None and mine != item.unit_price:
                found.append(Difference(f"{option.name} · {item.name}", str(mine), str(item.unit_price)))
        term = terms.get(option.pk)
        if term is not None and term.discount != option.discount:
            what = f"{option.name} · {discount}"
            found.append(Difference(what, str(term.discount), str(option.discount)))
    return found


def _set_option(option: PlanOption, prices: Mapping[int, Decimal], term: Terms | None) -> None:
    items = list(option.items.all())
    for item in items:
        item.unit_price = prices.get(item.pk, item.unit_price)
        if item.unit_price < 0:
            raise Refused(_("A price is not negative."))
    whole = subtotal((item.unit_price, item.quantity) for item in items)
    if term is not None:
        option.discount, option.payment_note, option.duration = term.discount, term.payment_note, term.duration
    if option.discount < 0 or option.discount > whole:
        raise Refused(_("%(option)s: the discount is at most the sum of its items.") % {"option": option.name})
    PlanItem.objects.bulk_update(items, list(ITEM_MONEY))
    option.save(update_fields=list(OPTION_MONEY))


def _check_deposit(plan: Plan, deposit: Decimal | None) -> None:
    if deposit is None:
        return
    options = list(plan.options.all())
    chosen = [option for option in options if option.is_chosen] or options
    highest = max((option.total for option in chosen), default=Decimal(0))
    if deposit < 0 or deposit > highest:
        raise Refused(_("The deposit is at most what is to be paid."))


@transaction.atomic
def choose_option(*, visit: Visit, option: PlanOption, by: User) -> Plan:
    """Mark the one option the patient chose. Raises: Refused for another plan's option, or once signed."""
    fresh = _explaining(visit, by)
    plan = _unsigned(fresh)
    if option.pk not in {row.pk for row in plan.options.all()}:
        raise Refused(_("This option belongs to another plan."))
    PlanOption.objects.filter(plan=plan, is_chosen=True).exclude(pk=option.pk).update(is_chosen=False)
    PlanOption.objects.filter(pk=option.pk).update(is_chosen=True)
    touch(plan)
    return plan


@transaction.atomic
def tick_point(*, visit: Visit, point: str, on: bool, by: User) -> Visit:
    """Record that a point (price, time, pain, alternatives) was explained, or take the tick back.

    Raises: Refused for an unknown point, outside the explanation, or once signed; MoveRefused for others or
    without a plan. Source: DOMAIN §2.9, [S1].
    """
    fresh = _explaining(visit, by)
    if point not in ALL_POINTS:
        raise Refused(_("There is no such point."))
    _unsigned(fresh)
    points = [p for p in fresh.explained_points if p != point] + [point] * on
    if set(points) != set(fresh.explained_points):
        Visit.objects.filter(pk=fresh.pk).update(
            explained_points=points, version=F("version") + 1, updated_at=timezone.now()
        )
        fresh.refresh_from_db()
    return fresh


@transaction.atomic
def sign(*, visit: Visit, path: str, version: int, by: User) -> Plan:
    """Keep the patient's signature under the chosen option.

    Args: path: SVG path data, moves and lines only; version: the plan's version the patient saw.
    Raises: MoveRefused while points are not explained; Refused without a choice or a drawn signature, or when
    signed before; PlanChanged.
    """
    fresh = _explaining(visit, by)
    plan = _unsigned(fresh)
    if set(fresh.explained_points) < ALL_POINTS:
        raise MoveRefused([Missing.EXPLAINED])
    if not any(option.is_chosen for option in plan.options.all()):
        raise Refused(_("Choose an option first."))
    if plan.version != version:
        raise PlanChanged(plan, [])
    if not is_signature(path):
        raise Refused(_("Please sign in the field."))
    touch(plan, signature=path, signed_at=timezone.now())
    return plan


@transaction.atomic
def take_signature_back(*, visit: Visit, by: User) -> Plan:
    """Take the signature back so that the plan can change, until the decision; its history is kept.

    Raises: Refused when decided, or not signed.
    """
    fresh = _explaining(visit, by)
    plan = _finished(fresh)
    if fresh.decision or plan.signed_at is None:
        raise Refused(_("There is no signature to take back."))
    touch(plan, signature="", signed_at=None)
    return plan

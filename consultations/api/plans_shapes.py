"""What of plans goes out and comes in. Prices are null for those who may not see money."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from accounts.api.fields import MoneyField, ScopedField
from accounts.permissions import Permission
from consultations.api.visits_out import Guarded
from consultations.models import Plan, PlanItem, PlanOption, Visit
from consultations.plan_rules import MOST_ITEMS, MOST_OPTIONS, ItemDraft, OptionDraft, PlanDraft
from consultations.points import Point
from consultations.services.plan_terms import Terms
from consultations.teeth import FDI_TEETH


class ItemOut(Guarded):
    unit_price = MoneyField(read_only=True, allow_null=True)
    total = MoneyField(read_only=True, allow_null=True)
    guarded = {"unit_price": Permission.VIEW_MONEY, "total": Permission.VIEW_MONEY}

    class Meta:
        model = PlanItem
        fields = ["id", "name", "teeth", "quantity", "sessions", "unit_price", "total"]
        read_only_fields = fields


class OptionOut(Guarded):
    discount = MoneyField(read_only=True, allow_null=True)
    total = MoneyField(read_only=True, allow_null=True)
    payment_note = serializers.CharField(read_only=True, allow_null=True)
    items = ItemOut(many=True, read_only=True)
    guarded = dict.fromkeys(("discount", "total", "payment_note"), Permission.VIEW_MONEY)

    class Meta:
        model = PlanOption
        fields = [
            "id", "name", "is_suggested", "is_chosen", "duration", "pain", "pain_note", "side_effects", "care",
            "discount", "payment_note", "total", "items",
        ]  # fmt: skip
        read_only_fields = fields


class PlanOut(serializers.ModelSerializer):
    options = OptionOut(many=True, read_only=True)

    class Meta:
        model = Plan
        fields = [
            "id", "visit", "title", "findings", "principles", "no_treatment", "made_by", "made_at", "finished_at",
            "signed_at", "options", "version",
        ]  # fmt: skip
        read_only_fields = fields


class ItemIn(serializers.Serializer):
    """`id`: of an item that stands already; without it a new one."""

    id = serializers.IntegerField(required=False, allow_null=True, default=None)
    name = serializers.CharField(max_length=120)
    teeth = serializers.ListField(child=serializers.IntegerField(), max_length=52, required=False, default=list)
    quantity = serializers.IntegerField(min_value=1, max_value=32, required=False, default=1)
    sessions = serializers.IntegerField(min_value=1, max_value=99, required=False, default=1)

    def validate_teeth(self, teeth: list[int]) -> list[int]:
        strange = [tooth for tooth in teeth if tooth not in FDI_TEETH]
        if strange:
            raise serializers.ValidationError(_("%(value)s is no FDI tooth number.") % {"value": strange[0]})
        return sorted(set(teeth))


class OptionIn(serializers.Serializer):
    id = serializers.IntegerField(required=False, allow_null=True, default=None)
    name = serializers.CharField(max_length=80)
    is_suggested = serializers.BooleanField(required=False, default=False)
    duration = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    pain = serializers.IntegerField(min_value=0, max_value=5, required=False, allow_null=True, default=None)
    pain_note = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    side_effects = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    care = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    items = ItemIn(many=True, required=False, default=list, max_length=MOST_ITEMS)  # type: ignore[call-arg]


class PlanPut(serializers.Serializer):
    """The whole clinical content. `finish`: it is given to the coordinator, and has to be whole."""

    title = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    findings = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    principles = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    no_treatment = serializers.BooleanField(required=False, default=False)
    options = OptionIn(many=True, required=False, default=list, max_length=MOST_OPTIONS)  # type: ignore[call-arg]
    finish = serializers.BooleanField(required=False, default=False)


class PlanIn(PlanPut):
    visit = ScopedField(Visit)


def draft_of(data: Mapping[str, Any]) -> PlanDraft:
    """Return a validated plan as the services take it."""
    options = tuple(
        OptionDraft(
            **{**option, "items": tuple(ItemDraft(**{**i, "teeth": tuple(i["teeth"])}) for i in option["items"])}
        )
        for option in data["options"]
    )
    return PlanDraft(**{**data, "options": options})


class PriceIn(serializers.Serializer):
    item = serializers.IntegerField()
    unit_price = MoneyField(min_value=Decimal(0))


class OptionTermsIn(serializers.Serializer):
    option = serializers.IntegerField()
    discount = MoneyField(min_value=Decimal(0), required=False, default=Decimal(0))
    payment_note = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    duration = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")


class TermsIn(serializers.Serializer):
    prices = PriceIn(many=True, required=False, default=list, max_length=MOST_ITEMS * MOST_OPTIONS)  # type: ignore[call-arg]
    options = OptionTermsIn(many=True, required=False, default=list, max_length=MOST_OPTIONS)  # type: ignore[call-arg]
    deposit = MoneyField(min_value=Decimal(0), required=False, allow_null=True, default=None)


def terms_of(plan: Plan, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return validated terms as the service takes them. Raises ValidationError for ids of other plans."""
    options = {option.pk: option for option in plan.options.all()}
    items = {item.pk for option in options.values() for item in option.items.all()}
    if any(line["item"] not in items for line in data["prices"]):
        raise serializers.ValidationError({"prices": [_("An item of another plan.")]})
    if any(line["option"] not in options for line in data["options"]):
        raise serializers.ValidationError({"options": [_("An option of another plan.")]})
    return {
        "prices": {line["item"]: line["unit_price"] for line in data["prices"]},
        "terms": {line["option"]: _terms(line) for line in data["options"]},
        "deposit": data["deposit"],
    }


def _terms(line: Mapping[str, Any]) -> Terms:
    return Terms(line["discount"], line["payment_note"], line["duration"])


class ChooseIn(serializers.Serializer):
    option = serializers.IntegerField()


def option_of(plan: Plan, pk: int) -> PlanOption:
    """Return an option of the plan. Raises ValidationError for another one's."""
    for option in plan.options.all():
        if option.pk == pk:
            found: PlanOption = option
            return found
    raise serializers.ValidationError({"option": [_("An option of another plan.")]})


class ExplainIn(serializers.Serializer):
    point = serializers.ChoiceField(choices=Point.choices)
    on = serializers.BooleanField(required=False, default=True)


class SignIn(serializers.Serializer):
    """`signature`: SVG path data on a pad of 600 × 200, moves and lines only."""

    signature = serializers.CharField(max_length=60_000)

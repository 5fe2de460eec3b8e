"""What serializers of every app are made of."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from accounts.reading import YEARS


class PersonOut(serializers.ModelSerializer):
    """A staff member, as other things name them."""

    name = serializers.CharField(source="full_name", read_only=True)

    class Meta:
        model = User
        fields = ["id", "name"]
        read_only_fields = fields


@extend_schema_field(int)
class StaffField(serializers.PrimaryKeyRelatedField):
    """A staff member by id: somebody who works in the clinic that is asked about, and is no program."""

    def get_queryset(self) -> Any:
        view = self.context["view"]
        return User.objects.working_in(view.clinic)


class ScopedField(serializers.PrimaryKeyRelatedField):
    """A row by id, of those that may be seen in the clinic that is asked about: ScopedField(Room)."""

    def __init__(self, model: Any = None, **kwargs: Any) -> None:
        self.model = model
        if kwargs.get("read_only") is not True:
            kwargs.setdefault("queryset", model._default_manager.none())
        super().__init__(**kwargs)

    def get_queryset(self) -> Any:
        view = self.context["view"]
        return self.model._default_manager.for_user(view.user).for_clinic(view.clinic)


@extend_schema_field({"type": "string", "pattern": r"^-?\d+(\.\d{1,2})?$", "examples": ["1200.00"]})
class MoneyField(serializers.DecimalField):
    """Yuan, as text with two places."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=10, decimal_places=2, **kwargs)


class MomentField(serializers.DateTimeField):
    """A time that comes in. Of the first and the last years there are, none is meant; no zone can be added to them."""

    def enforce_timezone(self, value: datetime) -> datetime:
        if value.year not in YEARS:  # asked first: giving it a zone may lead out of the calendar
            self.fail("overflow")
        aware: datetime = super().enforce_timezone(value)
        return aware


class NothingIn(serializers.Serializer):
    """For actions that need no body."""

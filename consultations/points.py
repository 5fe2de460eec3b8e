"""What the coordinator explains after the doctor has left (DOMAIN §2.9, [S1])."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Point(models.TextChoices):
    """A point that is ticked when it was explained."""

    PRICE = "price", _("Price")
    TIME = "time", _("Time")
    PAIN = "pain", _("Pain")
    ALTERNATIVES = "alternatives", _("Alternatives")


ALL_POINTS = frozenset(Point.values)

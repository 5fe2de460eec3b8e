"""Every clinic-owned row is read through a queryset that knows whose clinics they are."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models

from accounts.permissions import Permission

if TYPE_CHECKING:
    from accounts.models import User


class ScopedQuerySet(models.QuerySet[Any]):
    """A queryset over rows that belong to one clinic through `clinic_path`."""

    clinic_path = "clinic"

    def for_user(self, user: "User", *permissions: Permission) -> Self:
        """Keep the rows of the clinics where `user` works (an administrator: of the whole group).

        With permissions: only of the clinics where the person's role grants one of them.
        """
        return self.filter(**{f"{self.clinic_path}__in": user.clinic_ids(*permissions)})

    def for_clinic(self, clinic: Any) -> Self:
        """Keep the rows of one clinic (instance or id)."""
        return self.filter(**{self.clinic_path: clinic})

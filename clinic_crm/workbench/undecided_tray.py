"""Suggested class changes as the board's side list shows them."""

from typing import Any

from django.db.models import Count, OuterRef, Subquery, Window

from accounts.models import Clinic, User
from patients.models import ClassSuggestion, Registration

SHOWN = 30


def open_ones(clinic: Clinic, user: User, scope: str) -> list[Any]:
    """Return the suggestions that wait, of one's own patients or everybody's, the newest first (one statement)."""
    rows = ClassSuggestion.objects.for_clinic(clinic).filter(
        status=ClassSuggestion.Status.OPEN, patient__merged_into=None, patient__restricted_at=None
    )
    if scope == "me":
        mine = Registration.objects.for_clinic(clinic).filter(patient=OuterRef("patient")).values("owner")[:1]
        rows = rows.annotate(owner=Subquery(mine)).filter(owner=user.pk)
    rows = rows.annotate(waiting=Window(Count("*")))  # how many in all
    return list(rows.select_related("patient").order_by("-created_at", "-pk")[:SHOWN])

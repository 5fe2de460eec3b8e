"""Writing the audit log, and what its actions are called."""

from typing import Any

from django.db import models

from accounts.models import AuditEvent, Clinic, User


def record(*, action: str, clinic: Clinic, by: User | None, subject: models.Model | None = None, **detail: Any) -> None:
    """Append one audit event, in the caller's transaction.

    Args: action: what was done, a short code; subject: the row it was done to; detail: JSON-ready facts.
    """
    AuditEvent.objects.create(
        clinic=clinic,
        actor=by,
        action=action,
        subject=(subject._meta.model_name or "") if subject is not None else "",
        subject_id=subject.pk if subject is not None else None,
        detail=detail,
    )

"""How a patient can be reached."""

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import Clinic, User
from patients.models import Patient


@transaction.atomic
def link_wechat(*, patient: Patient, clinic: Clinic, by: User, guardian: bool = False) -> Patient:
    """Record that the patient (or a minor's guardian) was added on WeChat; the first time is kept (KPI 8)."""
    fresh = Patient.objects.select_for_update().get(pk=patient.pk)
    if fresh.wechat_linked_at is None:
        fresh.wechat_linked_at = timezone.now()
        fresh.wechat_linked_guardian = guardian
        fresh.save(update_fields=["wechat_linked_at", "wechat_linked_guardian", "updated_at"])
        record(action="wechat_linked", clinic=clinic, by=by, subject=fresh, guardian=guardian)
    return fresh

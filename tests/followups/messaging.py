"""What tests of messages stand on."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import Clinic
from followups.models import Message, SenderAccount
from followups.senders.registry import sealed
from followups.services import outbox
from tests.factories import ClinicFactory, ConsentFactory, PatientFactory

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=ZONE)
SECRET = "webhook-secret"


def person(clinic: Clinic, *, phone: str | None = "19900000001", marketing: bool = True, **facts: Any) -> Any:
    """A patient of the clinic who may be written to."""
    patient = PatientFactory(clinic=clinic, phone=phone, **facts)
    for purpose in ("contact", "marketing")[: 1 + marketing]:
        ConsentFactory(clinic=clinic, patient=patient, purpose=purpose)
    return patient


def queued(clinic: Clinic | None = None, patient: Any = None, **facts: Any) -> Message:
    """A message that is due at noon."""
    clinic = clinic or ClinicFactory()
    values = {
        "purpose": "care",
        "subject": "test:1",
        "due_at": NOON,
        "nature": "service",
        "variables": {"text": "刷牙"},
    }
    if "staff" not in facts:
        values["patient"] = patient or person(clinic)
    message = outbox.queue(clinic=clinic, **(values | facts))
    assert message is not None
    return message


def webhook(clinic: Clinic, url: str, *, channel: str = "sms", status: bool = True, **facts: Any) -> SenderAccount:
    """Have a clinic's channel leave by a webhook."""
    config = {"endpoint": f"{url}/send", "secret": SECRET} | ({"status_endpoint": f"{url}/status"} if status else {})
    return SenderAccount.objects.create(
        clinic=clinic, channel=channel, provider="webhook", config_encrypted=sealed(config), **facts
    )


def later(**delta: float) -> datetime:
    return NOON + timedelta(**delta)

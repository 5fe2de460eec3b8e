"""What the tests of etiquette share."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import Clinic, User
from accounts.permissions import Role
from consultations.models import Visit
from followups.models import Contact
from metrics import etiquette_rules as rules
from metrics.models import EtiquetteInspection
from metrics.services import etiquette as service
from tests.factories import ClinicFactory, PatientFactory, UserFactory, VisitFactory

ALL_YES: dict[str, Decimal | None] = {item.code: rules.YES for item in rules.BUILTIN["visit"]}
CALL_YES: dict[str, Decimal | None] = {item.code: rules.YES for item in rules.BUILTIN["call"]}
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00" + bytes(range(256)) * 4


class Stage:
    """A clinic with a manager, a coordinator, a visit she received and a call she made."""

    def __init__(self) -> None:
        self.clinic: Clinic = ClinicFactory()
        self.manager: User = UserFactory(role=Role.MANAGER, clinic=self.clinic, full_name="何静宜")
        self.other: User = UserFactory(role=Role.MANAGER, clinic=self.clinic, full_name="任远")
        self.tc: User = UserFactory(role=Role.COORDINATOR, clinic=self.clinic, full_name="曹素铭")
        self.visit = self.received(self.tc)
        self.call = self.called(self.tc)

    def received(self, by: User, **facts: Any) -> Visit:
        now = timezone.now()
        usual = {"stage": "received", "coordinator": by, "arrived_at": now - timedelta(minutes=6), "received_at": now}
        visit: Visit = VisitFactory(clinic=self.clinic, **(usual | facts))
        return visit

    def called(self, by: User, **facts: Any) -> Contact:
        usual = {"channel": "phone", "outcome": "reached", "patient": PatientFactory(clinic=self.clinic), "by": by}
        return Contact.objects.create(clinic=self.clinic, **(usual | facts))

    def score(self, subject: Any = None, *, by: User | None = None, **facts: Any) -> EtiquetteInspection:
        subject = subject or self.visit
        usual = {"answers": ALL_YES if isinstance(subject, Visit) else CALL_YES, "version": 1}
        return service.inspect(subject=subject, by=by or self.manager, **(usual | facts))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def sent(answers: dict[str, Decimal | None], **more: Any) -> dict[str, Any]:
    """Return answers as the form sends them."""
    told = {f"a-{code}": "na" if given is None else f"{float(given):g}" for code, given in answers.items()}
    return told | {"version": "1", "expected": "", "note": ""} | more

"""What providers tell us by themselves: delivery reports, and replies of patients who want no more messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import Clinic
from followups.consents import purposes_for
from followups.models import Message, SenderAccount
from followups.models.playbooks import Nature
from followups.services import outbox
from followups.services.consents_said import consents_said
from patients import crypto
from patients.models import Patient
from patients.models.history import ConsentPurpose

State = Message.State
STOP_WORDS = frozenset({"T", "TD", "N", "退订", "取消", "STOP"})
STOP_ALL = frozenset({"TD全部", "T全部", "退订全部", "全部退订", "STOPALL"})


@dataclass(frozen=True)
class Report:
    """What became of a message, by our id or the provider's."""

    uid: str
    provider_id: str
    delivered: bool
    detail: str = ""


@dataclass(frozen=True)
class Answer:
    """What somebody wrote back."""

    phone: str
    text: str


def take_reports(*, account: SenderAccount, reports: Sequence[Report]) -> int:
    """Record delivery reports, each as often as it comes; returns how many changed something."""
    return sum(_take(account, report) for report in reports)


@transaction.atomic
def _take(account: SenderAccount, report: Report) -> bool:
    own = Message.objects.filter(clinic=account.clinic_id, channel=account.channel, provider=account.provider)
    number = report.uid.rpartition("-")[2]
    found = None
    if number.isascii() and number.isdigit() and len(number) < 18 and report.uid.startswith(f"{account.clinic.code}-"):
        found = own.filter(pk=int(number)).first()
    if found is None and report.provider_id:
        found = own.filter(provider_id=report.provider_id).first()
    to = State.DELIVERED if report.delivered else State.FAILED
    if found is None or not outbox.may_move(found.state, to) or found.state == State.QUEUED:
        return False
    now = timezone.now()
    values: dict[str, Any] = {"delivered_at": now, "accepted_at": found.accepted_at or now} if report.delivered else {}
    if report.provider_id:
        values["provider_id"] = report.provider_id[:80]
    failure = "" if report.delivered else report.detail[:300]
    outbox.move(found, to, detail=report.detail, failure=failure, **values)
    return True


def wanted_to_stop(text: str) -> tuple[str, ...]:
    """Return the purposes that a reply withdraws; none for any other text."""
    plain = "".join(text.upper().split()).strip("。.!！")
    if plain in STOP_ALL:
        return (ConsentPurpose.MARKETING, ConsentPurpose.CONTACT)
    return (ConsentPurpose.MARKETING,) if plain in STOP_WORDS else ()


def take_answers(*, account: SenderAccount, answers: Sequence[Answer]) -> int:
    """Record who wants no more messages, and withdraw what waits for them at once; returns how many people."""
    return sum(_stop(account.clinic, answer) for answer in answers)


@transaction.atomic
def _stop(clinic: Clinic, answer: Answer) -> int:
    purposes = wanted_to_stop(answer.text)
    digits = "".join(c for c in answer.phone if c.isascii() and c.isdigit())
    number = digits[2:] if len(digits) == 13 and digits.startswith("86") else digits
    if not purposes or not number:
        return 0
    people = Patient.objects.for_clinic(clinic).filter(phones__number_index=crypto.blind_index(number)).distinct()
    natures = [nature for nature in Nature.values if set(purposes_for(nature)) & set(purposes)]
    for patient in people:
        for purpose in purposes:
            consents_said(patient=patient, clinic=clinic, purpose=purpose, given=False, by=None, channel="reply")
        waiting = Message.objects.filter(patient=patient, nature__in=natures)
        outbox.drop(waiting, reason=Message.Suppressed.CONSENT)
        record(action="opted_out", clinic=clinic, by=None, subject=patient)
    return len(people)

"""What must be known to judge and send a batch of messages: read with a fixed number of statements."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from accounts.models import Clinic
from followups import never, wanted
from followups.consents import purposes_for
from followups.message_rules import Facts
from followups.models import Appointment, Campaign, Message, MessagingSettings, SenderAccount, Task
from followups.models.messages import MessageChannel, MessagePurpose
from followups.models.playbooks import Nature
from followups.senders import Outgoing, Sender, sender_of
from followups.services import sending_sql as sql
from followups.services.reminders import hours_of, usual
from followups.services.templates import Book
from patients import crypto

EXPECTED = frozenset({Appointment.Status.BOOKED, Appointment.Status.CONFIRMED})
OF_APPOINTMENTS = frozenset({
    MessagePurpose.APPOINTMENT_BOOKED, MessagePurpose.REMINDER_DAY, MessagePurpose.REMINDER_HOURS,
    MessagePurpose.APPOINTMENT_CHANGED,
})  # fmt: skip
CAPPED = frozenset({Nature.MARKETING, Nature.CLOSING})  # what the patient came for leaves whatever the day's count
EXTERNAL = ("wm", "wo")  # how the ids of patients in WeCom begin

CONSENTS = """
SELECT DISTINCT ON (patient_id, purpose) patient_id, purpose, given FROM patients_consent
WHERE patient_id = ANY(%s) AND purpose IN ('contact', 'marketing') ORDER BY patient_id, purpose, at DESC, id DESC
"""
PHONES = """
SELECT DISTINCT ON (patient_id) patient_id, number_encrypted FROM patients_patientphone
WHERE patient_id = ANY(%s) ORDER BY patient_id, position, id
"""
OWNERS = """
SELECT r.patient_id, r.clinic_id, u.username FROM patients_registration r JOIN accounts_user u ON u.id = r.owner_id
WHERE r.patient_id = ANY(%s) AND u.is_active
"""
SENT_TODAY = """
SELECT count(*) FROM followups_message WHERE clinic_id = %s AND patient_id IS NOT NULL
AND (accepted_at >= %s OR state = 'sending')
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A claimed message with what is joined to it."""

    id: int
    clinic_id: int
    patient_id: int | None
    staff_id: int | None
    channel: str
    purpose: str
    nature: str
    due_at: datetime
    stale_at: datetime | None
    language: str
    variables: str
    attempts: int
    class_code: str | None
    merged_into: int | None
    wechat_id: str | None
    appointment_status: str | None
    task_status: str | None
    campaign_status: str | None
    username: str | None


def uid_of(clinic_code: str, pk: int) -> str:
    """Return the id that a provider knows a message by, the same at every try."""
    return f"{clinic_code}-{pk}"


class Surroundings:
    """Settings, senders, texts, consents and numbers that a batch needs."""

    def __init__(self, rows: Sequence[Due], now: datetime) -> None:
        self.now = now
        clinic_ids = sorted({row.clinic_id for row in rows})
        patients = sorted({row.patient_id for row in rows if row.patient_id})
        self.clinics = Clinic.objects.in_bulk(clinic_ids)
        kept = {s.clinic_id: s for s in MessagingSettings.objects.filter(clinic__in=clinic_ids)}
        self.settings = {pk: kept.get(pk) or usual(clinic) for pk, clinic in self.clinics.items()}
        self.hours = {pk: hours_of(self.settings[pk], clinic) for pk, clinic in self.clinics.items()}
        accounts = SenderAccount.objects.filter(clinic__in=clinic_ids)
        self.accounts = {(account.clinic_id, account.channel): account for account in accounts}
        self.book = Book(clinic_ids)
        said = sql.fetch(CONSENTS, [patients])
        self.agreed = {(patient, purpose) for patient, purpose, given in said if given}
        self.phones: dict[int, Any] = dict(sql.fetch(PHONES, [patients]))
        self.unwanted = wanted.unwanted((row.purpose, row.clinic_id, row.staff_id) for row in rows if row.staff_id)
        self._senders: dict[tuple[int, str], Sender] = {}
        self._patients = patients
        self._sent = self._count_sent(rows)

    @cached_property
    def owners(self) -> dict[tuple[int, int], str]:
        """Who looks after a patient in a clinic; needed for tasks in WeCom alone."""
        return {(patient, clinic): name for patient, clinic, name in sql.fetch(OWNERS, [self._patients])}

    def _count_sent(self, rows: Sequence[Due]) -> Counter[int]:
        """Count what left today, for clinics whose marketing is due; two workers do not count at the same time."""
        counts: Counter[int] = Counter()
        for pk in sorted({row.clinic_id for row in rows if row.nature in CAPPED}):
            sql.fetch("SELECT pg_advisory_xact_lock(hashtext('followups.daily_cap'), %s)", [pk])
            counts[pk] = sql.fetch(SENT_TODAY, [pk, self._today(pk)[0]])[0][0]
        return counts

    def _today(self, clinic_id: int) -> tuple[datetime, datetime]:
        clinic = self.clinics[clinic_id]
        return clinic.day_bounds(self.now.astimezone(clinic.tz).date())

    def facts(self, row: Due) -> Facts:
        """Return what the rules ask about a message."""
        key = (row.clinic_id, row.channel)
        account = self.accounts.get(key)
        capped = row.nature in CAPPED and row.patient_id is not None
        return Facts(
            stale_at=row.stale_at,
            merged=row.merged_into is not None,
            gone=row.appointment_status is not None
            and row.purpose in OF_APPOINTMENTS
            and row.appointment_status not in EXPECTED,
            ended=row.campaign_status == Campaign.Status.STOPPED
            or (row.purpose == MessagePurpose.TASK and row.task_status not in (None, Task.Status.OPEN))
            or (row.purpose, row.clinic_id, row.staff_id) in self.unwanted,
            forbidden=never.is_forbidden(class_code=row.class_code or "", nature=row.nature),
            consented=row.patient_id is None
            or all((row.patient_id, purpose) in self.agreed for purpose in purposes_for(row.nature)),
            channel_on=account is None or account.is_on,
            has_address=self._has_address(row),
            hours=self.hours[row.clinic_id] if row.patient_id else None,
            over_cap=capped and self._sent[row.clinic_id] >= self.settings[row.clinic_id].daily_cap,
            tomorrow=self._today(row.clinic_id)[1] if capped else None,
        )

    def _has_address(self, row: Due) -> bool:
        if row.patient_id is None:
            return row.username is not None and row.channel != MessageChannel.SMS
        if row.channel == MessageChannel.WECOM:
            return (row.wechat_id or "").startswith(EXTERNAL)
        return row.patient_id in self.phones

    def count(self, row: Due) -> None:
        """Note that a message leaves today."""
        if row.patient_id is not None:
            self._sent[row.clinic_id] += 1

    def sender(self, row: Due) -> Sender:
        key = (row.clinic_id, row.channel)
        if key not in self._senders:
            self._senders[key] = sender_of(self.accounts.get(key))
        return self._senders[key]

    def uid(self, row: Due) -> str:
        return uid_of(self.clinics[row.clinic_id].code, row.id)

    def body(self, row: Due) -> str:
        words = self.book.words(row.clinic_id, row.purpose, row.language, row.channel)
        return words.rendered(json.loads(row.variables))[:1000]

    def outgoing(self, row: Due, body: str) -> Outgoing:
        """Return a message as its sender wants it."""
        words = self.book.words(row.clinic_id, row.purpose, row.language, row.channel)
        wecom = row.channel == MessageChannel.WECOM
        return Outgoing(
            uid=self.uid(row),
            to=self._address(row),
            body=body,
            channel=row.channel,
            variables=words.in_order(json.loads(row.variables)),
            template_code=words.provider_code,
            to_staff=row.staff_id is not None,
            agent=self.owners.get((row.patient_id, row.clinic_id), "") if wecom and row.patient_id else "",
            tried_at=self.now,
        )

    def asking(self, row: Due, message: Message) -> Outgoing:
        """Return a message in doubt as its sender asks about it: to whom, and when it was tried."""
        to = self._address(row) if self._has_address(row) else ""
        tried = message.events.filter(new_state=Message.State.SENDING).order_by("-at").values_list("at", flat=True)
        return Outgoing(
            uid=self.uid(row),
            to=to,
            body=message.body,
            channel=row.channel,
            to_staff=row.staff_id is not None,
            provider_id=message.provider_id,
            tried_at=tried.first() or message.due_at,
        )

    def _address(self, row: Due) -> str:
        if row.patient_id is None:
            return row.username or ""
        if row.channel == MessageChannel.WECOM:
            return row.wechat_id or ""
        return crypto.decrypt(self.phones[row.patient_id])

"""Storing what was captured in chats."""

from collections.abc import Iterable
from datetime import datetime

from conversations.inspection import Captured
from conversations.models import Capture, CapturedContact, Conversation
from conversations.services.credit import Credit
from conversations.services.inspected import Said
from patients import crypto

Kind = CapturedContact.Kind
Place = tuple[str, bytes]


def build_contact(capture: Capture, kind: str, value: str) -> CapturedContact:
    """Return an unsaved contact, encrypted."""
    return CapturedContact(
        capture=capture, kind=kind, value_encrypted=crypto.encrypt(value), value_index=crypto.blind_index(value),
        last4=value[-4:],
    )  # fmt: skip


class CaptureWriter:
    """The captures of some chats: read once, compared, written once."""

    def __init__(self, conversations: Iterable[Conversation]) -> None:
        rows = Capture.objects.filter(conversation__in=list(conversations)).prefetch_related("contacts")
        self._there = {row.conversation_id: row for row in rows}
        self._new: list[Capture] = []
        self._moved: list[Capture] = []
        self._contacts: list[CapturedContact] = []
        self._credited: list[CapturedContact] = []
        self._gone: list[int] = []

    def take(self, conversation: Conversation, messages: list[Said], captured: Captured, credit: Credit) -> None:
        """Compare what was captured with what is stored; what somebody corrected, or took over, stays."""
        given = [(kind, value, at) for kind, value, at in _given(captured) if value]
        capture = self._there.get(conversation.pk)
        if capture is None:
            if not given and captured.booking is None:
                return
            capture = Capture(conversation=conversation)
            self._new.append(capture)
        elif capture.corrected_at is not None:
            return
        self._booking(capture, conversation, captured, messages, credit)
        contacts: Iterable[CapturedContact] = capture.contacts.all() if capture.pk else ()  # type: ignore[misc]
        old = {_place(one): one for one in contacts}
        for kind, value, at in given:
            message = messages[at] if at is not None else None
            contact = old.pop((kind, crypto.blind_index(value)), None)
            if contact is None:
                contact = build_contact(capture, kind, value)
                contact.message_id, contact.user_id = message.pk if message is not None else None, credit.got(message)
                self._contacts.append(contact)
            elif contact.user_id != credit.got(message):
                contact.user_id = credit.got(message)
                self._credited.append(contact)
        self._gone += [one.pk for one in old.values() if not (one.added_at or one.group_name or one.remark)]

    def _booking(
        self,
        capture: Capture,
        conversation: Conversation,
        captured: Captured,
        messages: list[Said],
        credit: Credit,
    ) -> None:
        message = messages[captured.booking_message] if captured.booking_message is not None else None
        at = _aware(captured.booking, conversation)
        user = credit.got(message) if at is not None else None
        if (capture.booking_at, capture.booking_user_id) != (at, user):
            capture.booking_at, capture.booking_user_id = at, user
            capture.booking_message_id = message.pk if message is not None else None
            if capture.pk:
                self._moved.append(capture)

    def write(self) -> None:
        """Write everything."""
        Capture.objects.bulk_create(self._new)
        Capture.objects.bulk_update(self._moved, ["booking_at", "booking_message", "booking_user"], batch_size=500)
        for contact in self._contacts:
            contact.capture = contact.capture  # its key is known only now
        CapturedContact.objects.bulk_create(self._contacts)
        CapturedContact.objects.bulk_update(self._credited, ["user"], batch_size=500)
        if self._gone:
            CapturedContact.objects.filter(pk__in=self._gone).delete()


def _given(captured: Captured) -> list[tuple[str, str | None, int | None]]:
    return [
        (Kind.PHONE, captured.phone, captured.phone_message),
        (Kind.WECHAT, captured.wechat, captured.wechat_message),
        (Kind.QQ, captured.qq, captured.qq_message),
    ]


def _place(contact: CapturedContact) -> Place:
    return contact.kind, bytes(contact.value_index)


def _aware(at: datetime | None, conversation: Conversation) -> datetime | None:
    """Return a booking as a moment; one without a zone is the clinic's."""
    return at.replace(tzinfo=conversation.clinic.tz) if at is not None and at.tzinfo is None else at

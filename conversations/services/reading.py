"""Reading a chat: marking it read, checking one's own first, opening what is hidden, coaching."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.audit import record
from accounts.models import User
from conversations.errors import Refused
from conversations.models import CoachingNote, Conversation
from followups.models import Nature
from followups.models.messages import MessagePurpose
from followups.services import outbox

WEEK, YEAR = timedelta(days=7), timedelta(days=365)
EXCERPT = 60  # signs of a coaching note in the message that tells of it


@transaction.atomic
def mark_read(*, conversation: Conversation, by: User) -> bool:
    """Note who read a chat first; returns whether that is this person now. Reading it again changes nothing."""
    rows = Conversation.objects.filter(pk=conversation.pk, read_at=None)
    return bool(rows.update(read_at=timezone.now(), read_by=by))


@transaction.atomic
def self_check(*, conversation: Conversation, by: User) -> None:
    """Note that the consultant looked through the own chat before anyone else did.

    Raises: Refused for somebody else's chat, or when a manager has read it.
    """
    if conversation.consultant_id != by.pk:
        raise Refused(_("This is not your chat."))
    mine = Conversation.objects.filter(pk=conversation.pk, self_checked_at=None, read_at=None)
    if mine.update(self_checked_at=timezone.now()):
        record(action="chat_self_checked", clinic=conversation.clinic, by=by, subject=conversation)
    elif Conversation.objects.filter(pk=conversation.pk, self_checked_at=None).exists():
        raise Refused(_("A manager has read this chat already."))


@transaction.atomic
def open_hidden(*, conversation: Conversation, by: User) -> None:
    """Log that the numbers and ids of a chat were opened. The caller shows them in this answer alone."""
    record(action="chat_contacts_opened", clinic=conversation.clinic, by=by, subject=conversation)


@transaction.atomic
def coach(*, conversation: Conversation, text: str, due_on: date | None = None, by: User) -> CoachingNote:
    """Ask the consultant to do something better: a task on their list until they close it, and WeCom tells of it.

    Args: due_on: the last day (clinic's), in a week when left out. Raises: Refused for an empty text, a day that is
    past or more than a year away, or a chat whose consultant nobody knows.
    """
    text, today = text.strip(), conversation.clinic.today()
    due_on = due_on or today + WEEK
    if not text:
        raise Refused(_("Say what to do better."), field="text")
    consultant = conversation.consultant
    if consultant is None:
        raise Refused(_("Nobody knows who led this chat."), field="text")
    if not today <= due_on <= today + YEAR:
        raise Refused(_("Choose a day from today on, within a year."), field="due_on")
    note: CoachingNote = CoachingNote.objects.create(
        conversation=conversation, consultant=consultant, text=text, due_on=due_on, created_by=by
    )
    clinic = conversation.clinic
    with override(consultant.language or "zh-hans"):
        told = _("A note for you on a chat: %(text)s") % {"text": text[:EXCERPT]}
    outbox.queue(
        clinic=clinic, staff=consultant, purpose=MessagePurpose.ALERT, subject=f"coaching:{note.pk}",
        due_at=timezone.now(), nature=Nature.SERVICE, by=by,
        variables={"name": str(consultant), "clinic": clinic.name, "text": told},
    )  # fmt: skip
    record(action="chat_coached", clinic=clinic, by=by, subject=conversation)
    return note


@transaction.atomic
def coaching_done(*, note: CoachingNote, answer: str = "", by: User) -> None:
    """Close what a manager asked for. Once closed, nothing happens again.

    Args: answer: what the consultant did, for the manager to read. Raises: Refused for somebody else's.
    """
    if note.consultant_id != by.pk:
        raise Refused(_("This note is not for you."))
    now = timezone.now()
    rows = CoachingNote.objects.filter(pk=note.pk, done_at=None)
    if rows.update(done_at=now, seen_at=note.seen_at or now, answer=answer.strip()[:500]):
        chat = note.conversation
        record(action="coaching_done", clinic=chat.clinic, by=by, subject=chat)

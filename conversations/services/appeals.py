"""A consultant's objection to a finding, and the manager's answer."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import User
from conversations.errors import Changed, Refused
from conversations.models import Appeal, Finding
from conversations.services.scoring import withdraw_finding


def may_appeal(finding: Finding, user: User) -> bool:
    """Tell whether the sentence is the person's own: its sender's, else the chat's consultant's."""
    return user.pk == (finding.user_id or finding.conversation.consultant_id)


@transaction.atomic
def make_appeal(*, finding: Finding, text: str, by: User) -> Appeal:
    """Object to a finding about one's own words, once.

    Raises: Refused for somebody else's words, an empty text, or a finding already taken back;
    Changed (409) when it was appealed before.
    """
    text = text.strip()
    if not may_appeal(finding, by):
        raise Refused(_("Only whose words they are may appeal."))
    if finding.withdrawn_at is not None:
        raise Refused(_("This finding was taken back already."))
    if not text:
        raise Refused(_("Say why it does not hold."), field="text")
    try:
        with transaction.atomic():
            appeal: Appeal = Appeal.objects.create(finding=finding, text=text, made_by=by)
    except IntegrityError as error:
        raise Changed(_("This finding was appealed already.")) from error
    chat = finding.conversation
    record(action="finding_appealed", clinic=chat.clinic, by=by, subject=chat, code=finding.code)
    return appeal


def _hold(appeal: Appeal) -> Appeal:
    """Lock the appeal, so that the first answer stands."""
    rows = Appeal.objects.select_for_update(of=("self",), no_key=True)
    row: Appeal = rows.select_related("finding__conversation__clinic").get(pk=appeal.pk)
    return row


@transaction.atomic
def answer_appeal(*, appeal: Appeal, upheld: bool, answer: str, by: User) -> Appeal:
    """Answer an appeal; upheld, the finding is withdrawn and the scores follow.

    Raises: Refused when one answers one's own, or turns it down without a word;
    Changed (409, `now`: the appeal as answered) when somebody else answered it meanwhile.
    """
    row = _hold(appeal)
    if row.answered_at is not None:
        raise Changed(_("%(name)s answered this appeal meanwhile.") % {"name": row.answered_by}, now=row)
    if row.made_by_id == by.pk:
        raise Refused(_("Nobody answers their own appeal."))
    if not upheld and not answer.strip():
        raise Refused(_("Say why the finding stands."), field="answer")
    row.is_upheld, row.answer, row.answered_at, row.answered_by = upheld, answer.strip(), timezone.now(), by
    row.save(update_fields=["is_upheld", "answer", "answered_at", "answered_by"])
    chat = row.finding.conversation
    record(action="appeal_answered", clinic=chat.clinic, by=by, subject=chat, code=row.finding.code, upheld=upheld)
    if upheld:
        withdraw_finding(finding=row.finding, reason="appeal", by=by)
    return row

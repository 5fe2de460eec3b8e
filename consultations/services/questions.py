"""Questions between doctor and coordinator about a visit."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import Permission
from consultations.errors import MoveRefused, Refused
from consultations.models import Handoff, HandoffQuestion, Visit
from consultations.services.moves import locked
from consultations.stages import Missing, Stage

LONGEST_QUESTION = 300
LONGEST_ANSWER = 500
PLAN_STAGES = frozenset({Stage.EXPLAINING, Stage.DECISION})


def _note_of(visit: Visit) -> Handoff:
    note = Handoff.objects.filter(visit=visit, sent_at__isnull=False).first()
    if note is None:
        raise MoveRefused([Missing.HANDOFF])
    return note


@transaction.atomic
def ask_coordinator(*, visit: Visit, question: str, by: User) -> HandoffQuestion:
    """The doctor asks back about the note, before or after acknowledging it.

    Raises: MoveRefused for anyone but a doctor or without a note; Refused without words or after leaving.
    """
    if not by.may(Permission.TREAT, visit.clinic_id):
        raise MoveRefused([Missing.DOCTOR])
    fresh = locked(visit)
    if fresh.doctor_left_at or not fresh.is_open:
        raise Refused(_("You have left this patient's room already."))
    return _ask(fresh, question, by, for_doctor=False)


@transaction.atomic
def ask_for_change(*, visit: Visit, question: str, by: User) -> HandoffQuestion:
    """The coordinator asks the doctor to change the plan's clinical content, while it is explained ([S1]).

    Raises: MoveRefused for anyone but a coordinator; Refused outside the explanation.
    """
    if not by.may(Permission.COORDINATE, visit.clinic_id):
        raise MoveRefused([Missing.COORDINATOR])
    fresh = locked(visit)
    if fresh.stage not in PLAN_STAGES:
        raise Refused(_("A change of the plan is asked for while it is explained."))
    return _ask(fresh, question, by, for_doctor=True)


def _ask(visit: Visit, question: str, by: User, *, for_doctor: bool) -> HandoffQuestion:
    words = question.strip()[:LONGEST_QUESTION]
    if not words:
        raise Refused(_("Write the question first."))
    return HandoffQuestion.objects.create(handoff=_note_of(visit), question=words, asked_by=by, for_doctor=for_doctor)


@transaction.atomic
def answer(*, question: HandoffQuestion, text: str, by: User) -> HandoffQuestion:
    """Answer a question: the coordinator the doctor's, the doctor the coordinator's. The first answer stays.

    Raises: Refused for the wrong side, without words, or when it was answered.
    """
    fresh = HandoffQuestion.objects.select_for_update(of=("self",)).select_related("handoff__visit").get(pk=question.pk)
    needed = Permission.TREAT if fresh.for_doctor else Permission.COORDINATE
    if not by.may(needed, fresh.handoff.visit.clinic_id):
        raise MoveRefused([Missing.DOCTOR if fresh.for_doctor else Missing.COORDINATOR])
    words = text.strip()[:LONGEST_ANSWER]
    if not words:
        raise Refused(_("Write the answer first."))
    if fresh.answered_at:
        raise Refused(_("%(who)s has answered already.") % {"who": fresh.answered_by})
    fresh.answer, fresh.answered_by, fresh.answered_at = words, by, timezone.now()
    fresh.save(update_fields=["answer", "answered_by", "answered_at"])
    return fresh

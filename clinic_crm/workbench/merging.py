"""Merging two records: what it means for visits, appointments, tasks, messages and playbooks.

The moving itself is patients.services.merging; this names how the rows of the apps above move.
"""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from consultations.models import Visit
from consultations.services.numbering import recount_visits
from followups.models import CampaignMember, Message, PlaybookRun, Task, WaitingEntry
from followups.never import NEVER
from followups.services.consents_said import consents_said, obey
from followups.services.outbox import drop
from followups.services.tasks import close_tasks
from patients.errors import Refused
from patients.merging.own import Pair, Strategy, marked, move
from patients.merging.relations import Relation
from patients.models import ComplaintCase, ConsentPurpose, Patient, PatientMerge
from patients.services import merging as records
from patients.services.classes import classify
from patients.services.merging import Plan

CHANNEL = "merge"  # how a consent came about
MERGED = Task.Closed.MERGED


def merge_patients(
    *, winner: Patient, loser: Patient, clinic: Clinic, by: User, choices: Mapping[str, str] | None = None
) -> PatientMerge:
    """Make one record of two. Args and raises: as `patients.services.merging.merge_records`.

    Also raises Refused while both have a visit under way. Nothing is contacted twice by it: of two playbooks in a
    clinic one goes on, doubled tasks close, doubled messages are suppressed; the stricter latest consent holds.
    """
    return records.merge_records(winner=winner, loser=loser, choices=choices or {}, clinic=clinic, by=by, plan=PLAN)


def undo_merge(*, merge: PatientMerge, by: User) -> list[list[Any]]:
    """Take a merge back. Args, raises, returns: as `patients.services.merging.undo_merge`."""
    return records.undo_merge(merge=merge, by=by, after=_recount_if_visited)


def _check(winner: Patient, loser: Patient) -> None:
    open_visits = Visit.objects.in_clinic_now().filter(patient__in=[winner.pk, loser.pk])
    if open_visits.values("patient").distinct().count() > 1:
        raise Refused(_("Both have a visit under way. End one of them first."))


def _first(pair: Pair) -> None:
    """Before anything moves: whose playbook goes on, and which tasks and messages would be doubled."""
    _one_playbook(pair)
    _no_doubled_tasks(pair)
    _no_doubled_messages(pair)


def _one_playbook(pair: Pair) -> None:
    """In each clinic the playbook of the chosen class goes on, of two the one of the record the class is taken from."""
    running = PlaybookRun.objects.filter(patient__in=[pair.winner.pk, pair.loser.pk], ended_at=None)
    taken: set[int] = set()
    rows = sorted(running.select_related("playbook"), key=lambda run: (run.patient_id != pair.prefers.pk, run.pk))
    ended = []
    for run in rows:
        if run.clinic_id in taken or run.playbook.class_code != pair.code:
            ended.append(run.pk)
        else:
            taken.add(run.clinic_id)
    PlaybookRun.objects.filter(pk__in=ended).update(
        ended_at=pair.at, end_reason=PlaybookRun.EndReason.MERGED, generate_at=None
    )
    close_tasks(Task.objects.filter(run__in=ended), reason=MERGED, by=pair.by)


def _no_doubled_tasks(pair: Pair) -> None:
    """An open task of the loser that the winner has too closes; so does the winner's part in a campaign in which the
    loser was contacted already."""
    ours, theirs = (Task.objects.open().filter(patient=p, appointment=None) for p in (pair.winner, pair.loser))
    known = {_what(task) for task in ours}
    doubled = [task.pk for task in theirs if _what(task) in known]
    reached = _reached(pair.loser)
    close_tasks(Task.objects.filter(pk__in=doubled), reason=MERGED, by=pair.by)
    close_tasks(ours.filter(campaign__in=reached), reason=MERGED, by=pair.by)
    close_tasks(theirs.filter(campaign__in=_reached(pair.winner)), reason=MERGED, by=pair.by)


def _what(task: Task) -> tuple[Any, ...]:
    return task.clinic_id, task.kind, task.nature, task.campaign_id, task.title


def _reached(patient: Patient) -> list[int]:
    """Return the campaigns in which the patient was contacted, or a message is on its way."""
    done = Task.objects.filter(patient=patient, status=Task.Status.DONE).exclude(campaign=None)
    waiting = [Message.State.QUEUED, Message.State.SUPPRESSED, Message.State.FAILED]
    sent = Message.objects.filter(patient=patient).exclude(campaign=None).exclude(state__in=waiting)
    return [*done.values_list("campaign", flat=True), *sent.values_list("campaign", flat=True)]


def _no_doubled_messages(pair: Pair) -> None:
    ours = Message.objects.filter(patient=pair.winner)
    theirs = Message.objects.filter(patient=pair.loser, state=Message.State.QUEUED)
    known = set(ours.exclude(state=Message.State.SUPPRESSED).values_list("clinic", "purpose", "subject"))
    doubled = [m.pk for m in theirs if (m.clinic_id, m.purpose, m.subject) in known]
    told = Q(pk__in=doubled) | Q(campaign__in=_reached(pair.winner))
    drop(theirs.filter(told), reason=Message.Suppressed.MERGED, by=pair.by)
    drop(ours.filter(campaign__in=_reached(pair.loser)), reason=Message.Suppressed.MERGED, by=pair.by)


def _messages(pair: Pair, relation: Relation) -> None:
    """Two messages of the same purpose, subject and time stay two rows: the loser's subject gets a mark."""
    key = ("clinic", "purpose", "subject", "due_at")
    ours = set(Message.objects.filter(patient=pair.winner, staff=None).values_list(*key))
    for row in Message.objects.filter(patient=pair.loser, staff=None):
        if (row.clinic_id, row.purpose, row.subject, row.due_at) in ours:
            Message.objects.filter(pk=row.pk).update(subject=marked(row.subject, row.pk))
    move(pair, relation)


def _members(pair: Pair, relation: Relation) -> None:
    """A patient is once in a campaign, and has had their turn when either record had it."""
    ours = CampaignMember.objects.filter(patient=pair.winner)
    theirs = CampaignMember.objects.filter(patient=pair.loser)
    ours.filter(campaign__in=_reached(pair.loser), left_out="").update(left_out=CampaignMember.LeftOut.LATELY)
    theirs.filter(campaign__in=list(ours.values_list("campaign", flat=True))).delete()
    move(pair, relation)


def _waiting(pair: Pair, relation: Relation) -> None:
    """Who waits for the same thing twice waits once."""
    waiting = WaitingEntry.objects.filter(status=WaitingEntry.Status.WAITING)
    ours = set(waiting.filter(patient=pair.winner).values_list("clinic", "doctor", "kind"))
    for row in waiting.filter(patient=pair.loser):
        if (row.clinic_id, row.doctor_id, row.kind) in ours:
            WaitingEntry.objects.filter(pk=row.pk).update(status=WaitingEntry.Status.WITHDRAWN, closed_at=pair.at)
    move(pair, relation)


def _visits(pair: Pair, relation: Relation) -> None:
    """Where both came, the visits are numbered over both."""
    came = Visit.objects.filter(patient__in=[pair.winner.pk, pair.loser.pk]).values("patient").distinct().count()
    move(pair, relation)
    if came > 1:
        recount_visits(pair.winner.pk)


def _last(pair: Pair) -> None:
    """After everything moved: the class and the consents."""
    judged = [(p.class_code, p.awareness, p.trust) for p in (pair.winner, pair.prefers)]
    if judged[0] != judged[1]:
        _take_class(pair)
    forbidden = NEVER.get(pair.code, frozenset())
    close_tasks(Task.objects.filter(patient=pair.winner, nature__in=forbidden), reason=Task.Closed.NEVER, by=pair.by)
    drop(Message.objects.filter(patient=pair.winner, nature__in=forbidden), reason=Message.Suppressed.NEVER, by=pair.by)
    _rest_while_complained(pair)
    _stricter_consent(pair)


def _rest_while_complained(pair: Pair) -> None:
    """An open complaint of either record lets the playbook that goes on rest."""
    complained = ComplaintCase.objects.open().filter(patient=pair.winner).values("clinic")
    going = PlaybookRun.objects.filter(patient=pair.winner, ended_at=None, paused_at=None, clinic__in=complained)
    going.update(paused_at=pair.at)


def _take_class(pair: Pair) -> None:
    """The loser's class was chosen: a correction, since nothing about the person changed. No playbook starts by it;
    the one of that class was kept above."""
    classify(
        patient=pair.winner,
        clinic=pair.clinic,
        code=pair.code,
        awareness=pair.loser.awareness,
        trust=pair.loser.trust,
        reason=_("from the record that was merged"),
        is_correction=True,
        by=pair.by,
    )


def _stricter_consent(pair: Pair) -> None:
    """Where one record said yes and the other no, the no holds; a no is obeyed for both records' rows (DOMAIN §7)."""
    for purpose in ConsentPurpose.values:
        words = pair.said.get(purpose, set())
        if words == {True, False}:
            consents_said(
                patient=pair.winner, clinic=pair.clinic, purpose=purpose, given=False, by=pair.by, channel=CHANNEL
            )
        elif words == {False}:
            obey(patient=pair.winner, purpose=purpose, by=pair.by)


def _recount_if_visited(merge: PatientMerge) -> None:
    """After an undo: visits made since the merge were numbered over both records."""
    if Visit.objects.filter(patient=merge.winner_id, arrived_at__gt=merge.merged_at).exists():
        recount_visits(merge.winner_id)


STRATEGIES: Mapping[str, Strategy] = {
    "consultations.Visit.patient": _visits,  # two under way at once are refused
    "followups.PlaybookRun.patient": move,  # two running in a clinic: one was ended before
    "followups.Message.patient": _messages,
    "followups.CampaignMember.patient": _members,
    "followups.WaitingEntry.patient": _waiting,
}
PLAN = Plan(strategies=STRATEGIES, check=_check, first=_first, last=_last)

"""The playbooks of a clinic: built-in ones put there once, changed ones as new versions."""

from collections.abc import Sequence
from dataclasses import asdict

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from followups.errors import Refused
from followups.models import Nature, Playbook, PlaybookStep
from followups.never import is_forbidden
from followups.playbook_sets import BUILTIN, StepDraft
from patients.classification import PatientClass

MOST_STEPS = 30


@transaction.atomic
def ensure_builtin_playbooks(clinic: Clinic) -> None:
    """Give the clinic the built-in playbook of every class that has none; as often as one likes."""
    have = set(Playbook.objects.for_clinic(clinic).filter(is_current=True).values_list("class_code", flat=True))
    lacking = [code for code in BUILTIN if code not in have]
    if not lacking:
        return
    Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)  # two at once would both write version 1
    have = set(Playbook.objects.for_clinic(clinic).filter(is_current=True).values_list("class_code", flat=True))
    for code in BUILTIN:
        if code not in have:
            _write(clinic, code, BUILTIN[code], version=1, by=None)


def playbook_for(clinic: Clinic, code: str) -> Playbook:
    """Return the current playbook of a class, the built-in one when the clinic has none yet."""
    rows = Playbook.objects.for_clinic(clinic).filter(class_code=code, is_current=True)
    found = rows.first()
    if found is None:
        ensure_builtin_playbooks(clinic)
        found = rows.get()
    return found


def _write(clinic: Clinic, code: str, steps: Sequence[StepDraft], *, version: int, by: User | None) -> Playbook:
    playbook = Playbook.objects.create(clinic=clinic, class_code=code, version=version, created_by=by)
    PlaybookStep.objects.bulk_create(
        PlaybookStep(playbook=playbook, position=n, **asdict(step)) for n, step in enumerate(steps)
    )
    return playbook


def draft_of(step: PlaybookStep) -> StepDraft:
    """Return a stored step as data."""
    return StepDraft(**{name: getattr(step, name) for name in StepDraft.__dataclass_fields__})


@transaction.atomic
def save_playbook(*, clinic: Clinic, code: str, steps: Sequence[StepDraft], version: int, by: User) -> Playbook:
    """Keep a class's playbook as a new version; patients under way keep theirs. The same again is no version.

    Args: version: the one the writer saw.
    Raises: Refused for a nature the class must never get (DOMAIN §3), too many steps, or when somebody else
    saved meanwhile.
    """
    if code not in PatientClass.values:
        raise Refused(_("There is no such class."))
    if len(steps) > MOST_STEPS:
        raise Refused(_("A playbook has at most %(count)s steps.") % {"count": MOST_STEPS})
    for step in steps:
        if is_forbidden(class_code=code, nature=step.nature):
            words = {"nature": str(Nature(step.nature).label), "code": code}
            raise Refused(_("Never for %(code)s: %(nature)s.") % words, field="nature")
    old = playbook_for(clinic, code)
    old = Playbook.objects.select_for_update(no_key=True).get(pk=old.pk)
    if not old.is_current or old.version != version:
        raise Refused(_("Somebody else saved this playbook meanwhile; look at it again."))
    if [draft_of(step) for step in old.steps.all()] == list(steps):
        return old
    Playbook.objects.filter(pk=old.pk).update(is_current=False)
    made = _write(clinic, code, steps, version=old.version + 1, by=by)
    record(action="playbook_saved", clinic=clinic, by=by, subject=made, code=code, version=made.version)
    return made


def restore_builtin(*, clinic: Clinic, code: str, version: int, by: User) -> Playbook:
    """Make the built-in steps the current version again. Raises: as `save_playbook`."""
    return save_playbook(clinic=clinic, code=code, steps=BUILTIN[code], version=version, by=by)

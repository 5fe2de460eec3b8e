"""Word of mouth (口碑): asked for, then done or declined. Never rewarded: no field here could hold a reward."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from patients.errors import Refused
from patients.models import Patient, WordOfMouth

State = WordOfMouth.State
DECLINED = "declined"  # the checkout's answer of who wants none of it


@transaction.atomic
def ask(*, clinic: Clinic, patient: Patient, platform: str, by: User, subject: str = "") -> WordOfMouth:
    """Note that a patient was asked. Raises: Refused for an unknown place."""
    if platform not in WordOfMouth.Platform.values:
        raise Refused(_("Choose what was asked for."))
    made: WordOfMouth = WordOfMouth.objects.create(
        clinic=clinic, patient=patient, platform=platform, subject=subject, asked_by=by
    )
    return made


@transaction.atomic
def from_checkout(*, clinic: Clinic, patient: Patient, visit: int, outcome: str, by: User) -> WordOfMouth | None:
    """Note what a patient answered at the checkout of a visit; a later answer takes the earlier one's place.

    Args: outcome: moments, friends, dianping (will do), declined; anything else notes nothing.
    What was marked done or declined meanwhile on the patient page stays.
    """
    subject = f"visit:{visit}"
    take_back(clinic=clinic, patient=patient, visit=visit)
    if outcome in WordOfMouth.Platform.values:
        return ask(clinic=clinic, patient=patient, platform=outcome, by=by, subject=subject)
    if outcome != DECLINED:
        return None
    made: WordOfMouth = WordOfMouth.objects.create(
        clinic=clinic,
        patient=patient,
        state=State.DECLINED,
        subject=subject,
        asked_by=by,
        answered_at=timezone.now(),
        answered_by=by,
    )
    return made


@transaction.atomic
def take_back(*, clinic: Clinic, patient: Patient, visit: int) -> int:
    """The tick at the checkout was undone: what it noted goes, unless something came of it. Returns how many."""
    rows = WordOfMouth.objects.for_clinic(clinic).filter(patient=patient, subject=f"visit:{visit}")
    unanswered = rows.filter(state=State.ASKED) | rows.filter(state=State.DECLINED, platform="")
    count, _by_model = unanswered.delete()
    return count


@transaction.atomic
def answer(*, row: WordOfMouth, state: str, by: User) -> WordOfMouth:
    """Note that it was done, or declined; or take that back (asked). Returns the row as it stands."""
    if state not in State.values:
        raise Refused(_("Choose what became of it."))
    fresh: WordOfMouth = WordOfMouth.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if fresh.state != state:
        open_again = state == State.ASKED
        fresh.state = state
        fresh.answered_at, fresh.answered_by = (None, None) if open_again else (timezone.now(), by)
        fresh.save(update_fields=["state", "answered_at", "answered_by"])
    return fresh

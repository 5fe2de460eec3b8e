"""Classifying a patient: the one place where the class, awareness and trust are written."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from patients.classification import Suggestion
from patients.errors import Refused
from patients.models import ClassChange, Patient


@transaction.atomic
def classify(
    *,
    patient: Patient,
    clinic: Clinic,
    code: str,
    awareness: int | None,
    trust: int | None,
    by: User,
    suggestion: Suggestion | None = None,
    reason: str = "",
    is_correction: bool = False,
) -> ClassChange:
    """Set the class with its judgements and keep who, when and why.

    Args: awareness, trust: 1 to 5; reason: needed when the class differs from the suggestion;
    is_correction: mends a mistake instead of recording a change.
    Raises: Refused without that reason. Source: DOMAIN §3.
    """
    if suggestion is not None and code != suggestion.code and not reason.strip():
        raise Refused(_("Say why the class differs from the suggestion."))
    fresh = Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    now = timezone.now()
    change = ClassChange.objects.create(
        clinic=clinic,
        patient=fresh,
        old_class=fresh.class_code,
        new_class=code,
        awareness=awareness,
        trust=trust,
        suggested=suggestion.code if suggestion else "",
        suggestion_reason=_untranslated(suggestion),
        reason=reason.strip(),
        is_correction=is_correction,
        at=now,
        by=by,
    )
    Patient.objects.filter(pk=fresh.pk).update(
        class_code=code, class_set_at=now, awareness=awareness, trust=trust, version=F("version") + 1, updated_at=now
    )
    patient.refresh_from_db(fields=["class_code", "class_set_at", "awareness", "trust", "version"])
    return change


def _untranslated(suggestion: Suggestion | None) -> str:
    """Return the reason in the language of the code, so that each reader gets it in their own."""
    if suggestion is None:
        return ""
    with translation.override("en"):
        return str(suggestion.reason)

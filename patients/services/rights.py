"""Erasing what is known of a person beyond what the law wants kept (PIPL art. 47)."""

from datetime import date
from typing import Any

import pgtrigger
from django.apps import apps
from django.db.models import F, Model, Q
from django.utils import timezone

from patients.models import (
    CareAction,
    ClassSuggestion,
    Patient,
    PatientMerge,
    PatientPhone,
    PublicLink,
    Registration,
    WordOfMouth,
)
from patients.models.living import MERGED_ROW

KEEP_YEARS = 15  # outpatient records, from the last visit: 医疗机构管理条例实施细则 art. 53
# What the first page of an outpatient record must say (病历书写基本规范) is kept with it: name, sex, birth date,
# occupation, address, allergies, history. The rest of a person goes; that somebody was added on WeChat, and when,
# stays as the bare fact that past figures counted (KPI 8).
ALWAYS: dict[str, Any] = {
    "wechat_id": "", "qq": "", "identity_number": None, "daily_rhythm": "", "family": "", "call_from": None,
    "call_to": None, "call_tone": "", "notes": "", "is_important": False,
}  # fmt: skip
WITHOUT_RECORD: dict[str, Any] = {
    "sex": "", "birth_date": None, "birth_day_known": True, "allergies": "", "medical_notes": "", "occupation": "",
    "region": "", "guardian": None, "guardian_name": "", "guardian_relation": "",
}  # fmt: skip
NAMELESS = "—"  # who never came has no record that must keep a name


def keep_until(last_visit: date | None) -> date | None:
    """Return until when the clinical record must be kept; None when there is none."""
    if last_visit is None:
        return None
    day = min(last_visit.day, 28) if last_visit.month == 2 else last_visit.day
    return last_visit.replace(year=last_visit.year + KEEP_YEARS, day=day)


def erase_person(*, ids: list[int], has_record: bool) -> dict[str, int]:
    """Empty what is not part of the clinical record, in the rows and in their histories; returns how many rows went.

    Args: ids: the person's record and those merged into it; has_record: they were here at least once. Called in a
    transaction that holds the patient's row.
    """
    values = ALWAYS if has_record else ALWAYS | WITHOUT_RECORD
    counts = {"phones": PatientPhone.objects.filter(patient__in=ids).delete()[0]}
    with pgtrigger.ignore(f"patients.Patient:{MERGED_ROW}"):
        _empty(ids, values if has_record else values | {"name": NAMELESS})
    counts |= _registrations(ids, has_record)
    counts["word_of_mouth"] = WordOfMouth.objects.filter(patient__in=ids).delete()[0]
    counts["links"] = PublicLink.objects.filter(patient__in=ids, revoked_at=None).update(revoked_at=timezone.now())
    ClassSuggestion.objects.filter(patient__in=ids, status=ClassSuggestion.Status.OPEN).update(
        status=ClassSuggestion.Status.OUTDATED, answered_at=timezone.now()
    )
    with pgtrigger.ignore("patients.CareAction:append_only"):
        CareAction.objects.filter(patient__in=ids).update(note="")
    PatientMerge.objects.filter(Q(winner__in=ids) | Q(loser__in=ids)).update(before={}, choices={})
    _histories(ids, values, has_record)
    return counts


def _empty(ids: list[int], values: dict[str, Any]) -> None:
    for patient in Patient.objects.filter(pk__in=ids):
        for name, value in values.items():
            setattr(patient, name, value)
        patient.restricted_at = timezone.now()
        patient.save()
    Patient.objects.filter(pk__in=ids).update(version=F("version") + 1)


def _registrations(ids: list[int], has_record: bool) -> dict[str, int]:
    gone: dict[str, Any] = {"tags": [], "channel_detail": "", "next_contact_on": None, "import_key": None}
    rows = Registration.objects.filter(patient__in=ids)
    tagged = rows.exclude(tags=[]).count()
    rows.update(**(gone if has_record else gone | {"complaint": "", "channel": ""}))
    return {"tags": tagged}


def _histories(ids: list[int], values: dict[str, Any], has_record: bool) -> None:
    """The histories of these rows forget the same fields; that something changed, and when, stays."""
    naming = (
        {}
        if has_record
        else {"name": NAMELESS, "name_key": "", "name_pinyin": "", "name_initials": "", "name_grams": []}
    )
    events: type[Model] = apps.get_model("patients", "PatientEvent")
    registered: type[Model] = apps.get_model("patients", "RegistrationEvent")
    own = {f.name for f in events._meta.concrete_fields}
    with pgtrigger.ignore("patients.PatientEvent:append_only", "patients.RegistrationEvent:append_only"):
        told = {name: value for name, value in {**values, **naming}.items() if name in own}
        events._default_manager.filter(pgh_obj__in=ids).update(**told)
        registered._default_manager.filter(patient__in=ids).update(tags=[], channel_detail="")

"""What the merge pages print of two records."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import Permission
from consultations.models import Visit
from patients.merging import fields
from patients.merging.fields import GROUPS, Group
from patients.models import Patient, PatientPhone, Registration

MASKED = frozenset({"wechat_id", "qq"})


@dataclass(frozen=True)
class Card:
    """One record in short: who, where registered, how reached."""

    patient: Patient
    registrations: list[Registration]
    phones: list[str]

    @property
    def where(self) -> str:
        return "、".join(f"{row.clinic.name} {row.number}" for row in self.registrations)


def cards_of(user: User, ids: Iterable[int]) -> dict[int, Card]:
    """Return the records that this person may see, by id; three statements. Numbers are masked."""
    wanted = list(ids)
    found: dict[int, Card] = {}
    rows = Registration.objects.for_user(user).filter(patient__in=wanted).select_related("patient", "clinic")
    for row in rows.order_by("patient", "clinic"):
        card = found.setdefault(row.patient_id, Card(row.patient, [], []))
        card.registrations.append(row)
    opened = set(user.clinic_ids(Permission.REVEAL_CONTACT))
    reachable = [pk for pk, card in found.items() if opened & {row.clinic_id for row in card.registrations}]
    for phone in PatientPhone.objects.filter(patient__in=reachable):
        found[phone.patient_id].phones.append(phone.masked)
    return found


def preferred(one: Patient, two: Patient) -> int:
    """Return the id of the record to keep: the one with more visits, else the older one."""
    visits = {
        pk: Visit.objects.filter(patient=pk, is_error=False).count() for pk in sorted([one.pk, two.pk])
    }  # in the order of ids, so that the older one wins a tie
    return max(visits, key=lambda pk: visits[pk])


@dataclass(frozen=True)
class Row:
    """One line of the comparison: what either record says, and what is chosen."""

    key: str
    label: str
    winner: str
    loser: str
    differs: bool
    chosen: str
    joined: str  # both texts, where both may be kept


def rows_of(winner: Patient, loser: Patient, posted: Mapping[str, str]) -> list[Row]:
    """Return a line per group of fields; a group that both leave empty has none."""
    chosen = fields.chosen(winner, loser, posted)
    found = []
    for group in GROUPS:
        if fields.is_empty(group, winner) and fields.is_empty(group, loser):
            continue
        differs = fields.differs(group, winner, loser)
        both = differs and fields.fits(group, winner, loser) and not _one_empty(group, winner, loser)
        texts = said(group, winner), said(group, loser)
        joined = fields.joined(group, winner, loser) if both else ""
        found.append(Row(group.key, str(group.label), *texts, differs, chosen[group.key], joined))
    return found


def _one_empty(group: Group, winner: Patient, loser: Patient) -> bool:
    return fields.is_empty(group, winner) or fields.is_empty(group, loser)


def said(group: Group, patient: Patient) -> str:
    """Return what a record says on a group of fields, in words; ids of messengers stay closed."""
    if fields.is_empty(group, patient):
        return ""
    if group.key in MASKED:
        return "••••" + getattr(patient, group.fields[0])[-2:]
    return _WORDS.get(group.key, _plain)(group, patient)


def _plain(group: Group, patient: Patient) -> str:
    return str(getattr(patient, group.fields[0]))


def _sex(group: Group, patient: Patient) -> str:
    return str(patient.get_sex_display())


def _birth(group: Group, patient: Patient) -> str:
    born = patient.birth_date
    return "" if born is None else date_format(born, "SHORT_DATE_FORMAT") if patient.birth_day_known else str(born.year)


def _class(group: Group, patient: Patient) -> str:
    judged = [
        _("awareness %(n)s") % {"n": patient.awareness} if patient.awareness else "",
        _("trust %(n)s") % {"n": patient.trust} if patient.trust else "",
    ]
    return " ".join(part for part in (patient.class_code, *judged) if part)


def _guardian(group: Group, patient: Patient) -> str:
    name = patient.guardian_name or (patient.guardian.name if patient.guardian else "")
    return f"{name} {patient.guardian_relation}".strip()


def _call(group: Group, patient: Patient) -> str:
    hours = f"{patient.call_from:%H:%M}–{patient.call_to:%H:%M}" if patient.call_from and patient.call_to else ""
    return f"{hours} {patient.call_tone}".strip()


_WORDS: dict[str, Any] = {
    "sex": _sex, "birth_date": _birth, "class_code": _class, "guardian": _guardian, "call": _call,
}  # fmt: skip

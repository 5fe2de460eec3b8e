"""Which record's word holds, field by field. No database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from patients.models import Patient

WINNER, LOSER, BOTH = "winner", "loser", "both"
BETWEEN = "；"


@dataclass(frozen=True)
class Group:
    """Fields that are chosen together. `joins`: both texts may be kept, one after the other."""

    key: str
    label: Any
    fields: tuple[str, ...]
    joins: bool = False


GROUPS: tuple[Group, ...] = (
    Group("name", _("Name"), ("name",)),
    Group("sex", _("Sex"), ("sex",)),
    Group("birth_date", _("Birth date"), ("birth_date", "birth_day_known")),
    Group("class_code", _("Class"), ("class_code", "awareness", "trust")),
    Group("wechat_id", _("WeChat"), ("wechat_id",)),
    Group("qq", "QQ", ("qq",)),
    Group("allergies", _("Allergies"), ("allergies",), joins=True),
    Group("medical_notes", _("Medical history"), ("medical_notes",), joins=True),
    Group("guardian", _("Guardian"), ("guardian_id", "guardian_name", "guardian_relation")),
    Group("call", _("Call hours and tone"), ("call_from", "call_to", "call_tone")),
    Group("occupation", _("Occupation"), ("occupation",)),
    Group("daily_rhythm", _("Daily rhythm"), ("daily_rhythm",)),
    Group("region", _("Region or address"), ("region",)),
    Group("family", _("Family"), ("family",)),
    Group("notes", _("Notes"), ("notes",), joins=True),
)
BY_KEY: Mapping[str, Group] = {group.key: group for group in GROUPS}
PLAIN: tuple[Group, ...] = tuple(group for group in GROUPS if group.key != "class_code")


def values_of(group: Group, patient: Patient) -> tuple[Any, ...]:
    return tuple(getattr(patient, name) for name in group.fields)


def is_empty(group: Group, patient: Patient) -> bool:
    return getattr(patient, group.fields[0]) in (None, "") and not any(
        value for value in values_of(group, patient)[1:] if value is not True
    )


def differs(group: Group, winner: Patient, loser: Patient) -> bool:
    return values_of(group, winner) != values_of(group, loser)


def joined(group: Group, winner: Patient, loser: Patient) -> str:
    """Return both texts, once each."""
    texts = [str(getattr(patient, group.fields[0])) for patient in (winner, loser)]
    return BETWEEN.join(dict.fromkeys(text for text in texts if text))


def fits(group: Group, winner: Patient, loser: Patient) -> bool:
    """Tell whether both texts have room in the field."""
    limit = getattr(Patient._meta.get_field(group.fields[0]), "max_length", None)
    return group.joins and (limit is None or len(joined(group, winner, loser)) <= limit)


def default(group: Group, winner: Patient, loser: Patient) -> str:
    """Return whose word to take unless somebody chooses: the fuller one, both where nothing may be lost, else the
    newer; name and class stay the winner's."""
    if not differs(group, winner, loser) or is_empty(group, loser):
        return WINNER
    if is_empty(group, winner):
        return LOSER
    if fits(group, winner, loser):
        return BOTH
    if group.key in ("name", "class_code"):
        return WINNER
    return LOSER if loser.updated_at > winner.updated_at else WINNER


def chosen(winner: Patient, loser: Patient, choices: Mapping[str, str]) -> dict[str, str]:
    """Return a valid choice for every group: the one made, else the default."""
    found = {}
    for group in GROUPS:
        choice = choices.get(group.key, "")
        allowed = choice in (WINNER, LOSER) or (choice == BOTH and fits(group, winner, loser))
        found[group.key] = choice if allowed else default(group, winner, loser)
    return found


def result(winner: Patient, loser: Patient, choices: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of the one record, without the class (a class is set by its own service).

    An allergy is never lost: one that is not chosen goes into the medical history. What needs no choice follows:
    importance of either, the earlier WeChat link, the identity number that there is.
    """
    values: dict[str, Any] = {}
    for group in PLAIN:
        choice = choices[group.key]
        if choice == BOTH:
            values[group.fields[0]] = joined(group, winner, loser)
        else:
            source = winner if choice == WINNER else loser
            values |= dict(zip(group.fields, values_of(group, source), strict=True))
    if values.get("guardian_id") in (winner.pk, loser.pk):
        values["guardian_id"] = None
    dropped = {text for text in (winner.allergies, loser.allergies) if text and text not in values["allergies"]}
    if dropped:
        values["medical_notes"] = BETWEEN.join([*filter(None, [values["medical_notes"]]), *sorted(dropped)])
    values["is_important"] = winner.is_important or loser.is_important
    values["identity_number"] = winner.identity_number or loser.identity_number
    linked = [(p.wechat_linked_at, p.wechat_linked_guardian) for p in (winner, loser) if p.wechat_linked_at]
    if linked:
        values["wechat_linked_at"], values["wechat_linked_guardian"] = min(linked)
    return values

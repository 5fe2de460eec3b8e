"""What points at a patient, found in the models themselves, so that a new model cannot be forgotten."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.contrib.postgres.constraints import ExclusionConstraint
from django.db.models import ForeignKey, Model, UniqueConstraint

from patients.models import Patient
from patients.models.living import MERGED_ROW
from patients.models.living import SUFFIX as LIVING

# Rows that hang on those that point at a patient and that a merge writes too: model → (its field, the parent's model).
CHILDREN: dict[str, tuple[str, str]] = {
    "patients.ChartNumber": ("registration", "patients.Registration"),
    "patients.ReferralThanks": ("referral", "patients.Referral"),
    "followups.TaskEvent": ("task", "followups.Task"),
    "followups.MessageEvent": ("message", "followups.Message"),
}
APPEND_ONLY = "append_only"


@dataclass(frozen=True)
class Relation:
    """One foreign key to Patient."""

    model: type[Model]
    field: "ForeignKey[Any, Any]"

    @property
    def key(self) -> str:
        return f"{self.model._meta.label}.{self.field.name}"

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def column(self) -> str:
        return str(self.field.column)

    @property
    def may_clash(self) -> bool:
        """Tell whether a constraint could refuse a row when it simply moves to another patient."""
        rules = [c for c in self.model._meta.constraints if isinstance(c, UniqueConstraint | ExclusionConstraint)]
        named = {name for rule in rules for name in _fields_of(rule)}
        return self.field.unique or self.field.name in named


def _fields_of(rule: UniqueConstraint | ExclusionConstraint) -> Iterable[str]:
    if isinstance(rule, UniqueConstraint):
        return rule.fields
    return [name for name, _operator in rule.expressions if isinstance(name, str)]


@lru_cache(maxsize=1)
def relations() -> tuple[Relation, ...]:
    """Return every foreign key to Patient, without the history tables, which stay with the row they tell of."""
    models = [model for model in apps.get_models() if not hasattr(model, "pgh_tracked_model")]
    found = [
        Relation(model, field)
        for model in models
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and field.related_model is Patient
    ]
    return tuple(sorted(found, key=lambda relation: relation.key))


def set_aside() -> list[str]:
    """Return the triggers that are off while records are merged or taken apart again, as pgtrigger names them: those
    that forbid changing rows, and those that refuse what is written to a merged record."""
    models = {relation.model for relation in relations()} | {apps.get_model(label) for label in CHILDREN}
    return sorted(
        f"{model._meta.label}:{trigger.name}"
        for model in models
        for trigger in getattr(model._meta, "triggers", [])
        if trigger.name in (APPEND_ONLY, MERGED_ROW) or trigger.name.endswith(LIVING)
    )


def tables() -> list[list[str]]:
    """Return the tables a merge may write, parents before their children."""
    first = {relation.table for relation in relations()} - {Patient._meta.db_table}
    second = {apps.get_model(label)._meta.db_table for label in CHILDREN}
    return [[Patient._meta.db_table], sorted(first), sorted(second)]

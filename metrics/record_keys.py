"""The records behind a figure as short keys ("visit:12"), so that they can be kept and compared."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import apps
from django.db.models import Model, QuerySet

from accounts.windows import Window
from metrics.kpis import Kpi
from metrics.records import records_of
from metrics.scope import Scope

APPS = {
    "visit": "consultations", "consultation": "consultations", "patient": "patients", "appointment": "followups",
    "complaintcase": "patients", "etiquetteinspection": "metrics", "scorecard": "conversations",
}  # fmt: skip


def key_of(record: Model) -> str:
    """Return the key of a record."""
    return f"{record._meta.model_name}:{record.pk}"


def querysets(found: Any) -> Sequence[QuerySet[Any]]:
    """Return the querysets in what `records_of` gave: one, or several."""
    return [found] if isinstance(found, QuerySet) else list(found)


def record_sets(kpi: Kpi, scope: Scope, window: Window, part: str) -> list[QuerySet[Any]]:
    """Return the querysets behind a part of a figure: one, but for scores, which are given in more than one place."""
    if kpi.records != "inspection":
        return [records_of(kpi, scope, window, part)]
    return [records_of(companion, scope, window, part) for companion in kpi.companions]


def keys_of(kpi: Kpi, scope: Scope, window: Window, part: str) -> list[str]:
    """Return the keys of one part ("counted", "failing") of a figure."""
    keys = set()
    for rows in record_sets(kpi, scope, window, part):
        name = rows.model._meta.model_name
        keys |= {f"{name}:{pk}" for pk in rows.order_by().values_list("pk", flat=True)}
    return sorted(keys, key=lambda key: (len(key), key))


def fetch(keys: Iterable[str]) -> dict[str, Model]:
    """Return the records that keys name, with their patients; one statement for each kind."""
    wanted: dict[str, list[int]] = {}
    for key in keys:
        name, _colon, pk = key.partition(":")
        wanted.setdefault(name, []).append(int(pk))
    found: dict[str, Model] = {}
    for name, pks in wanted.items():
        model = apps.get_model(APPS[name], name)
        related = [field.name for field in model._meta.concrete_fields if field.name == "patient"]
        for row in model._default_manager.filter(pk__in=pks).select_related(*related):
            found[key_of(row)] = row
    return found

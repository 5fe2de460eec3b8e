"""Filling in: what later rows say of a person goes where nothing stands yet, and never over what stands."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, models
from psycopg2.extras import execute_values

from accounts.models import Clinic, User
from patients import crypto
from patients.importing.charts import Charts
from patients.importing.copying import CopyInto
from patients.importing.values import PATIENT_FILLS, REGISTRATION_FILLS, imported_reason
from patients.models import ClassChange, Patient, PatientPhone, Registration

Values = dict[str, Any]


class Fill(NamedTuple):
    """What one row says of a person who is there already."""

    patient: int
    phones: list[str]
    charts: list[str]
    person: Values
    relation: Values


class Filler:
    """Fills in the patients of one clinic, some thousands of rows at a time."""

    def __init__(self, clinic: Clinic, charts: Charts, at: datetime, by: User | None) -> None:
        self._clinic, self._charts, self._at, self._by = clinic.pk, charts, at, by.pk if by else None
        self._phone_lines = CopyInto(
            PatientPhone, "patient", "number_encrypted", "number_index", "last4", "position", "created_at"
        )
        self._class_lines = CopyInto(ClassChange, "clinic", "patient", "new_class", "reason", "at", "by")

    def fill(self, fills: Sequence[Fill]) -> None:
        """Apply the rows in their order. Locks the people concerned until the transaction ends."""
        ids = sorted({fill.patient for fill in fills})
        people = _locked(Patient.objects.filter(pk__in=ids), "pk", PATIENT_FILLS)
        here = Registration.objects.filter(clinic=self._clinic, patient__in=ids)
        relations = _locked(here, "patient_id", ("pk", *REGISTRATION_FILLS))
        changed_people: dict[int, Values] = {}
        changed_relations: dict[int, Values] = {}
        classes: list[tuple[int, str]] = []
        for fill in fills:
            person, relation = people[fill.patient], relations.get(fill.patient)
            filled = _fill_person(person, fill.person)
            if filled:
                changed_people[fill.patient] = person
                if "class_code" in filled:
                    classes.append((fill.patient, person["class_code"]))
            if relation is not None and _fill_relation(relation, fill.relation):
                changed_relations[relation["pk"]] = relation
        _update(Patient, changed_people, PATIENT_FILLS, _PERSON_EXTRAS, [self._at, self._at])
        _update(Registration, changed_relations, REGISTRATION_FILLS, "", [])
        self._class_lines.send(
            self._class_lines.line((self._clinic, patient, code, imported_reason(), self._at, self._by))
            for patient, code in classes
        )
        self._add_phones(fills, ids)
        here_now = [fill for fill in fills if fill.patient in relations]
        self._charts.write((relations[fill.patient]["pk"], number) for fill in here_now for number in fill.charts)

    def _add_phones(self, fills: Sequence[Fill], ids: list[int]) -> None:
        known: dict[int, set[bytes]] = {patient: set() for patient in ids}
        for patient, index in PatientPhone.objects.filter(patient__in=ids).values_list("patient_id", "number_index"):
            known[patient].add(bytes(index))
        lines: list[str] = []
        for fill in fills:
            for phone in fill.phones:
                index, have = crypto.blind_index(phone), known[fill.patient]
                if index not in have:
                    lines.append(
                        self._phone_lines.line(
                            (fill.patient, crypto.encrypt(phone), index, phone[-4:], len(have), self._at)
                        )
                    )
                    have.add(index)
        self._phone_lines.send(lines)


_PERSON_EXTRAS = """, version = t.version + 1, updated_at = %s,
    class_set_at = CASE WHEN v.class_code <> t.class_code THEN %s ELSE t.class_set_at END"""


def _locked(rows: models.QuerySet[Any], key: str, names: Sequence[str]) -> dict[int, Values]:
    rows = rows.select_for_update(of=("self",), no_key=True).order_by("pk")
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows.values_list(key, *names)}


def _fill_person(person: Values, said: Mapping[str, Any]) -> set[str]:
    """Put what is said where nothing stands; returns what was filled."""
    filled = {name for name in PATIENT_FILLS if name != "birth_day_known" and said[name] and not person[name]}
    if "birth_date" in filled:
        filled.add("birth_day_known")  # it belongs to the date
    person.update((name, said[name]) for name in filled)
    return filled


def _fill_relation(relation: Values, said: Mapping[str, Any]) -> set[str]:
    filled = {name for name in REGISTRATION_FILLS if said[name] and not relation[name]}
    if relation["channel"] or relation["channel_detail"]:
        filled -= {"channel", "channel_detail"}  # they belong together
    visits = {name: str(said[name] if name in filled else relation[name] or "") for name in _VISITS}
    if all(visits.values()) and visits["last_visit_on"] < visits["first_visit_on"]:
        filled -= set(_VISITS)
    relation.update((name, said[name]) for name in filled)
    return filled


_VISITS = ("first_visit_on", "last_visit_on")


def _update(
    model: type[models.Model], rows: Mapping[int, Values], names: Sequence[str], extras: str, extra_values: list[Any]
) -> None:
    """Set the named fields of many rows at once."""
    if not rows:
        return
    quote = connection.ops.quote_name
    types = {field.attname: (str(field.column), field.db_type(connection)) for field in model._meta.concrete_fields}
    casts = dict(types[name] for name in names)
    settings = ", ".join(f"{quote(column)} = v.{quote(column)}::{cast}" for column, cast in casts.items())
    columns = ", ".join(map(quote, casts))
    with connection.cursor() as cursor:
        extras = cursor.mogrify(extras, extra_values).decode() if extras else ""
        execute_values(
            cursor.cursor,
            f"UPDATE {quote(model._meta.db_table)} AS t SET {settings}{extras} "  # noqa: S608  names of the model alone
            f"FROM (VALUES %s) AS v (id, {columns}) WHERE t.id = v.id",
            [(key, *(values[name] for name in names)) for key, values in rows.items()],
            page_size=500,
        )

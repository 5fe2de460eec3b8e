"""Large histories: one block of patients is told, then written again and again by the database itself.

Every copy has people of its own (names, numbers, phones); their visits repeat the block's, moved back by
some days. That keeps a million visits consistent and quick to make.
"""

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, models

from clinic_crm.demo import words
from clinic_crm.demo.copying import copy_rows
from clinic_crm.demo.history import CHUNK, History, in_order, trusted
from followups.models import Appointment
from patients.models import Patient, PatientPhone, Registration

BLOCK = 2000
SETTLED_DAYS = 60  # the block ends so long ago that its last appointments are past
PEOPLE = (Patient, Registration, PatientPhone)


class Block:
    """A told block and where its rows lie."""

    def __init__(self, history: History) -> None:
        self.history = history
        history.now -= timedelta(days=SETTLED_DAYS)
        self.rows: dict[type[models.Model], list[Any]] = {}
        for group, case in history.patients(BLOCK):
            history.live(group, case)
        for row in history.rows[Appointment]:
            if row.holds_slot:  # still to come when the block ended, and past by now
                row.status, row.holds_slot = Appointment.Status.NO_SHOW, False
        self.rows = dict(in_order(history.rows))
        self.counts = {model: len(rows) for model, rows in self.rows.items()}
        self.firsts = {model: rows[0].pk for model, rows in self.rows.items()}
        with trusted():
            history.write()
        history.now += timedelta(days=SETTLED_DAYS)

    def repeat(self, times: int, progress: Callable[[int], None] | None = None) -> None:
        """Write the block `times` more times."""
        for turn in range(1, times + 1):
            back = timedelta(days=turn * 7 % 50, minutes=turn % 25)
            with trusted():
                self._people(turn, back)
                for model in self.rows:
                    if model not in PEOPLE:
                        self._rest(model, turn, back)
            if progress:
                progress(BLOCK * (turn + 1))
        for model, count in self.counts.items():
            self.history.ids.skip(model, count * times)

    def _offset(self, model: type[models.Model], turn: int) -> int:
        return self.counts[model] * turn

    def _people(self, turn: int, back: timedelta) -> None:
        """Write the copies of the people, each under a name, a number and a phone of its own."""
        dice, history = self.history.dice, self.history
        patients, registrations, phones = [], [], []
        for row in self.rows[Patient]:
            patient = copy.copy(row)
            patient.pk = row.pk + self._offset(Patient, turn)
            patient.name = dice.choice(words.SURNAMES) + dice.choice(words.GIVEN)
            patient.set_search_fields()
            patients.append(patient)
            phone = history.phone_of(patient)
            phone.pk, phone.created_at = row.pk + self._offset(Patient, turn), row.created_at
            phones.append(phone)
        for row in self.rows[Registration]:
            registration = copy.copy(row)
            registration.pk = row.pk + self._offset(Registration, turn)
            registration.patient_id = row.patient_id + self._offset(Patient, turn)
            registration.number = history.number_for(row.clinic, row.created_at)
            registration.active_at = row.active_at - back
            registrations.append(registration)
        first = self.firsts[PatientPhone]
        for place, phone in enumerate(phones):
            phone.pk = first + self._offset(PatientPhone, turn) + place
        for model, rows in ((Patient, patients), (Registration, registrations), (PatientPhone, phones)):
            copy_rows(model, rows)

    def _rest(self, model: type[models.Model], turn: int, back: timedelta) -> None:
        """Let the database repeat one table of the block, keys moved on and times moved back."""
        columns: list[str] = []
        values: list[str] = []
        params: list[Any] = []
        for field in model._meta.concrete_fields:
            column = connection.ops.quote_name(field.column or "")
            columns.append(column)
            target = field.related_model
            if field.primary_key or (target in self.counts):
                values.append(f"{column} + %s")
                params.append(self._offset(model if field.primary_key else target, turn))  # type: ignore[arg-type]
            elif isinstance(field, models.DateTimeField):
                values.append(f"{column} - %s")
                params.append(back)
            else:
                values.append(column)
        table, first = connection.ops.quote_name(model._meta.db_table), self.firsts[model]
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table}"
                " WHERE id BETWEEN %s AND %s",
                [*params, first, first + self.counts[model] - 1],
            )


def load_many(history: History, count: int, progress: Callable[[int], None] | None = None) -> None:
    """Write `count` patients with history, rounded up to whole blocks."""
    assert count >= BLOCK > CHUNK
    block = Block(history)
    block.repeat(-(-count // BLOCK) - 1, progress)
    history.counters_written()

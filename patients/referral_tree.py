"""Who brought whom, below one referrer: one recursive statement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import User
from patients.models import Patient, Referral

LEVELS = 4
SHOWN = 300

# Only links made in the person's clinics are followed; a circle, should one ever be imported, ends at itself.
TREE = """
WITH RECURSIVE tree AS (
    SELECT link.id, link.referred_id, link.effective_at, 1 AS level, ARRAY[link.id] AS path
    FROM {referral} link WHERE link.referrer_id = %(root)s AND link.clinic_id = ANY(%(clinics)s)
    UNION ALL
    SELECT link.id, link.referred_id, link.effective_at, tree.level + 1, tree.path || link.id
    FROM {referral} link JOIN tree ON link.referrer_id = tree.referred_id
    WHERE tree.level < %(levels)s AND link.clinic_id = ANY(%(clinics)s)
      AND link.id <> ALL(tree.path) AND link.referred_id <> %(root)s
)
SELECT tree.referred_id, person.name, person.class_code, tree.level, tree.effective_at
FROM tree JOIN {patient} person ON person.id = tree.referred_id
ORDER BY tree.path LIMIT %(shown)s
"""


@dataclass(frozen=True)
class Node:
    """One person of the tree; `level` is 1 for those whom the referrer brought."""

    patient_id: int
    name: str
    class_code: str
    level: int
    effective_at: datetime | None


def tree_of(patient: Patient, user: User, *, levels: int = LEVELS) -> list[Node]:
    """Return whom a patient brought, and whom those brought, each below who brought them; one statement."""
    values: dict[str, Any] = {"root": patient.pk, "clinics": user.clinic_ids(), "levels": levels, "shown": SHOWN}
    sql = TREE.format(referral=Referral._meta.db_table, patient=Patient._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [Node(*row) for row in cursor.fetchall()]

"""Making the standings anew, where rows were written past the triggers that keep them."""

from django.db import connection, transaction

CHUNK = 20_000


@transaction.atomic
def rebuild() -> int:
    """Tell every person's standings again from the append-only class changes; returns of how many persons.

    For data that was copied in with triggers off (demo, restored parts of a backup). It does not lock anybody out:
    run it while nobody classifies.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT patient_id FROM patients_classchange ORDER BY 1")
        people = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "DELETE FROM metrics_standing s WHERE NOT EXISTS (SELECT 1 FROM patients_classchange c WHERE c.id = s.change_id)"
        )
        for start in range(0, len(people), CHUNK):
            cursor.execute("SELECT metrics_restand(%s)", [people[start : start + CHUNK]])
    return len(people)

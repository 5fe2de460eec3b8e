"""What is written waits for a merge under way, and is refused for a record that was merged away (DESIGN §3, 10).

Somebody may open a record, and write to it at the moment at which somebody else merges it into another. The write
locks the patient's row as its foreign key does, though not at the end but at once: so it either comes before the
merge, which then moves it, or waits for it, and learns here that the record is gone.
"""

import pgtrigger

SQLSTATE = "MG001"
SUFFIX = "_living"
MERGED_ROW = "merged_stays"


def living(field: str) -> pgtrigger.Trigger:
    """Return the trigger that refuses rows whose patient, in `field`, was merged into another."""
    column = f"{field}_id"
    return pgtrigger.Trigger(
        name=f"{field}{SUFFIX}",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf(column),
        declare=[("into_id", "bigint")],
        func=f"""
            IF TG_OP = 'UPDATE' AND NEW.{column} IS NOT DISTINCT FROM OLD.{column} THEN
                RETURN NEW;
            END IF;
            SELECT merged_into_id INTO into_id FROM patients_patient WHERE id = NEW.{column} FOR KEY SHARE;
            IF into_id IS NOT NULL THEN
                RAISE EXCEPTION 'this patient was merged into another'
                    USING ERRCODE = '{SQLSTATE}', DETAIL = NEW.{column}::text;
            END IF;
            RETURN NEW;
        """,  # noqa: S608 - names of fields
    )


def merged_row_stays() -> pgtrigger.Trigger:
    """Return the trigger that refuses changes to the row of a patient who was merged into another."""
    return pgtrigger.Trigger(
        name=MERGED_ROW,
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition(
            "OLD.merged_into_id IS NOT NULL AND NEW.merged_into_id IS NOT DISTINCT FROM OLD.merged_into_id"
        ),
        func=f"""
            RAISE EXCEPTION 'this patient was merged into another'
                USING ERRCODE = '{SQLSTATE}', DETAIL = OLD.id::text;
        """,
    )


def loser_of(error: BaseException) -> int | None:
    """Return which merged record a database error speaks of; None when it speaks of something else."""
    cause = error.__cause__
    if getattr(cause, "pgcode", None) != SQLSTATE:
        return None
    return int(getattr(cause, "diag").message_detail)  # noqa: B009 - psycopg2's, which is not typed

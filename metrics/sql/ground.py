"""The ground every source stands on: windows in each clinic's own zone, scope, and the facts as of a moment.

Live, the relations are the tables themselves. As of a past moment they are the same tables as they were: what was
recorded later is hidden, what was overwritten is read from the append-only rows, and merges are taken apart (or put
together again, where one was undone since). The statements over them are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from accounts.windows import Window, plus_months
from metrics.scope import Breakdown, Scope

KEYS: dict[str | None, str] = {
    "coordinator": "s.coordinator_id",
    "doctor": "s.doctor_id",
    "clinic": "s.clinic_id",
    "team": "member.team_id",
}
FREED = "('cancelled_patient', 'cancelled_clinic', 'moved', 'error')"


@dataclass(frozen=True)
class Ground:
    """A scope and the windows it is counted in; `by` says into which groups.

    `listed`: every record is asked for, also those left out that no figure needs.
    """

    scope: Scope
    windows: tuple[Window, ...]
    by: Breakdown | None = None
    listed: bool = False

    @property
    def params(self) -> dict[str, Any]:
        scope = self.scope
        return {
            "as_of": scope.as_of,
            "clinics": list(scope.clinic_ids),
            "zones": list(self.zones),
            "teams": list(scope.teams or ()),
            "coordinators": list(scope.coordinators or ()),
            "doctors": list(scope.doctors or ()),
            "channels": list(scope.channels or ()),
            "complaints": list(scope.complaints or ()),
            **self._bounds("b", [(w.start, w.end) for w in self.windows]),
            **self._bounds("y", [(plus_months(w.end, -12), w.end) for w in self.windows]),
        }

    def _bounds(self, name: str, spans: Sequence[tuple[date, date]]) -> dict[str, Any]:
        rows = [
            (index, clinic.pk, clinic.zone, *(_midnight(clinic.tz, day) for day in span))
            for index, span in enumerate(spans)
            for clinic in self.scope.clinics
        ]
        columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], [], []]
        marks = ("w", "clinic", "zone", "start", "end")
        told = {f"{name}_{mark}": column for mark, column in zip(marks, columns, strict=True)}
        return told | {f"{name}_low": min(columns[3], default=None), f"{name}_high": max(columns[4], default=None)}

    def bounds(self, name: str = "b") -> str:
        """The windows of each clinic, [start_at, end_at); "y" for the twelve months up to each window's end."""
        return (
            f"unnest(%({name}_w)s::int[], %({name}_clinic)s::bigint[], %({name}_zone)s::text[],"
            f" %({name}_start)s::timestamptz[], %({name}_end)s::timestamptz[])"
            f" AS {name}(w, clinic_id, zone, start_at, end_at)"
        )

    def within(self, column: str, name: str = "b") -> str:
        """`column` lies in the window of its clinic. The outer bounds say the same again, for the planner."""
        alias = column.split(".", maxsplit=1)[0]
        return (
            f"{alias}.clinic_id = {name}.clinic_id AND {column} >= {name}.start_at AND {column} < {name}.end_at"
            f" AND {column} >= %({name}_low)s::timestamptz AND {column} < %({name}_high)s::timestamptz"
            f" AND {alias}.clinic_id = ANY(%(clinics)s) AND {self.known(column)}"
        )

    @property
    def zones(self) -> tuple[str, ...]:
        return tuple(sorted({clinic.zone for clinic in self.scope.clinics}))

    @property
    def replayed(self) -> bool:
        return self.scope.as_of is not None

    def known(self, column: str) -> str:
        """What is stamped with `column` was recorded by then."""
        return f"{column} <= %(as_of)s" if self.replayed else "TRUE"

    def upto(self, column: str) -> str:
        """A column set once, empty while it was not set yet."""
        return f"CASE WHEN {column} <= %(as_of)s THEN {column} END" if self.replayed else column

    # Relations -----------------------------------------------------------------------------------------------

    def head(self) -> str:
        """WITH what a replay needs: who was who then; nothing when live."""
        return f"WITH {MERGES} " if self.replayed else ""

    def _person(self, kind: str, column: str = "patient_id") -> str:
        if not self.replayed:
            return f"x.{column}"
        return f"COALESCE(((SELECT map FROM moved) ->> ('{kind}:' || x.id))::bigint, x.{column})"

    def same_person(self, one: str, other: str) -> str:
        """Rows of two relations belong to one person; by index, whoever holds the row now."""
        if not self.replayed:
            return f"{one}.holder_id = {other}.holder_id"
        kin = (
            f"ARRAY(SELECT {other}.holder_id UNION ALL"
            f" SELECT rejoined.other_id FROM rejoined WHERE rejoined.one_id = {other}.holder_id)"
        )
        return f"{one}.holder_id = ANY({kin}) AND {one}.patient_id = {other}.patient_id"

    @property
    def visit(self) -> str:
        """Visits that count."""
        return self._visits(f"WHERE NOT {self._wrong}")

    @property
    def any_visit(self) -> str:
        """Visits with those entered in error, told by `wrong`."""
        return self._visits("")

    @property
    def _wrong(self) -> str:
        if self.replayed:  # without a time it was never right
            return "(x.is_error AND COALESCE(x.error_at <= %(as_of)s, TRUE))"
        return "x.is_error"

    def _visits(self, where: str) -> str:
        stamps = "form_completed_at handoff_at complaint_confirmed_at explaining_started_at decided_at".split()
        columns = ", ".join(f"{self.upto(f'x.{name}')} AS {name}" for name in stamps)
        decision = "CASE WHEN x.decided_at <= %(as_of)s THEN x.decision ELSE '' END" if self.replayed else "x.decision"
        return (
            f"(SELECT x.id, x.clinic_id, x.patient_id AS holder_id, {self._person('visit')} AS patient_id,"
            f" x.consultation_id, x.coordinator_id, x.doctor_id, x.arrived_at, x.received_at, x.left_at, {columns},"
            f" {decision} AS decision, x.decision_amount, x.deposit_amount, x.classification_id, {self._wrong} AS wrong"
            f" FROM consultations_visit x {where})"
        )

    @property
    def change(self) -> str:
        return (
            f"(SELECT x.id, x.clinic_id, x.patient_id AS holder_id, {self._person('class')} AS patient_id, x.at,"
            f" x.old_class, x.new_class, x.awareness, x.trust, x.suggested, x.reason, x.is_correction, x.by_id"
            f" FROM patients_classchange x WHERE {self.known('x.at')})"
        )

    @property
    def appointment(self) -> str:
        """Appointments as they stood: `status`, `ended_at` (when freed or missed) and `is_late`."""
        if not self.replayed:
            state = "x.status, x.ended_at, x.is_late"
        else:
            last = (
                "(SELECT {what} FROM followups_appointmentchange h WHERE h.appointment_id = x.id"
                " AND h.at {when} %(as_of)s AND h.old_status <> h.new_status ORDER BY h.at {way}, h.id {way} LIMIT 1)"
            )
            then = {"when": "<=", "way": "DESC"}
            later = last.format(what="NULLIF(h.old_status, '')", when=">", way="ASC")
            ended = f"CASE WHEN h.new_status IN ('no_show', {FREED[1:-1]}) THEN h.at END"
            state = (
                f"COALESCE({last.format(what='h.new_status', **then)}, {later}, x.status) AS status,"
                f" COALESCE({last.format(what=ended, **then)}, {self.upto('x.ended_at')}) AS ended_at,"
                f" COALESCE({last.format(what='h.is_late', **then)}, x.is_late) AS is_late"
            )
        return (
            f"(SELECT x.id, x.clinic_id, x.patient_id AS holder_id, {self._person('appointment')} AS patient_id,"
            f" x.doctor_id, x.created_by_id, x.created_at, x.starts_at, x.kind, {state}"
            f" FROM followups_appointment x WHERE {self.known('x.created_at')})"
        )

    @property
    def referral(self) -> str:
        """Links with who was who then, and from when each was effective."""
        if not self.replayed:
            return (
                "(SELECT x.id, x.clinic_id, x.referrer_id, x.referred_id, x.effective_at, x.created_at"
                " FROM patients_referral x)"
            )
        return f"({REFERRALS_THEN})"

    @property
    def linked(self) -> str:
        """When a patient `p` was added on WeChat, and whether it was the guardian."""
        if not self.replayed:
            return "p.wechat_linked_at AS linked_at, p.wechat_linked_guardian AS by_guardian"
        map_ = "(SELECT map FROM links)"
        at = (
            f"CASE WHEN {map_} -> p.id::text ? 'at' THEN ({map_} -> p.id::text ->> 'at')::timestamptz"
            " ELSE p.wechat_linked_at END"
        )
        guardian = f"COALESCE(({map_} -> p.id::text ->> 'guardian')::boolean, p.wechat_linked_guardian)"
        return f"{at} AS linked_at, {guardian} AS by_guardian"

    # Scope ---------------------------------------------------------------------------------------------------

    def credited(self, coordinator: str, doctor: str, clinic: str) -> str:
        """Conditions of the scope on who a record is credited to."""
        told = ["TRUE"]
        if self.scope.coordinators is not None:
            told.append(f"{coordinator} = ANY(%(coordinators)s)")
        if self.scope.doctors is not None:
            told.append(f"{doctor} = ANY(%(doctors)s)")
        if self.scope.teams is not None:
            told.append(
                "EXISTS (SELECT 1 FROM accounts_membership member"
                f" WHERE member.user_id = {coordinator} AND member.clinic_id = {clinic}"
                " AND member.team_id = ANY(%(teams)s))"
            )
        return " AND ".join(told)

    def of_channel(self, patient: str, clinic: str) -> str:
        if self.scope.channels is None:
            return "TRUE"
        return (
            f"EXISTS (SELECT 1 FROM patients_registration reg WHERE reg.patient_id = {patient}"
            f" AND reg.clinic_id = {clinic} AND reg.channel = ANY(%(channels)s))"
        )

    def of_complaint(self, patient: str, clinic: str) -> str:
        """For what is no visit: the patient has a consultation there for one of the complaints."""
        if self.scope.complaints is None:
            return "TRUE"
        return (
            f"EXISTS (SELECT 1 FROM consultations_consultation n WHERE n.patient_id = {patient}"
            f" AND n.clinic_id = {clinic} AND n.complaint = ANY(%(complaints)s))"
        )

    def first(self, visit: str) -> str:
        """The visit is the person's first received one in the group (DOMAIN §2)."""
        return (
            f"NOT EXISTS (SELECT 1 FROM {self.visit} e WHERE {self.same_person('e', visit)}"
            f" AND e.received_at IS NOT NULL AND (e.received_at, e.id) < ({visit}.received_at, {visit}.id))"
        )

    def of_visit(self, visit: str) -> str:
        """Every condition of the scope, on a received visit."""
        told = [
            self.credited(f"{visit}.coordinator_id", f"{visit}.doctor_id", f"{visit}.clinic_id"),
            self.of_channel(f"{visit}.holder_id", f"{visit}.clinic_id"),
        ]
        if self.scope.complaints is not None:
            told.append(
                f"EXISTS (SELECT 1 FROM consultations_consultation n WHERE n.id = {visit}.consultation_id"
                " AND n.complaint = ANY(%(complaints)s))"
            )
        if self.scope.is_first is not None:
            told.append(self.first(visit) if self.scope.is_first else f"NOT ({self.first(visit)})")
        return " AND ".join(told)

    def of_first(self, patient: str, clinic: str, is_first: str) -> str:
        """First or return, for what is no visit: `is_first` tells."""
        if self.scope.is_first is None:
            return "TRUE"
        return is_first if self.scope.is_first else f"NOT ({is_first})"

    # Grouping ------------------------------------------------------------------------------------------------

    @property
    def key(self) -> str:
        return KEYS.get(self.by, "NULL::bigint")

    @property
    def member(self) -> str:
        """Joins the team of the one credited, as it is now, where it is asked for."""
        if self.by != "team":
            return ""
        return (
            " LEFT JOIN accounts_membership member"
            " ON member.user_id = s.coordinator_id AND member.clinic_id = s.clinic_id"
        )

    def grouping(self, *more: str) -> str:
        """GROUP BY the window, and the window and the key."""
        inner = "".join(f", {name}" for name in more)
        if KEYS.get(self.by) is None:
            return f"GROUP BY s.w{inner}"
        return f"GROUP BY GROUPING SETS ((s.w{inner}), (s.w, {self.key}{inner}))"

    @property
    def keyed(self) -> str:
        """Columns w, is_whole, key of a grouping."""
        if KEYS.get(self.by) is None:
            return "s.w AS w, TRUE AS is_whole, NULL::bigint AS key"
        return f"s.w AS w, GROUPING({self.key}) = 1 AS is_whole, {self.key} AS key"


def _midnight(zone: Any, day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def day_after(moment: str, zone: str) -> str:
    """The end of the clinic-local day of `moment`."""
    return f"(date_trunc('day', {moment} AT TIME ZONE {zone}) + interval '1 day') AT TIME ZONE {zone}"


def local_day(moment: str, zone: str) -> str:
    return f"({moment} AT TIME ZONE {zone})::date"


# Who was who then. A merge that came later is taken apart by the rows it moved (of several, the earliest tells who
# held a row then); one that stood then and was undone since is put together again. `map` says it by "kind:id".
MERGES = """
later AS MATERIALIZED (
    SELECT id, loser_id, winner_id, merged_at, moved FROM patients_patientmerge
    WHERE merged_at > %(as_of)s AND undone_at IS NULL
), undone AS MATERIALIZED (
    SELECT id, loser_id, winner_id, merged_at, moved FROM patients_patientmerge
    WHERE merged_at <= %(as_of)s AND undone_at > %(as_of)s
), rejoined AS MATERIALIZED (
    SELECT loser_id AS one_id, winner_id AS other_id FROM undone
    UNION ALL SELECT winner_id, loser_id FROM undone
), pieces AS (
    SELECT kind.key || ':' || row.id AS name, later.loser_id AS person, 1 AS rank, later.merged_at
    FROM later, jsonb_each(later.moved) kind, jsonb_array_elements_text(
        CASE WHEN jsonb_typeof(kind.value) = 'array' THEN kind.value ELSE '[]' END) row(id)
    WHERE kind.key IN ('visit', 'class', 'appointment', 'complaint', 'referrer', 'referred', 'consultation')
    UNION ALL
    SELECT kind.key || ':' || row.id, undone.winner_id, 0, undone.merged_at
    FROM undone, jsonb_each(undone.moved) kind, jsonb_array_elements_text(
        CASE WHEN jsonb_typeof(kind.value) = 'array' THEN kind.value ELSE '[]' END) row(id)
    WHERE kind.key IN ('visit', 'class', 'appointment', 'complaint', 'referrer', 'referred', 'consultation')
), moved AS MATERIALIZED (
    SELECT jsonb_object_agg(name, person) AS map
    FROM (SELECT DISTINCT ON (name) name, person FROM pieces ORDER BY name, rank, merged_at) told
), links AS MATERIALIZED (
    SELECT jsonb_object_agg(winner, told) AS map FROM (
        SELECT DISTINCT ON (winner_id) winner_id::text AS winner, jsonb_strip_nulls(jsonb_build_object(
            'guardian', moved #> ARRAY['wechat', 'wechat_linked_guardian', side]
        )) || CASE WHEN moved -> 'wechat' ? 'wechat_linked_at' THEN jsonb_build_object(
            'at', moved #> ARRAY['wechat', 'wechat_linked_at', side]
        ) ELSE '{}' END AS told
        FROM (
            SELECT winner_id, merged_at, moved, '0' AS side FROM later WHERE moved ? 'wechat'
            UNION ALL SELECT winner_id, merged_at, moved, '1' FROM undone WHERE moved ? 'wechat'
        ) both_ways
        ORDER BY winner_id, side DESC, merged_at
    ) linked
)"""

# Merging drops links that would close a circle or double another: they were there before, and were not while a merge
# stood that was undone since.
REFERRALS_THEN = """
SELECT x.id, x.clinic_id,
    COALESCE(((SELECT map FROM moved) ->> ('referrer:' || x.id))::bigint, x.referrer_id) AS referrer_id,
    COALESCE(((SELECT map FROM moved) ->> ('referred:' || x.id))::bigint, x.referred_id) AS referred_id,
    CASE WHEN changed.id IS NULL THEN x.effective_at ELSE changed.effective_at END AS effective_at, x.created_at
FROM patients_referral x LEFT JOIN (
    SELECT DISTINCT ON (pair.key) pair.key::bigint AS id, (pair.value ->> side)::timestamptz AS effective_at
    FROM (SELECT moved, merged_at, 0 AS side FROM later UNION ALL SELECT moved, merged_at, 1 FROM undone) g,
        jsonb_each(COALESCE(g.moved -> 'effective', '{}')) pair
    ORDER BY pair.key, side DESC, merged_at
) changed ON changed.id = x.id
WHERE x.created_at <= %(as_of)s AND NOT EXISTS (
    SELECT 1 FROM undone, jsonb_array_elements(COALESCE(undone.moved -> 'dropped', '[]')) gone
    WHERE (gone ->> 0)::bigint = x.id
)
UNION ALL
SELECT (gone ->> 0)::bigint, (gone ->> 1)::bigint, (gone ->> 2)::bigint, (gone ->> 3)::bigint,
    (gone ->> 4)::timestamptz, (gone ->> 5)::timestamptz
FROM later, jsonb_array_elements(COALESCE(later.moved -> 'dropped', '[]')) gone
WHERE (gone ->> 5)::timestamptz <= %(as_of)s"""

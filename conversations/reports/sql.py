"""The statements of the reports. Counting and the lists behind the numbers are put together from the same pieces.

All pieces are constants of this module; what a person typed only ever goes in as a named value. `chats` are the chats
of the scope. A *relation* gives (id, person, what): for each chat who gets the credit (the sender of the message; for
what has no message the consultant who led the chat), and what it is; a chat may stand in it several times.
"""

import re
from collections.abc import Sequence
from typing import Any

from django.db import connection

# Reads conversation_list (clinic, -started_at, -id): only the window's chats, however long the history.
CHATS = """
chats AS (
  SELECT c.id, c.consultant_id, c.team_id, c.channel, c.keyword, c.cost, c.is_effective, c.ending, c.score,
         c.patient_id, c.appointment_id, c.started_at, c.first_reply_seconds, c.longest_silence_seconds,
         c.inspected_at, c.started_at AT TIME ZONE %(zone)s AS local
  FROM conversations_conversation c
  WHERE c.clinic_id = %(clinic)s AND NOT c.is_error
    AND c.started_at >= %(start)s AND c.started_at < %(end)s
    AND (%(team)s IS NULL OR c.team_id = %(team)s)
    AND (%(channel)s IS NULL OR c.channel = %(channel)s)
    AND (%(opening)s IS NULL OR (c.started_at <@ %(open)s::tstzmultirange) = %(opening)s)
)"""

LED = "SELECT id, consultant_id AS person, '' AS what FROM chats"

CONTACT = """
SELECT chats.id, x.user_id AS person, x.kind AS what
FROM chats
JOIN conversations_capture p ON p.conversation_id = chats.id
JOIN conversations_capturedcontact x ON x.capture_id = p.id"""

BOOKING = """
SELECT chats.id, p.booking_user_id AS person, 'booking' AS what
FROM chats
JOIN conversations_capture p ON p.conversation_id = chats.id
WHERE p.booking_at IS NOT NULL"""

# The patient came to this clinic after the chat began: a visit (visits_of_patient), or a kept appointment
# (appointment_of_patient) of those that were never received as a visit.
ARRIVAL = """
SELECT chats.id, chats.consultant_id AS person, 'arrival' AS what FROM chats
WHERE chats.patient_id IS NOT NULL AND EXISTS (
  SELECT 1 FROM consultations_visit v
  WHERE v.patient_id = chats.patient_id AND v.clinic_id = %(clinic)s AND NOT v.is_error
    AND v.arrived_at >= chats.started_at)
UNION
SELECT chats.id, chats.consultant_id, 'arrival' FROM chats
WHERE chats.patient_id IS NOT NULL AND EXISTS (
  SELECT 1 FROM followups_appointment a
  WHERE a.patient_id = chats.patient_id AND a.clinic_id = %(clinic)s AND a.status = 'kept'
    AND a.starts_at >= chats.started_at)"""

# Accepted or deposit paid after the chat began, still so, and not refunded in full (DOMAIN §6.7).
ACCEPTANCE = """
SELECT chats.id, chats.consultant_id AS person, 'acceptance' AS what FROM chats
WHERE chats.patient_id IS NOT NULL AND EXISTS (
  SELECT 1 FROM consultations_visit v JOIN consultations_consultation k ON k.id = v.consultation_id
  WHERE v.patient_id = chats.patient_id AND v.clinic_id = %(clinic)s AND NOT v.is_error
    AND v.decision IN ('accepted', 'deposit') AND v.decided_at >= chats.started_at
    AND k.status IN ('accepted', 'deposit')
    AND NOT EXISTS (
      SELECT 1 FROM consultations_refund r
      WHERE r.consultation_id = k.id AND r.is_full AND r.cancels_id IS NULL
        AND NOT EXISTS (SELECT 1 FROM consultations_refund u WHERE u.cancels_id = r.id)))"""

CARD = """
SELECT chats.id, s.consultant_id AS person, s.score::text AS what
FROM chats JOIN conversations_scorecard s ON s.conversation_id = chats.id AND s.replaced_at IS NULL"""

# What stands against a chat, by code; ended by the consultant is one too, and a chat without any is "nothing".
LOSS = """
SELECT chats.id, f.user_id AS person, f.code AS what
FROM chats JOIN conversations_finding f ON f.conversation_id = chats.id AND f.withdrawn_at IS NULL
UNION ALL
SELECT id, consultant_id, 'ending.consultant' FROM chats WHERE ending = 'consultant'
UNION ALL
SELECT id, consultant_id, CASE WHEN inspected_at IS NULL THEN 'uninspected' ELSE 'nothing' END FROM chats
WHERE ending <> 'consultant' AND NOT EXISTS (
  SELECT 1 FROM conversations_finding f WHERE f.conversation_id = chats.id AND f.withdrawn_at IS NULL)"""

# What became of the appointment a chat was taken over into: the last one where it was moved.
COMING = """
SELECT chain.id, chain.person,
       CASE WHEN a.status = 'no_show' THEN 'no_show:' || a.absence_reason ELSE a.status END AS what
FROM (
  WITH RECURSIVE moves (id, person, appointment_id) AS (
    SELECT chats.id, coalesce(p.booking_user_id, chats.consultant_id), chats.appointment_id
    FROM chats LEFT JOIN conversations_capture p ON p.conversation_id = chats.id
    WHERE chats.appointment_id IS NOT NULL
    UNION ALL
    SELECT moves.id, moves.person, later.id
    FROM moves JOIN followups_appointment later ON later.moved_from_id = moves.appointment_id
  ) SELECT * FROM moves
) chain
JOIN followups_appointment a ON a.id = chain.appointment_id
WHERE a.status <> 'error'
  AND NOT EXISTS (SELECT 1 FROM followups_appointment later WHERE later.moved_from_id = a.id)"""

RELATIONS = {
    "led": LED, "contact": CONTACT, "booking": BOOKING, "arrival": ARRIVAL, "acceptance": ACCEPTANCE, "card": CARD,
    "loss": LOSS, "coming": COMING,
}  # fmt: skip

# Chats in which somebody got at least one contact.
GOT = """
got AS (
  SELECT DISTINCT p.conversation_id AS id
  FROM chats
  JOIN conversations_capture p ON p.conversation_id = chats.id
  JOIN conversations_capturedcontact x ON x.capture_id = p.id
)"""

# By what a report is grouped; columns of `chats`, and the credited `person`.
KEYS = {
    "whole": "''",
    "consultant": "person::text",
    "team": "team_id::text",
    "channel": "channel",
    "keyword": "keyword",
    "hour": "extract(hour FROM local)::int::text",
    "weekday": "extract(isodow FROM local)::int::text",
    "slot": "extract(isodow FROM local)::int::text || '-' || extract(hour FROM local)::int::text",
    "opening": "CASE WHEN started_at <@ %(open)s::tstzmultirange THEN 'open' ELSE 'off' END",
    "week": "date_trunc('week', local)::date::text",
    "month": "date_trunc('month', local)::date::text",
}

# What was said of a chat, folded into one number: bit n for the n-th of `names`. Chats with the same number are counted
# together, so that what overlaps is neither joined nor sorted again for each name.
FOLD = "bit_or(1::bigint << place::int)"
NAMED = "JOIN unnest(%(names)s::text[]) WITH ORDINALITY AS named (name, place) ON named.name = what"

OURS = "(%(person)s IS NULL OR person = %(person)s)"


def run(statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of one statement by column name."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def unfolded(mask: int, names: Sequence[str]) -> list[str]:
    """Return the names whose bits are set (FOLD)."""
    return [name for place, name in enumerate(names, 1) if mask >> place & 1]


def positional(statement: str, values: dict[str, Any]) -> tuple[str, list[Any]]:
    """Return a statement with %s for its named values, as querysets take it."""
    names = re.findall(r"%\((\w+)\)s", statement)
    return re.sub(r"%\(\w+\)s", "%s", statement), [values[name] for name in names]

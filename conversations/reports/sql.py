"""The statements of the reports. Counting and the lists behind the numbers are put together from the same pieces.

All pieces are constants of this module; what a person typed only ever goes in as a named value. `chats` are the chats
of the scope. A *relation* gives (id, person, what): for each chat who gets the credit (the sender of the message; for
what has no message the consultant who led the chat), and what it is; a chat may stand in it several times.
"""

import re
from typing import Any

from django.db import connection

# Reads conversation_list (clinic, -started_at, -id): only the window's chats, however long the history.
CHATS = """
chats AS (
  SELECT c.id, c.consultant_id, c.team_id, c.channel, c.keyword, c.cost, c.is_effective, c.ending, c.score,
         c.patient_id, c.appointment_id, c.started_at, c.first_reply_seconds, c.longest_silence_seconds,
         c.inspected_at
  FROM conversations_conversation c
  WHERE c.clinic_id = %(clinic)s AND NOT c.is_error
    AND c.started_at >= %(start)s AND c.started_at < %(end)s
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

# Credit goes to the sender's team: for who led the chat the one it was led in, for anybody else their own; the other
# of the two where that one is not known. The join is left out by the planner where no team is asked for.
SENDER_TEAM = """
LEFT JOIN (SELECT user_id AS sender, team_id AS own_team FROM accounts_membership WHERE clinic_id = %(clinic)s) senders
ON sender = person"""
TEAM = """CASE WHEN person IS NULL OR person = consultant_id THEN coalesce(team_id, own_team)
ELSE coalesce(own_team, team_id) END"""

# By what a report is grouped; columns of `chats`, the credited `person`, and SENDER_TEAM.
LOCAL = "(started_at AT TIME ZONE %(zone)s)"
KEYS = {
    "whole": "''",
    "consultant": "person::text",
    "team": f"({TEAM})::text",
    "channel": "channel",
    "keyword": "keyword",
    "hour": f"extract(hour FROM {LOCAL})::int::text",
    "weekday": f"extract(isodow FROM {LOCAL})::int::text",
    "slot": f"to_char({LOCAL}, 'ID-FMHH24')",
    "opening": "CASE WHEN started_at <@ %(open)s::tstzmultirange THEN 'open' ELSE 'off' END",
    "week": f"date_trunc('week', {LOCAL})::date::text",
    "month": f"date_trunc('month', {LOCAL})::date::text",
}

# Who is asked for; SENDER_TEAM is joined.
OURS = f"(%(person)s IS NULL OR person = %(person)s) AND (%(team)s IS NULL OR {TEAM} = %(team)s)"


# A year of a busy clinic is counted in memory; with the usual 4 MB the chats are written to disk and sorted there.
MEMORY = "SET LOCAL work_mem = '32MB'; "


def run(statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of one statement by column name; it has more memory than others, for itself alone."""
    with connection.cursor() as cursor:
        cursor.execute(MEMORY + statement, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def positional(statement: str, values: dict[str, Any]) -> tuple[str, list[Any]]:
    """Return a statement with %s for its named values, as querysets take it."""
    names = re.findall(r"%\((\w+)\)s", statement)
    return re.sub(r"%\(\w+\)s", "%s", statement), [values[name] for name in names]

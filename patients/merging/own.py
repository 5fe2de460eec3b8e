"""How the rows of this app move to the winner where simply moving could break a rule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, Max, Q

from accounts.models import Clinic, User
from patients.merging.relations import Relation
from patients.models import (
    CareAction,
    ChartNumber,
    ClassSuggestion,
    NotTheSame,
    Patient,
    PatientPhone,
    PublicLink,
    Referral,
    ReferralThanks,
    Registration,
)

SUBJECT = 60  # the length of a subject


@dataclass(frozen=True)
class Pair:
    """Two records while they become one. `code` is the class that the one record will have, `prefers` whose it was."""

    winner: Patient
    loser: Patient
    clinic: Clinic
    by: User
    at: datetime
    code: str
    prefers: Patient
    said: Mapping[str, set[bool]]  # by purpose: the latest words of the two


Strategy = Callable[[Pair, Relation], None]


def keep(pair: Pair, relation: Relation) -> None:
    """Leave the rows with the record they tell of."""


def move(pair: Pair, relation: Relation) -> None:
    """Point the loser's rows at the winner, by plain SQL: no managers, no hooks."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {relation.table} SET {relation.column} = %s WHERE {relation.column} = %s",  # noqa: S608
            [pair.winner.pk, pair.loser.pk],
        )


def wards(pair: Pair, relation: Relation) -> None:
    """Whoever the loser is guardian of has the winner as guardian now, unless that is the winner themselves."""
    Patient.objects.filter(pk=pair.winner.pk, guardian=pair.loser).update(guardian=None)
    Patient.objects.filter(guardian=pair.loser).update(guardian=pair.winner)


def phones(pair: Pair, relation: Relation) -> None:
    """The winner's numbers come first; one that both have stays once."""
    held = PatientPhone.objects.filter(patient=pair.winner)
    theirs = PatientPhone.objects.filter(patient=pair.loser)
    theirs.filter(number_index__in=list(held.values_list("number_index", flat=True))).delete()
    last = held.aggregate(last=Max("position"))["last"]
    theirs.update(patient=pair.winner, position=F("position") + (0 if last is None else last + 1))


def registrations(pair: Pair, relation: Relation) -> None:
    """One registration per clinic: the winner's stays and takes over what the loser's knows; its number goes on as a
    chart number, by which it is found."""
    ours = {row.clinic_id: row for row in Registration.objects.filter(patient=pair.winner)}
    for theirs in Registration.objects.filter(patient=pair.loser).order_by("pk"):
        if theirs.clinic_id in ours:
            _absorb(ours[theirs.clinic_id], theirs)
        else:
            Registration.objects.filter(pk=theirs.pk).update(patient=pair.winner)


def _absorb(ours: Registration, theirs: Registration) -> None:
    ChartNumber.objects.filter(registration=theirs).update(registration=ours)
    chart = ChartNumber(clinic_id=ours.clinic_id, registration=ours, number=theirs.number)
    ChartNumber.objects.bulk_create([chart], ignore_conflicts=True)
    theirs.delete()
    for name in ("owner_id", "doctor_id", "channel", "channel_detail", "complaint", "import_key"):
        if getattr(ours, name) in (None, ""):
            setattr(ours, name, getattr(theirs, name))
    ours.tags = list(dict.fromkeys([*ours.tags, *theirs.tags]))
    for name, pick in (
        ("first_visit_on", min),
        ("last_visit_on", max),
        ("last_contact_on", max),
        ("next_contact_on", min),
        ("active_at", max),
        ("created_at", min),
    ):
        known = [day for day in (getattr(ours, name), getattr(theirs, name)) if day is not None]
        setattr(ours, name, pick(known) if known else None)
    ours.save()


def referrals_made(pair: Pair, relation: Relation) -> None:
    """Whom the loser brought, the winner brought; nobody brings themselves, and no circle closes."""
    _drop(Referral.objects.filter(referrer=pair.loser, referred=pair.winner))
    moved = list(Referral.objects.filter(referrer=pair.loser).values_list("pk", flat=True))
    Referral.objects.filter(pk__in=moved).update(referrer=pair.winner)
    for closing in _circles(pair.winner.pk):
        cut = Referral.objects.filter(pk=closing) if closing in moved else Referral.objects.filter(referred=pair.winner)
        _drop(cut)


def referral_of(pair: Pair, relation: Relation) -> None:
    """Who brought the loser brought the winner, unless somebody else did, or the winner did."""
    theirs = Referral.objects.filter(referred=pair.loser).first()
    if theirs is None:
        return
    ours = Referral.objects.filter(referred=pair.winner).first()
    if theirs.referrer_id == pair.winner.pk or (ours is not None and ours.referrer_id != theirs.referrer_id):
        _drop(Referral.objects.filter(pk=theirs.pk))
    elif ours is not None:
        _join_referrals(ours, theirs)
    else:
        Referral.objects.filter(pk=theirs.pk).update(referred=pair.winner)
        if list(_circles(pair.winner.pk)):
            _drop(Referral.objects.filter(pk=theirs.pk))


def _join_referrals(ours: Referral, theirs: Referral) -> None:
    """The same person brought both: one link, effective since the earlier reception, with the thanks that were given."""
    effective = [at for at in (ours.effective_at, theirs.effective_at) if at is not None]
    Referral.objects.filter(pk=ours.pk).update(effective_at=min(effective) if effective else None)
    given = ReferralThanks.objects.filter(referral=theirs).exclude(given_at=None)
    if given.exists() and not ReferralThanks.objects.filter(referral=ours).exclude(given_at=None).exists():
        ReferralThanks.objects.filter(referral=ours).delete()
        given.update(referral=ours)
    _drop(Referral.objects.filter(pk=theirs.pk))


def _drop(links: Any) -> None:
    ReferralThanks.objects.filter(referral__in=links).delete()
    links.delete()


def _circles(start: int) -> list[int]:
    """Return the link by which `start` brought somebody who (over others) brought `start`; nothing if there is none."""
    seen: set[int] = set()
    current = start
    while current not in seen:
        seen.add(current)
        link = Referral.objects.filter(referred=current).values_list("pk", "referrer").first()
        if link is None:
            return []
        if link[1] == start:
            return [link[0]]
        current = link[1]
    return []


def suggestions(pair: Pair, relation: Relation) -> None:
    """What was suggested to the loser is outdated; so is what the chosen class has overtaken."""
    rows = ClassSuggestion.objects.filter(status=ClassSuggestion.Status.OPEN)
    overtaken = rows.filter(Q(patient=pair.loser) | (Q(patient=pair.winner) & ~Q(old_class=pair.code)))
    overtaken.update(status=ClassSuggestion.Status.OUTDATED, answered_at=pair.at, answered_by=pair.by)
    move(pair, relation)


def care_actions(pair: Pair, relation: Relation) -> None:
    """The same thing noted at the same place for both: the loser's keeps its own place."""
    ours = set(CareAction.objects.filter(patient=pair.winner).exclude(subject="").values_list("kind", "subject"))
    for row in CareAction.objects.filter(patient=pair.loser).exclude(subject=""):
        if (row.kind, row.subject) in ours:
            CareAction.objects.filter(pk=row.pk).update(subject=marked(row.subject, row.pk))
    move(pair, relation)


def marked(subject: str, pk: int) -> str:
    """Return the subject with a mark that makes it the only one."""
    mark = f"#{pk}"
    return subject[: SUBJECT - len(mark)] + mark


def public_links(pair: Pair, relation: Relation) -> None:
    """A printed code keeps leading somewhere: where the winner has a live one too, the loser's stays with the loser,
    and who reads it goes on to the record it was merged into."""
    ours = PublicLink.objects.filter(patient=pair.winner, revoked_at=None).values_list("clinic", "purpose")
    clash = Q(pk__in=[])
    for clinic, purpose in ours:
        clash |= Q(clinic=clinic, purpose=purpose, revoked_at=None)
    PublicLink.objects.filter(patient=pair.loser).exclude(clash).update(patient=pair.winner)


def told_apart(pair: Pair, relation: Relation) -> None:
    """Whom the loser was found not to be, the winner is not either."""
    rows = NotTheSame.objects.filter(Q(first=pair.loser) | Q(second=pair.loser))
    known = {
        other
        for first, second in NotTheSame.objects.filter(Q(first=pair.winner) | Q(second=pair.winner)).values_list(
            "first", "second"
        )
        for other in (first, second)
    } | {pair.winner.pk}
    for row in rows:
        other = row.second_id if row.first_id == pair.loser.pk else row.first_id
        if other in known:
            row.delete()
            continue
        known.add(other)
        first, second = sorted((pair.winner.pk, other))
        NotTheSame.objects.filter(pk=row.pk).update(first=first, second=second)


STRATEGIES: Mapping[str, Strategy] = {
    "patients.Patient.guardian": wards,
    "patients.Patient.merged_into": keep,  # a chain: who was merged into the loser is found over it
    "patients.PatientMerge.winner": keep,
    "patients.PatientMerge.loser": keep,
    "patients.PatientPhone.patient": phones,
    "patients.Registration.patient": registrations,
    "patients.Referral.referred": referral_of,
    "patients.Referral.referrer": referrals_made,
    "patients.ClassSuggestion.patient": suggestions,
    "patients.CareAction.patient": care_actions,
    "patients.PublicLink.patient": public_links,
    "patients.NotTheSame.first": told_apart,
    "patients.NotTheSame.second": keep,  # with the first
    "patients.ComplaintCase.patient": move,
}

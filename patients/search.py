"""Finding a person by what one remembers: name, pinyin, initials, last digits, number, WeChat id.

Every way first takes a bounded number of candidates through its own index, then orders only those: the
cost does not grow with the clinic. Only people registered in the user's clinics are ever found.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Upper

from accounts.models import Clinic, User
from accounts.permissions import Permission
from patients import crypto, naming
from patients.models import ChartNumber, Patient, PatientPhone, Registration
from patients.phones import MOBILE_DIGITS

CANDIDATES = 300
SHOWN = 8
SHOWN_FIELDS = (
    "number", "active_at", "clinic__name", "patient__name", "patient__sex", "patient__birth_date",
    "patient__class_code",
)  # fmt: skip
TAIL = 4
_CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_NUMBER = re.compile(r"([A-Z][A-Z0-9]{1,7}?)?(\d{4})-(\d{4,})")
_NUMBER_BEGUN = re.compile(r"[A-Z][A-Z0-9]{1,7}\d{2}(\d{2}(-\d{0,4})?)?")
_CHART = re.compile(r"[A-Za-z0-9./_-]{2,40}")
_WECHAT = re.compile(r"[A-Za-z][A-Za-z0-9_-]{2,}")
_NO_NAME = re.compile(r"[\d_]")
_MOBILE = re.compile(r"1\d{10}")
_DIGIT_MARKS = re.compile(r"[\s()\-+]")


@dataclass(frozen=True)
class Scope:
    """For whom is searched. `contact`: the clinics where the person may see how to reach patients; `closed`: where
    they may see records closed after erasure."""

    clinic_ids: tuple[int, ...]
    contact_ids: frozenset[int]
    current: int
    closed_ids: frozenset[int] = frozenset()

    @classmethod
    def of(cls, user: User, clinic: Clinic) -> "Scope":
        """Return the clinics whose patients the user may see, the current one first in results."""
        ids = user.clinic_ids(Permission.VIEW_PATIENTS)
        contact = frozenset(user.clinic_ids(Permission.REVEAL_CONTACT))
        closed = frozenset(user.clinic_ids(Permission.TREAT, Permission.ANSWER_RIGHTS))
        return cls(tuple(ids), contact, clinic.pk, closed)


@dataclass
class Hit:
    """One person found, through the registration that is shown."""

    registration: Registration
    phone: str = ""
    elsewhere: bool = False

    @property
    def patient(self) -> Patient:
        found: Patient = self.registration.patient
        return found

    @property
    def meta(self) -> str:
        """Sex, age, masked number and, when registered elsewhere, the clinic: what tells two namesakes apart."""
        patient = self.patient
        who = [patient.get_sex_display() if patient.sex else "", str(patient.age) if patient.age is not None else ""]
        where = self.registration.clinic.name if self.elsewhere else ""
        return "  ".join(part for part in (" ".join(w for w in who if w), self.phone, where) if part)


def tidy(query: str) -> str:
    """Return the query in the form it is compared in: NFKC, trimmed, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", query).split())[:60]


def digits_of(query: str) -> str:
    """Return the digits when the query is a phone number or its end, else an empty string."""
    bare = _DIGIT_MARKS.sub("", query)
    if not bare.isdigit():
        return ""
    return bare[2:] if len(bare) == 13 and bare.startswith("86") else bare


def find(query: str, *, user: User, clinic: Clinic, limit: int = SHOWN) -> list[Hit]:
    """Return up to `limit` people, best first; nothing for an empty query."""
    said, scope = tidy(query), Scope.of(user, clinic)
    if not said or not scope.clinic_ids:
        return []
    rows: dict[int, Registration] = {}
    for candidates in _ways(said, scope):
        for row in _registrations(candidates, scope, limit):
            rows.setdefault(row.patient_id, row)
        if len(rows) >= limit:
            break
    return _hits(list(rows.values())[:limit], scope)


def _ways(said: str, scope: Scope) -> Iterable[QuerySet[Patient]]:
    """Yield the ways to look, the likeliest first; the next is asked only while there is room."""
    if _CJK.search(said):
        yield from _by_name(said, scope)
        return
    if number := digits_of(said):
        if len(number) >= TAIL:
            yield _by_phone(number, scope)
        if not _MOBILE.fullmatch(number):
            yield _by_number(said, scope)
        return
    if _NUMBER.fullmatch(said.upper()):
        yield _by_number(said, scope)
        return
    if not _NO_NAME.search(said):
        yield from _by_letters("".join(c for c in said.lower() if c.isalnum()), scope)
    if scope.contact_ids and _WECHAT.fullmatch(said):
        theirs = Scope(tuple(scope.contact_ids), scope.contact_ids, scope.current, scope.closed_ids)
        yield _people(theirs).annotate(upper=Upper("wechat_id")).filter(upper__startswith=said.upper())
    if _CHART.fullmatch(said) and any(c.isdigit() for c in said):
        yield _by_number(said, scope)


def _people(scope: Scope) -> QuerySet[Patient]:
    here = Registration.objects.filter(patient=OuterRef("pk"), clinic__in=scope.clinic_ids)
    people: QuerySet[Patient] = Patient.objects.living().filter(Exists(here))
    if scope.closed_ids >= set(scope.clinic_ids):
        return people
    closed = Registration.objects.filter(patient=OuterRef("pk"), clinic__in=scope.closed_ids)
    return (
        people.filter(Q(restricted_at=None) | Exists(closed)) if scope.closed_ids else people.filter(restricted_at=None)
    )


def _by_name(said: str, scope: Scope) -> Iterable[QuerySet[Patient]]:
    key = naming.compare_key(said)
    yield _people(scope).filter(name_key=key)
    if len(key) == 1:
        yield _people(scope).filter(name_key__startswith=key)
    else:
        yield _people(scope).filter(name_grams__contains=naming.bigrams(key), name_key__contains=key)


def _by_letters(letters: str, scope: Scope) -> Iterable[QuerySet[Patient]]:
    if not letters:
        return
    people = _people(scope)
    yield people.filter(name_initials=letters)
    if len(letters) < 3:
        yield people.filter(name_initials__startswith=letters)
        if len(letters) == 2:  # a whole surname: Li, Ma, Wu, Xu … (the trigram index knows where words begin)
            yield people.filter(name_pinyin__startswith=letters)
        return
    yield people.filter(Q(name_pinyin__startswith=letters) | Q(name_initials__startswith=letters))
    yield people.filter(name_pinyin__contains=letters)


def _by_phone(number: str, scope: Scope) -> QuerySet[Patient]:
    """Find by exact number, by the last four digits, or by more of the end (candidates are decrypted)."""
    phones = PatientPhone.objects.all()
    if len(number) >= MOBILE_DIGITS:
        held = phones.filter(number_index=crypto.blind_index(number)).values("patient")
        return _people(scope).filter(pk__in=held)
    if len(number) == TAIL:
        return _people(scope).filter(pk__in=phones.filter(last4=number).values("patient"))
    here = Registration.objects.filter(patient=OuterRef("patient"), clinic__in=scope.clinic_ids)
    tail = phones.filter(Exists(here), last4=number[-TAIL:]).only("patient_id", "number_encrypted")
    ids = {phone.patient_id for phone in tail[: 10 * CANDIDATES] if phone.number.endswith(number)}
    return _people(scope).filter(pk__in=ids)


def _by_number(said: str, scope: Scope) -> QuerySet[Patient]:
    """Find by patient number (with or without the clinic's code) or by an older system's card number."""
    upper = said.upper()
    wanted = Q(number=upper)
    if _NUMBER_BEGUN.fullmatch(upper):
        wanted = Q(
            number__gte=upper, number__lt=upper + "\uffff"
        )  # a range, so that the index by clinic and number serves
    elif match := _NUMBER.fullmatch(upper):
        codes = (
            [match[1]] if match[1] else Clinic.objects.filter(pk__in=scope.clinic_ids).values_list("code", flat=True)
        )
        wanted = Q(number__in=[f"{code}{match[2]}-{match[3]}" for code in codes])
    rows = Registration.objects.filter(clinic__in=scope.clinic_ids)
    charts = ChartNumber.objects.filter(clinic__in=scope.clinic_ids, number__in={said, upper})
    ids = set(rows.filter(wanted).values_list("patient", flat=True)[:CANDIDATES])
    ids |= set(charts.values_list("registration__patient", flat=True)[:CANDIDATES])
    return _people(scope).filter(pk__in=ids)


def _registrations(people: QuerySet[Patient], scope: Scope, limit: int) -> QuerySet[Registration]:
    """Return how the candidates are registered, the current clinic's first, then the most recently active."""
    candidates = people.order_by().values("pk")[:CANDIDATES]
    rows = Registration.objects.filter(clinic__in=scope.clinic_ids, patient__in=candidates)
    away = Case(When(clinic=scope.current, then=Value(0)), default=Value(1), output_field=IntegerField())
    ordered: QuerySet[Registration] = (
        rows.select_related("patient", "clinic").only(*SHOWN_FIELDS).order_by(away, "-active_at", "-id")
    )
    return ordered[: limit * 2]


def _hits(rows: list[Registration], scope: Scope) -> list[Hit]:
    """Add the first number, masked, where the person may see how to reach patients; one query."""
    ids = [row.patient_id for row in rows if row.clinic_id in scope.contact_ids]
    phones: dict[int, str] = {}
    for phone in PatientPhone.objects.filter(patient__in=ids).order_by("-position", "-id") if ids else ():
        phones[phone.patient_id] = phone.masked
    return [Hit(row, phones.get(row.patient_id, ""), row.clinic_id != scope.current) for row in rows]

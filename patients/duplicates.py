"""Which records are likely one person found twice: scores with their reasons, and the candidates to score.

The score is pure; the search reads index by index, newest records first, and never more than a bounded number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patients import naming

SHOWN_FROM = 50  # a score below is not worth a look
SCAN = 400  # records looked at in one statement
SCANS = 5  # statements for one page at most
PAGE = 25


@dataclass(frozen=True)
class Known:
    """What is compared of one record."""

    name: str
    sex: str = ""
    birth_date: date | None = None
    birth_day_known: bool = True
    wechat: str = ""
    qq: str = ""
    numbers: frozenset[bytes] = frozenset()  # blind indexes


@dataclass(frozen=True)
class Likeness:
    """How alike two records are, in points; 100 is as good as certain. Reasons in words, for and against."""

    score: int
    reasons: list[Any] = field(default_factory=list)
    against: list[Any] = field(default_factory=list)


def likeness(one: Known, other: Known) -> Likeness:
    """Score two records. A family shares numbers and a city shares names: it takes two things in common, or WeChat."""
    points: list[tuple[int, str | Promise]] = [*_same_person(one, other), *_same_birth(one, other)]
    if one.sex and other.sex and one.sex != other.sex:
        points.append((-40, _("another sex")))
    score = max(0, min(100, sum(n for n, _words in points)))
    return Likeness(score, [words for n, words in points if n > 0], [words for n, words in points if n < 0])


def _same_person(one: Known, other: Known) -> list[tuple[int, str | Promise]]:
    found: list[tuple[int, str | Promise]] = []
    if one.numbers & other.numbers:
        found.append((45, _("same number")))
    if one.wechat and one.wechat.upper() == other.wechat.upper():
        found.append((50, _("same WeChat")))
    if one.qq and one.qq == other.qq:
        found.append((30, _("same QQ")))
    if naming.compare_key(one.name) == naming.compare_key(other.name):
        found.append((30, _("same name")))
    elif naming.pinyin(one.name) == naming.pinyin(other.name):
        found.append((20, _("name sounds the same")))
    elif _alike(one.name, other.name):
        found.append((10, _("name is similar")))
    return found


def _same_birth(one: Known, other: Known) -> list[tuple[int, str | Promise]]:
    if one.birth_date is None or other.birth_date is None:
        return []
    if not (one.birth_day_known and other.birth_day_known):
        same_year = one.birth_date.year == other.birth_date.year
        return [(10, _("same year of birth")) if same_year else (-30, _("another year of birth"))]
    same = one.birth_date == other.birth_date
    return [(30, _("same birth date")) if same else (-40, _("another birth date"))]


def _alike(one: str, other: str) -> bool:
    """Tell whether two names of one length differ by one character, or one is the other with something added."""
    a, b = naming.compare_key(one), naming.compare_key(other)
    if min(len(a), len(b)) < 2:
        return False
    if len(a) == len(b):
        return sum(x != y for x, y in zip(a, b, strict=True)) == 1
    return a in b or b in a


@dataclass(frozen=True)
class Pair:
    """Two records to look at side by side; `newer` has the higher id."""

    newer: int
    older: int
    likeness: Likeness


# Each way to be alike reads one index: phone_exact, patient_wechat_prefix, patient_name_prefix, patient_initials.
_CANDIDATES = """
WITH scanned AS MATERIALIZED (
    SELECT p.id, p.name_key, p.name_initials, p.name_pinyin, p.birth_date, p.wechat_id
    FROM patients_patient p
    WHERE p.id < %(before)s AND p.merged_into_id IS NULL AND p.restricted_at IS NULL
      AND EXISTS (SELECT 1 FROM patients_registration r WHERE r.patient_id = p.id AND r.clinic_id = ANY(%(clinics)s))
    ORDER BY p.id DESC LIMIT %(scan)s
), alike AS (
    SELECT s.id AS newer, t.patient_id AS older FROM scanned s
    JOIN patients_patientphone m ON m.patient_id = s.id
    JOIN patients_patientphone t ON t.number_index = m.number_index AND t.patient_id < s.id
    UNION
    SELECT s.id, t.id FROM scanned s
    JOIN patients_patient t ON UPPER(t.wechat_id) = UPPER(s.wechat_id) AND t.id < s.id WHERE s.wechat_id <> ''
    UNION
    SELECT s.id, t.id FROM scanned s
    JOIN patients_patient t ON t.name_key = s.name_key AND t.birth_date = s.birth_date AND t.id < s.id
    UNION
    SELECT s.id, t.id FROM scanned s
    JOIN patients_patient t ON t.name_initials = s.name_initials AND t.name_pinyin = s.name_pinyin
        AND t.birth_date = s.birth_date AND t.id < s.id
    WHERE s.name_initials <> ''
)
SELECT a.newer, a.older, (SELECT MIN(id) FROM scanned), (SELECT COUNT(*) FROM scanned) FROM alike a
JOIN patients_patient t ON t.id = a.older AND t.merged_into_id IS NULL AND t.restricted_at IS NULL
WHERE EXISTS (SELECT 1 FROM patients_registration r WHERE r.patient_id = a.older AND r.clinic_id = ANY(%(seen)s))
  AND NOT EXISTS (SELECT 1 FROM patients_notthesame n WHERE n.first_id = a.older AND n.second_id = a.newer)
UNION ALL
SELECT NULL, NULL, MIN(id), COUNT(*) FROM scanned
ORDER BY 1 DESC NULLS LAST, 2 DESC
LIMIT 2000
"""
_LAST = 2**62


def find(*, clinics: Sequence[int], seen: Sequence[int], before: int | None = None) -> tuple[list[Pair], int | None]:
    """Return a page of likely pairs, newest records first, and the id before which to go on; None at the end.

    Args: clinics: where the person may merge, whose records are gone through; seen: whose records they may see,
    among which the other one lies. At most SCANS statements over SCAN records each, however rare pairs are.
    """
    pairs: list[Pair] = []
    place: int | None = before or _LAST
    for _scan in range(SCANS):
        found, place = _scan_once(list(clinics), list(seen), place or _LAST)
        pairs += found
        if place is None or len(pairs) >= PAGE:
            break
    return pairs, place


def _scan_once(clinics: list[int], seen: list[int], before: int) -> tuple[list[Pair], int | None]:
    values: dict[str, Any] = {"clinics": clinics, "seen": seen, "before": before, "scan": SCAN}
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, values)
        rows = cursor.fetchall()
    last, count = next(((low, n) for newer, _older, low, n in rows if newer is None), (None, 0))
    ids = [(newer, older) for newer, older, _low, _n in rows if newer is not None]
    known = known_of({pk for pair in ids for pk in pair})
    scored = [Pair(newer, older, likeness(known[newer], known[older])) for newer, older in ids]
    likely = [pair for pair in scored if pair.likeness.score >= SHOWN_FROM]
    return likely, last if count == SCAN else None


def known_of(ids: set[int]) -> dict[int, Known]:
    """Return what is compared of some records; one statement."""
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.id, p.name, p.sex, p.birth_date, p.birth_day_known, p.wechat_id, p.qq,"
            " ARRAY(SELECT encode(n.number_index, 'hex') FROM patients_patientphone n WHERE n.patient_id = p.id)"
            " FROM patients_patient p WHERE p.id = ANY(%s)",
            [sorted(ids)],
        )
        rows = cursor.fetchall()
    found: dict[int, Known] = {}
    for pk, name, sex, birth, day_known, wechat, qq, indexes in rows:
        numbers = frozenset(bytes.fromhex(index) for index in indexes)
        found[pk] = Known(name, sex, birth, day_known, wechat, qq, numbers)
    return found

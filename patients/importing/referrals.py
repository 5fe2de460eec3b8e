"""Who brought whom: settled after the whole file is read, in row order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patients.importing.cells import Mention
from patients.importing.plan import Known, Plan


class Why(StrEnum):
    """Why a referral cannot be resolved."""

    SELF = "self"
    CIRCLE = "circle"
    AMBIGUOUS = "ambiguous"
    CONFLICT = "conflict"
    NOT_FOUND = "not_found"


WHY_TEXTS: dict[str, str | Promise] = {
    Why.SELF: _("is the same person"),
    Why.CIRCLE: _("would close a circle"),
    Why.AMBIGUOUS: _("could be several people"),
    Why.CONFLICT: _("name and phone do not fit together"),
    Why.NOT_FOUND: _("was not found"),
}


class End(NamedTuple):
    """One end of a link: a person of the file, or a patient who is in the clinic but not in the file."""

    person: int | None
    patient: int | None


@dataclass
class Referrals:
    """The links found, in row order: (person, referrer), and the rows whose referrer stays open."""

    links: list[tuple[int, End]] = field(default_factory=list)
    unresolvable: list[tuple[int, Why]] = field(default_factory=list)  # (row, why)


class ClinicPatients(Protocol):
    """Where a referrer is looked for who is not in the file."""

    def with_phones(self, phones: list[str]) -> Iterable[Known]: ...

    def named(self, keys: list[str]) -> Iterable[tuple[str, int]]:
        """Return (name key, patient id) of the clinic's patients with these names."""

    def referrers(self) -> Mapping[int, int]:
        """Return the links that exist already: patient → who brought them."""


class NobodyElse:
    """A clinic without patients other than the file's."""

    def with_phones(self, phones: list[str]) -> Iterable[Known]:
        return ()

    def named(self, keys: list[str]) -> Iterable[tuple[str, int]]:
        return ()

    def referrers(self) -> Mapping[int, int]:
        return {}


def resolve(plan: Plan, clinic: ClinicPatients) -> Referrals:
    """Resolve every mention of a referrer. Persons of the file come before other patients of the clinic."""
    result = Referrals()
    finder = _Finder(plan, clinic)
    chain = _Chain(plan, clinic.referrers())
    for person in sorted(plan.mentions, key=plan.first_rows.__getitem__):
        found = finder.find(plan.mentions[person])
        if isinstance(found, End):
            found = chain.why_not(person, found) or found
        if isinstance(found, Why):
            result.unresolvable.append((plan.first_rows[person], found))
        else:
            chain.add(person, found)
            result.links.append((person, found))
    return result


class _Finder:
    """Finds whom a mention means."""

    def __init__(self, plan: Plan, clinic: ClinicPatients) -> None:
        self._plan = plan
        self._persons = {patient: person for person, patient in plan.existing.items()}
        names = {mention.name for mention in plan.mentions.values() if mention.name}
        self._by_name: dict[str, list[int]] = {}
        for person, key in enumerate(plan.keys):
            if key in names:
                self._by_name.setdefault(key, []).append(person)
        self._clinic_by_name: dict[str, set[int]] = {}
        for key, patient in clinic.named(sorted(names - self._by_name.keys())):
            self._clinic_by_name.setdefault(key, set()).add(patient)
        phones = {phone for mention in plan.mentions.values() for phone in mention.phones}
        self._clinic_by_phone: dict[str, dict[int, str]] = {}
        for known in clinic.with_phones(sorted(phone for phone in phones if phone not in plan.by_phone)):
            self._clinic_by_phone.setdefault(known.phone, {})[known.patient] = known.key

    def find(self, mention: Mention) -> End | Why:
        if mention.phones:
            return self._pick(self._bearers(mention.phones), mention.name)
        if not mention.name:
            return Why.NOT_FOUND
        people = [End(person, None) for person in self._by_name.get(mention.name, ())]
        people = people or [self._end(patient) for patient in self._clinic_by_name.get(mention.name, ())]
        return _only(people)

    def _bearers(self, phones: tuple[str, ...]) -> dict[End, str]:
        found: dict[End, str] = {}
        for phone in phones:
            found.update({End(person, None): key for key, person in self._plan.bearers(phone).items()})
        for phone in () if found else phones:
            found.update({self._end(patient): key for patient, key in self._clinic_by_phone.get(phone, {}).items()})
        return found

    def _pick(self, bearers: dict[End, str], name: str) -> End | Why:
        """The phone decides; of several bearers the name picks; a name that fits none of them is a conflict."""
        if bearers and name:
            return _only([end for end, key in bearers.items() if key == name], none=Why.CONFLICT)
        return _only(list(bearers))

    def _end(self, patient: int) -> End:
        person = self._persons.get(patient)
        return End(None, patient) if person is None else End(person, None)


def _only(people: list[End], none: Why = Why.NOT_FOUND) -> End | Why:
    if not people:
        return none
    return people[0] if len(people) == 1 else Why.AMBIGUOUS


class _Chain:
    """The links so far, by which a circle shows."""

    def __init__(self, plan: Plan, referrers: Mapping[int, int]) -> None:
        persons = {patient: person for person, patient in plan.existing.items()}

        def end(patient: int) -> End:
            return End(persons[patient], None) if patient in persons else End(None, patient)

        self._referrer = {end(patient): end(referrer) for patient, referrer in referrers.items()}

    def why_not(self, person: int, referrer: End) -> Why | None:
        """Return why `referrer` cannot have brought `person`, None if they can."""
        start = End(person, None)
        if referrer == start:
            return Why.SELF
        step: End | None = referrer
        seen: set[End] = set()
        while step is not None and step not in seen:
            if step == start:
                return Why.CIRCLE
            seen.add(step)
            step = self._referrer.get(step)
        return None

    def add(self, person: int, referrer: End) -> None:
        self._referrer.setdefault(End(person, None), referrer)

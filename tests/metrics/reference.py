"""A slow and plain count of the ten key figures, written from DOMAIN §6 over lists of facts. No SQL, no models.

Facts name the record they were entered for; who that is at a moment, the merges tell. A fact recorded after `as_of`
is not known. Money in yuan. Figures are (numerator, denominator).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

LOWER = ("C-E", "C-D", "C-C", "C-B")
CLASSES = (*LOWER, "C-A")
PAYING = ("accepted", "deposit")
FREED = ("cancelled_patient", "cancelled_clinic", "moved")
Pair = tuple[float, float]


@dataclass
class Visit:
    id: int
    clinic: int
    patient: int
    case: int
    arrived: datetime
    tc: int | None = None
    received: datetime | None = None
    form: datetime | None = None
    handoff: datetime | None = None
    explained: datetime | None = None
    decided: datetime | None = None
    decision: str = ""
    amount: int = 0
    left: datetime | None = None
    error_at: datetime | None = None


@dataclass
class Change:
    clinic: int
    patient: int
    at: datetime
    new_class: str
    by: int
    awareness: int | None = 3
    trust: int | None = 3
    correction: bool = False
    id: int = 0


@dataclass
class Appointment:
    clinic: int
    patient: int
    by: int
    made: datetime
    starts: datetime
    steps: list[tuple[datetime, str, bool]] = field(default_factory=list)  # (when, new status, late)


@dataclass
class Refund:
    case: int
    amount: int
    in_full: bool
    at: datetime
    taken_back: datetime | None = None


@dataclass
class Referral:
    referrer: int
    referred: int
    made: datetime
    effective: datetime | None


@dataclass
class Case:
    clinic: int
    about: int | None
    received: datetime
    joined: datetime | None = None
    closed: datetime | None = None
    upheld: bool = False


@dataclass
class Score:
    clinic: int
    kind: str
    staff: int
    score: int
    at: datetime
    replaced: datetime | None = None


@dataclass
class Rating:
    clinic: int
    tc: int
    at: datetime
    agrees: bool
    taken_back: datetime | None = None


@dataclass
class Merge:
    winner: int
    loser: int
    at: datetime
    undone: datetime | None = None


@dataclass
class World:
    zones: dict[int, str]
    births: dict[int, date | None]
    links: dict[int, tuple[datetime, bool]] = field(default_factory=dict)  # WeChat: when, and whether the guardian
    complaints: dict[int, str] = field(default_factory=dict)  # chief complaint of each consultation
    visits: list[Visit] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    appointments: list[Appointment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    referrals: list[Referral] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    ratings: list[Rating] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)


class Count:
    """The figures of the clinics of a world in [start, end), of all or of one coordinator, as known at `now`."""

    def __init__(self, world: World, start: date, end: date, *, now: datetime, tc: int | None = None) -> None:
        self.world, self.start, self.end, self.now, self.tc = world, start, end, now, tc
        self.visits = [v for v in world.visits if not self.known(v.error_at) and self.known(v.arrived)]

    # What is known, when and of whom

    def known(self, at: datetime | None) -> bool:
        return at is not None and at <= self.now

    def person(self, patient: int) -> int:
        for merge in sorted(self.world.merges, key=lambda m: m.at):
            if merge.at <= self.now and not self.known(merge.undone) and merge.loser == patient:
                return self.person(merge.winner)
        return patient

    def day(self, at: datetime, clinic: int) -> date:
        return at.astimezone(ZoneInfo(self.world.zones[clinic])).date()

    def within(self, at: datetime | None, clinic: int, start: date | None = None) -> bool:
        return self.known(at) and (start or self.start) <= self.day(at, clinic) < self.end  # type: ignore[arg-type]

    def mine(self, tc: int | None) -> bool:
        return self.tc is None or tc == self.tc

    def figures(self) -> dict[str, Pair]:
        parts: list[Callable[[], dict[str, Pair]]] = [
            self.classification, self.accuracy, self.conversion, self.etiquette, self.form, self.next_appointment,
            self.cancellation, self.closing, self.wechat, self.referral, self.complaints,
        ]  # fmt: skip
        return {slug: pair for part in parts for slug, pair in part().items()}

    # 1

    def classification(self) -> dict[str, Pair]:
        asked = [v for v in self.ended() if self.known(v.decided) and v.decision in ("undecided", "refused")]
        return {"classification": (sum(self.classified(v) for v in asked), len(asked))}

    def ended(self) -> list[Visit]:
        return [v for v in self.visits if self.within(v.left, v.clinic) and self.mine(v.tc)]

    def classified(self, v: Visit) -> bool:
        assert v.left
        return bool(self.world.complaints[v.case]) and any(
            self.person(c.patient) == self.person(v.patient)
            and c.clinic == v.clinic
            and self.known(c.at)
            and v.arrived <= c.at
            and self.day(c.at, v.clinic) <= self.day(v.left, v.clinic)
            and c.new_class
            and c.awareness
            and c.trust
            for c in self.world.changes
        )

    def accuracy(self) -> dict[str, Pair]:
        rated = [
            r
            for r in self.world.ratings
            if self.within(r.at, r.clinic) and not self.known(r.taken_back) and self.mine(r.tc)
        ]
        return {"classification.accuracy": (sum(r.agrees for r in rated), len(rated))}

    # 2

    def conversion(self) -> dict[str, Pair]:
        rose = fell = of = 0
        for person in {self.person(c.patient) for c in self.world.changes}:
            entry, last = self.stood(person)
            if entry is None or not self.mine(entry.by):
                continue
            accepted = self.accepted_on(person, entry)
            if accepted is not None and self.day(accepted[0], entry.clinic) < self.start:
                continue  # was no longer undecided when the window began
            of += 1
            up = CLASSES.index(last) - CLASSES.index(entry.new_class) if last else None
            rose += accepted is not None or (up is not None and up > 0)
            fell += accepted is None and up is not None and up < 0
        return {"c_conversion": (rose, of), "c_conversion.fell": (fell, of)}

    def stood(self, person: int) -> tuple[Change | None, str]:
        """How a person came to stand in C-E to C-B, with the class as corrected, and where they stand at the end."""
        told = [c for c in self.world.changes if self.person(c.patient) == person and self.known(c.at)]
        told = sorted((c for c in told if self.day(c.at, c.clinic) < self.end), key=lambda c: (c.at, c.id))
        before = [c for c in told if self.day(c.at, c.clinic) < self.start]
        told = before[-1:] + [c for c in told if c not in before]
        moves: list[list[Change]] = []
        for change in told:
            if moves and change.correction:
                moves[-1].append(change)
            else:
                moves.append([change])
        for move in moves:
            if move[-1].new_class in LOWER:
                first = move[0]
                entry = Change(first.clinic, first.patient, first.at, move[-1].new_class, first.by)
                return entry, told[-1].new_class
        return None, ""

    def accepted_on(self, person: int, entry: Change) -> tuple[datetime] | None:
        """When they first accepted since, up to the end, and did not get all of it back by then."""
        days = [
            v.decided
            for v in self.visits
            if self.person(v.patient) == person
            and self.known(v.decided)
            and v.decided
            and v.decision in PAYING
            and v.decided >= entry.at
            and self.day(v.decided, entry.clinic) < self.end
            and not any(r.in_full and self.day(r.at, entry.clinic) < self.end for r in self.paid_back(v))
        ]
        return (min(days),) if days else None

    def paid_back(self, v: Visit) -> list[Refund]:
        """What was paid back since the decision on a visit."""
        assert v.decided
        return [
            r
            for r in self.world.refunds
            if r.case == v.case and r.at >= v.decided and self.known(r.at) and not self.known(r.taken_back)
        ]

    # 3

    def etiquette(self) -> dict[str, Pair]:
        given = [
            s
            for s in self.world.scores
            if self.within(s.at, s.clinic) and not self.known(s.replaced) and self.mine(s.staff)
        ]

        def mean(rows: list[Score]) -> Pair:
            return sum(s.score for s in rows), len(rows)

        kinds = {f"etiquette.{kind}": mean([s for s in given if s.kind == kind]) for kind in ("visit", "call", "chat")}
        return {"etiquette": mean(given)} | kinds

    # 4

    def received(self, start: date | None = None) -> list[Visit]:
        return [v for v in self.visits if self.within(v.received, v.clinic, start) and self.mine(v.tc)]

    def is_first(self, v: Visit) -> bool:
        others = [o for o in self.visits if self.person(o.patient) == self.person(v.patient) and self.known(o.received)]
        return min(others, key=lambda o: (o.received, o.id)).id == v.id

    def form(self) -> dict[str, Pair]:
        first = [v for v in self.received() if self.is_first(v)]
        done = [v for v in first if self.known(v.form)]
        late = [v for v in done if v.handoff and self.known(v.handoff) and v.form > v.handoff]  # type: ignore[operator]
        return {"form": (len(done) - len(late), len(first)), "form.late": (len(late), len(first))}

    # 5

    def next_appointment(self) -> dict[str, Pair]:
        ended = [v for v in self.ended() if v.received]
        made = sum(self.made_later(v) for v in ended)
        covered = sum(any(self.status(a)[0] in ("booked", "kept") for a in self.later(v)) for v in ended)
        return {"next_appointment": (made, len(ended)), "next_appointment.covered": (covered, len(ended))}

    def later(self, v: Visit) -> list[Appointment]:
        return [
            a
            for a in self.world.appointments
            if self.known(a.made)
            and self.person(a.patient) == self.person(v.patient)
            and a.clinic == v.clinic
            and a.starts > v.left  # type: ignore[operator]
        ]

    def status(self, a: Appointment) -> tuple[str, datetime | None, bool]:
        steps = [step for step in a.steps if self.known(step[0])]
        if not steps:
            return "booked", None, False
        at, status, late = steps[-1]
        return status, at if status in (*FREED, "error", "no_show") else None, late

    def made_later(self, v: Visit) -> bool:
        assert v.left
        for a in self.later(v):
            status, freed_at, _late = self.status(a)
            in_time = self.day(a.made, v.clinic) <= self.day(v.left, v.clinic)
            if in_time and status != "error" and (freed_at is None or freed_at > v.left):
                return True
        return False

    # 6

    def cancellation(self) -> dict[str, Pair]:
        due = [
            a
            for a in self.world.appointments
            if self.known(a.made) and self.start <= self.day(a.starts, a.clinic) < self.end and self.mine(a.by)
        ]
        told = [self.status(a) for a in due]
        told = [one for one in told if one[0] not in ("cancelled_clinic", "error")]
        cancelled = sum(status == "cancelled_patient" for status, _at, _late in told)
        missed = sum(status == "no_show" for status, _at, _late in told)
        moved = sum(status == "moved" and late for status, _at, late in told)
        n = len(told)
        return {
            "cancellation": (cancelled, n),
            "cancellation.no_show": (missed, n),
            "cancellation.broken": (cancelled + missed + moved, n),
        }

    # 7

    def closing(self) -> dict[str, Pair]:
        of = closed = same_day = month = presented = shown = 0
        won: float = 0
        asked: float = 0
        for case in {v.case for v in self.visits}:
            visits = [v for v in self.visits if v.case == case]
            seen = sorted((v for v in visits if self.known(v.received)), key=lambda v: (v.received, v.id))
            if not seen or not self.within(seen[0].received, seen[0].clinic) or not self.mine(seen[0].tc):
                continue
            decided = sorted((v for v in visits if self.known(v.decided)), key=lambda v: (v.decided, v.id))
            last = decided[-1] if decided else None
            if last and last.decision == "no_treatment":
                continue
            of += 1
            plan = any(self.known(v.explained) for v in visits)
            shown += plan
            asked += last.amount if last else 0
            back = self.paid_back(last) if last else []
            if not last or last.decision not in PAYING or any(r.in_full for r in back):
                continue
            closed += 1
            presented += plan
            won += max(last.amount - sum(r.amount for r in back), 0)
            first = seen[0]
            yes = min(v.decided for v in decided if v.decided and v.decision in PAYING)
            days = (self.day(yes, first.clinic) - self.day(first.received, first.clinic)).days  # type: ignore[arg-type]
            same_day += days == 0
            month += days <= 30
        return {
            "closing": (closed, of),
            "closing.same_day": (same_day, of),
            "closing.thirty_days": (month, of),
            "closing.money": (won, asked),
            "closing.presented": (presented, shown),
        }

    # 8

    def people(self, start: date | None = None) -> dict[int, list[Visit]]:
        found: dict[int, list[Visit]] = {}
        for v in sorted(self.received(start), key=lambda v: (v.received, v.id)):
            found.setdefault(self.person(v.patient), []).append(v)
        return found

    def wechat(self) -> dict[str, Pair]:
        people = self.people()
        return {"wechat": (sum(self.linked(person, visits[0]) for person, visits in people.items()), len(people))}

    def linked(self, person: int, first: Visit) -> bool:
        links = [link for patient, link in self.world.links.items() if self.person(patient) == person]
        links = [link for link in links if self.known(link[0])]
        if not links:
            return False
        at, guardian = min(links)
        assert first.received
        day = self.day(first.received, first.clinic)
        if self.day(at, first.clinic) > day:
            return False
        birth = self.world.births[person]
        return not guardian or birth is None or birth.replace(year=birth.year + 18) > day

    # 9

    def referral(self) -> dict[str, Pair]:
        start = (self.end - timedelta(days=1)).replace(day=1)
        months = self.end.year * 12 + self.end.month - 1 - 12
        start = date(months // 12, months % 12 + 1, self.end.day)
        people = self.people(start)
        brought = sum(self.brought(person, visits, start) for person, visits in people.items())
        new = [p for p, visits in self.people().items() if self.is_first(visits[0])]
        came = sum(any(self.person(r.referred) == p and self.known(r.made) for r in self.world.referrals) for p in new)
        return {"referral": (brought, len(people)), "referral.new_patients": (came, len(new))}

    def brought(self, person: int, visits: Iterable[Visit], start: date) -> bool:
        clinics = {v.clinic for v in visits}
        return any(
            self.person(r.referrer) == person
            and self.known(r.made)
            and any(self.within(r.effective, clinic, start) for clinic in clinics)
            and not self.came_in_error(r.referred)
            for r in self.world.referrals
        )

    def came_in_error(self, patient: int) -> bool:
        """Every time the person was received was entered in error."""
        person = self.person(patient)
        visits = [v for v in self.world.visits if self.person(v.patient) == person and v.received]
        right = [v for v in visits if v in self.visits and self.known(v.received)]
        return not right and any(self.known(v.error_at) for v in visits)

    # 10

    def complaints(self) -> dict[str, Pair]:
        cases = [
            c
            for c in self.world.cases
            if self.within(c.received, c.clinic) and not self.known(c.joined) and self.mine(c.about)
        ]
        n = len(self.people())
        upheld = sum(c.upheld and self.known(c.closed) for c in cases)
        return {"complaints": (len(cases), n), "complaints.upheld": (upheld, n)}


def count(world: World, start: date, end: date, *, now: datetime, tc: int | None = None) -> dict[str, Pair]:
    """Return every figure by slug."""
    return Count(world, start, end, now=now, tc=tc).figures()

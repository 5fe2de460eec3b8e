"""Random histories of two clinics in two zones, as facts for the plain count and as rows in the database."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import time_machine

from accounts.models import Clinic, User
from accounts.permissions import Role
from clinic_crm.workbench.merging import merge_patients, undo_merge
from consultations import models as rooms
from followups import models as booked
from metrics.models import EtiquetteInspection, EtiquetteRubric
from patients import models as people
from tests.factories import ClinicFactory, PatientFactory, UserFactory
from tests.metrics import reference as ref

BEGIN = date(2026, 2, 26)  # the zones change their clocks in March
DAYS = 75
END = datetime(2026, 7, 20, tzinfo=UTC)  # nothing happens later
CLASSES = [*ref.CLASSES, ""]


class Histories:
    """Makes a world from a seed and writes it."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.clinics: list[Clinic] = [ClinicFactory(zone="Asia/Shanghai"), ClinicFactory(zone="America/New_York")]
        self.staff: list[User] = [UserFactory(clinic=self.clinics[n % 2]) for n in range(3)]
        self.boss: User = UserFactory(role=Role.ADMIN, clinic=self.clinics[0])
        self.patients = [
            PatientFactory(clinic=self.clinics[n % 2], birth_date=self.dice.choice([None, date(2008, 3, 20), date(1990, 1, 1)]))
            for n in range(9)
        ]  # fmt: skip
        self.ids = [p.pk for p in self.patients]
        zones = {c.pk: c.zone for c in self.clinics}
        self.world = ref.World(zones, {p.pk: p.birth_date for p in self.patients})
        self._merges()
        for _n in range(26):
            self._case()
        for maker, times in ((self._change, 18), (self._appointment, 22), (self._complaint, 8), (self._score, 8)):
            for _n in range(times):
                maker()
        self._links()
        self._referrals()
        self._ratings()
        self._run_merges()

    # Moments

    def moment(self, clinic: Clinic) -> datetime:
        """A moment in the clinic's day, often its first or last."""
        day = BEGIN + timedelta(days=self.dice.randrange(DAYS))
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(clinic.zone)).astimezone(UTC)
        return midnight + self.dice.choice(
            [timedelta(), -timedelta(microseconds=1), timedelta(hours=9.5), timedelta(hours=16)]
        )

    def after(self, at: datetime) -> datetime:
        return at + self.dice.choice(
            [timedelta(minutes=20), timedelta(hours=3), timedelta(hours=14), timedelta(days=9)]
        )

    def maybe(self, share: float = 0.5) -> bool:
        return self.dice.random() < share

    def patient_at(self, at: datetime) -> int:
        """Whoever may be written for at a moment: nobody who is merged away then."""
        gone = {m.loser for m in self.world.merges if m.at <= at and (m.undone is None or at < m.undone)}
        return self.dice.choice([pk for pk in self.ids if pk not in gone])

    # Facts

    def _merges(self) -> None:
        a, b, c, d = self.ids[:4]
        first = datetime(2026, 3, self.dice.randrange(5, 28), 4, tzinfo=UTC)
        undone = first + timedelta(days=12) if self.maybe() else None
        self.world.merges.append(ref.Merge(a, b, first, undone))
        if undone is None and self.maybe():
            self.world.merges.append(ref.Merge(c, a, first + timedelta(days=20)))
        elif self.maybe():
            self.world.merges.append(ref.Merge(c, d, first + timedelta(days=3)))

    def _case(self) -> None:
        clinic = self.dice.choice(self.clinics)
        at = self.moment(clinic)
        patient = self.patient_at(at)
        complaint = self.dice.choice(["implant", "filling", "filling", ""])
        row = rooms.Consultation.objects.create(clinic=clinic, patient_id=patient, complaint=complaint, opened_at=at)
        self.world.complaints[row.pk] = complaint
        for n in range(self.dice.choice([1, 1, 2])):
            begin = at if n == 0 else at + timedelta(days=self.dice.choice([8, 31]))
            if n and self.patient_at_all(patient, begin):
                continue
            self._visit(clinic, patient, row.pk, begin)
        if self.maybe(0.25):
            self._refund(clinic, row.pk)

    def patient_at_all(self, patient: int, at: datetime) -> bool:
        return any(m.loser == patient and at >= m.at - timedelta(days=2) for m in self.world.merges)

    def _visit(self, clinic: Clinic, patient: int, case: int, at: datetime) -> None:
        tc = self.dice.choice(self.staff).pk
        v = ref.Visit(0, clinic.pk, patient, case, at)
        if self.maybe(0.9):
            v.tc, v.received = tc, at
            steps = sorted(at + timedelta(minutes=self.dice.randrange(600)) for _n in range(4))
            v.handoff, v.explained = steps[1] if self.maybe(0.9) else None, steps[2] if self.maybe(0.8) else None
            v.form = self.dice.choice([steps[0], steps[0], steps[2], None])
            if self.maybe(0.9):
                v.decision = self.dice.choice(
                    ["accepted", "deposit", "undecided", "undecided", "refused", "no_treatment"]
                )
                v.decided, v.amount = steps[3], self.dice.choice([0, 800, 12_000])
        v.left = (
            at + timedelta(hours=self.dice.choice([2, 11, 15]))
            if self.maybe(0.95) or self.open_of(clinic, patient)
            else None
        )
        if v.left and v.decided and v.decided > v.left:
            v.left = v.decided
        v.error_at = self.after(at) + timedelta(days=1) if self.maybe(0.1) and v.left else None
        made = rooms.Visit.objects.create(
            clinic=clinic, patient_id=patient, consultation_id=case, coordinator_id=v.tc, arrived_at=at,
            received_at=v.received, form_completed_at=v.form, handoff_at=v.handoff, explaining_started_at=v.explained,
            decided_at=v.decided, decision=v.decision, decision_amount=v.amount if v.decision else None,
            deposit_amount=1 if v.decision == "deposit" else None, left_at=v.left, closed_at=v.left,
            stage="closed" if v.left else "received", is_error=v.error_at is not None, error_at=v.error_at,
        )  # fmt: skip
        v.id = made.pk
        self.world.visits.append(v)
        if v.left and self.maybe(0.6):
            late = self.maybe(0.3)
            self._add_change(clinic, patient, v.left + timedelta(hours=9) if late else at + timedelta(minutes=1), tc)
        if v.left and self.maybe(0.6):
            self._add_appointment(
                clinic, patient, tc, v.left - timedelta(minutes=5) if self.maybe() else self.after(v.left)
            )

    def open_of(self, clinic: Clinic, patient: int) -> bool:
        """Only one visit may be under way, and none of those who will be merged."""
        merged = {pk for m in self.world.merges for pk in (m.winner, m.loser)}
        return patient in merged or any(v.left is None and v.patient == patient for v in self.world.visits)

    def _refund(self, clinic: Clinic, case: int) -> None:
        decided = [v.decided for v in self.world.visits if v.case == case and v.decided]
        if not decided:
            return
        at = self.after(self.dice.choice(decided))
        fact = ref.Refund(
            case, self.dice.choice([100, 800]), self.maybe(), at, self.after(at) if self.maybe(0.3) else None
        )
        values: dict[str, Any] = {
            "clinic": clinic,
            "consultation_id": case,
            "amount": fact.amount,
            "reason": "改变主意",
        }
        row = rooms.Refund.objects.create(**values, is_full=fact.in_full, at=at)
        if fact.taken_back:
            rooms.Refund.objects.create(**values, is_full=fact.in_full, at=fact.taken_back, cancels=row)
        self.world.refunds.append(fact)

    def _change(self) -> None:
        clinic = self.dice.choice(self.clinics)
        at = self.moment(clinic)
        self._add_change(clinic, self.patient_at(at), at, self.dice.choice(self.staff).pk)

    def _add_change(self, clinic: Clinic, patient: int, at: datetime, by: int) -> None:
        if any(m.loser == patient and m.at - timedelta(days=1) <= at for m in self.world.merges if m.undone is None):
            return
        fact = ref.Change(
            clinic.pk, patient, at, self.dice.choice(CLASSES), by, correction=self.maybe(0.25),
            awareness=self.dice.choice([3, 3, 3, None]),
        )  # fmt: skip
        row = people.ClassChange.objects.create(
            clinic=clinic, patient_id=patient, new_class=fact.new_class, awareness=fact.awareness, trust=fact.trust,
            is_correction=fact.correction, at=at, by_id=by,
        )  # fmt: skip
        fact.id = row.pk
        self.world.changes.append(fact)

    def _appointment(self) -> None:
        clinic = self.dice.choice(self.clinics)
        at = self.moment(clinic)
        self._add_appointment(clinic, self.patient_at(at), self.dice.choice(self.staff).pk, at)

    def _add_appointment(self, clinic: Clinic, patient: int, by: int, made: datetime) -> None:
        fact = ref.Appointment(clinic.pk, patient, by, made, max(self.moment(clinic), made + timedelta(hours=1)))
        at, status = made, "booked"
        row = booked.Appointment.objects.create(
            clinic=clinic, patient_id=patient, created_by_id=by, created_at=made, kind="recheck", holds_slot=False,
            starts_at=fact.starts, ends_at=fact.starts + timedelta(minutes=30),
        )  # fmt: skip
        booked.AppointmentChange.objects.create(appointment=row, new_status="booked", at=made)
        for _n in range(self.dice.choice([0, 0, 1, 2])):
            at = self.after(at)
            freed = [*ref.FREED, "error", "no_show", "kept"]
            following = self.dice.choice(freed) if status == "booked" else "booked"
            late = following in ref.FREED and self.maybe()
            fact.steps.append((at, following, late))
            booked.AppointmentChange.objects.create(
                appointment=row, old_status=status, new_status=following, is_late=late, at=at
            )
            status = following
        last = fact.steps[-1] if fact.steps else None
        ended = last[0] if last and last[1] not in ("booked", "kept") else None
        booked.Appointment.objects.filter(pk=row.pk).update(
            status=status, ended_at=ended, is_late=last[2] if last else None
        )
        self.world.appointments.append(fact)

    def _complaint(self) -> None:
        clinic = self.dice.choice(self.clinics)
        at, about = self.moment(clinic), self.dice.choice([None, *self.staff])
        fact = ref.Case(clinic.pk, about.pk if about else None, at)
        row = people.ComplaintCase.objects.create(
            clinic=clinic, patient_id=self.ids[8], number=f"T{len(self.world.cases)}", category="waiting", source="phone",
            what="等太久", about=about, received_at=at, due_at=at,
        )  # fmt: skip
        if self.world.cases and self.maybe(0.3):
            fact.joined = self.after(at)
            other = people.ComplaintCase.objects.exclude(pk=row.pk).first()
            people.ComplaintCase.objects.filter(pk=row.pk).update(joined_to=other)
            people.ComplaintStep.objects.create(complaint=row, kind="joined", detail={"to": "T0"}, at=fact.joined)
        elif self.maybe():
            fact.closed, fact.upheld = self.after(at), self.maybe()
            people.ComplaintCase.objects.filter(pk=row.pk).update(
                closed_at=fact.closed, is_upheld=fact.upheld, outcome="apologised"
            )
            told = {"upheld": fact.upheld}
            people.ComplaintStep.objects.create(complaint=row, kind="closed", detail=told, at=fact.closed)
        self.world.cases.append(fact)

    def _score(self) -> None:
        visit = self.dice.choice([v for v in self.world.visits if v.error_at is None])
        clinic = next(c for c in self.clinics if c.pk == visit.clinic)
        rubric, _made = EtiquetteRubric.objects.get_or_create(
            clinic=clinic, kind="visit", version=1, defaults={"items": []}
        )
        at, staff = self.moment(clinic), self.dice.choice(self.staff)
        standing = EtiquetteInspection.objects.filter(visit_id=visit.id, staff=staff, replaced_at=None).first()
        if standing is not None:
            fact = next(s for s in self.world.scores if (s.at, s.score) == (standing.inspected_at, standing.score))
            at = max(at, fact.at + timedelta(hours=1))
            fact.replaced = at
            EtiquetteInspection.objects.filter(pk=standing.pk).update(replaced_at=at)
        score = self.dice.randrange(60, 101)
        EtiquetteInspection.objects.create(
            clinic=clinic, rubric=rubric, staff=staff, visit_id=visit.id, answers={}, score=Decimal(score),
            inspected_at=at, inspected_by=self.boss,
        )  # fmt: skip
        self.world.scores.append(ref.Score(clinic.pk, "visit", staff.pk, score, at))

    def _links(self) -> None:
        for pk in self.ids:
            if not self.maybe(0.7):
                continue
            clinic = self.dice.choice(self.clinics)
            at, guardian = self.moment(clinic), self.maybe(0.4)
            if any(m.loser == pk and m.at <= at for m in self.world.merges):
                continue  # is added as somebody else then
            if any(m.winner == pk and m.at <= at for m in self.world.merges):
                continue
            people.Patient.objects.filter(pk=pk).update(wechat_linked_at=at, wechat_linked_guardian=guardian)
            self.world.links[pk] = at, guardian

    def _referrals(self) -> None:
        """The referred are none of those who are merged; who brought them may be."""
        for referred in self.ids[5:]:
            clinic = self.dice.choice(self.clinics)
            made = self.moment(clinic)
            referrer = self.patient_at(made)
            if referrer in self.ids[5:] or self.maybe(0.2):
                continue
            fact = ref.Referral(referrer, referred, made, self.after(made) if self.maybe(0.7) else None)
            people.Referral.objects.create(
                clinic=clinic, referrer_id=referrer, referred_id=referred, created_at=made, effective_at=fact.effective
            )
            self.world.referrals.append(fact)

    def _ratings(self) -> None:
        for change in (
            people.ClassChange.objects.filter(clinic__in=self.clinics).exclude(new_class="").order_by("pk")[:8]
        ):
            clinic = next(c for c in self.clinics if c.pk == change.clinic_id)
            audit = people.ClassAudit.objects.create(
                clinic=clinic, coordinator=change.by, month=BEGIN, size=1, seed=1, drawn_by=self.boss
            )
            at, agrees = self.moment(clinic), self.maybe(0.7)
            given = change.new_class if agrees else ("C-A" if change.new_class != "C-A" else "C-E")
            fact = ref.Rating(clinic.pk, change.by_id, at, agrees, self.after(at) if self.maybe(0.3) else None)
            former = (
                [{"class": given, "at": at.isoformat(), "until": fact.taken_back.isoformat()}]
                if fact.taken_back
                else []
            )
            people.ClassAuditItem.objects.create(
                audit=audit, class_change=change, position=1, former=former,
                **({} if former else {"rated_class": given, "rated_at": at, "rated_by": self.boss}),
            )  # fmt: skip
            self.world.ratings.append(fact)

    def _run_merges(self) -> None:
        """The merges themselves, by the services, at their time."""
        acts = [(m.at, m, False) for m in self.world.merges] + [
            (m.undone, m, True) for m in self.world.merges if m.undone
        ]
        made: dict[int, Any] = {}
        for at, merge, is_undo in sorted(acts, key=lambda act: act[0]):
            with time_machine.travel(at, tick=False):
                if is_undo:
                    undo_merge(merge=made[id(merge)], by=self.boss)
                    continue
                winner, loser = (people.Patient.objects.get(pk=pk) for pk in (merge.winner, merge.loser))
                made[id(merge)] = merge_patients(
                    winner=winner, loser=loser, clinic=self.clinics[0], by=self.boss,
                    choices={"class_code": "winner", "birth_date": "winner"},
                )  # fmt: skip

"""What one card of the today board says: who, what for, how long, what is missing, what waits for me."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any

from django.urls import get_script_prefix, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from consultations.checkout import CheckoutLine
from consultations.exam_rules import ExamState
from consultations.handoff_rules import Note, Part, missing_parts
from consultations.models import CheckoutItem, Visit
from consultations.points import Point
from consultations.stages import DEFAULT_LIMITS, Actor, Route, Stage
from patients.classification import Complaint
from patients.models import Patient

Words = str | Promise
AT_DESK = (Stage.RECEIVED, Stage.INTAKE, Stage.COMPLAINT)
SHORT = 16  # characters of missing things that a card names; of more, only how many


@dataclass(frozen=True)
class Column:
    """One column of the board; its limit is that of its first stage."""

    code: str
    label: Words
    stages: tuple[Stage, ...]


COLUMNS = (
    Column("arrived", gettext_lazy("Arrived"), (Stage.ARRIVED,)),
    Column("reception", pgettext_lazy("board", "Reception"), AT_DESK),
    Column("exam", gettext_lazy("Exam"), (Stage.EXAM,)),
    Column("handoff", pgettext_lazy("board", "Handoff"), (Stage.CONSULTING, Stage.HANDOFF)),
    Column("doctor", gettext_lazy("Doctor"), (Stage.DOCTOR,)),
    Column("decision", pgettext_lazy("board", "Decision"), (Stage.EXPLAINING, Stage.DECISION)),
    Column("leaving", gettext_lazy("Leaving"), (Stage.LEAVING,)),
)
PART_WORDS: dict[str, Words] = {
    Part.CLASS: gettext_lazy("class"),
    Part.REASON: gettext_lazy("reason for another class"),
    Part.AWARENESS: gettext_lazy("awareness"),
    Part.TRUST: gettext_lazy("trust"),
    Part.OPINION: gettext_lazy("my view of the complaint"),
    Part.TOLD: gettext_lazy("what I told the patient"),
    Part.STRESS: gettext_lazy("points to stress"),
    Part.WISHED: gettext_lazy("words I hope the doctor will say"),
}
POINT_WORDS: dict[str, Words] = {
    Point.PRICE: gettext_lazy("price explained"),
    Point.TIME: gettext_lazy("time explained"),
    Point.PAIN: gettext_lazy("pain explained"),
    Point.ALTERNATIVES: gettext_lazy("alternatives explained"),
}


@dataclass(frozen=True)
class Me:
    """Who looks at the board."""

    pk: int
    actor: Actor
    captures_exams: bool = False


@dataclass(frozen=True)
class Facts:
    """What was read of one visit beyond its own row.

    `coordinator`: before reception the patient's own; `open_questions`: the doctor's, to the coordinator;
    `questions`: how many of the form are open, None while that is not known.
    """

    complaint: str = ""
    words: str = ""
    coordinator: str = ""
    doctor: str = ""
    owner_id: int | None = None
    open_questions: int = 0
    form_begun: bool = False
    questions: int | None = None
    note: Note = field(default_factory=Note)
    checkout: Sequence[CheckoutLine] = ()


@dataclass(frozen=True)
class Action:
    """The button of a card: a link, or with `step` a post that moves the visit."""

    label: Words
    url: str
    step: str = ""


@dataclass(frozen=True)
class Missing:
    label: Words
    url: str


@dataclass(frozen=True)
class Card:
    visit: Visit
    url: str
    who: str  # sex and age
    what: str
    coordinator: str
    doctor: str
    is_mine: bool  # I coordinate or treat it
    coordinator_is_me: bool
    limit: int
    minutes: int
    missing: list[Missing] = field(default_factory=list)
    note: tuple[str, Words] | None = None
    action: Action | None = None

    @property
    def late(self) -> bool:
        return self.minutes > self.limit

    @property
    def urgency(self) -> float:
        """How far into its limit the visit is; what waits longest, as the clinic measures it, comes first."""
        return self.minutes / max(self.limit, 1)


def limit_of(stage: str, limits: Mapping[str, Any]) -> int:
    """Return the minutes a stage may take in a clinic."""
    return int(limits.get(stage) or DEFAULT_LIMITS[stage])


def _panel(visit: Visit, stage: str) -> str:
    return f"{url_of(visit)}?stage={stage}"


def url_of(visit: Visit) -> str:
    """Return the address of the visit; the resolver is asked once, sixty cards ask for two or three each."""
    return f"{_visits_url(get_script_prefix())}{visit.pk}/"


@cache
def _visits_url(prefix: str) -> str:
    return reverse("visit", args=[0]).removesuffix("0/")


def _post(visit: Visit, step: str, label: Words) -> Action:
    return Action(label, reverse("today_step", args=[visit.pk, step]), step)


def form_open(visit: Visit) -> bool:
    """Tell whether the visit still needs its consultation form."""
    return visit.is_first and visit.form_completed_at is None


def missing_of(visit: Visit, facts: Facts, lacking: Sequence[ExamState]) -> list[Missing]:
    """Return what the visit's stage still lacks, each with where it is mended."""
    stage = visit.stage
    if stage in AT_DESK:
        return _missing_at_desk(visit, facts)
    if stage == Stage.EXAM:
        return _named([exam.name for exam in lacking], _panel(visit, Stage.EXAM), _("exam data"))
    if stage in (Stage.CONSULTING, Stage.HANDOFF) and visit.handoff_at is None:
        words = [PART_WORDS[part] for part in missing_parts(facts.note, "")]
        return _named(words, _panel(visit, Stage.HANDOFF), _("handoff note"))
    if stage == Stage.EXPLAINING:
        open_points = [words for code, words in POINT_WORDS.items() if code not in visit.explained_points]
        whole = len(open_points) == len(POINT_WORDS)
        return _named(open_points, _panel(visit, stage), _("points to explain")) if not whole else []
    if stage == Stage.LEAVING:
        return _named(_must_dos(facts), _panel(visit, stage), _("checkout"))
    return []


def _named(words: Sequence[Words], url: str, summary: str) -> list[Missing]:
    """Name one thing, or several while they are short; else only how many."""
    if len(words) < 2 or sum(len(str(word)) for word in words) <= SHORT:
        return [Missing(word, url) for word in words]
    count = ngettext("%(count)d item", "%(count)d items", len(words)) % {"count": len(words)}
    return [Missing(f"{summary} {count}", url)]


def _missing_at_desk(visit: Visit, facts: Facts) -> list[Missing]:
    if not form_open(visit):
        return [Missing(_("chief complaint"), _panel(visit, Stage.COMPLAINT))]
    label = _("consultation form")
    if facts.questions:
        count = ngettext("%(count)d question", "%(count)d questions", facts.questions)
        label = f"{label} {count % {'count': facts.questions}}"
    return [Missing(label, _panel(visit, Stage.INTAKE))]


def _must_dos(facts: Facts) -> list[Words]:
    return [CheckoutItem.Code(line.code).label for line in facts.checkout if not line.met]


def note_of(visit: Visit, facts: Facts) -> tuple[str, Words] | None:
    """Return what passes between coordinator and doctor: a question back, the handoff read or not."""
    if facts.open_questions:
        count = facts.open_questions
        words = ngettext("%(count)d question back", "%(count)d questions back", count)
        return "info", words % {"count": count}
    if visit.stage != Stage.DOCTOR:
        return None
    if visit.handoff_acknowledged_at:
        return "good", _("read by the doctor")
    return "none", _("not read yet")


def is_mine(visit: Visit, facts: Facts, me: Me) -> bool:
    """Tell whether the visit belongs to me: as its coordinator (before reception: as the patient's), or its doctor."""
    if me.actor == Actor.DOCTOR:
        return visit.doctor_id == me.pk
    return me.pk == (visit.coordinator_id or facts.owner_id)


def action_of(visit: Visit, facts: Facts, me: Me, *, lacking: Sequence[ExamState], late: bool) -> Action | None:
    """Return what the visit waits for from me, None while it waits for somebody else."""
    if me.actor == Actor.DOCTOR:
        return _doctors_action(visit) if visit.doctor_id in (None, me.pk) else None
    captures = me.captures_exams and (me.actor != Actor.COORDINATOR or visit.coordinator_id == me.pk)
    if visit.stage == Stage.EXAM and captures and lacking:
        return Action(_("Upload exams"), _panel(visit, Stage.EXAM))
    if me.actor != Actor.COORDINATOR:
        return None
    if visit.stage == Stage.ARRIVED:
        # Nobody's patient, mine, or one who has waited too long: then whoever is free receives.
        return _post(visit, "receive", _("Receive")) if facts.owner_id in (None, me.pk) or late else None
    return _coordinators_action(visit, facts, lacking) if visit.coordinator_id == me.pk else None


def _doctors_action(visit: Visit) -> Action | None:
    if visit.stage == Stage.DOCTOR:
        words = _("Go on") if visit.handoff_acknowledged_at else _("Read the handoff")
        return Action(words, reverse("doctor_visit", args=[visit.pk]))
    if visit.stage == Stage.EXAM and visit.route == Route.DOCTOR_FIRST and visit.exams_completed_at:
        return Action(_("Look at the exams"), reverse("doctor_visit", args=[visit.pk]))
    return None


def _coordinators_action(visit: Visit, facts: Facts, lacking: Sequence[ExamState]) -> Action | None:
    stage = visit.stage
    if stage in AT_DESK:
        if form_open(visit) and not facts.form_begun:
            return Action(_("Start the form"), _panel(visit, Stage.INTAKE))
        return Action(_("Confirm the complaint"), _panel(visit, Stage.COMPLAINT))
    if stage == Stage.EXAM:
        if visit.route == Route.EXAM_FIRST and not lacking:
            return Action(_("Finish the exam"), _panel(visit, Stage.EXAM))
        return None
    if facts.open_questions:
        return Action(_("Answer the doctor"), _panel(visit, Stage.HANDOFF))
    if stage in (Stage.CONSULTING, Stage.HANDOFF):
        return Action(_("Write the handoff"), _panel(visit, Stage.HANDOFF))
    if stage == Stage.EXPLAINING:
        started = bool(visit.explained_points)
        return Action(_("Go on explaining") if started else _("Explain the plan"), _panel(visit, stage))
    if stage == Stage.DECISION:
        return Action(_("Record the decision"), _panel(visit, stage))
    return _leaving_action(visit, facts) if stage == Stage.LEAVING else None


def _leaving_action(visit: Visit, facts: Facts) -> Action:
    waiting = [line.code for line in facts.checkout if not line.met]
    if not waiting:
        return _post(visit, "close", _("End the visit"))
    if CheckoutItem.Code.NEXT_APPOINTMENT in waiting:
        query = f"?patient={visit.patient_id}&visit={visit.pk}&next={reverse('today')}"
        return Action(_("Book the next visit"), reverse("appointment_new") + query)
    return Action(_("Check out"), _panel(visit, Stage.LEAVING))


def who_of(patient: Patient, today: date) -> str:
    """Return sex and age as a card tells them: F 34."""
    sex = {"f": pgettext("sex", "F"), "m": pgettext("sex", "M")}.get(patient.sex, "")
    age = patient.age_on(today)
    return f"{sex} {'' if age is None else age}".strip()


def card_of(
    visit: Visit, facts: Facts, me: Me, *, now: datetime, today: date, lacking: Sequence[ExamState] = ()
) -> Card:
    """Put one card together. `visit` has its patient and clinic loaded."""
    limit = limit_of(visit.stage, visit.clinic.stage_limits)
    minutes = visit.minutes_in_stage(now)
    action = action_of(visit, facts, me, lacking=lacking, late=minutes > limit)
    missing = missing_of(visit, facts, lacking)
    if action is not None and visit.stage in AT_DESK and not form_open(visit):
        missing = []  # the button says it
    return Card(
        visit=visit,
        url=url_of(visit),
        who=who_of(visit.patient, today),
        what=facts.words or (str(Complaint(facts.complaint).label) if facts.complaint else ""),
        coordinator=facts.coordinator,
        doctor=facts.doctor,
        is_mine=is_mine(visit, facts, me),
        coordinator_is_me=me.pk == (visit.coordinator_id or facts.owner_id),
        limit=limit,
        minutes=minutes,
        missing=missing,
        note=note_of(visit, facts),
        action=action,
    )

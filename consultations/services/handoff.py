"""The handoff note from coordinator to doctor (stage 7): draft, sent, acknowledged, asked about."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership, User
from accounts.permissions import Permission, Role
from consultations.errors import MoveRefused, Refused, VisitError
from consultations.handoff_rules import Note, Part, clean_points, missing_parts
from consultations.models import Exam, Handoff, Visit
from consultations.services.moves import locked, move, out_of_order
from consultations.stages import Missing, Stage
from followups.services.classes import set_class
from patients.classification import ClassFacts, Suggestion, suggest
from patients.models import ClassChange

# The note may be begun once the patient is known, and mended until the doctor has left.
WRITABLE = frozenset({Stage.COMPLAINT, Stage.EXAM, Stage.CONSULTING, Stage.HANDOFF, Stage.DOCTOR})
BEFORE_SENDING = (Stage.CONSULTING, Stage.HANDOFF)

LABELS: dict[str, Any] = {
    "class_code": gettext_lazy("Class"),
    "class_reason": gettext_lazy("Reason for another class"),
    "awareness": gettext_lazy("Awareness"),
    "trust": gettext_lazy("Trust"),
    "awareness_note": gettext_lazy("About awareness"),
    "trust_note": gettext_lazy("About trust"),
    "situation": gettext_lazy("What matters to the patient"),
    "opinion": gettext_lazy("My view of the complaint"),
    "told_patient": gettext_lazy("What I told the patient"),
    "stress_points": gettext_lazy("Please stress"),
    "wished_words": gettext_lazy("Words I hope the doctor will say"),
    "attached_exams": gettext_lazy("Sent along"),
    "attach_form": gettext_lazy("Consultation form"),
}


@dataclass(frozen=True)
class Content:
    """What the coordinator writes. Awareness and trust are 1 to 5, None while not judged."""

    class_code: str = ""
    class_reason: str = ""
    awareness: int | None = None
    trust: int | None = None
    awareness_note: str = ""
    trust_note: str = ""
    situation: str = ""
    opinion: str = ""
    told_patient: str = ""
    stress_points: tuple[str, ...] = ()
    wished_words: str = ""
    attached_exams: tuple[int, ...] = ()
    attach_form: bool = True

    @property
    def note(self) -> Note:
        return Note(
            class_code=self.class_code,
            class_reason=self.class_reason,
            awareness=self.awareness,
            trust=self.trust,
            opinion=self.opinion,
            told_patient=self.told_patient,
            stress_points=self.stress_points,
            wished_words=self.wished_words,
        )


@dataclass(frozen=True)
class Difference:
    """One field that two people wrote differently."""

    label: str
    mine: str
    theirs: str


class HandoffIncomplete(VisitError):
    """The note lacks parts: `missing` says which (HTTP 422)."""

    def __init__(self, missing: tuple[Part, ...]) -> None:
        self.missing = missing
        super().__init__(_("Still missing: %(what)s") % {"what": _(", ").join(str(LABELS[part]) for part in missing)})


class NoteChanged(VisitError):
    """Somebody else changed the note meanwhile (HTTP 409): `handoff` is as it stands, with what differs."""

    def __init__(self, handoff: Handoff, differences: list[Difference]) -> None:
        self.handoff = handoff
        self.differences = differences
        names = _(", ").join(difference.label for difference in differences)
        super().__init__(_("The note was changed by somebody else meanwhile: %(what)s") % {"what": names})


def content_of(handoff: Handoff) -> Content:
    """Return the stored content of a note."""
    values = {field.name: getattr(handoff, field.name) for field in fields(Content)}
    values["stress_points"] = tuple(values["stress_points"])
    values["attached_exams"] = tuple(sorted(values["attached_exams"]))
    return Content(**values)


def suggestion_of(visit: Visit, awareness: int | None) -> Suggestion:
    """Return the class that the facts and the judged awareness suggest (one query)."""
    effective = visit.patient.referrals_made.filter(effective_at__isnull=False).count()
    return suggest(ClassFacts(visit.consultation.complaint, not visit.is_first, awareness, effective))


def doctors_of(clinic_id: int) -> list[User]:
    """Return the doctors who work in a clinic, by name."""
    rows = Membership.objects.for_clinic(clinic_id).people().with_role(Role.DOCTOR).select_related("user")
    return sorted((row.user for row in rows), key=lambda user: (user.full_name, user.pk))


def _require(permission: Permission, visit: Visit, by: User) -> None:
    if not by.may(permission, visit.clinic_id):
        raise MoveRefused([Missing.DOCTOR if permission == Permission.TREAT else Missing.COORDINATOR])


def _spoken(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, tuple):
        return " / ".join(str(part) for part in value)
    return "" if value is None else str(value)


def differences(mine: Content, theirs: Content) -> list[Difference]:
    """Return where two versions of a note differ, in words."""
    pairs = [(field.name, getattr(mine, field.name), getattr(theirs, field.name)) for field in fields(Content)]
    return [Difference(str(LABELS[name]), _spoken(a), _spoken(b)) for name, a, b in pairs if a != b]


def _tidy(content: Content, visit: Visit) -> Content:
    """Return the content as it is stored: three points at most, exams of this visit alone."""
    exams = visit.exams.filter(pk__in=content.attached_exams).values_list("pk", flat=True)
    points = tuple(clean_points(content.stress_points))
    return replace(content, stress_points=points, attached_exams=tuple(sorted(exams)))


def _write(visit: Visit, content: Content, version: int) -> Handoff:
    """Store the content when nobody else changed it since `version` (0: there was none); keep what is the same."""
    stored = Handoff.objects.select_for_update().filter(visit=visit).first()
    tidy = _tidy(content, visit)
    values = {**asdict(tidy), "stress_points": list(tidy.stress_points), "attached_exams": list(tidy.attached_exams)}
    if stored is None:
        return Handoff.objects.create(visit=visit, **values)
    changed = differences(tidy, content_of(stored))
    if not changed:
        return stored
    if stored.version != version:
        raise NoteChanged(stored, changed)
    for name, value in values.items():
        setattr(stored, name, value)
    stored.version += 1
    stored.saved_at = timezone.now()
    stored.save(update_fields=[*values, "version", "saved_at"])
    return stored


def _writable(visit: Visit, by: User) -> Visit:
    _require(Permission.COORDINATE, visit, by)
    fresh = locked(visit)
    if fresh.stage not in WRITABLE or fresh.doctor_left_at:
        raise Refused(_("The handoff note belongs before the doctor's leaving."))
    return fresh


@transaction.atomic
def save_draft(*, visit: Visit, content: Content, version: int, by: User) -> Handoff:
    """Keep the note as typed so far, before it is sent.

    Args: version: the note's version the writer saw, 0 for none yet.
    Raises: NoteChanged; Refused once it was sent or the doctor left; MoveRefused for anyone but a coordinator.
    """
    fresh = _writable(visit, by)
    if fresh.handoff_at:
        raise Refused(_("The note was sent already; save changes with the button."))
    return _write(fresh, content, version)


@transaction.atomic
def send(
    *, visit: Visit, content: Content, version: int, doctor: User | None, by: User, expected: str | None = None
) -> Visit:
    """Give the note to the doctor: classify the patient, and bring the visit to the doctor's stage.

    Sets `Handoff.sent_at`, `Visit.handoff_at`, `classification` and `classified_at` once.
    Raises: HandoffIncomplete; NoteChanged; StageConflict; MoveRefused (the form of a first visit, order, a
    coordinator's step); Refused for somebody who is no doctor here. Source: DOMAIN §2.7, [S1].
    """
    fresh = _writable(visit, by)
    locked(fresh, expected=expected)
    if fresh.stage not in BEFORE_SENDING:
        raise out_of_order(fresh)
    treating = doctor or fresh.doctor
    if treating is None or treating not in doctors_of(fresh.clinic_id):
        raise Refused(_("Choose the doctor who treats."))
    note = _write(fresh, content, version)
    change = _classified(fresh, content, by)
    now = timezone.now()
    Handoff.objects.filter(pk=note.pk).update(sent_at=now, sent_by=by)
    Visit.objects.filter(pk=fresh.pk).update(handoff_at=now)
    if fresh.stage == Stage.CONSULTING:
        fresh = move(visit=fresh, to=Stage.HANDOFF, by=by)
    return move(visit=fresh, to=Stage.DOCTOR, by=by, doctor=treating, classification=change, classified_at=change.at)


def _classified(visit: Visit, content: Content, by: User) -> ClassChange:
    """Check that the note is whole and classify the patient by it."""
    suggestion = suggestion_of(visit, content.awareness)
    lacking = missing_parts(content.note, suggestion.code)
    if lacking:
        raise HandoffIncomplete(lacking)
    return set_class(
        patient=visit.patient,
        clinic=visit.clinic,
        code=content.class_code,
        awareness=content.awareness,
        trust=content.trust,
        by=by,
        suggestion=suggestion,
        reason=content.class_reason if content.class_code != suggestion.code else "",
    )


@transaction.atomic
def change_sent(*, visit: Visit, content: Content, version: int, by: User, doctor: User | None = None) -> Handoff:
    """Change a note that was sent: it stays whole, the doctor sees that it changed, its history is kept.

    A changed judgement classifies the patient anew. Args: doctor: whom it was meant for, when it was given to the
    wrong one; whoever has read it by now treats, and stays. Raises: as `send`.
    """
    fresh = _writable(visit, by)
    if not fresh.handoff_at:
        raise MoveRefused([Missing.HANDOFF])
    before = content_of(Handoff.objects.get(visit=fresh))
    suggestion = suggestion_of(fresh, content.awareness)
    lacking = missing_parts(content.note, suggestion.code)
    if lacking:
        raise HandoffIncomplete(lacking)
    note = _write(fresh, content, version)
    judged = ("class_code", "awareness", "trust")
    if any(getattr(before, name) != getattr(content, name) for name in judged):
        change = _classified(fresh, content, by)
        Visit.objects.filter(pk=fresh.pk).update(classification=change, updated_at=timezone.now())
    if doctor is not None and doctor.pk != fresh.doctor_id and fresh.handoff_acknowledged_at is None:
        _give_instead(fresh, doctor)
    return note


def _give_instead(visit: Visit, doctor: User) -> None:
    """The note was given to the wrong doctor: it waits in another's queue."""
    if doctor not in doctors_of(visit.clinic_id):
        raise Refused(_("Choose the doctor who treats."))
    Visit.objects.filter(pk=visit.pk).update(doctor=doctor, version=F("version") + 1, updated_at=timezone.now())


@transaction.atomic
def acknowledge(*, visit: Visit, version: int, by: User) -> Visit:
    """The doctor has read the note and begins; the first time is kept as `Visit.handoff_acknowledged_at`.

    Whoever reads it treats: a doctor may take a colleague's patient over. After a change it is read again.
    Args: version: the note's version that was read.
    Raises: NoteChanged when it changed meanwhile; MoveRefused for anyone but a doctor, or without a note.
    Source: DOMAIN §2.7, [S1].
    """
    _require(Permission.TREAT, visit, by)
    fresh = locked(visit)
    note = Handoff.objects.select_for_update().filter(visit=fresh, sent_at__isnull=False).first()
    if note is None or fresh.handoff_at is None:
        raise MoveRefused([Missing.HANDOFF])
    if fresh.doctor_left_at or not fresh.is_open:
        raise MoveRefused([Missing.ORDER])
    if note.version != version:
        raise NoteChanged(note, [Difference(_("Handoff note"), "", "")])
    now = timezone.now()
    Handoff.objects.filter(pk=note.pk).update(acknowledged_at=now, acknowledged_by=by)
    Visit.objects.filter(pk=fresh.pk).update(
        handoff_acknowledged_at=fresh.handoff_acknowledged_at or now,
        doctor=by,
        version=F("version") + 1,
        updated_at=now,
    )
    fresh.refresh_from_db()
    return fresh


def is_changed_since_read(handoff: Handoff) -> bool:
    """Tell whether the note was changed after the doctor acknowledged it."""
    return handoff.acknowledged_at is not None and handoff.saved_at > handoff.acknowledged_at


def exams_to_attach(exams: Iterable[Exam]) -> tuple[int, ...]:
    """Return the exams that go along unless the coordinator takes them out: those that were done."""
    return tuple(exam.pk for exam in exams if exam.done_at)

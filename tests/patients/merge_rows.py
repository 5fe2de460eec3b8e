"""Rows of every kind that can point at a patient, for tests of merging; and a dump of all tables."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEvent, Clinic
from accounts.permissions import Role
from consultations.models import Consultation, Visit
from consultations.services.undecided import fold
from followups.models import (
    Appointment,
    Campaign,
    CampaignMember,
    Contact,
    Material,
    MaterialUse,
    Message,
    Playbook,
    PlaybookRun,
    Task,
    TaskEvent,
    WaitingEntry,
)
from metrics.models import EtiquetteInspection, EtiquetteRubric
from patients.models import (
    CareAction,
    ChartNumber,
    ClassChange,
    ClassSuggestion,
    ComplaintCase,
    Consent,
    NotTheSame,
    Patient,
    PatientMerge,
    PublicLink,
    Referral,
    ReferralThanks,
    Registration,
    RightsRequest,
    WordOfMouth,
)
from tests.factories import ConversationFactory, PatientFactory, PhoneFactory, RegistrationFactory, UserFactory

PURPOSES = ("care", "contact", "marketing", "wechat_archive")
NATURES = ("service", "reminder", "marketing", "closing")


class Cast:
    """Two clinics of a group with their manager, two records of one person and somebody else."""

    def __init__(self) -> None:
        self.clinics: list[Clinic] = [Clinic.objects.create(code=c, name=c) for c in ("MA", "MB")]
        self.by = UserFactory(role=Role.MANAGER, clinic=self.clinics[0])
        self.by.memberships.create(clinic=self.clinics[1], role=Role.MANAGER)
        self.winner = PatientFactory(clinic=self.clinics[0], name="沈雨薇", class_code="C-E", awareness=2)
        self.loser = PatientFactory(clinic=self.clinics[0], name="沈雨微", class_code="C-A", awareness=4)
        self.third = PatientFactory(clinic=self.clinics[0], name="林亦文")
        self.now = timezone.now()
        self.campaigns = [
            Campaign.objects.create(clinic=c, name="洁牙周", text="x", starts_at=self.now) for c in self.clinics
        ]
        self.material = Material.objects.create(clinic=self.clinics[0], kind="case", title="x", body="x")
        self.books = {
            (c.pk, code): Playbook.objects.create(clinic=c, class_code=code, version=90)
            for c in self.clinics
            for code in ("C-E", "C-A")
            if not Playbook.objects.filter(clinic=c, class_code=code, is_current=True).exists()
        }

    def people(self) -> dict[str, Patient]:
        return {"winner": self.winner, "loser": self.loser, "third": self.third}

    def add(self, what: str, who: str, n: int) -> bool:
        """Make one row of a kind for somebody, with variation `n`; False when a constraint forbids it."""
        try:
            with transaction.atomic():
                MAKERS[what](self, self.people()[who], n)
        except IntegrityError:
            return False
        return True


def _other(cast: Cast, patient: Patient, n: int) -> Patient:
    people = [person for person in cast.people().values() if person.pk != patient.pk]
    return people[n % 2]


def _refer(cast: Cast, patient: Patient, n: int) -> None:
    link = Referral.objects.create(
        clinic=cast.clinics[0], referrer=patient, referred=_other(cast, patient, n),
        effective_at=cast.now if n > 1 else None,
    )  # fmt: skip
    if n > 1:
        ReferralThanks.objects.create(clinic=cast.clinics[0], referral=link, cost="12.50")


def _registration(cast: Cast, patient: Patient, n: int) -> None:
    row = RegistrationFactory(
        patient=patient, clinic=cast.clinics[1], number=f"MB-{patient.pk}-{n}", tags=[f"t{n}"],
        import_key=bytes([n] * 16) if n else None, last_visit_on=date(2026, 1, 1 + n),
    )  # fmt: skip
    ChartNumber.objects.create(clinic=cast.clinics[1], registration=row, number=f"K{patient.pk}")


def _visit(cast: Cast, patient: Patient, n: int) -> None:
    clinic = cast.clinics[n % 2]
    case = Consultation.objects.create(clinic=clinic, patient=patient, complaint_text="x")
    at = cast.now - timedelta(days=n)
    Visit.objects.create(
        clinic=clinic, patient=patient, consultation=case, stage="closed", arrived_at=at, received_at=at,
        decision_amount="16800.00",
    )  # fmt: skip


def _task(cast: Cast, patient: Patient, n: int) -> None:
    clinic = cast.clinics[n % 2]
    task = Task.objects.create(
        clinic=clinic, patient=patient, kind="keep_in_touch", title="问候", due_at=cast.now, nature=NATURES[n],
        campaign=cast.campaigns[n % 2] if n > 1 else None,
    )  # fmt: skip
    TaskEvent.objects.create(task=task, action="created", by=cast.by)
    if n == 3:
        Task.objects.filter(pk=task.pk).update(status="done", ended_at=cast.now)


def _run(cast: Cast, patient: Patient, n: int) -> None:
    clinic = cast.clinics[n % 2]
    book = Playbook.objects.get(clinic=clinic, class_code="C-A" if n > 1 else "C-E", is_current=True)
    run = PlaybookRun.objects.create(clinic=clinic, patient=patient, playbook=book)
    Task.objects.create(clinic=clinic, patient=patient, kind="gift", title="赠送", due_at=cast.now, run=run)


def _message(cast: Cast, patient: Patient, n: int) -> None:
    sent = {"state": "accepted", "accepted_at": cast.now} if n == 3 else {}
    Message.objects.create(
        clinic=cast.clinics[0], patient=patient, channel="sms", purpose="care", nature=NATURES[n], subject=f"x:{n % 2}",
        due_at=cast.now, not_before=cast.now, campaign=cast.campaigns[0] if n % 2 else None, **sent,
    )  # fmt: skip


def _appointment(cast: Cast, patient: Patient, n: int) -> None:
    start = cast.now + timedelta(days=1 + n)
    Appointment.objects.create(
        clinic=cast.clinics[n % 2], patient=patient, kind="recheck", starts_at=start, ends_at=start + timedelta(hours=1)
    )


def _suggestion(cast: Cast, patient: Patient, n: int) -> None:
    ClassSuggestion.objects.create(clinic=cast.clinics[n % 2], patient=patient, old_class="C-E", new_class="C-D")


def _apart(cast: Cast, patient: Patient, n: int) -> None:
    first, second = sorted([patient.pk, _other(cast, patient, n).pk])
    NotTheSame.objects.create(clinic=cast.clinics[0], first_id=first, second_id=second)


def _consent(cast: Cast, patient: Patient, n: int) -> None:
    at = cast.now - timedelta(days=n)
    Consent.objects.create(clinic=cast.clinics[0], patient=patient, purpose=PURPOSES[1 + n % 2], given=n > 1, at=at)


def _complaint(cast: Cast, patient: Patient, n: int) -> None:
    ComplaintCase.objects.create(
        clinic=cast.clinics[0], patient=patient, number=f"T{patient.pk}-{n}", category="waiting", source="visit",
        what="x", due_at=cast.now,
    )  # fmt: skip


def _inspection(cast: Cast, patient: Patient, n: int) -> None:
    clinic = cast.clinics[n % 2]
    rubric, _made = EtiquetteRubric.objects.get_or_create(clinic=clinic, kind="call", version=1, defaults={"items": []})
    call = Contact.objects.create(clinic=clinic, patient=patient, channel="phone", outcome="reached", by=cast.by)
    EtiquetteInspection.objects.create(
        clinic=clinic, rubric=rubric, staff=cast.by, contact=call, patient=patient, answers={}, score=90,
        inspected_by=cast.by,
    )  # fmt: skip


def _plain(model: Any, **facts: Any) -> Callable[[Cast, Patient, int], None]:
    def make(cast: Cast, patient: Patient, n: int) -> None:
        model.objects.create(clinic=cast.clinics[0], patient=patient, **facts)

    return make


def _guardian(cast: Cast, patient: Patient, n: int) -> None:
    Patient.objects.filter(pk=_other(cast, patient, n).pk).update(guardian=patient)


MAKERS: dict[str, Callable[[Cast, Patient, int], None]] = {
    "patients.PatientPhone": lambda c, p, n: PhoneFactory(patient=p, number=f"1990000{n:04d}", position=n) and None,
    "patients.Registration": _registration,
    "patients.Consent": _consent,
    "patients.ClassChange": lambda c, p, n: ClassChange.objects.create(clinic=c.clinics[0], patient=p, new_class="C-E") and None,
    "patients.Referral": _refer,
    "patients.ClassSuggestion": _suggestion,
    "patients.CareAction": lambda c, p, n: CareAction.objects.create(
        clinic=c.clinics[0], patient=p, kind="tbi", subject=f"visit:{n}" if n else "", cost="3.50"
    ) and None,
    "patients.WordOfMouth": _plain(WordOfMouth, platform="moments"),
    "patients.ComplaintCase": _complaint,
    "patients.PublicLink": lambda c, p, n: PublicLink.objects.create(
        clinic=c.clinics[n % 2], patient=p, purpose="referral", code=f"c{p.pk}-{n}"
    ) and None,
    "patients.NotTheSame": _apart,
    "patients.RightsRequest": _plain(RightsRequest, kind="report"),
    "patients.Patient": _guardian,
    "followups.Appointment": _appointment,
    "followups.PlaybookRun": _run,
    "followups.Task": _task,
    "followups.Contact": _plain(Contact, channel="phone", outcome="reached"),
    "followups.MaterialUse": lambda c, p, n: MaterialUse.objects.create(
        clinic=c.clinics[0], patient=p, material=c.material, material_version=1, how="sent"
    ) and None,
    "followups.Message": _message,
    "followups.CampaignMember": lambda c, p, n: CampaignMember.objects.create(campaign=c.campaigns[n % 2], patient=p) and None,
    "followups.WaitingEntry": lambda c, p, n: WaitingEntry.objects.create(
        clinic=c.clinics[0], patient=p, kind="recheck", from_day=c.now.date(), until_day=c.now.date()
    ) and None,
    "metrics.EtiquetteInspection": _inspection,
    "conversations.Conversation": lambda c, p, n: ConversationFactory(clinic=c.clinics[n % 2], patient=p) and None,
    "consultations.Consultation": lambda c, p, n: Consultation.objects.create(clinic=c.clinics[0], patient=p) and None,
    "consultations.Visit": _visit,
}  # fmt: skip


def dump() -> dict[str, list[Any]]:
    """Return every row of every table, without the histories, which only grow, and without how often and when a
    patient was last written, which only go up."""
    fold()  # what is derived, the undecided board's rows, is derived from what is there
    tables = {
        model._meta.db_table: model._meta.pk.column
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in ("patients", "followups", "consultations", "conversations", "metrics")
        and not hasattr(model, "pgh_tracked_model")
        and model not in (PatientMerge, AuditEvent)
    }
    found = {}
    with connection.cursor() as cursor:
        for table, key in tables.items():
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY t.{key}")
            rows = [json.loads(row, parse_float=str) for (row,) in cursor.fetchall()]
            if table == Patient._meta.db_table:
                for row in rows:
                    del row["version"], row["updated_at"]
            found[table] = rows
    return found


def of(patient: Patient) -> int:
    """Return how many registrations a record has."""
    return Registration.objects.filter(patient=patient).count()

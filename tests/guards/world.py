"""One of everything in a clinic, so that every address can be filled in.

A new route with an id in it needs a line in ADDRESSES; the guard tests say so when it is missing.
"""

from collections.abc import Callable
from functools import cached_property
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.images import ImageFile
from django.urls import URLPattern
from django.utils import timezone
from PIL import Image

from accounts.models import Clinic, Membership, Team, User
from accounts.permissions import Role
from accounts.services.invitations import issue_invitation
from consultations.form_links import Link, token_for
from consultations.models import (
    ConsultationForm,
    Exam,
    ExamFile,
    ExamKind,
    FormTemplate,
    Handoff,
    HandoffQuestion,
    Plan,
    PlanOption,
    Script,
    Visit,
)
from consultations.services.content import ensure_builtin_content
from consultations.services.forms import start_form
from consultations.stages import Stage
from followups.models import Appointment, Room
from patients.models import ImportJob, Patient
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    MembershipFactory,
    PatientFactory,
    RoomFactory,
    TeamFactory,
    UserFactory,
    VisitFactory,
)


class World:
    """A clinic with its objects, each made when first asked for."""

    def __init__(self) -> None:
        self.clinic: Clinic = ClinicFactory()
        ensure_builtin_content(self.clinic)

    @cached_property
    def member(self) -> Membership:
        return MembershipFactory(clinic=self.clinic, role=Role.NURSE)

    @cached_property
    def invitation(self) -> list[str]:
        """The two parts of an invitation's address."""
        return issue_invitation(membership=self.member, by=None).strip("/").split("/")[1:]

    @cached_property
    def form_token(self) -> str:
        """What opens the patient's own form."""
        form = self.visit.form
        ConsultationForm.objects.filter(pk=form.pk).update(consented_at=timezone.now())
        return token_for(Link(form.pk, form.link_key))

    @cached_property
    def team(self) -> Team:
        return TeamFactory(clinic=self.clinic)

    @cached_property
    def patient(self) -> Patient:
        return PatientFactory(clinic=self.clinic, phone=f"1990009{self.clinic.pk % 10_000:04d}")

    @cached_property
    def appointment(self) -> Appointment:
        return AppointmentFactory(clinic=self.clinic, patient=self.patient)

    @cached_property
    def room(self) -> Room:
        return RoomFactory(clinic=self.clinic)

    @cached_property
    def visit(self) -> Visit:
        received = {"stage": Stage.RECEIVED, "received_at": timezone.now(), "coordinator": self.someone}
        visit: Visit = VisitFactory(clinic=self.clinic, patient=self.patient, **received)
        self.__dict__["visit"] = visit  # what belongs to it is made with it
        start_form(visit=visit, by=self.someone)
        assert self.question
        assert self.option
        return visit

    @cached_property
    def exam_kind(self) -> ExamKind:
        return ExamKind.objects.for_clinic(self.clinic).first()

    @cached_property
    def exam_file(self) -> ExamFile:
        exam = Exam.objects.create(visit=self.visit, kind=self.exam_kind, ordered_by=self.someone)
        picture, small = (ImageFile(BytesIO(pixel()), name="one.png") for _ in range(2))
        facts = {"sha256": "0" * 64, "uploaded_by": self.someone}
        return ExamFile.objects.create(exam=exam, image=picture, thumbnail=small, **facts)

    @cached_property
    def question(self) -> HandoffQuestion:
        handoff = Handoff.objects.create(visit=self.visit)
        return HandoffQuestion.objects.create(handoff=handoff, question="?", asked_by=self.someone)

    @cached_property
    def option(self) -> PlanOption:
        plan = Plan.objects.create(visit=self.visit, made_by=self.someone, finished_at=timezone.now())
        return PlanOption.objects.create(plan=plan, name="A")

    @cached_property
    def someone(self) -> User:
        return UserFactory(clinic=self.clinic)

    @cached_property
    def script(self) -> Script:
        return Script.objects.for_clinic(self.clinic).first()

    @cached_property
    def form_template(self) -> FormTemplate:
        return FormTemplate.objects.for_clinic(self.clinic).first()

    @cached_property
    def import_job(self) -> ImportJob:
        sheet = ContentFile("姓名,手机\n沈雨薇,19900001734\n".encode(), name="patients.csv")
        return ImportJob.objects.create(
            clinic=self.clinic, created_by=self.someone, file=sheet, original_name="patients.csv"
        )


def pixel() -> bytes:
    """The smallest picture."""
    buffer = BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "PNG")
    return buffer.getvalue()


# (beginning of the route, name in the route) → what fills it. The longest beginning counts.
ADDRESSES: dict[tuple[str, str], Callable[[World], Any]] = {
    ("appointments/", "pk"): lambda w: w.appointment.pk,
    ("check-in/", "pk"): lambda w: w.patient.pk,
    ("clinics/", "pk"): lambda w: w.clinic.pk,
    ("content/exams/", "pk"): lambda w: w.exam_kind.pk,
    ("content/forms/", "pk"): lambda w: w.form_template.pk,
    ("content/scripts/", "pk"): lambda w: w.script.pk,
    ("doctor/", "pk"): lambda w: w.visit.pk,
    ("exam-files/", "pk"): lambda w: w.exam_file.pk,
    ("f/", "number"): lambda w: 1,
    ("f/", "token"): lambda w: w.form_token,
    ("invitation/", "token"): lambda w: w.invitation[1],
    ("invitation/", "uid"): lambda w: w.invitation[0],
    ("patients/", "pk"): lambda w: w.patient.pk,
    ("patients/import/", "pk"): lambda w: w.import_job.pk,
    ("staff/", "pk"): lambda w: w.member.pk,
    ("staff/teams/", "pk"): lambda w: w.team.pk,
    ("today/visits/", "pk"): lambda w: w.visit.pk,
    ("today/visits/", "step"): lambda w: "receive",
    ("visits/", "option"): lambda w: w.option.pk,
    ("visits/", "point"): lambda w: "price",
    ("visits/", "question"): lambda w: w.question.pk,
    ("visits/", "pk"): lambda w: w.visit.pk,
    ("visits/", "code"): lambda w: "wechat",
    ("visits/", "kind"): lambda w: w.exam_kind.pk,
    ("visits/", "file"): lambda w: w.exam_file.pk,
}


def fill(route: str, pattern: URLPattern, world: World) -> dict[str, Any]:
    """Return values for everything that the route leaves open; fails naming what ADDRESSES lacks."""
    values = {}
    for name in pattern.pattern.converters:
        known = [begin for begin, key in ADDRESSES if key == name and route.startswith(begin)]
        assert known, f'{route}: tests/guards/world.py has no ADDRESSES entry for "{name}"'
        values[name] = ADDRESSES[max(known, key=len), name](world)
    return values

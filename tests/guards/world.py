"""One of everything in a clinic, so that every address can be filled in.

A new route with an id in it needs a line in ADDRESSES; the guard tests say so when it is missing.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import cached_property
from io import BytesIO
from typing import Any

from allauth.usersessions.models import UserSession
from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.images import ImageFile
from django.urls import URLPattern
from django.utils import timezone
from PIL import Image

from accounts.models import ApiToken, Clinic, Membership, Team, User
from accounts.permissions import Role
from accounts.services.invitations import issue_invitation
from accounts.services.tokens import create_service_account, create_token
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
    Refund,
    Script,
    Visit,
)
from consultations.services.content import ensure_builtin_content
from consultations.services.forms import start_form
from consultations.stages import Stage
from conversations.models import Appeal, Capture, CapturedContact, CoachingNote, Conversation, Finding
from conversations.services.captures import build_contact
from conversations.services.rule_sets import start_preview
from conversations.services.webhooks import make_key
from followups.models import (
    Absence,
    Appointment,
    Campaign,
    Contact,
    Hook,
    HookDelivery,
    HookEvent,
    Material,
    Message,
    Room,
    SenderAccount,
    StandIn,
    Task,
    WaitingEntry,
)
from followups.services.complaints import NewComplaint, take
from followups.services.feeds import make_feed
from followups.services.handing_over import hand_over
from followups.services.hooks import save_hook
from followups.services.messaging import callback_token
from followups.services.standing_in import stand_in
from metrics.etiquette_audio import Recording
from metrics.etiquette_rules import BUILTIN, YES
from metrics.models import EtiquetteInspection, InspectionRecording, Snapshot
from metrics.services.etiquette import inspect
from metrics.services.etiquette_recordings import keep
from patients.models import (
    CareAction,
    ClassAudit,
    ClassAuditItem,
    ClassChange,
    ClassSuggestion,
    ComplaintCase,
    Consent,
    ImportJob,
    Patient,
    PatientMerge,
    PublicLink,
    Referral,
    ReferralThanks,
)
from patients.services.referral_links import link_for
from tests.factories import (
    AppointmentFactory,
    ClassChangeFactory,
    ClinicFactory,
    ConversationFactory,
    FindingFactory,
    MembershipFactory,
    PatientFactory,
    ReferralFactory,
    RoomFactory,
    TaskFactory,
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
    def program(self) -> Membership:
        """The account of another program."""
        user = create_service_account(clinic=self.clinic, name="?", role=Role.NURSE, by=None)
        return Membership.objects.get(user=user)

    @cached_property
    def hook(self) -> Hook:
        told = {"name": "?", "url": "http://127.0.0.1:9/", "events": HookEvent.values, "is_active": True}
        return save_hook(clinic=self.clinic, by=self.someone, **told)[0]

    @cached_property
    def hook_delivery(self) -> HookDelivery:
        payload = {"event": HookEvent.VISIT_CLOSED.value}
        return HookDelivery.objects.create(hook=self.hook, event=HookEvent.VISIT_CLOSED, payload=payload)

    @cached_property
    def token(self) -> ApiToken:
        row, _secret = create_token(user=self.program.user, name="?", by=None)
        return row

    @cached_property
    def consent(self) -> Consent:
        facts = {"purpose": "contact", "given": True, "by": self.someone}
        return Consent.objects.create(clinic=self.clinic, patient=self.patient, **facts)

    @cached_property
    def referral(self) -> Referral:
        return ReferralFactory(clinic=self.clinic, referrer=self.patient, referred=PatientFactory(clinic=self.clinic))

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
    def feed_token(self) -> str:
        """The secret part of a calendar feed's link."""
        return make_feed(user=self.someone, clinic=self.clinic, by=self.someone)

    @cached_property
    def material(self) -> Material:
        return Material.objects.create(clinic=self.clinic, kind=Material.Kind.SYMPTOM, title="?", body="?")

    @cached_property
    def campaign(self) -> Campaign:
        return Campaign.objects.create(clinic=self.clinic, name="?", text="?", starts_at=timezone.now())

    @cached_property
    def task(self) -> Task:
        return TaskFactory(clinic=self.clinic, patient=self.patient)

    @cached_property
    def contact(self) -> Contact:
        facts = {"task": self.task, "channel": "phone", "outcome": "reached", "by": self.someone}
        return Contact.objects.create(clinic=self.clinic, patient=self.patient, **facts)

    @cached_property
    def batch(self) -> str:
        """What names an act of handing over."""
        TaskFactory(clinic=self.clinic, patient=self.patient, owner=self.someone)
        made = hand_over(
            clinic=self.clinic, away=self.someone, to=UserFactory(clinic=self.clinic), reason="?", by=self.someone
        )
        return made.batch

    @cached_property
    def stand_in(self) -> StandIn:
        until = self.clinic.today() + timedelta(days=9)
        facts = {"until": until, "batch": "b", "reason": "?", "by": self.someone}
        return stand_in(clinic=self.clinic, away=self.someone, to=UserFactory(clinic=self.clinic), **facts)

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
    def message(self) -> Message:
        now = timezone.now()
        return Message.objects.create(
            clinic=self.clinic, patient=self.patient, channel="sms", purpose="care", subject="x", due_at=now,
            not_before=now,
        )  # fmt: skip

    @cached_property
    def merge(self) -> PatientMerge:
        loser = PatientFactory(clinic=self.clinic)
        return PatientMerge.objects.create(clinic=self.clinic, winner=self.patient, loser=loser)

    @cached_property
    def sender(self) -> SenderAccount:
        return SenderAccount.objects.create(clinic=self.clinic, channel="webhook", provider="webhook")

    @cached_property
    def room(self) -> Room:
        return RoomFactory(clinic=self.clinic)

    @cached_property
    def waiting(self) -> WaitingEntry:
        day = self.clinic.today()
        facts = {"kind": "recheck", "from_day": day, "until_day": day + timedelta(days=14)}
        return WaitingEntry.objects.create(clinic=self.clinic, patient=self.patient, **facts)

    @cached_property
    def class_change(self) -> ClassChange:
        return ClassChangeFactory(clinic=self.clinic, patient=self.patient, new_class="C-E", by=self.someone)

    @cached_property
    def class_suggestion(self) -> ClassSuggestion:
        classes = {"old_class": "C-E", "new_class": "C-D"}
        return ClassSuggestion.objects.create(
            clinic=self.clinic, patient=self.patient, reason="return visit", **classes
        )

    @cached_property
    def care_action(self) -> CareAction:
        return CareAction.objects.create(clinic=self.clinic, patient=self.patient, kind="tbi")

    @cached_property
    def class_audit(self) -> ClassAudit:
        facts = {"month": self.clinic.today().replace(day=1), "size": 1, "seed": 1}
        audit: ClassAudit = ClassAudit.objects.create(clinic=self.clinic, coordinator=self.someone, **facts)
        ClassAuditItem.objects.create(audit=audit, class_change=self.class_change, position=1)
        return audit

    @cached_property
    def absence(self) -> Absence:
        start = timezone.now() + timedelta(days=3)
        return Absence.objects.create(clinic=self.clinic, starts_at=start, ends_at=start + timedelta(hours=2))

    @cached_property
    def absence_token(self) -> str:
        """What brings a deleted absence back."""
        now = timezone.now()
        told = {"clinic": self.clinic.pk, "doctor": None, "room": None, "kind": "closed", "note": ""}
        times = {"starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=1)).isoformat()}
        return signing.dumps(told | times, salt="absence")

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
    def inspection(self) -> EtiquetteInspection:
        answers = dict.fromkeys((item.code for item in BUILTIN["visit"]), YES)
        manager = UserFactory(clinic=self.clinic, role=Role.MANAGER)
        return inspect(subject=self.visit, answers=answers, version=1, note="?", by=manager)

    @cached_property
    def recording(self) -> InspectionRecording:
        sound = Recording(b"RIFF....WAVE", "audio/wav", "wav", "0" * 64)
        return keep(inspection=self.inspection, recording=sound, by=self.someone)

    @cached_property
    def refund(self) -> Refund:
        case = self.visit.consultation
        return Refund.objects.create(clinic=self.clinic, consultation=case, amount=100, reason="?", by=self.someone)

    @cached_property
    def session(self) -> UserSession:
        facts = {"user": self.someone, "ip": "192.0.2.7", "user_agent": "?", "session_key": f"w{self.clinic.pk}"}
        return UserSession.objects.create(**facts)

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
    def complaint(self) -> ComplaintCase:
        details = NewComplaint(category="waiting", what="等了很久", source="phone")
        return take(clinic=self.clinic, details=details, patient=self.patient, by=self.someone)

    @cached_property
    def complaint_link(self) -> PublicLink:
        return link_for(clinic=self.clinic, purpose="complaint", by=self.someone)

    @cached_property
    def referral_link(self) -> PublicLink:
        return link_for(clinic=self.clinic, purpose="referral", patient=self.patient, by=self.someone)

    @cached_property
    def thanks(self) -> ReferralThanks:
        referred = PatientFactory(clinic=self.clinic)
        facts = {"clinic": self.clinic, "referrer": self.patient, "referred": referred}
        return ReferralThanks.objects.create(clinic=self.clinic, referral=ReferralFactory(**facts))

    @cached_property
    def snapshot(self) -> Snapshot:
        facts = {"month": date(2026, 1, 1), "as_of": timezone.now(), "definitions": "1"}
        return Snapshot.objects.create(clinic=self.clinic, **facts)

    @cached_property
    def chat(self) -> Conversation:
        lines = [("visitor", "种牙疼吗"), ("consultant", "难道你不知道吗")]
        chat: Conversation = ConversationFactory(clinic=self.clinic, consultant=self.someone, lines=lines)
        build_contact(Capture.objects.create(conversation=chat), "wechat", "hello_1990").save()
        return chat

    @cached_property
    def captured(self) -> CapturedContact:
        return CapturedContact.objects.get(capture__conversation=self.chat)

    @cached_property
    def chat_import(self) -> ImportJob:
        rows = ContentFile("会话ID,时间,发送者,内容\n1,2026-11-20 10:00:00,访客1,您好\n".encode(), name="chats.csv")
        facts = {"created_by": self.someone, "file": rows, "original_name": "chats.csv", "kind": "conversations"}
        return ImportJob.objects.create(clinic=self.clinic, **facts)

    @cached_property
    def appointment_import(self) -> ImportJob:
        rows = "患者,电话,预约日期,开始时间,结束时间,状态\n沈雨薇,19900001734,2026-11-20,10:00,10:30,已到\n"
        facts = {"created_by": self.someone, "original_name": "book.csv", "kind": "appointments"}
        return ImportJob.objects.create(clinic=self.clinic, file=ContentFile(rows.encode(), name="book.csv"), **facts)

    @cached_property
    def finding(self) -> Finding:
        message = self.chat.messages.get(position=1)
        return FindingFactory(conversation=self.chat, code="taboo.rhetorical", message=message)

    @cached_property
    def appeal(self) -> Appeal:
        return Appeal.objects.create(finding=self.finding, text="?", made_by=self.someone)

    @cached_property
    def coaching(self) -> CoachingNote:
        facts = {"consultant": self.someone, "text": "?", "created_by": self.someone}
        return CoachingNote.objects.create(conversation=self.chat, **facts)

    @cached_property
    def rules_preview(self) -> str:
        """What a preview of rules is asked by; it is its maker's alone."""
        return start_preview(clinic=self.clinic, data={}, by=self.someone)

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
    ("appointments/import/", "pk"): lambda w: w.appointment_import.pk,
    ("calendar/feed/", "token"): lambda w: w.feed_token,
    ("campaigns/", "pk"): lambda w: w.campaign.pk,
    ("c/", "code"): lambda w: w.complaint_link.code,
    ("check-in/", "pk"): lambda w: w.patient.pk,
    ("clinics/", "pk"): lambda w: w.clinic.pk,
    ("conversations/", "pk"): lambda w: w.chat.pk,
    ("conversations/appeals/", "pk"): lambda w: w.appeal.pk,
    ("conversations/contacts/", "pk"): lambda w: w.captured.pk if w.chat else None,
    ("conversations/import/", "pk"): lambda w: w.chat_import.pk,
    ("conversations/webhook/", "key"): lambda w: make_key(clinic=w.clinic, by=w.someone).key,
    ("conversations/coaching/", "pk"): lambda w: w.coaching.pk,
    ("conversations/findings/", "pk"): lambda w: w.finding.pk,
    ("conversations/fronts/", "pk"): lambda w: w.someone.pk,
    ("conversations/rules/preview/", "token"): lambda w: w.rules_preview,
    ("conversations/rules/versions/", "version"): lambda w: 0,
    ("me/security/sessions/", "pk"): lambda w: w.session.pk,
    ("settings/", "what"): lambda w: "schedule_settings",
    ("contacts/", "pk"): lambda w: w.contact.pk,
    ("complaints/", "pk"): lambda w: w.complaint.pk,
    ("content/exams/", "pk"): lambda w: w.exam_kind.pk,
    ("content/forms/", "pk"): lambda w: w.form_template.pk,
    ("content/readings/", "pk"): lambda w: w.material.pk,
    ("content/scripts/", "pk"): lambda w: w.script.pk,
    ("doctor/", "pk"): lambda w: w.visit.pk,
    ("etiquette/", "pk"): lambda w: w.inspection.pk,
    ("etiquette/calls/", "pk"): lambda w: w.contact.pk,
    ("etiquette/recordings/", "pk"): lambda w: w.recording.pk,
    ("etiquette/rubrics/", "kind"): lambda w: "visit",
    ("etiquette/visits/", "pk"): lambda w: w.visit.pk,
    ("exam-files/", "pk"): lambda w: w.exam_file.pk,
    ("f/", "number"): lambda w: 1,
    ("f/", "token"): lambda w: w.form_token,
    ("invitation/", "token"): lambda w: w.invitation[1],
    ("invitation/", "uid"): lambda w: w.invitation[0],
    ("merges/", "pk"): lambda w: w.merge.pk,
    ("api/problems/", "slug"): lambda w: "conflict",
    ("api/v1/care/", "pk"): lambda w: w.care_action.pk,
    ("api/v1/classes/", "pk"): lambda w: w.class_change.pk,
    ("api/v1/clinics/", "pk"): lambda w: w.clinic.pk,
    ("api/v1/complaints/", "pk"): lambda w: w.complaint.pk,
    ("api/v1/consents/", "pk"): lambda w: w.consent.pk,
    ("api/v1/patients/", "pk"): lambda w: w.patient.pk,
    ("api/v1/referrals/", "pk"): lambda w: w.referral.pk,
    ("api/v1/appeals/", "pk"): lambda w: w.appeal.pk,
    ("api/v1/appointments/", "pk"): lambda w: w.appointment.pk,
    ("api/v1/consultations/", "pk"): lambda w: w.visit.consultation_id,
    ("api/v1/contacts/", "pk"): lambda w: w.contact.pk,
    ("api/v1/tasks/hand-over/", "batch"): lambda w: w.batch,
    ("api/v1/captured-contacts/", "pk"): lambda w: w.captured.pk if w.chat else None,
    ("api/v1/conversations/", "pk"): lambda w: w.chat.pk,
    ("api/v1/etiquette-rubrics/", "pk"): lambda w: w.inspection.rubric_id,
    ("api/v1/exam-files/", "pk"): lambda w: w.exam_file.pk,
    ("api/v1/exam-kinds/", "pk"): lambda w: w.exam_kind.pk,
    ("api/v1/exams/", "pk"): lambda w: w.exam_file.exam_id,
    ("api/v1/findings/", "pk"): lambda w: w.finding.pk,
    ("api/v1/forms/", "pk"): lambda w: w.visit.form.pk,
    ("api/v1/handoff-questions/", "pk"): lambda w: w.question.pk,
    ("api/v1/handoffs/", "pk"): lambda w: w.question.handoff_id,
    ("api/v1/inspections/", "pk"): lambda w: w.inspection.pk,
    ("api/v1/messages/", "pk"): lambda w: w.message.pk,
    ("api/v1/plans/", "pk"): lambda w: w.option.plan_id,
    ("api/v1/refunds/", "pk"): lambda w: w.refund.pk,
    ("api/v1/rooms/", "pk"): lambda w: w.room.pk,
    ("api/v1/tasks/", "pk"): lambda w: w.task.pk,
    ("api/v1/visits/", "pk"): lambda w: w.visit.pk,
    ("api/v1/waiting/", "pk"): lambda w: w.waiting.pk,
    ("api/v1/webhooks/", "pk"): lambda w: w.hook.pk,
    ("api/v1/webhook-deliveries/", "pk"): lambda w: w.hook_delivery.pk,
    ("api/v1/bulk/", "name"): lambda w: "visits",
    ("messages/webhooks/", "pk"): lambda w: w.hook.pk,
    ("messages/webhooks/deliveries/", "pk"): lambda w: w.hook_delivery.pk,
    ("api/v1/registrations/", "pk"): lambda w: w.patient.registrations.get(clinic=w.clinic).pk,
    ("me/api/", "pk"): lambda w: w.token.pk,
    ("staff/programs/", "pk"): lambda w: w.program.pk,
    ("api/v1/kpis/", "slug"): lambda w: "closing",
    ("kpis/", "slug"): lambda w: "closing",
    ("kpis/panels/", "slug"): lambda w: "matrix",
    ("kpis/frozen/", "pk"): lambda w: w.snapshot.pk,
    ("messages/callback/", "pk"): lambda w: w.sender.pk,
    ("messages/callback/", "token"): lambda w: callback_token(w.sender),
    ("messages/senders/", "channel"): lambda w: "sms",
    ("messages/texts/", "channel"): lambda w: "sms",
    ("messages/texts/", "language"): lambda w: "zh-hans",
    ("messages/texts/", "purpose"): lambda w: "care",
    ("outbox/", "pk"): lambda w: w.message.pk,
    ("patients/", "pk"): lambda w: w.patient.pk,
    ("patients/", "material"): lambda w: w.material.pk,
    ("patients/import/", "pk"): lambda w: w.import_job.pk,
    ("playbooks/", "code"): lambda w: "C-E",
    ("r/", "code"): lambda w: w.referral_link.code,
    ("referrals/thanks/", "pk"): lambda w: w.thanks.pk,
    ("schedule/absences/", "pk"): lambda w: w.absence.pk,
    ("schedule/absences/", "token"): lambda w: w.absence_token,
    ("schedule/rooms/", "pk"): lambda w: w.room.pk,
    ("staff/", "pk"): lambda w: w.member.pk,
    ("staff/teams/", "pk"): lambda w: w.team.pk,
    ("tasks/", "pk"): lambda w: w.task.pk,
    ("tasks/hand-over/", "batch"): lambda w: w.batch,
    ("tasks/stand-in/", "pk"): lambda w: w.stand_in.pk,
    ("today/visits/", "pk"): lambda w: w.visit.pk,
    ("today/visits/", "step"): lambda w: "receive",
    ("visits/", "option"): lambda w: w.option.pk,
    ("visits/", "point"): lambda w: "price",
    ("visits/", "refund"): lambda w: w.refund.pk,
    ("visits/", "question"): lambda w: w.question.pk,
    ("visits/", "pk"): lambda w: w.visit.pk,
    ("visits/", "code"): lambda w: "wechat",
    ("visits/", "kind"): lambda w: w.exam_kind.pk,
    ("visits/", "file"): lambda w: w.exam_file.pk,
    ("undecided/", "pk"): lambda w: w.patient.pk,
    ("undecided/moves/", "pk"): lambda w: w.class_change.pk,
    ("undecided/suggestions/", "pk"): lambda w: w.class_suggestion.pk,
    ("undecided/suggestions/", "answered"): lambda w: "dismiss",
    ("care/", "pk"): lambda w: w.care_action.pk,
    ("class-audits/", "pk"): lambda w: w.class_audit.pk,
    ("waiting/", "pk"): lambda w: w.waiting.pk,
}


def fill(route: str, pattern: URLPattern, world: World) -> dict[str, Any]:
    """Return values for everything that the route leaves open; fails naming what ADDRESSES lacks."""
    values = {}
    for name in pattern.pattern.converters:
        known = [begin for begin, key in ADDRESSES if key == name and route.startswith(begin)]
        assert known, f'{route}: tests/guards/world.py has no ADDRESSES entry for "{name}"'
        values[name] = ADDRESSES[max(known, key=len), name](world)
    return values

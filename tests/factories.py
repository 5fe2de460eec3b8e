"""Invented people and places for tests. Each app's part stands under its heading."""

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import Clinic, Membership, Team, User
from accounts.permissions import Role
from consultations.models import Consultation, Visit
from conversations.models import ChatMessage, Conversation, Finding
from followups.models import Appointment, Room, Task, TaskKind
from patients.models import ClassChange, Consent, Patient, PatientPhone, Referral, Registration

# --- accounts ----------------------------------------------------------------------------------

PASSWORD = "correct-horse-1"  # every UserFactory person's


class ClinicFactory(DjangoModelFactory[Clinic]):
    class Meta:
        model = Clinic
        skip_postgeneration_save = True

    code = factory.Sequence(lambda n: f"T{n}")
    name = factory.Sequence(lambda n: f"青禾口腔·第{n}门诊")


class TeamFactory(DjangoModelFactory[Team]):
    class Meta:
        model = Team

    clinic = factory.SubFactory(ClinicFactory)
    name = factory.Sequence(lambda n: f"咨询{n}组")


class UserFactory(DjangoModelFactory[User]):
    """A person who can sign in. `UserFactory(role=Role.DOCTOR, clinic=clinic)` gives them that role there.

    With a role and no clinic, a clinic is made; with a clinic and no role, they are its coordinator;
    with neither, they belong nowhere.
    """

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    full_name = factory.Sequence(lambda n: f"员工{n}")
    password = factory.django.Password(PASSWORD)

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        role, clinic = kwargs.pop("role", None), kwargs.pop("clinic", None)
        team = kwargs.pop("team", None)
        user: User = super()._create(model_class, *args, **kwargs)
        if role or clinic:
            MembershipFactory(user=user, clinic=clinic or ClinicFactory(), role=role or Role.COORDINATOR, team=team)
        return user


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    clinic = factory.SubFactory(ClinicFactory)
    role = Role.COORDINATOR


# --- patients ----------------------------------------------------------------------------------

SURNAMES, GIVEN = "沈孙邵周林许韩陶秦杜", "雨薇亦文月岚书瑶嘉木秀兰思远慕白若涵"


class PatientFactory(DjangoModelFactory[Patient]):
    """A person. `PatientFactory(clinic=clinic, phone="19900001734")` registers them there with that number;
    `reg_owner`, `reg_channel`, `reg_number` … go to the registration."""

    class Meta:
        model = Patient
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: SURNAMES[n % 10] + GIVEN[n % 18] + GIVEN[n // 18 % 18])
    sex = "f"

    @classmethod
    def _create(cls, model_class: type[Patient], *args: Any, **kwargs: Any) -> Patient:
        clinic, phone = kwargs.pop("clinic", None), kwargs.pop("phone", None)
        names = [name for name in kwargs if name.startswith("reg_")]
        of_registration = {name.removeprefix("reg_"): kwargs.pop(name) for name in names}
        patient: Patient = super()._create(model_class, *args, **kwargs)
        if clinic is not None:
            RegistrationFactory(patient=patient, clinic=clinic, **of_registration)
        if phone is not None:
            PhoneFactory(patient=patient, number=phone)
        return patient


class RegistrationFactory(DjangoModelFactory[Registration]):
    class Meta:
        model = Registration

    patient = factory.SubFactory(PatientFactory)
    clinic = factory.SubFactory(ClinicFactory)
    number = factory.Sequence(lambda n: f"T2604-{n:04d}")


class PhoneFactory(DjangoModelFactory[PatientPhone]):
    """A number of a person; numbers are taken from 199 0000 0000 to 199 0099 9999."""

    class Meta:
        model = PatientPhone

    patient = factory.SubFactory(PatientFactory)
    number = factory.Sequence(lambda n: f"1990{n:07d}")

    @classmethod
    def _create(cls, model_class: type[PatientPhone], *args: Any, **kwargs: Any) -> PatientPhone:
        number = kwargs.pop("number")
        phone = model_class.build(kwargs.pop("patient"), number, **kwargs)
        phone.save()
        return phone


class ReferralFactory(DjangoModelFactory[Referral]):
    class Meta:
        model = Referral

    clinic = factory.SubFactory(ClinicFactory)
    referrer = factory.SubFactory(PatientFactory)
    referred = factory.SubFactory(PatientFactory)


class ConsentFactory(DjangoModelFactory[Consent]):
    class Meta:
        model = Consent

    clinic = factory.SubFactory(ClinicFactory)
    patient = factory.SubFactory(PatientFactory)
    purpose = "contact"
    given = True


class ClassChangeFactory(DjangoModelFactory[ClassChange]):
    class Meta:
        model = ClassChange

    clinic = factory.SubFactory(ClinicFactory)
    patient = factory.SubFactory(PatientFactory)
    new_class = "C-E"


# --- appointments and visits --------------------------------------------------------------------


class RoomFactory(DjangoModelFactory[Room]):
    class Meta:
        model = Room

    clinic = factory.SubFactory(ClinicFactory)
    name = factory.Sequence(lambda n: f"{n} 诊室")


class AppointmentFactory(DjangoModelFactory[Appointment]):
    """An appointment tomorrow at ten, with a doctor of the clinic; its patient is registered there."""

    class Meta:
        model = Appointment

    clinic = factory.SubFactory(ClinicFactory)
    patient = factory.SubFactory(PatientFactory, clinic=factory.SelfAttribute("..clinic"))
    doctor = factory.SubFactory(UserFactory, clinic=factory.SelfAttribute("..clinic"), role=Role.DOCTOR)
    kind = Appointment.Kind.RECHECK
    starts_at = factory.LazyAttribute(lambda o: o.clinic.day_bounds(o.clinic.today())[1] + timedelta(hours=10))
    ends_at = factory.LazyAttribute(lambda o: o.starts_at + timedelta(minutes=30))


class VisitFactory(DjangoModelFactory[Visit]):
    """A visit that has just arrived. With a later `stage` the facts up to there are the test's to give."""

    class Meta:
        model = Visit

    clinic = factory.SubFactory(ClinicFactory)
    patient = factory.SubFactory(PatientFactory, clinic=factory.SelfAttribute("..clinic"))
    consultation = factory.LazyAttribute(
        lambda o: Consultation.objects.create(clinic=o.clinic, patient=o.patient, complaint_text="左下后牙缺失一年")
    )


# --- tasks ---------------------------------------------------------------------------------------


class TaskFactory(DjangoModelFactory[Task]):
    """An open task, due an hour ago unless said otherwise."""

    class Meta:
        model = Task

    clinic = factory.SubFactory(ClinicFactory)
    patient = factory.LazyAttribute(lambda task: PatientFactory(clinic=task.clinic))
    kind = TaskKind.KEEP_IN_TOUCH
    title = "问候"
    due_at = factory.LazyFunction(lambda: timezone.now() - timedelta(hours=1))


# --- conversations --------------------------------------------------------------------------------


class ConversationFactory(DjangoModelFactory[Conversation]):
    """A chat of yesterday. `lines=[("visitor", "种牙疼吗"), ("consultant", "在的", 75)]` are its messages, each with the
    seconds since the one before it (20 unless said); the consultant's are `consultant`'s."""

    class Meta:
        model = Conversation
        skip_postgeneration_save = True

    clinic = factory.SubFactory(ClinicFactory)
    source_key = factory.Sequence(lambda n: f"chat-{n}")
    content_hash = ""
    channel = "百度"
    keyword = factory.Sequence(lambda n: f"种植牙多少钱{n}")
    cost = 150
    visitor_name = factory.Sequence(lambda n: f"访客{n}")
    started_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=1))
    ended_at = factory.LazyAttribute(lambda chat: chat.started_at)

    @classmethod
    def _create(cls, model_class: type[Conversation], *args: Any, **kwargs: Any) -> Conversation:
        lines = kwargs.pop("lines", ())
        chat: Conversation = super()._create(model_class, *args, **kwargs)
        at, rows = chat.started_at, []
        for position, (sender, text, *waited) in enumerate(lines):
            at += timedelta(seconds=waited[0] if waited else 20)
            said_by = chat.consultant if sender == "consultant" else None
            facts = {"position": position, "at": at, "sender": sender, "text": text, "user": said_by}
            rows.append(ChatMessage(conversation=chat, **facts))
        ChatMessage.objects.bulk_create(rows)
        if rows:
            chat.message_count, chat.ended_at = len(rows), at
            chat.visitor_messages = sum(row.sender == "visitor" for row in rows)
            chat.save()
        return chat


class FindingFactory(DjangoModelFactory[Finding]):
    """Something the rules found in a chat, on the whole of it unless a message is given."""

    class Meta:
        model = Finding

    conversation = factory.SubFactory(ConversationFactory)
    code = "not_invited"
    user = factory.SelfAttribute("conversation.consultant")

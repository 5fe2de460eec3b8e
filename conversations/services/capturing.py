"""From a chat into the CRM: a captured contact becomes a patient or joins one, an agreed time an appointment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import AuditEvent, Clinic, User
from accounts.permissions import Permission
from conversations.models import Capture, CapturedContact, Conversation
from conversations.services.captures import build_contact
from conversations.services.slots import book_somewhere
from followups.errors import Refused
from followups.models import Appointment, Room
from followups.services import booking
from followups.services.wechat import add_wechat
from patients.models import Channel, Patient, Registration
from patients.services import NewPatient, register_in_clinic, register_patient, update_patient
from patients.services.taking_back import take_back_registration

Kind = CapturedContact.Kind
LOCK_CONVERSATION = True  # tests take it away to see that it is what keeps two people from taking over twice


@dataclass(frozen=True)
class Wish:
    """What somebody wants made of a chat.

    patient: whom to join, None for whoever the number says, or a new person when it says nobody;
    new_person: a new one even though somebody has the number; starts_at: None for no appointment;
    doctor, room: anyone who is free unless said; insist: outside the working hours too.
    """

    name: str = ""
    patient: Patient | None = None
    new_person: bool = False
    starts_at: datetime | None = None
    doctor: User | None = None
    room: Room | None = None
    insist: bool = False


@dataclass(frozen=True)
class TakenOver:
    """What came of it. `done_before`: somebody had done it already, nothing was written now."""

    patient: Patient
    appointment: Appointment | None
    is_new: bool = False
    done_before: bool = False


def visible(user: User, clinic: Clinic) -> Any:
    """Return the captures that a person may work on: their own, or all where they read every chat."""
    rows = Capture.objects.for_clinic(clinic).filter(conversation__is_error=False)
    if user.may(Permission.SCORE_CONVERSATIONS, clinic):
        return rows
    return rows.filter(Q(conversation__consultant=user) | Q(contacts__user=user) | Q(booking_user=user)).distinct()


def candidates(conversation: Conversation) -> list[Patient]:
    """Return who has a captured number exactly, in the whole group, or the WeChat or QQ in this clinic."""
    contacts = list(CapturedContact.objects.filter(capture__conversation=conversation))
    phones = [bytes(c.value_index) for c in contacts if c.kind == Kind.PHONE]
    who = Q(phones__number_index__in=phones)
    here = Registration.objects.for_clinic(conversation.clinic).values("patient")
    for contact in contacts:
        if contact.kind != Kind.PHONE:
            field = "wechat_id" if contact.kind == Kind.WECHAT else "qq"
            who |= Q(**{f"{field}__iexact": contact.value, "pk__in": here})
    return list(Patient.objects.living().filter(who).distinct().order_by("pk")[:20]) if contacts else []


@transaction.atomic
def take_over(*, conversation: Conversation, wish: Wish, by: User) -> TakenOver:
    """Make a patient, and an appointment where one is wished for, of what a chat captured; all of it or nothing.

    Twice, or by two people at once, makes one: the second gets what the first made. Channel, keyword and cost are
    carried on. Raises: Refused when nothing was captured, no name is given, or several people have the number and
    nobody is chosen; SlotTaken, ClosedThen with the nearest free times; Busy.
    """
    fresh = _locked(conversation)
    if fresh.patient is not None and (fresh.appointment is not None or wish.starts_at is None):
        return TakenOver(fresh.patient, fresh.appointment, done_before=True)
    contacts = list(CapturedContact.objects.filter(capture__conversation=fresh))
    patient, is_new = fresh.patient, False
    if patient is None:
        patient, is_new = _patient(fresh, contacts, wish, by)
    _carry_contacts(patient, fresh, contacts, by)
    appointment = fresh.appointment
    if wish.starts_at is not None:
        appointment = book_somewhere(
            clinic=fresh.clinic, patient=patient, starts_at=wish.starts_at, doctor=wish.doctor, room=wish.room,
            insist=wish.insist, purpose=fresh.keyword, by=by,
        )  # fmt: skip
    Conversation.objects.filter(pk=fresh.pk).update(patient=patient, appointment=appointment)
    record(
        action="capture_taken_over", clinic=fresh.clinic, by=by, subject=fresh, patient=patient.pk, new=is_new,
        appointment=appointment.pk if appointment else None, channel=fresh.channel, words=fresh.keyword,
        cost=str(fresh.cost) if fresh.cost is not None else "",
    )  # fmt: skip
    return TakenOver(patient, appointment, is_new)


def _locked(conversation: Conversation) -> Conversation:
    """Return the chat, locked. What it refers to is read after the lock is held: a join would show it as it was before."""
    rows = Conversation.objects.all()
    if LOCK_CONVERSATION:
        rows = rows.select_for_update(no_key=True)
    fresh: Conversation = rows.get(pk=conversation.pk)
    if fresh.appointment is not None and fresh.appointment.status in Appointment.FREE:
        fresh.appointment = None  # it was cancelled since: another may be booked
    return fresh


def _patient(conversation: Conversation, contacts: list[CapturedContact], wish: Wish, by: User) -> tuple[Patient, bool]:
    """Return whom the contact belongs to, registered here, and whether they are new."""
    if not contacts:
        raise Refused(_("No contact was captured in this chat."))
    known = candidates(conversation)
    chosen = wish.patient
    if chosen is not None and chosen not in known:
        raise Refused(_("This person has another number."), field="patient")
    if chosen is None and not wish.new_person:
        if len(known) > 1:
            raise Refused(_("Several people have this number. Choose one."), field="patient")
        chosen = known[0] if known else None
    if chosen is None:
        if not wish.name.strip():
            raise Refused(_("Say what the visitor is called."), field="name")
        return _register(conversation, contacts, wish.name.strip(), by), True
    return _join(conversation, chosen, contacts, by), False


def detail_of(conversation: Conversation) -> str:
    """Return channel, keyword and cost in words, for the registration."""
    cost = f"¥{conversation.cost.normalize():f}" if conversation.cost is not None else ""
    return " · ".join(part for part in (conversation.channel, conversation.keyword, cost) if part)[:120]


def _register(conversation: Conversation, contacts: list[CapturedContact], name: str, by: User) -> Patient:
    details = NewPatient(
        name=name[:120],
        phones=[(c.value, "") for c in contacts if c.kind == Kind.PHONE],
        channel=Channel.ONLINE_CHAT,
        channel_detail=detail_of(conversation),
        complaint=conversation.keyword[:200],
    )
    return register_patient(clinic=conversation.clinic, details=details, by=by).patient


def _join(conversation: Conversation, patient: Patient, contacts: list[CapturedContact], by: User) -> Patient:
    """Register a known person here too, by the number that proves them; where they came from is never overwritten."""
    here = Registration.objects.for_clinic(conversation.clinic).filter(patient=patient).first()
    if here is None:
        held = {bytes(index) for index in patient.phones.values_list("number_index", flat=True)}
        phone = next((c.value for c in contacts if bytes(c.value_index) in held), "")
        here = register_in_clinic(patient=patient, clinic=conversation.clinic, phone=phone, by=by)
    if not here.channel:
        here.channel, here.channel_detail = Channel.ONLINE_CHAT, here.channel_detail or detail_of(conversation)
        here.save(update_fields=["channel", "channel_detail"])
    return patient


def _carry_contacts(patient: Patient, conversation: Conversation, contacts: list[CapturedContact], by: User) -> None:
    """Write WeChat and QQ where none is known; a WeChat that was added already counts as linked (KPI 8)."""
    given = {("wechat_id" if c.kind == Kind.WECHAT else "qq"): c for c in contacts if c.kind != Kind.PHONE}
    lacking = {
        name: c.value[: 64 if name == "wechat_id" else 20] for name, c in given.items() if not getattr(patient, name)
    }
    if lacking:
        here = Registration.objects.get(clinic=conversation.clinic, patient=patient)
        version = Patient.objects.values_list("version", flat=True).get(pk=patient.pk)
        update_patient(registration=here, values=lacking, version=version, by=by)
    if any(c.kind == Kind.WECHAT and c.added_at for c in contacts):
        add_wechat(patient=patient, clinic=conversation.clinic, by=by)


@transaction.atomic
def undo_take_over(*, conversation: Conversation, by: User) -> bool:
    """Take it back: the booking (within ten minutes, by who made it), and the chat's tie to the patient.

    Whom the chat made new goes too, if nothing came of it since; returns whether they did. Raises: Refused, Outdated
    from the booking; nothing is written then.
    """
    fresh = _locked(conversation)
    if fresh.patient is None:
        return False
    patient = fresh.patient
    if fresh.appointment is not None:
        booking.undo(appointment=fresh.appointment, by=by)
    Conversation.objects.filter(pk=fresh.pk).update(patient=None, appointment=None)
    record(action="capture_undone", clinic=fresh.clinic, by=by, subject=fresh, patient=patient.pk)
    return _unregister(fresh, patient, by)


def _unregister(conversation: Conversation, patient: Patient, by: User) -> bool:
    """Take back the registration that taking this chat over made."""
    taken = AuditEvent.objects.filter(
        clinic=conversation.clinic, action="capture_taken_over", subject="conversation", subject_id=conversation.pk
    )
    made = taken.order_by("-at").first()
    if made is None or not made.detail.get("new") or made.detail.get("patient") != patient.pk:
        return False
    here = Registration.objects.get(clinic=conversation.clinic, patient=patient)
    return take_back_registration(registration=here, since=made.at, by=by)


@transaction.atomic
def correct(*, capture: Capture, values: Mapping[str, str], booking_at: datetime | None, by: User) -> None:
    """Write what was really captured; inspecting again leaves it alone from then on. Logged, without the values.

    Args: values: by kind of contact, "" for none.
    """
    fresh = (
        Capture.objects.select_for_update(of=("self",), no_key=True).select_related("conversation").get(pk=capture.pk)
    )
    contacts = list(fresh.contacts.order_by("pk"))  # of a kind the last is shown; one that was filed before it stays
    held, places = {one.kind: one for one in contacts}, {(one.kind, one.value) for one in contacts}
    changed = []
    for kind, value in values.items():
        there = held.get(kind)
        if (there.value if there is not None else "") == value:
            continue
        changed.append(kind)
        if there is not None:
            there.delete()
        if value and (kind, value) not in places:
            _captured_instead(fresh, kind, value, there)
    if fresh.booking_at != booking_at:
        changed.append("booking")
        fresh.booking_at = booking_at
        fresh.booking_user = (fresh.booking_user or fresh.conversation.consultant) if booking_at else None
    fresh.corrected_at, fresh.corrected_by = timezone.now(), by
    fresh.save()
    if changed:
        record(action="capture_corrected", clinic=fresh.conversation.clinic, by=by, subject=fresh, fields=changed)


def _captured_instead(capture: Capture, kind: str, value: str, former: CapturedContact | None) -> None:
    contact = build_contact(capture, kind, value)
    contact.message, contact.user = (former.message, former.user) if former else (None, capture.conversation.consultant)
    if former is not None:  # they were added as they really are, whatever was read in the chat
        contact.group_name, contact.remark, contact.added_at = former.group_name, former.remark, former.added_at
    contact.save()


@transaction.atomic
def file_contact(*, contact: CapturedContact, group_name: str, remark: str, by: User) -> CapturedContact:
    """Put a contact into its group with its remark: only so is it kept ([S2]); the first time says when it was added."""
    fresh: CapturedContact = CapturedContact.objects.select_for_update(of=("self",), no_key=True).get(pk=contact.pk)
    fresh.group_name, fresh.remark = group_name.strip()[:60], remark.strip()[:120]
    fresh.added_at = fresh.added_at or timezone.now()
    fresh.save(update_fields=["group_name", "remark", "added_at"])
    conversation = fresh.capture.conversation
    if fresh.kind == Kind.WECHAT and conversation.patient is not None:
        add_wechat(patient=conversation.patient, clinic=conversation.clinic, by=by)
    return fresh


@transaction.atomic
def reveal(*, contact: CapturedContact, clinic: Clinic, by: User) -> str:
    """Return a contact in full, and log who opened it."""
    record(action="captured_contact_revealed", clinic=clinic, by=by, subject=contact, kind=contact.kind)
    return contact.value

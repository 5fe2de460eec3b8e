"""From a chat into the CRM: one gesture, once, by whoever is quicker."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from accounts.permissions import Role
from conversations.models import Capture, CapturedContact
from conversations.services import capturing
from conversations.services.captures import build_contact
from conversations.services.capturing import Wish, correct, file_contact, take_over, undo_take_over
from followups.errors import ClosedThen, Refused, SlotTaken
from followups.models import Appointment
from patients.models import Patient, PatientPhone, Registration
from patients.services import NewPatient, register_patient, update_patient
from tests.factories import AppointmentFactory, ClinicFactory, ConversationFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db
PHONE = "19900001234"


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def by(clinic):
    return UserFactory(clinic=clinic, role=Role.ONLINE_CONSULTANT)


@pytest.fixture
def doctor(clinic):
    return UserFactory(clinic=clinic, role=Role.DOCTOR)


@pytest.fixture
def page(client, by):
    client.force_login(by, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def at(clinic, days=3, hour=10):
    return clinic.day_bounds(clinic.today() + timedelta(days=days))[0] + timedelta(hours=hour)


def captured(clinic, by, *, booking=None, **contacts):
    chat = ConversationFactory(clinic=clinic, consultant=by, keyword="种植牙价格", channel="百度竞价", cost=143)
    capture = Capture.objects.create(conversation=chat, booking_at=booking)
    for kind, value in (contacts or {"phone": PHONE}).items():
        build_contact(capture, kind, value).save()
    return chat


def test_a_contact_becomes_a_patient_and_the_booking_an_appointment(clinic, by, doctor):
    when = at(clinic)
    chat = captured(clinic, by, phone=PHONE, wechat="hello_1990")
    done = take_over(conversation=chat, wish=Wish(name="沈雨薇", starts_at=when, insist=True), by=by)
    chat.refresh_from_db()
    here = Registration.objects.get(patient=done.patient)
    assert (done.is_new, done.patient.name, chat.patient, chat.appointment) == (
        True,
        "沈雨薇",
        done.patient,
        done.appointment,
    )
    assert (here.channel, here.channel_detail, here.complaint) == (
        "online_chat",
        "百度竞价 · 种植牙价格 · ¥143",
        "种植牙价格",
    )
    assert (done.patient.phones.get().number, Patient.objects.get().wechat_id) == (PHONE, "hello_1990")
    assert (done.appointment.starts_at, done.appointment.doctor, done.appointment.kind) == (when, doctor, "first")
    event = AuditEvent.objects.get(action="capture_taken_over")
    assert (event.detail["words"], event.detail["cost"]) == ("种植牙价格", "143.00")


def test_a_known_number_joins_its_patient_and_keeps_where_they_came_from(clinic, by):
    known = PatientFactory(clinic=clinic, phone=PHONE, reg_channel="walk_in")
    done = take_over(conversation=captured(clinic, by), wish=Wish(name="别人"), by=by)
    assert (done.patient, done.is_new, Patient.objects.count()) == (known, False, 1)
    assert Registration.objects.get().channel == "walk_in"


def test_a_patient_of_another_clinic_is_registered_here_by_the_number(clinic, by):
    known = PatientFactory(clinic=ClinicFactory(), phone=PHONE)
    assert take_over(conversation=captured(clinic, by), wish=Wish(), by=by).patient == known
    assert Registration.objects.get(clinic=clinic).channel == "online_chat"


def test_of_several_with_one_number_one_is_chosen(clinic, by):
    first, second = (PatientFactory(clinic=clinic, phone=PHONE) for _n in range(2))
    chat = captured(clinic, by)
    with pytest.raises(Refused):
        take_over(conversation=chat, wish=Wish(name="x"), by=by)
    with pytest.raises(Refused):
        take_over(conversation=chat, wish=Wish(patient=PatientFactory(clinic=clinic)), by=by)
    assert take_over(conversation=chat, wish=Wish(patient=second), by=by).patient == second
    other = captured(clinic, by)
    assert take_over(conversation=other, wish=Wish(name="沈小妹", new_person=True), by=by).patient not in (
        first,
        second,
    )


def test_without_a_name_or_a_contact_nothing_is_written(clinic, by):
    chat = captured(clinic, by)
    with pytest.raises(Refused):
        take_over(conversation=chat, wish=Wish(name=" "), by=by)
    CapturedContact.objects.all().delete()
    with pytest.raises(Refused):
        take_over(conversation=chat, wish=Wish(name="沈雨薇"), by=by)
    assert not Patient.objects.exists()


def test_twice_is_once(clinic, by, doctor):
    chat, wish = captured(clinic, by), Wish(name="沈雨薇", starts_at=at(clinic), insist=True)
    first, second = (take_over(conversation=chat, wish=wish, by=by) for _click in range(2))
    assert (second.patient, second.appointment, second.done_before) == (first.patient, first.appointment, True)
    assert (Patient.objects.count(), Appointment.objects.count()) == (1, 1)


def test_a_taken_time_writes_nothing_and_offers_the_nearest(clinic, by, doctor):
    when = at(clinic)
    AppointmentFactory(clinic=clinic, doctor=doctor, starts_at=when, ends_at=when + timedelta(hours=1))
    count = Patient.objects.count()
    with pytest.raises((SlotTaken, ClosedThen)) as refused:
        take_over(conversation=captured(clinic, by), wish=Wish(name="沈雨薇", starts_at=when, insist=True), by=by)
    assert refused.value.nearest
    assert Patient.objects.count() == count


def test_the_next_doctor_is_booked_when_the_first_is_taken(clinic, by, doctor):
    when, other = at(clinic), UserFactory(clinic=clinic, role=Role.DOCTOR)
    AppointmentFactory(clinic=clinic, doctor=doctor, starts_at=when, ends_at=when + timedelta(hours=1))
    done = take_over(conversation=captured(clinic, by), wish=Wish(name="沈雨薇", starts_at=when, insist=True), by=by)
    assert done.appointment.doctor == other


def test_taking_back_frees_the_time_and_the_chat(clinic, by, doctor):
    chat = captured(clinic, by)
    take_over(conversation=chat, wish=Wish(name="沈雨薇", starts_at=at(clinic), insist=True), by=by)
    undo_take_over(conversation=chat, by=by)
    chat.refresh_from_db()
    assert (chat.patient, chat.appointment, Appointment.objects.get().status) == (None, None, "error")
    take_over(conversation=chat, wish=Wish(), by=by)  # joins whom it made before
    assert Patient.objects.count() == 1


def test_taking_back_removes_whom_the_chat_made_if_nothing_came_of_it(clinic, by):
    chat = captured(clinic, by, wechat="hello_1990")
    made = take_over(conversation=chat, wish=Wish(name="沈雨薇"), by=by).patient
    assert undo_take_over(conversation=chat, by=by)
    assert not Patient.objects.filter(pk=made.pk).exists()
    assert not PatientPhone.objects.exists()
    assert AuditEvent.objects.filter(action="registration_taken_back").count() == 1
    again = take_over(conversation=chat, wish=Wish(name="沈雨薇"), by=by)
    assert (again.is_new, again.patient.pk != made.pk) == (True, True)


@pytest.mark.django_db(transaction=True)  # what was changed before and what since is told by the transactions' times
def test_whom_somebody_changed_since_stays_registered(clinic, by):
    chat = captured(clinic, by)
    made = take_over(conversation=chat, wish=Wish(name="沈雨薇"), by=by).patient
    here = Registration.objects.get(patient=made)
    update_patient(registration=here, values={"occupation": "教师"}, version=made.version, by=by)
    assert not undo_take_over(conversation=chat, by=by)
    assert Patient.objects.filter(pk=made.pk).exists()


def test_who_was_known_before_the_chat_stays(clinic, by):
    chat = captured(clinic, by)
    known = register_patient(clinic=clinic, details=NewPatient("沈雨薇", phones=[(PHONE, "")]), by=by).patient
    assert take_over(conversation=chat, wish=Wish(), by=by).patient == known
    assert not undo_take_over(conversation=chat, by=by)
    assert Patient.objects.filter(pk=known.pk).exists()


def test_anothers_booking_cannot_be_taken_back(clinic, by, doctor):
    chat = captured(clinic, by)
    take_over(conversation=chat, wish=Wish(name="沈雨薇", starts_at=at(clinic), insist=True), by=by)
    with pytest.raises(Refused):
        undo_take_over(conversation=chat, by=UserFactory(clinic=clinic, role=Role.MANAGER))
    chat.refresh_from_db()
    assert chat.patient is not None


def test_a_correction_is_logged_without_the_number(clinic, by):
    chat = captured(clinic, by)
    correct(capture=chat.capture, values={"phone": "19900005678", "wechat": ""}, booking_at=at(clinic), by=by)
    assert CapturedContact.objects.get().value == "19900005678"
    assert Capture.objects.get().corrected_by == by
    event = AuditEvent.objects.get(action="capture_corrected")
    assert event.detail == {"fields": ["phone", "booking"]}


def test_a_filed_wechat_of_a_patient_counts_as_linked(clinic, by):
    chat = captured(clinic, by, wechat="hello_1990")
    patient = take_over(conversation=chat, wish=Wish(name="沈雨薇"), by=by).patient
    file_contact(contact=CapturedContact.objects.get(), group_name="种植", remark="11月 沈", by=by)
    patient.refresh_from_db()
    assert patient.wechat_linked_at is not None


def test_a_misread_contact_stays_filed_when_it_is_corrected(clinic, by):
    chat = captured(clinic, by, wechat="hello_1990")
    filed = CapturedContact.objects.get(kind="wechat")
    added_at = file_contact(contact=filed, group_name="种植", remark="11月 沈", by=by).added_at
    correct(capture=chat.capture, values={"wechat": "hello_1999"}, booking_at=None, by=by)
    contact = CapturedContact.objects.get(kind="wechat")
    assert (contact.value, contact.group_name, contact.added_at) == ("hello_1999", "种植", added_at)


def test_a_correction_to_what_was_filed_before_leaves_one_contact(clinic, by):
    """A chat that grew may have two of a kind: the one filed before stays, and the last is the one corrected."""
    chat = captured(clinic, by, wechat="hello_1990")
    file_contact(contact=CapturedContact.objects.get(kind="wechat"), group_name="种植", remark="沈", by=by)
    build_contact(chat.capture, "wechat", "hello_1999").save()
    correct(capture=chat.capture, values={"wechat": "hello_1990"}, booking_at=None, by=by)
    contact = CapturedContact.objects.get(kind="wechat")
    assert (contact.value, contact.group_name) == ("hello_1990", "种植")


# --- two people at once --------------------------------------------------------------------------


def race(chat, by):
    """Two people take the same chat over at the same moment; returns how many patients there are then."""
    start, faults = threading.Barrier(2), []

    def go():
        try:
            start.wait(60)
            take_over(conversation=chat, wish=Wish(name="沈雨薇", new_person=True), by=by)
        except Exception as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    people = [threading.Thread(target=go) for _n in range(2)]
    for one in people:
        one.start()
    for one in people:
        one.join(120)
    assert not faults
    return Patient.objects.count()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("protected", [True, False])
def test_two_at_once_make_one_patient(clinic, by, monkeypatch, protected):
    monkeypatch.setattr(capturing, "LOCK_CONVERSATION", protected)
    if not protected:  # both look before either has written
        both, register = threading.Barrier(2), capturing._register
        monkeypatch.setattr(capturing, "_register", lambda *a: (both.wait(60), register(*a))[1])
    assert race(captured(clinic, by), by) == (1 if protected else 2)


# --- pages ---------------------------------------------------------------------------------------


def test_one_click_in_the_list_takes_over(clinic, by, page, doctor):
    chat = captured(clinic, by)
    shown = page.get(reverse("captures")).content.decode()
    assert "****1234" in shown
    assert PHONE not in shown
    answer = page.post(reverse("capture_take_over", args=[chat.pk]), {"quick": "1", "name": "沈雨薇"})
    assert answer.url == reverse("captures")
    assert Patient.objects.get().name == "沈雨薇"
    assert "全部已转入" in page.get(reverse("captures")).content.decode()


def test_what_is_in_doubt_is_asked_with_what_was_typed_kept(clinic, by, page, doctor):
    chat = captured(clinic, by)
    answer = page.post(reverse("capture_take_over", args=[chat.pk]), {"quick": "1", "name": ""})
    assert answer.status_code == 422
    when = at(clinic)
    AppointmentFactory(clinic=clinic, doctor=doctor, starts_at=when, ends_at=when + timedelta(hours=1))
    local = timezone.localtime(when, clinic.tz).strftime("%Y-%m-%dT%H:%M")
    filled = {"patient": "new", "name": "沈雨薇", "at": local, "insist": "on"}
    answer = page.post(reverse("capture_take_over", args=[chat.pk]), filled)
    assert answer.status_code == 409
    slot = answer.context["nearest"][0]
    near = timezone.localtime(slot.starts_at, clinic.tz).strftime("%Y-%m-%dT%H:%M")
    answer = page.post(reverse("capture_take_over", args=[chat.pk]), filled | {"slot": near})
    assert answer.status_code == 302
    chat.refresh_from_db()
    assert chat.appointment.starts_at == slot.starts_at


def test_opening_a_contact_is_logged(clinic, by, page):
    captured(clinic, by)
    answer = page.post(reverse("capture_reveal", args=[CapturedContact.objects.get().pk]))
    assert PHONE in answer.content.decode()
    assert AuditEvent.objects.filter(action="captured_contact_revealed", actor=by).count() == 1


def test_a_consultant_works_on_own_chats_alone(clinic, by, page):
    chat = captured(clinic, UserFactory(clinic=clinic, role=Role.ONLINE_CONSULTANT))
    contact = CapturedContact.objects.get()
    for name, pk in (("capture_take_over", chat.pk), ("capture_correct", chat.pk), ("capture_file", contact.pk)):
        assert page.get(reverse(name, args=[pk])).status_code == 404
    assert "****1234" not in page.get(reverse("captures")).content.decode()


def test_unfinished_contacts_are_listed_until_they_have_group_and_remark(clinic, by, page):
    captured(clinic, by, wechat="hello_1990")
    listed = reverse("captures") + "?tab=unfinished"
    assert "****1990" in page.get(listed).content.decode()
    contact = CapturedContact.objects.get()
    assert (
        page.post(reverse("capture_file", args=[contact.pk]), {"group_name": "种植", "remark": ""}).status_code == 422
    )
    page.post(reverse("capture_file", args=[contact.pk]), {"group_name": "种植", "remark": "11月"})
    assert "****1990" not in page.get(listed).content.decode()


@pytest.mark.parametrize(
    "typed",
    [{"phone": "1990000"}, {"wechat": "短"}, {"qq": "0"}, {"booking_at": "后天"}, {"booking_at": "0001-01-01T10:00"}],
)
def test_bad_corrections_are_told(clinic, by, page, typed):
    chat = captured(clinic, by)
    assert page.post(reverse("capture_correct", args=[chat.pk]), typed).status_code == 422


def test_the_list_takes_as_many_statements_for_many(clinic, by, page):
    def statements(count):
        for n in range(count):
            captured(clinic, by, phone=f"1990001{n:04}")
        with CaptureQueriesContext(connection) as seen:
            page.get(reverse("captures"))
        return len(seen)

    statements(1)
    assert statements(2) == statements(30)

"""What the patients' services write, and what they refuse."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEvent, Clinic, User
from accounts.permissions import Role
from patients.classification import Suggestion
from patients.errors import Refused, StaleEdit
from patients.models import ClassChange, Consent, Patient, Referral, Registration
from patients.services import (
    NewPatient,
    classify,
    link_referral,
    link_wechat,
    mark_referral_effective,
    record_consent,
    register_in_clinic,
    register_patient,
    reveal_contact,
    set_important,
    update_patient,
)
from tests.factories import ClinicFactory, PatientFactory, PhoneFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return ClinicFactory(code="QH")


@pytest.fixture
def tc(clinic: Clinic) -> User:
    return UserFactory(clinic=clinic, role=Role.COORDINATOR)


def test_registering_gives_the_next_number_and_the_coordinator_as_owner(clinic: Clinic, tc: User) -> None:
    stamp = clinic.today().strftime("%y%m")
    first = register_patient(clinic=clinic, details=NewPatient(name="沈雨薇", phones=[("19900001734", "")]), by=tc)
    second = register_patient(clinic=clinic, details=NewPatient(name="周岚"), by=tc)
    assert [first.number, second.number] == [f"QH{stamp}-0001", f"QH{stamp}-0002"]
    assert first.owner == tc
    assert first.patient.name_initials == "syw"
    assert [phone.number for phone in first.patient.phones.all()] == ["19900001734"]


def test_front_desk_registering_owns_nobody(clinic: Clinic) -> None:
    desk = UserFactory(clinic=clinic, role=Role.FRONT_DESK)
    assert register_patient(clinic=clinic, details=NewPatient(name="沈雨薇"), by=desk).owner is None


def test_a_number_typed_twice_is_kept_once_and_the_first_stays_first(clinic: Clinic, tc: User) -> None:
    phones = [("19900001734", ""), ("19900002345", "丈夫"), ("19900001734", "")]
    made = register_patient(clinic=clinic, details=NewPatient(name="沈雨薇", phones=phones), by=tc)
    assert [phone.number for phone in made.patient.phones.all()] == ["19900001734", "19900002345"]


def test_a_referrer_given_at_registration_is_linked_and_sets_the_channel(clinic: Clinic, tc: User) -> None:
    referrer = PatientFactory(clinic=clinic)
    made = register_patient(clinic=clinic, details=NewPatient(name="沈雨薇", referrer=referrer), by=tc)
    assert made.channel == "referral"
    assert Referral.objects.get(referred=made.patient).referrer == referrer


def test_registering_in_another_clinic_needs_the_exact_phone_and_is_logged(clinic: Clinic, tc: User) -> None:
    patient = PatientFactory(clinic=ClinicFactory(), phone="19900001734")
    with pytest.raises(Refused):
        register_in_clinic(patient=patient, clinic=clinic, phone="19900001735", by=tc)
    made = register_in_clinic(patient=patient, clinic=clinic, phone="19900001734", by=tc)
    again = register_in_clinic(patient=patient, clinic=clinic, phone="19900001734", by=tc)
    assert made == again
    assert AuditEvent.objects.filter(action="registered_in_clinic", subject_id=patient.pk).count() == 1


def test_an_edit_writes_what_changed_and_raises_the_version(clinic: Clinic, tc: User) -> None:
    patient = PatientFactory(clinic=clinic)
    registration = Registration.objects.get(patient=patient)
    values = {"name": "沈雨薇", "tags": ["怕疼"], "sex": patient.sex}
    update_patient(registration=registration, values=values, version=1, by=tc, add_phones=[("19900001734", "本人")])
    patient.refresh_from_db()
    registration.refresh_from_db()
    assert (patient.name, patient.version, registration.tags) == ("沈雨薇", 2, ["怕疼"])
    event = AuditEvent.objects.get(action="patient_edited")
    assert event.detail["fields"] == ["name", "tags", "phones"]


def test_an_edit_that_changes_nothing_leaves_the_version(clinic: Clinic, tc: User) -> None:
    patient = PatientFactory(clinic=clinic)
    registration = Registration.objects.get(patient=patient)
    update_patient(registration=registration, values={"name": patient.name}, version=1, by=tc)
    patient.refresh_from_db()
    assert patient.version == 1


def test_a_stale_edit_is_refused_and_nothing_is_written(clinic: Clinic, tc: User) -> None:
    patient = PatientFactory(clinic=clinic, name="沈雨薇")
    registration = Registration.objects.get(patient=patient)
    set_important(patient=patient, clinic=clinic, important=True, by=tc)
    with pytest.raises(StaleEdit):
        update_patient(registration=registration, values={"name": "周岚"}, version=1, by=tc)
    assert Patient.objects.get(pk=patient.pk).name == "沈雨薇"


def test_an_owner_from_another_clinic_is_refused(clinic: Clinic, tc: User) -> None:
    registration = Registration.objects.get(patient=PatientFactory(clinic=clinic))
    stranger = UserFactory(clinic=ClinicFactory())
    with pytest.raises(Refused):
        update_patient(registration=registration, values={"owner": stranger}, version=1, by=tc)


def test_opening_a_number_is_logged_with_who_and_which(clinic: Clinic, tc: User) -> None:
    patient = PatientFactory(clinic=clinic, phone="19900001734")
    phone = patient.phones.get()
    assert reveal_contact(patient=patient, clinic=clinic, what="phone", by=tc, phone=phone) == "19900001734"
    event = AuditEvent.objects.get(action="contact_revealed")
    assert (event.actor, event.subject_id, event.detail) == (tc, patient.pk, {"what": "phone", "phone": phone.pk})
    assert "19900001734" not in str(event.detail)


def test_another_persons_number_is_not_opened(clinic: Clinic, tc: User) -> None:
    other = PhoneFactory(patient=PatientFactory(clinic=clinic))
    with pytest.raises(Refused):
        reveal_contact(patient=PatientFactory(clinic=clinic), clinic=clinic, what="phone", by=tc, phone=other)
    assert not AuditEvent.objects.filter(action="contact_revealed").exists()


def test_the_first_wechat_link_is_kept(clinic: Clinic, tc: User) -> None:
    patient = PatientFactory(clinic=clinic)
    first = link_wechat(patient=patient, clinic=clinic, by=tc).wechat_linked_at
    assert link_wechat(patient=patient, clinic=clinic, by=tc, guardian=True).wechat_linked_at == first


def test_a_guardian_is_added_for_a_minor_only(clinic: Clinic, tc: User) -> None:
    grown, child = PatientFactory(clinic=clinic, birth_date="1991-02-03"), PatientFactory(clinic=clinic)
    Patient.objects.filter(pk=child.pk).update(birth_date=timezone.localdate() - timedelta(days=4000))
    with pytest.raises(Refused):
        link_wechat(patient=grown, clinic=clinic, by=tc, guardian=True)
    assert link_wechat(patient=child, clinic=clinic, by=tc, guardian=True).wechat_linked_guardian


def test_consent_is_a_row_and_withdrawing_another(clinic: Clinic, tc: User) -> None:
    patient = PatientFactory(clinic=clinic)
    record_consent(patient=patient, clinic=clinic, purpose="marketing", given=True, by=tc)
    record_consent(patient=patient, clinic=clinic, purpose="marketing", given=False, by=tc)
    assert list(Consent.objects.order_by("id").values_list("given", flat=True)) == [True, False]


def test_a_class_other_than_suggested_needs_a_reason(clinic: Clinic, tc: User) -> None:
    patient = PatientFactory(clinic=clinic)
    given: dict[str, Any] = {"patient": patient, "clinic": clinic, "awareness": 4, "trust": 3, "by": tc}
    suggestion = Suggestion("C-E", "first visit")
    with pytest.raises(Refused):
        classify(code="C-B", suggestion=suggestion, **given)
    classify(code="C-B", suggestion=suggestion, reason="前牙美学修复", is_correction=True, **given)
    patient.refresh_from_db()
    change = ClassChange.objects.get()
    assert (patient.class_code, patient.awareness, patient.trust) == ("C-B", 4, 3)
    assert (change.old_class, change.suggested, change.is_correction) == ("", "C-E", True)


def test_nobody_refers_themselves_or_is_referred_twice(clinic: Clinic, tc: User) -> None:
    a, b, c = (PatientFactory(clinic=clinic) for _ in range(3))
    with pytest.raises(Refused):
        link_referral(referrer=a, referred=a, clinic=clinic, by=tc)
    link_referral(referrer=a, referred=b, clinic=clinic, by=tc)
    with pytest.raises(Refused):
        link_referral(referrer=c, referred=b, clinic=clinic, by=tc)


def test_a_longer_circle_of_referrals_is_refused(clinic: Clinic, tc: User) -> None:
    a, b, c = (PatientFactory(clinic=clinic) for _ in range(3))
    link_referral(referrer=a, referred=b, clinic=clinic, by=tc)
    link_referral(referrer=b, referred=c, clinic=clinic, by=tc)
    with pytest.raises(Refused):
        link_referral(referrer=c, referred=a, clinic=clinic, by=tc)


def test_a_referral_becomes_effective_once(clinic: Clinic, tc: User) -> None:
    a, b = PatientFactory(clinic=clinic), PatientFactory(clinic=clinic)
    link_referral(referrer=a, referred=b, clinic=clinic, by=tc)
    mark_referral_effective(patient=b, by=tc)
    first = Referral.objects.get().effective_at
    mark_referral_effective(patient=b, by=tc)
    assert first is not None
    assert Referral.objects.get().effective_at == first


def _both_at_once(acts: list[Any]) -> list[BaseException | None]:
    """Run all acts at the same time, each on a connection of its own; return what each raised."""
    outcome: list[BaseException | None] = [None] * len(acts)
    start = threading.Barrier(len(acts))

    def run(index: int) -> None:
        start.wait()
        try:
            acts[index]()
        except Exception as error:
            outcome[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return outcome


def _close_circles(clinic: Clinic, tc: User, rounds: int = 5) -> int:
    """Link A → B and B → A at the same moment, several times; return how many circles came of it."""
    circles = 0
    for _ in range(rounds):
        a, b = PatientFactory(clinic=clinic), PatientFactory(clinic=clinic)
        _both_at_once(
            [
                lambda a=a, b=b: link_referral(referrer=a, referred=b, clinic=clinic, by=tc),
                lambda a=a, b=b: link_referral(referrer=b, referred=a, clinic=clinic, by=tc),
            ]
        )
        circles += Referral.objects.filter(referrer__in=[a, b], referred__in=[a, b]).count() == 2
    return circles


@pytest.mark.django_db(transaction=True)
def test_two_links_at_once_never_close_a_circle(clinic: Clinic, tc: User) -> None:
    assert _close_circles(clinic, tc) == 0


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_two_links_at_once_would_close_a_circle(
    clinic: Clinic, tc: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: with the lock off, and both checks made before either write, the circle closes."""
    from patients.services import referrals

    checked = threading.Barrier(2)
    really = referrals._leads_to

    def check_together(start: int, target: int) -> bool:
        found = really(start, target)
        checked.wait(timeout=60)
        return found

    monkeypatch.setattr(referrals, "_leads_to", check_together)
    monkeypatch.setattr(referrals, "_take_turns", lambda: None)
    assert _close_circles(clinic, tc, rounds=1) == 1

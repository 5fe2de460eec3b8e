"""Quick-add, editing, opening numbers, consent, referral: the pages as people use them."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from accounts.models import AuditEvent, Clinic, User
from accounts.permissions import Role
from patients.models import Consent, Patient, Referral, Registration
from patients.services import set_important, update_patient
from tests.factories import ClinicFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def clinic() -> Clinic:
    return ClinicFactory(code="QH")


@pytest.fixture
def tc(clinic: Clinic) -> User:
    return UserFactory(clinic=clinic, role=Role.COORDINATOR)


@pytest.fixture
def signed_in(client: Client, tc: User) -> Client:
    client.force_login(tc)
    return client


def html_of(response: Any) -> str:
    text: str = response.content.decode()
    return text


# --- quick-add ---------------------------------------------------------------------------------


def test_quick_add_registers_and_offers_what_comes_next(signed_in: Client, clinic: Clinic) -> None:
    data = {"name": " 沈 雨薇 ", "phone": "199 0000 1734", "age": "34", "sex": "f", "complaint": "缺牙"}
    response = signed_in.post(reverse("patient_add"), data, headers=HTMX)
    registration = Registration.objects.get()
    patient = registration.patient
    assert (patient.name, patient.phones.get().number) == ("沈雨薇", "19900001734")
    assert (patient.birth_day_known, patient.age) == (False, 34)
    assert registration.number in html_of(response)
    for name, args in (("patient", [patient.pk]), ("check_in_patient", [patient.pk]), ("appointment_new", [])):
        assert reverse(name, args=args) in html_of(response)


def test_what_was_typed_is_kept_on_an_error(signed_in: Client) -> None:
    data = {"name": "沈雨薇", "phone": "199 0000 173", "complaint": "左下后牙缺失", "channel": "dianping"}
    response = signed_in.post(reverse("patient_add"), data, headers=HTMX)
    assert response.status_code == 422
    html = html_of(response)
    assert 'value="199 0000 173"' in html
    assert 'value="左下后牙缺失"' in html
    assert '<option value="dianping" selected>' in html
    assert "少 1 位" in html
    assert not Patient.objects.exists()


def test_typing_a_known_number_says_whose_it_is(signed_in: Client, clinic: Clinic) -> None:
    patient = PatientFactory(name="沈雨薇", clinic=clinic, phone="19900001734")
    html = html_of(signed_in.post(reverse("phone_check"), {"phone": "199-0000-1734"}, headers=HTMX))
    assert "沈雨薇" in html
    assert "199****1734" in html
    assert "19900001734" not in html
    assert reverse("patient", args=[patient.pk]) in html
    assert "沈雨薇" not in html_of(signed_in.post(reverse("phone_check"), {"phone": "1990000173"}, headers=HTMX))


def test_somebody_of_a_clinic_one_does_not_work_in_is_shown_by_surname_alone(signed_in: Client) -> None:
    patient = PatientFactory(name="沈雨薇", clinic=ClinicFactory(), phone="19900001734")
    html = html_of(signed_in.post(reverse("phone_check"), {"phone": "19900001734"}, headers=HTMX))
    assert "沈**" in html
    assert "雨薇" not in html
    assert reverse("patient_register_here", args=[patient.pk]) in html


def test_they_are_registered_here_by_the_exact_number_alone(signed_in: Client, clinic: Clinic) -> None:
    patient = PatientFactory(clinic=ClinicFactory(), phone="19900001734")
    url = reverse("patient_register_here", args=[patient.pk])
    answer = signed_in.post(url, {"phone": "19900001735"}, follow=True)
    assert "这个号码不是他的" in html_of(answer)
    assert not Registration.objects.for_clinic(clinic).exists()
    response = signed_in.post(url, {"phone": "199 0000 1734"})
    assert response["Location"] == reverse("patient", args=[patient.pk])
    assert Registration.objects.for_clinic(clinic).get().patient == patient


def test_the_same_name_and_number_needs_a_second_word(signed_in: Client, clinic: Clinic) -> None:
    PatientFactory(name="沈雨薇", clinic=clinic, phone="19900001734")
    data = {"name": "沈雨薇", "phone": "19900001734"}
    assert signed_in.post(reverse("patient_add"), data, headers=HTMX).status_code == 422
    assert Patient.objects.count() == 1
    signed_in.post(reverse("patient_add"), data | {"same": "1"}, headers=HTMX)
    assert Patient.objects.count() == 2


def test_a_referrer_typed_by_phone_is_linked_when_only_one_fits(signed_in: Client, clinic: Clinic) -> None:
    referrer = PatientFactory(clinic=clinic, phone="19900001734")
    signed_in.post(reverse("patient_add"), {"name": "周岚", "referrer_q": "19900001734"})
    assert Referral.objects.get().referrer == referrer


def test_a_referrer_that_fits_several_is_asked_for(signed_in: Client, clinic: Clinic) -> None:
    first, second = PatientFactory(name="沈雨薇", clinic=clinic), PatientFactory(name="沈雨薇", clinic=clinic)
    data = {"name": "周岚", "referrer_q": "沈雨薇"}
    response = signed_in.post(reverse("patient_add"), data)
    assert response.status_code == 422
    assert f'value="{first.pk}"' in html_of(response)
    signed_in.post(reverse("patient_add"), data | {"referrer": second.pk})
    assert Referral.objects.get().referrer == second


# --- contact -----------------------------------------------------------------------------------


def test_opening_a_number_takes_one_post_and_is_logged(signed_in: Client, clinic: Clinic, tc: User) -> None:
    patient = PatientFactory(clinic=clinic, phone="19900001734")
    url = reverse("patient_reveal", args=[patient.pk])
    data = {"what": "phone", "phone": patient.phones.get().pk}
    assert signed_in.get(url, data).status_code == 405
    html = html_of(signed_in.post(url, data, headers=HTMX))
    assert 'href="tel:19900001734"' in html
    assert AuditEvent.objects.get(action="contact_revealed").actor == tc


def test_wechat_is_opened_likewise(signed_in: Client, clinic: Clinic) -> None:
    patient = PatientFactory(clinic=clinic, wechat_id="shen_yw")
    page = html_of(signed_in.get(reverse("patient", args=[patient.pk]) + "?tab=profile"))
    assert "shen_yw" not in page
    response = signed_in.post(reverse("patient_reveal", args=[patient.pk]), {"what": "wechat"}, headers=HTMX)
    assert "shen_yw" in html_of(response)


@pytest.mark.parametrize("role", [Role.DOCTOR, Role.NURSE])
def test_who_only_treats_sees_no_contact_and_no_way_to_it(client: Client, clinic: Clinic, role: str) -> None:
    client.force_login(UserFactory(clinic=clinic, role=role))
    patient = PatientFactory(
        clinic=clinic, phone="19900001734", wechat_id="shen_yw", family="离异", notes="爱砍价", call_tone="慢一点"
    )
    for tab in ("", "?tab=profile"):
        html = html_of(client.get(reverse("patient", args=[patient.pk]) + tab))
        for secret in ("1734", "shen_yw", "离异", "爱砍价", "慢一点", reverse("patient_reveal", args=[patient.pk])):
            assert secret not in html
    assert client.post(reverse("patient_reveal", args=[patient.pk]), {"what": "wechat"}).status_code == 403


# --- editing -----------------------------------------------------------------------------------


def edit_data(client: Client, patient: Patient, **changes: Any) -> dict[str, Any]:
    """Return what the edit page would post, as it stands now, with some fields changed."""
    form = client.get(reverse("patient_edit", args=[patient.pk])).context
    data = {name: form["form"][name].value() for name in form["form"].fields}
    data = {name: "" if value in (None, False) else value for name, value in data.items()}
    return {**data, "base": form["base"], **changes}


def test_editing_saves_everything_and_keeps_closed_ids(signed_in: Client, clinic: Clinic) -> None:
    patient = PatientFactory(name="沈雨薇", clinic=clinic, phone="19900001734", wechat_id="shen_yw")
    gone = patient.phones.get().pk
    data = edit_data(
        signed_in, patient, occupation="小学老师", tags="怕疼，医保", new_phone="19900002345", remove_phone=gone
    )
    assert signed_in.post(reverse("patient_edit", args=[patient.pk]), data).status_code == 302
    patient.refresh_from_db()
    assert (patient.occupation, patient.wechat_id) == ("小学老师", "shen_yw")
    assert patient.registrations.get().tags == ["怕疼", "医保"]
    assert [phone.number for phone in patient.phones.all()] == ["19900002345"]


def test_a_closed_id_is_removed_only_on_purpose(signed_in: Client, clinic: Clinic) -> None:
    patient = PatientFactory(clinic=clinic, wechat_id="shen_yw")
    data = edit_data(signed_in, patient, forget_wechat_id="1")
    signed_in.post(reverse("patient_edit", args=[patient.pk]), data)
    patient.refresh_from_db()
    assert patient.wechat_id == ""


def test_a_stale_save_shows_theirs_and_yours_and_overwrites_nothing(
    signed_in: Client, clinic: Clinic, tc: User
) -> None:
    patient = PatientFactory(name="沈雨薇", clinic=clinic, occupation="老师")
    mine = edit_data(signed_in, patient, occupation="小学老师", region="朝阳区")
    registration = Registration.objects.get(patient=patient)
    theirs = {"occupation": "中学老师", "family": "已婚"}
    update_patient(registration=registration, values=theirs, version=1, by=tc)

    response = signed_in.post(reverse("patient_edit", args=[patient.pk]), mine)
    assert response.status_code == 409
    [row] = response.context["differences"]
    assert (row["name"], row["theirs"], row["yours"]) == ("occupation", "中学老师", "小学老师")
    form = response.context["form"]
    assert (form["occupation"].value(), form["region"].value(), form["family"].value()) == (
        "小学老师",
        "朝阳区",
        "已婚",
    )
    patient.refresh_from_db()
    assert (patient.occupation, patient.region) == ("中学老师", "")

    again = {name: form[name].value() or "" for name in form.fields} | {"base": response.context["base"]}
    assert signed_in.post(reverse("patient_edit", args=[patient.pk]), again).status_code == 302
    patient.refresh_from_db()
    assert (patient.occupation, patient.region, patient.family) == ("小学老师", "朝阳区", "已婚")


def test_theirs_can_be_chosen_field_by_field(signed_in: Client, clinic: Clinic, tc: User) -> None:
    patient = PatientFactory(clinic=clinic, occupation="老师")
    mine = edit_data(signed_in, patient, occupation="小学老师")
    registration = Registration.objects.get(patient=patient)
    update_patient(registration=registration, values={"occupation": "中学老师"}, version=1, by=tc)
    response = signed_in.post(reverse("patient_edit", args=[patient.pk]), mine)
    again = mine | {"base": response.context["base"], "pick_occupation": "theirs"}
    signed_in.post(reverse("patient_edit", args=[patient.pk]), again)
    patient.refresh_from_db()
    assert patient.occupation == "中学老师"


def test_a_change_the_form_does_not_hold_makes_it_not_stale(signed_in: Client, clinic: Clinic) -> None:
    patient = PatientFactory(clinic=clinic)
    data = edit_data(signed_in, patient, occupation="老师")
    Patient.objects.filter(pk=patient.pk).update(version=7, class_code="C-C")
    assert signed_in.post(reverse("patient_edit", args=[patient.pk]), data).status_code == 302


def test_a_forged_base_is_stale(signed_in: Client, clinic: Clinic) -> None:
    patient = PatientFactory(clinic=clinic)
    data = edit_data(signed_in, patient, occupation="老师", base="1:forged")
    assert signed_in.post(reverse("patient_edit", args=[patient.pk]), data).status_code == 409


def test_the_guardian_is_asked_for_under_18(signed_in: Client, clinic: Clinic) -> None:
    year = clinic.today().year
    child = PatientFactory(clinic=clinic, birth_date=clinic.today().replace(year=year - 10, day=1))
    adult = PatientFactory(clinic=clinic, birth_date=clinic.today().replace(year=year - 30, day=1))
    assert "guardian_name" in html_of(signed_in.get(reverse("patient_edit", args=[child.pk])))
    assert "guardian_name" not in html_of(signed_in.get(reverse("patient_edit", args=[adult.pk])))


# --- small acts --------------------------------------------------------------------------------


def test_consent_is_given_and_withdrawn_per_purpose(signed_in: Client, clinic: Clinic, tc: User) -> None:
    patient = PatientFactory(clinic=clinic)
    url = reverse("patient_consents", args=[patient.pk])
    signed_in.post(url, {"purpose": "contact", "given": "1"})
    signed_in.post(url, {"purpose": "contact", "given": "0"})
    signed_in.post(url, {"purpose": "nonsense", "given": "1"})
    rows = Consent.objects.order_by("id").values_list("purpose", "given", "by")
    assert list(rows) == [("contact", True, tc.pk), ("contact", False, tc.pk)]


def test_importance_is_one_gesture_and_undone_by_the_same(signed_in: Client, clinic: Clinic) -> None:
    patient = PatientFactory(clinic=clinic)
    for expected in (True, False):
        signed_in.post(reverse("patient_important", args=[patient.pk]))
        patient.refresh_from_db()
        assert patient.is_important is expected


@pytest.mark.parametrize("role", [Role.DOCTOR, Role.NURSE, Role.FRONT_DESK])
def test_whoever_treats_may_write_allergies(client: Client, clinic: Clinic, role: str) -> None:
    client.force_login(UserFactory(clinic=clinic, role=role))
    patient = PatientFactory(clinic=clinic)
    client.post(reverse("patient_allergies", args=[patient.pk]), {"allergies": "青霉素"})
    patient.refresh_from_db()
    assert patient.allergies == "青霉素"


def test_a_referral_is_linked_from_the_page_and_a_circle_is_refused(signed_in: Client, clinic: Clinic) -> None:
    a, b = PatientFactory(clinic=clinic), PatientFactory(clinic=clinic)
    signed_in.post(reverse("patient_referral", args=[b.pk]), {"referrer": a.pk})
    assert Referral.objects.get().referrer == a
    response = signed_in.post(reverse("patient_referral", args=[a.pk]), {"referrer": b.pk})
    assert response.status_code == 422
    assert Referral.objects.count() == 1


def test_pages_of_another_clinics_patient_are_not_there(signed_in: Client, clinic: Clinic, tc: User) -> None:
    patient = PatientFactory(clinic=ClinicFactory())
    set_important(patient=patient, clinic=clinic, important=True, by=tc)
    names = ("patient", "patient_edit", "patient_consents", "patient_allergies", "patient_referral", "patient_classify")
    for name in names:
        assert signed_in.get(reverse(name, args=[patient.pk])).status_code == 404
    for name in ("patient_reveal", "patient_important", "patient_wechat"):
        assert signed_in.post(reverse(name, args=[patient.pk])).status_code == 404


def test_the_role_counts_where_the_patient_is_registered(client: Client, clinic: Clinic) -> None:
    """Who coordinates here and treats there opens no number there."""
    other = ClinicFactory()
    person = UserFactory(clinic=clinic, role=Role.COORDINATOR)
    person.memberships.create(clinic=other, role=Role.DOCTOR)
    client.force_login(person)
    patient = PatientFactory(clinic=other, phone="19900001734", wechat_id="shen_yw")
    told = html_of(client.get(reverse("patient", args=[patient.pk])))
    assert "1734" not in strip_tags(told)
    assert "19900001734" not in told
    assert client.post(reverse("patient_reveal", args=[patient.pk]), {"what": "wechat"}).status_code == 403
    assert client.get(reverse("patient_edit", args=[patient.pk])).status_code == 403


def test_quick_add_takes_few_statements(signed_in: Client, clinic: Clinic) -> None:
    signed_in.get(reverse("patient_add"))
    with CaptureQueriesContext(connection) as captured:
        signed_in.post(reverse("patient_add"), {"name": "沈雨薇", "phone": "19900001734"}, headers=HTMX)
    assert len(captured) <= 25

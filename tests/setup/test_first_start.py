"""The first start: by page and by command, once, and not by a stranger."""

import re
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from accounts.models import Clinic, Group, User
from accounts.permissions import Role
from clinic_crm.setup.code import MOST_TRIES, is_code, new_code
from clinic_crm.setup.index import FIRST_STEPS, GROUPS, entry_of
from consultations.models import FormTemplate
from followups.models import Playbook, Room
from metrics.models import KpiTarget
from tests.factories import ClinicFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "ein-langes-wort-9"
TYPED = {
    "name": "青禾口腔·云岭", "code": "qh", "zone": "Asia/Shanghai", "rooms": "2", "full_name": "秦管理", "username": "qin",
    "password1": PASSWORD, "password2": PASSWORD, "target_classification": "95",
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_code():
    cache.clear()


def send(client, **other):
    return client.post("/setup/", TYPED | {"setup_code": other.pop("setup_code", None) or new_code()} | other)


def test_the_page_opens_the_clinic_and_signs_the_administrator_in(client):
    assert client.get("/setup/").status_code == 200
    assert send(client)["Location"] == "/settings/"
    clinic, admin = Clinic.objects.get(), User.objects.get()
    assert (clinic.code, clinic.name) == ("QH", "青禾口腔·云岭")
    assert admin.memberships.get().role == Role.ADMIN
    assert admin.check_password(PASSWORD)
    assert client.get("/settings/").status_code == 200
    assert Room.objects.for_clinic(clinic).count() == 2
    assert KpiTarget.objects.get().value == 95
    assert Playbook.objects.for_clinic(clinic).exists()
    assert FormTemplate.objects.for_clinic(clinic).exists()


def test_the_group_is_named_and_shown_where_people_sign_in(client):
    send(client, group="青禾口腔集团")
    assert Group.named() == "青禾口腔集团"
    client.post("/sign-out/")
    assert "青禾口腔集团" in client.get("/sign-in/").content.decode()


def test_without_a_name_of_the_group_it_is_the_clinics(client):
    send(client)
    assert Group.named() == TYPED["name"]


def test_an_opened_clinic_is_told_what_to_begin_with_until_it_has_patients(client):
    send(client)
    shown = client.get("/settings/").content.decode()
    assert "先做这些" in shown
    assert all(shown.count(f'href="{entry.url}"') >= 2 for entry in (entry_of(route) for route in FIRST_STEPS))
    PatientFactory(clinic=Clinic.objects.get())
    assert "先做这些" not in client.get("/settings/").content.decode()


def test_without_the_code_nothing_is_opened_and_what_was_typed_stays(client):
    response = send(client, setup_code="AAAAA-AAAAA")
    assert response.status_code == 422
    assert "青禾口腔·云岭" in response.content.decode()
    assert not User.objects.exists()


def test_a_code_cannot_be_guessed_for_long(client):
    right = new_code()
    assert is_code(right.lower().replace("-", " "))
    for _attempt in range(MOST_TRIES):
        assert not is_code("AAAAA-AAAAA")
    assert not is_code(right)
    assert is_code(new_code())


def test_the_code_serves_once_and_the_page_is_gone_afterwards(client):
    code = new_code()
    send(client, setup_code=code)
    assert not is_code(code)
    assert client.get("/setup/").status_code == 404
    assert send(client, setup_code=code).status_code == 404
    client.post("/sign-out/")
    assert client.get("/setup/").status_code == 404


@pytest.mark.parametrize("there", [ClinicFactory, UserFactory])
def test_where_anything_is_set_up_there_is_no_page(client, there):
    there()
    assert client.get("/setup/").status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [("password2", "other"), ("password1", "short"), ("code", "1"), ("zone", "Mars/Base"), ("username", "a b"),
     ("rooms", "-1"), ("target_classification", "101"), ("name", "")],
)  # fmt: skip
def test_a_bad_answer_is_said_beside_its_field(client, field, value):
    same = {"password2": value} if field == "password1" else {}
    response = send(client, **{field: value}, **same)
    assert response.status_code == 422
    assert f'id="id_{field}' in response.content.decode()
    assert "is-invalid" in response.content.decode()
    assert not Clinic.objects.exists()


def test_signing_in_leads_to_the_first_start_while_nobody_has_an_account(client):
    assert "/setup/" in client.get("/sign-in/").content.decode()
    UserFactory()
    assert "/setup/" not in client.get("/sign-in/").content.decode()


def command(*more, **options):
    out = StringIO()
    names = ("--name=青禾口腔", "--code=qh", "--full-name=秦管理", "--no-input", "--rooms=1")
    call_command("setup_clinic", *names, *more, stdout=out, **options)
    return out.getvalue()


def test_the_command_sets_up_once(monkeypatch):
    monkeypatch.setenv("SETUP_PASSWORD", PASSWORD)
    assert "Opened QH" in command()
    assert User.objects.get(username="admin").check_password(PASSWORD)
    assert Room.objects.get().name == "1 号诊室"
    with pytest.raises(CommandError, match="already"):
        command()


def test_the_command_names_the_group(monkeypatch):
    monkeypatch.setenv("SETUP_PASSWORD", PASSWORD)
    command("--group=青禾口腔集团")
    assert Group.objects.get().name == "青禾口腔集团"


def test_the_command_can_leave_the_password_to_a_link(client):
    link = re.search(r"/invitation/\S+", command("--invite"))[0]
    assert client.get(link).status_code == 200


def test_the_command_asks_for_what_is_missing(monkeypatch):
    monkeypatch.delenv("SETUP_PASSWORD", raising=False)
    with pytest.raises(CommandError, match="SETUP_PASSWORD"):
        command()
    answers = iter(["青禾口腔", "QH", "", "秦管理", ""])
    monkeypatch.setattr("builtins.input", lambda _words: next(answers))
    monkeypatch.setattr("getpass.getpass", lambda _words: PASSWORD)
    call_command("setup_clinic", stdout=StringIO())
    assert Clinic.objects.get().zone == "Asia/Shanghai"


def test_the_command_says_what_is_wrong(monkeypatch):
    monkeypatch.setenv("SETUP_PASSWORD", "short")
    with pytest.raises(CommandError, match="password"):
        command()
    assert not Clinic.objects.exists()


def test_the_command_prints_the_code_of_the_page():
    out = StringIO()
    call_command("setup_clinic", "--page", stdout=out)
    assert is_code(out.getvalue().split()[-1])


def test_a_stranger_needs_the_code_in_a_browser_too(open_page, transactional_db):
    page = open_page()
    page.goto("/sign-in/")
    page.click("a[href='/setup/']")
    for name, value in (TYPED | {"setup_code": new_code()}).items():
        if name == "zone":
            page.select_option("[name=zone]", value)
        elif name.startswith("target_"):
            page.click("summary")
            page.fill(f"[name={name}]", value)
        else:
            page.fill(f"[name={name}]", value)
    page.click("main form button:not([name])")
    page.wait_for_url("**/settings/")
    assert "青禾口腔·云岭" in page.content()


def test_every_page_of_the_settings_is_there_for_the_administrator(client):
    admin = UserFactory(role=Role.ADMIN, clinic=ClinicFactory())
    client.force_login(admin)
    page = client.get("/settings/").content.decode()
    for entry in (entry for group in GROUPS for entry in group.entries):
        assert f'href="{entry.url}"' in page
        assert client.get(entry.url).status_code == 200, entry.route


def test_a_coordinator_has_no_settings(client):
    client.force_login(UserFactory(role=Role.COORDINATOR, clinic=ClinicFactory()))
    assert client.get("/settings/").status_code == 403


def test_demo_data_with_its_public_passwords_does_not_come_into_a_clinic_that_was_set_up():
    ClinicFactory()
    with pytest.raises(CommandError, match="already"):
        call_command("load_demo")
    call_command("load_demo", if_empty=True)
    assert not User.objects.filter(username="demo_admin").exists()

"""create_clinic, import_staff, invite_staff."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Clinic, Membership, User
from accounts.second_step import has_second_step
from accounts.services.second_step import turn_on
from tests.factories import ClinicFactory, UserFactory

pytestmark = pytest.mark.django_db
STAFF = {
    "clinic": "青禾口腔云岭门诊",
    "staff": [
        {"name": "谢美林", "role": "doctor"},
        {"name": "叶秀娟", "role": "coordinator"},
        {"name": "叶绣涓", "role": "nurse"},
    ],
}


def run(*args, **options):
    out = StringIO()
    call_command(*args, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def staff_file(tmp_path):
    path = tmp_path / "staff.json"
    path.write_text(json.dumps(STAFF, ensure_ascii=False), encoding="utf-8")
    return path


def test_create_clinic():
    out = run("create_clinic", "QH", "青禾口腔·云岭门诊", zone="Asia/Urumqi")
    clinic = Clinic.objects.get(code="QH")
    assert (clinic.name, clinic.zone) == ("青禾口腔·云岭门诊", "Asia/Urumqi")
    assert "QH" in out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("qh", "甲"), "code"),
        (("TOOLONGCODE", "甲"), "code"),
        (("QH", ""), "name"),
        (("QH", "甲", "--zone", "Mars/Base"), "zone"),
    ],
)
def test_create_clinic_says_what_is_wrong(args, words):
    with pytest.raises(CommandError, match=words):
        run("create_clinic", *args)
    assert not Clinic.objects.exists()


def test_a_code_is_given_once():
    run("create_clinic", "QH", "甲")
    with pytest.raises(CommandError, match="code"):
        run("create_clinic", "QH", "乙")


def test_import_staff_creates_accounts_without_a_password(staff_file):
    clinic = ClinicFactory(code="QH")
    out = run("import_staff", str(staff_file), clinic="QH")
    assert "3 created, 0 existing" in out
    members = Membership.objects.for_clinic(clinic).select_related("user")
    assert {(m.user.full_name, m.role) for m in members} == {(r["name"], r["role"]) for r in STAFF["staff"]}
    assert {m.user.username for m in members} == {"xiemeilin", "yexiujuan", "yexiujuan2"}
    assert not any(m.user.has_usable_password() for m in members)


def test_importing_again_creates_nothing(staff_file):
    ClinicFactory(code="QH")
    run("import_staff", str(staff_file), clinic="QH")
    out = run("import_staff", str(staff_file), clinic="QH")
    assert "0 created, 3 existing" in out
    assert User.objects.count() == 3


def test_the_same_people_in_a_second_clinic_are_other_accounts(staff_file):
    for code in ("QH", "QS"):
        ClinicFactory(code=code)
        run("import_staff", str(staff_file), clinic=code)
    assert User.objects.count() == 6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{not json", "not JSON"),
        ('{"people": []}', "no list of people"),
        ('"staff"', "no list of people"),
        ('{"staff": [{"role": "doctor"}]}', "Entry 1 has no name"),
        ('{"staff": ["谢美林"]}', "Entry 1 has no name"),
        ('{"staff": [{"name": "甲", "role": "doctor"}, {"name": "乙", "role": "boss"}]}', "Entry 2 .*boss"),
        ('{"staff": [{"name": "甲", "role": []}]}', "Entry 1"),
        ('{"staff": [{"name": "甲", "role": "doctor"}, {"name": "甲", "role": "nurse"}]}', "twice"),
    ],
)
def test_a_bad_file_is_refused_whole_with_words(tmp_path, text, words):
    ClinicFactory(code="QH")
    path = tmp_path / "staff.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match=words):
        run("import_staff", str(path), clinic="QH")
    assert not User.objects.exists()


def test_an_unknown_clinic_and_a_missing_file_are_named(staff_file, tmp_path):
    ClinicFactory(code="QH")
    with pytest.raises(CommandError, match=r"no clinic XX.*QH"):
        run("import_staff", str(staff_file), clinic="XX")
    with pytest.raises(CommandError, match="cannot be read"):
        run("import_staff", str(tmp_path / "none.json"), clinic="QH")


def test_the_first_administrator_is_invited_from_the_command_line(client):
    ClinicFactory(code="QH")
    out = run("invite_staff", "秦晓", clinic="QH", role="admin", site="https://crm.example")
    link = out.strip().splitlines()[-1]
    assert link.startswith("https://crm.example/invitation/")
    assert client.get(link.removeprefix("https://crm.example")).status_code == 200
    assert Membership.objects.get().role == "admin"
    run("invite_staff", "qinxiao", clinic="QH")
    assert User.objects.count() == 1
    with pytest.raises(CommandError, match="--role"):
        run("invite_staff", "无名", clinic="QH")


def test_the_only_administrator_gets_in_again_without_the_phone():
    admin = UserFactory(clinic=ClinicFactory(code="QH"), role="admin")
    turn_on(user=admin, secret="JBSWY3DPEHPK3PXP", by=admin)
    assert "/invitation/" in run("invite_staff", admin.username, clinic="QH", reset_app=True)
    assert not has_second_step(admin)
    with pytest.raises(CommandError, match="authenticator app"):
        run("invite_staff", admin.username, clinic="QH", reset_app=True)

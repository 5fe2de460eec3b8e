"""What is backed up comes back, row for row and file for file; what is damaged does not come back at all."""

import gzip
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.audit import record
from accounts.models import AuditEvent, Clinic
from accounts.permissions import Role
from clinic_crm.backup.restoring import compare
from patients.models import Patient
from tests.database import empty_what_holds_rows
from tests.factories import ClinicFactory, MembershipFactory, PatientFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db(transaction=True)


class Everything:
    """What `empty_what_holds_rows` asks of a test."""

    @staticmethod
    def _databases_names(include_mirrors=False):
        return ["default"]


def empty(settings):
    empty_what_holds_rows(Everything())
    for path in sorted(Path(settings.MEDIA_ROOT).rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()


@pytest.fixture
def backup(tmp_path, settings):
    clinic = ClinicFactory(name="青禾\t口腔\\N")
    visit = VisitFactory(clinic=clinic, patient=PatientFactory(clinic=clinic, phone="19900001734"))
    Patient.objects.filter(pk=visit.patient_id).update(name="沈雨薇")  # leaves a row of history
    record(action="renamed", clinic=clinic, by=UserFactory(clinic=clinic, role=Role.ADMIN), was="甲", now="乙 😀")
    for name, words in (("exams/一.jpg", b"\xff\xd8picture"), ("imports/empty.csv", b"")):
        path = Path(settings.MEDIA_ROOT) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(words)
    call_command("backup", str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_everything_comes_back(backup, settings):
    visits = VisitFactory._meta.model.objects.values_list("pk", "patient__name")
    before = list(visits)
    empty(settings)
    call_command("restore", str(backup))
    assert list(visits) == before
    assert compare(backup) == []
    assert Clinic.objects.get().name == "青禾\t口腔\\N"
    assert (Path(settings.MEDIA_ROOT) / "exams/一.jpg").read_bytes() == b"\xff\xd8picture"


def test_new_rows_get_new_numbers_and_what_is_append_only_stays_so(backup, settings):
    last = AuditEvent.objects.order_by("pk").last().pk
    empty(settings)
    call_command("restore", str(backup))
    clinic = Clinic.objects.get()
    record(action="renamed", clinic=clinic, by=None)
    assert AuditEvent.objects.order_by("pk").last().pk > last
    with pytest.raises(Exception, match="append_only"):
        AuditEvent.objects.update(action="x")


def test_without_a_superuser_triggers_are_switched_off_one_by_one(backup, settings, monkeypatch):
    monkeypatch.setattr("clinic_crm.backup.restoring._without_triggers", lambda _cursor: False)
    empty(settings)
    call_command("restore", str(backup))
    assert compare(backup) == []
    with pytest.raises(Exception, match="append_only"):
        AuditEvent.objects.update(action="x")


def test_a_database_in_use_is_not_overwritten_unasked(backup, settings):
    MembershipFactory()
    with pytest.raises(CommandError, match="--replace"):
        call_command("restore", str(backup))
    call_command("restore", str(backup), "--replace")
    assert compare(backup) == []


def test_replacing_drops_files_that_came_later(backup, settings):
    later = Path(settings.MEDIA_ROOT) / "later.jpg"
    later.write_bytes(b"x")
    assert compare(backup) == ["files/later.jpg"]
    call_command("restore", str(backup), "--replace")
    assert not later.exists()


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("tables/accounts_clinic.copy.gz", "damaged"), ("files/exams/一.jpg", "damaged"), ("manifest.json", "changed")],
)
def test_a_damaged_backup_is_refused_before_anything_is_touched(backup, settings, name, complaint):
    path = backup / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    rows = AuditEvent.objects.count()
    with pytest.raises(CommandError, match=complaint):
        call_command("restore", str(backup), "--replace")
    assert AuditEvent.objects.count() == rows


def test_a_missing_table_is_refused(backup):
    (backup / "tables/patients_patient.copy.gz").unlink()
    with pytest.raises(CommandError, match=r"patients_patient\.copy\.gz is missing"):
        call_command("restore", str(backup), "--replace")


def test_what_comes_back_is_compared_with_the_manifest(backup, monkeypatch):
    """Even if the files' own hashes were made to fit: contents are counted and hashed in the database."""
    path = backup / "tables/accounts_clinic.copy.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace("青禾".encode(), "青木".encode())))
    monkeypatch.setattr("clinic_crm.backup.restoring.faults", lambda *_args: iter(()))
    with pytest.raises(CommandError, match="accounts_clinic: 1 rows"):
        call_command("restore", str(backup), "--replace")
    assert Clinic.objects.get().name.startswith("青禾")


def test_another_data_key_is_refused(backup, settings):
    settings.DATA_KEY = "another"
    with pytest.raises(CommandError, match="DATA_KEY"):
        call_command("restore", str(backup), "--replace")


def test_a_backup_of_a_newer_version_is_refused(backup, monkeypatch):
    monkeypatch.setattr("clinic_crm.backup.restoring.load", lambda directory: newer(directory))
    from clinic_crm.backup.manifest import load

    def newer(directory):
        manifest = load(directory)
        manifest["migrations"].append(["accounts", "9999_later"])
        return manifest

    with pytest.raises(CommandError, match="9999_later"):
        call_command("restore", str(backup), "--replace")


def test_a_backup_goes_into_a_new_directory_that_only_its_owner_reads(backup, tmp_path):
    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0
    with pytest.raises(CommandError, match="there already"):
        call_command("backup", str(backup))
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        assert cursor.fetchone()[0] == "off"

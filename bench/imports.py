"""The patient import against COPY of the same rows."""

import io
import json
import random
import tempfile
from pathlib import Path

from django.core.management import call_command
from django.db import connection, transaction

from accounts.models import Clinic
from bench.measure import seconds
from clinic_crm.demo import words
from clinic_crm.demo.history import trusted

ROWS = 20_000
HEADER = "病历号,姓名,性别,出生日期,手机号码,微信号,渠道来源,初诊日期,主治医生,主诉,客户分类,标签,职业,住址,备注"


# What an import writes, what is pointed at first, and how its rows are found by clinic.
OF_PATIENTS = "patient_id IN (SELECT patient_id FROM patients_registration WHERE clinic_id = {clinic})"
WRITTEN = {
    "patients_patient": "id IN (SELECT patient_id FROM patients_registration WHERE clinic_id = {clinic})",
    "patients_registration": "clinic_id = {clinic}",
    "patients_patientphone": OF_PATIENTS,
    "patients_classchange": "clinic_id = {clinic}",
    "patients_chartnumber": "clinic_id = {clinic}",
    "patients_referral": "clinic_id = {clinic}",
}


def report() -> None:
    """Print rows per second of the import, and of COPY writing the very same rows into the same tables."""
    clinic, _made = Clinic.objects.get_or_create(code="BN", defaults={"name": "导入测速门诊"})  # its log keeps it
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "patients.csv"
            path.write_text(_rows(), encoding="utf-8")
            _import(path, clinic)  # once before, so that neither side pays for cold indexes alone
            _forget(clinic)
            imported, output = _import(path, clinic)
        created = json.loads(output)["created"]
        rows = _rows_of(clinic)
        _forget(clinic)
        copied = seconds(lambda: _copy(rows))
    finally:
        _forget(clinic)
    print(f"\nimport of {ROWS:,} rows, {created:,} created: {ROWS / imported:,.0f} rows/s (checks, merge, history)")
    print(f"COPY of the same rows: {ROWS / copied:,.0f} rows/s · import ÷ COPY: {imported / copied:.1f} ×")


def _import(path: Path, clinic: Clinic) -> tuple[float, str]:
    """Import the file; returns the seconds it took and the report."""
    output = io.StringIO()
    took = seconds(lambda: call_command("import_patients", str(path), clinic=clinic.code, json=True, stdout=output))
    return took, output.getvalue()


def _rows() -> str:
    dice = random.Random(3)
    lines = [HEADER]
    for n in range(ROWS):
        name = dice.choice(words.SURNAMES) + dice.choice(words.GIVEN)
        lines.append(
            f"BN{n:06d},{name},女,19{n % 60 + 30}-03-0{n % 9 + 1},19900{(n * 611_953) % 1_000_000:06d},wx_{n},抖音,"
            f"2025-0{n % 9 + 1}-11,,牙疼,C-{'EDCBA'[n % 5]},需陪同|医保,会计,青禾市{n}号,下班后联系"
        )
    return "\r\n".join(lines) + "\r\n"


def _rows_of(clinic: Clinic) -> dict[str, io.StringIO]:
    """Return what the import wrote, table by table, as COPY hands it out."""
    dumps = {}
    with connection.cursor() as cursor:
        for table, where in WRITTEN.items():
            dumps[table] = io.StringIO()
            query = f"COPY (SELECT * FROM {table} WHERE {where.format(clinic=int(clinic.pk))}) TO STDOUT"
            cursor.copy_expert(query, dumps[table])
    return dumps


@transaction.atomic
def _copy(rows: dict[str, io.StringIO]) -> None:
    """Write the rows again, indexes, constraints and all."""
    with connection.cursor() as cursor:
        for table, dump in rows.items():
            dump.seek(0)
            cursor.copy_expert(f"COPY {table} FROM STDIN", dump)


@transaction.atomic
def _forget(clinic: Clinic) -> None:
    """Take the imported people out again, so that the next run meets the same database."""
    with trusted(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE gone ON COMMIT DROP AS"
            " SELECT patient_id AS id FROM patients_registration WHERE clinic_id = %s",
            [clinic.pk],
        )
        for table in ("patients_patientphone", "patients_classchange", "patients_consent"):
            cursor.execute(f"DELETE FROM {table} WHERE patient_id IN (SELECT id FROM gone)")
        for table in ("patients_chartnumber", "patients_referral", "patients_registration"):
            cursor.execute(f"DELETE FROM {table} WHERE clinic_id = %s", [clinic.pk])
        cursor.execute("DELETE FROM patients_patient WHERE id IN (SELECT id FROM gone)")
        cursor.execute("DELETE FROM patients_patientnumbercounter WHERE clinic_id = %s", [clinic.pk])

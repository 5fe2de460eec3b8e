"""The patient import against COPY of the same rows."""

import io
import json
import random
import tempfile
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from accounts.models import Clinic
from bench.measure import seconds
from clinic_crm.demo import words

ROWS = 20_000
HEADER = "病历号,姓名,性别,出生日期,手机号码,微信号,渠道来源,初诊日期,主治医生,主诉,客户分类,标签,职业,住址,备注"


def report() -> None:
    """Print rows per second of both."""
    clinic = Clinic.objects.create(code="BN", name="导入测速门诊")
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "patients.csv"
            path.write_text(_rows(), encoding="utf-8")
            copied = seconds(lambda: _copy(path))
            output = io.StringIO()
            imported = seconds(
                lambda: call_command("import_patients", str(path), clinic=clinic.code, json=True, stdout=output)
            )
        created = json.loads(output.getvalue())["created"]
    finally:
        _forget(clinic)
    print(f"\nimport of {ROWS:,} rows, {created:,} created: {ROWS / imported:,.0f} rows/s (checks, merge, history)")
    print(f"COPY of the same rows: {ROWS / copied:,.0f} rows/s · import ÷ COPY: {imported / copied:.1f} ×")


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


def _copy(path: Path) -> None:
    columns = ", ".join(f"c{n} text" for n in range(len(HEADER.split(","))))
    with connection.cursor() as cursor, path.open("rb") as file:
        cursor.execute(f"CREATE TEMPORARY TABLE copied ({columns})")
        cursor.copy_expert("COPY copied FROM STDIN WITH (FORMAT csv, HEADER)", file)
        cursor.execute("DROP TABLE copied")


def _forget(clinic: Clinic) -> None:
    """Take the imported people out again, so that the next run meets the same database."""
    from django.db import transaction

    from clinic_crm.demo.history import trusted

    with transaction.atomic(), trusted(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE gone ON COMMIT DROP AS"
            " SELECT patient_id AS id FROM patients_registration WHERE clinic_id = %s",
            [clinic.pk],
        )
        for table in ("patients_patientphone", "patients_classchange", "patients_consent"):
            cursor.execute(f"DELETE FROM {table} WHERE patient_id IN (SELECT id FROM gone)")
        cursor.execute("DELETE FROM patients_chartnumber WHERE clinic_id = %s", [clinic.pk])
        cursor.execute("DELETE FROM patients_registration WHERE clinic_id = %s", [clinic.pk])
        cursor.execute("DELETE FROM patients_patient WHERE id IN (SELECT id FROM gone)")
        cursor.execute("DELETE FROM patients_patientnumbercounter WHERE clinic_id = %s", [clinic.pk])
        cursor.execute("DELETE FROM accounts_clinic WHERE id = %s", [clinic.pk])

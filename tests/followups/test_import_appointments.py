"""What importing appointments reports and leaves in the database, and that it can be run again."""

import io
import json
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.permissions import Role
from followups.importing.headers import APPOINTMENT_COLUMNS
from followups.importing.service import import_appointments
from followups.models import Appointment, AppointmentChange, Room
from patients.importing.headers import find_field
from patients.importing.service import import_patients
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    MembershipFactory,
    PatientFactory,
    RoomFactory,
    UserFactory,
)
from tests.patients.import_helpers import FILES, LIST, TODAY, expected, write
from tests.patients.import_xlsx import row as cells_of
from tests.patients.import_xlsx import sheet, workbook

pytestmark = pytest.mark.django_db
EXPORT = FILES / "appointments_export.csv"
HEADER = "预约编号,病历号,患者,电话,预约日期,开始时间,结束时间,医生,诊室,预约类型,状态,取消原因,备注"
KEYS = ("rows", "created", "updated", "merged", "rejected", "warnings")
PHONE = "19900000001"


@pytest.fixture
def clinic():
    return ClinicFactory(code="YL")


@pytest.fixture
def patient(clinic):
    return PatientFactory(clinic=clinic, name="叶明安", phone=PHONE)


@pytest.fixture
def doctor(clinic):
    return UserFactory(clinic=clinic, role=Role.DOCTOR, full_name="谢美林")


@pytest.fixture
def staffed(clinic):
    for person in json.loads((FILES / "staff.json").read_text())["staff"]:
        MembershipFactory(clinic=clinic, user=UserFactory(full_name=person["name"]), role=person["role"])
    return clinic


def command(path, *args):
    out = io.StringIO()
    call_command("import_appointments", str(path), "--clinic", "YL", "--today", "2026-11-21", *args, stdout=out)
    return out.getvalue()


def run(clinic, path, **kwargs):
    return import_appointments(path=path, clinic=clinic, by=None, today=kwargs.pop("today", TODAY), **kwargs).plan


def line(**cells):
    usual = {
        "患者": "叶明安", "电话": PHONE, "预约日期": "2026-11-27", "开始时间": "9:30", "结束时间": "10:00",
        "医生": "谢美林", "诊室": "1诊室", "状态": "待确认",
    }  # fmt: skip
    return ",".join((usual | cells).get(name, "") for name in HEADER.split(","))


def lines(folder, *rows, header=HEADER):
    return write(folder, "\n".join([header, *rows]))


def reasons(found):
    return [(row, reason.value) for row, reason in found]


def contents():
    return list(Appointment.objects.order_by("pk").values())


def test_the_export_is_understood_to_the_last_row_and_again(staffed):
    import_patients(path=LIST, clinic=staffed, by=None, today=TODAY)
    wanted = expected(EXPORT)
    wanted["merged"] = [{"row": item["row"], "into_row": item["into_row"]} for item in wanted["merged"]]
    tried = json.loads(command(EXPORT, "--json", "--dry-run"))
    assert Appointment.objects.count() == 0
    report = json.loads(command(EXPORT, "--json"))
    for key in KEYS:
        assert report[key] == wanted[key], key
    assert tried == report
    assert Appointment.objects.count() == wanted["created"] == AppointmentChange.objects.count()
    before = contents()
    again = json.loads(command(EXPORT, "--json"))
    assert (again["created"], again["updated"]) == (0, wanted["created"])
    assert [again[key] for key in ("merged", "rejected", "warnings")] == [
        wanted[key] for key in ("merged", "rejected", "warnings")
    ]
    assert contents() == before
    assert AppointmentChange.objects.count() == wanted["created"]


def test_a_history_that_overlaps_does_not_hold_its_slot(clinic, patient, doctor, tmp_path):
    path = lines(tmp_path, *(line(预约日期="2026-03-05", 状态="已到", 预约编号=f"A{n}") for n in range(3)))
    plan = run(clinic, path)
    assert reasons(plan.warnings) == [(3, "overlap"), (4, "overlap")]
    assert list(Appointment.objects.order_by("number").values_list("holds_slot", flat=True)) == [True, False, False]


@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        ({}, "overlap"),
        ({"诊室": "2诊室"}, "overlap"),
        ({"医生": "张医生"}, "overlap"),
        ({"医生": "张医生", "诊室": "2诊室"}, ""),
        ({"医生": "张医生", "诊室": "１诊室"}, "overlap"),
        ({"开始时间": "10:00", "结束时间": "10:30"}, ""),
        ({"开始时间": "9:00", "结束时间": "9:30"}, ""),
        ({"开始时间": "9:59", "结束时间": "10:30"}, "overlap"),
        ({"状态": "已取消"}, ""),
        ({"状态": "改约"}, ""),
    ],
)
def test_a_time_to_come_is_given_once(clinic, patient, doctor, tmp_path, second, outcome):
    plan = run(clinic, lines(tmp_path, line(), line(**second)))
    assert reasons(plan.rejected) == ([(3, outcome)] if outcome else [])
    assert Appointment.objects.count() == (1 if outcome else 2)


def test_a_row_that_holds_nothing_leaves_its_time_to_others(clinic, patient, doctor, tmp_path):
    plan = run(clinic, lines(tmp_path, line(状态="已取消"), line(结束时间="9:30"), line()))
    assert reasons(plan.rejected) == [(3, "end_before_start")]
    assert plan.created == 2


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"患者": "叶明"}, "unknown_patient"),
        ({"电话": ""}, "unknown_patient"),
        ({"电话": "1990000O001"}, "unknown_patient"),
        ({"患者": "叶明", "预约日期": ""}, "unknown_patient"),
        ({"预约日期": ""}, "bad_date"),
        ({"预约日期": "2026-02-30"}, "bad_date"),
        ({"预约日期": "3月5号"}, "bad_date"),
        ({"开始时间": ""}, "bad_date"),
        ({"结束时间": "25:00"}, "bad_date"),
        ({"结束时间": "午饭后"}, "bad_date"),
        ({"结束时间": "9:30"}, "end_before_start"),
        ({"结束时间": "9:00", "状态": "完成"}, "end_before_start"),
        ({"状态": "完成"}, "bad_status"),
        ({"状态": ""}, "bad_status"),
    ],
)
def test_a_row_is_rejected_for_the_first_reason(clinic, patient, doctor, tmp_path, cells, reason):
    plan = run(clinic, lines(tmp_path, line(**cells)))
    assert reasons(plan.rejected) == [(2, reason)]
    assert Appointment.objects.count() == 0


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("9:30", "10:00"),
        ("09:30:00", "10:00:00"),
        ("0930", "1000"),
        ("9点30分", "10点"),
        ("上午9:30", "上午10:00"),
        ("2026-11-27 09:30", "2026/11/27 10:00"),
        ("９：３０", "１０：００"),
        ("0.3958333333", "0.4166666667"),
    ],
)
def test_times_in_all_their_forms(clinic, patient, doctor, tmp_path, start, end):
    run(clinic, lines(tmp_path, line(开始时间=start, 结束时间=end)))
    row = Appointment.objects.get()
    assert row.starts_at.astimezone(clinic.tz).strftime("%m-%d %H:%M") == "11-27 09:30"
    assert (row.ends_at - row.starts_at).seconds == 1800


def test_other_column_names_with_the_day_in_the_time(clinic, patient, doctor, tmp_path):
    header = "约诊单号\t客户姓名\t手机号\t预约时间\t预计结束时间\t接诊医生\t牙椅\t预约项目\t预约状态\t未到原因"
    cells = f"B1\t叶 明安先生\t+86 {PHONE}\t2026-11-27 下午2:30\t15:30\t谢美林主任\t3号椅\t拔牙\t待确认\t"
    plan = run(clinic, write(tmp_path, f"门诊预约表\n\n{header}\n{cells}\n合计\t1\t\t\t\t\t\t\t\t\n"))
    assert (plan.rows, plan.created) == (1, 1)
    row = Appointment.objects.get()
    assert (row.number, row.doctor, row.room.name, row.kind, row.purpose) == (
        "B1",
        doctor,
        "3号椅",
        "treatment",
        "拔牙",
    )
    assert row.starts_at.astimezone(clinic.tz).hour == 14


def test_a_workbook(clinic, patient, doctor, tmp_path):
    rows = (cells_of(*one.split(",")) for one in (HEADER, line(预约编号="C1", 预约日期="2026-11-27")))
    path = workbook(tmp_path, {"预约": sheet(*rows)})
    assert run(clinic, path).created == 1


def test_a_number_seen_before_is_merged(clinic, patient, doctor, tmp_path):
    second = line(预约编号="A1", 患者="谁", 预约日期="x")
    plan = run(clinic, lines(tmp_path, line(预约编号="A1"), second))
    assert plan.merged == [(3, 2)]
    assert plan.rejected == []


def test_a_bare_number_is_the_appointments_beside_a_card_number(clinic, patient, doctor, tmp_path):
    header = HEADER.replace("预约编号", "编号")
    plan = run(clinic, lines(tmp_path, line(预约编号="A1"), line(预约编号="A1"), header=header))
    assert plan.merged == [(3, 2)]
    assert Appointment.objects.get().number == "A1"


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("就诊人", "name"), ("预约人", ""), ("就诊日期", "day"), ("预约时间", "start"), ("终", "end"), ("工单号", "number"),
        ("出诊医生", "doctor"), ("治疗床", "room"), ("到访状态", "status"), ("取消/爽约原因", "why_not"), ("金额", None),
    ],
)  # fmt: skip
def test_column_name_is_known(name, field):
    assert find_field(name, APPOINTMENT_COLUMNS) == field


def test_rows_without_a_number_are_known_again(clinic, patient, doctor, tmp_path):
    path = lines(tmp_path, line(), line(状态="已取消"), line(状态="已取消"))
    assert run(clinic, path).created == 3
    before = contents()
    again = run(clinic, path)
    assert (again.created, again.updated) == (0, 3)
    assert contents() == before


def test_a_later_file_brings_the_outcome(clinic, patient, doctor, tmp_path):
    run(clinic, lines(tmp_path, line(预约编号="A1")))
    run(clinic, lines(tmp_path, line(预约编号="A1", 状态="已取消", 取消原因="感冒了")), today=date(2026, 11, 28))
    row = Appointment.objects.get()
    assert (row.status, row.holds_slot, row.absence_note) == ("cancelled_patient", False, "感冒了")
    assert row.changes.count() == 2


def test_times_taken_before_the_import_stay_taken(clinic, patient, doctor, tmp_path):
    start = clinic.day_bounds(date(2026, 11, 27))[0]
    room = RoomFactory(clinic=clinic, name="1诊室")
    nine, ten = (start.replace(hour=hour) for hour in (9, 10))
    other = PatientFactory(clinic=clinic)
    AppointmentFactory(clinic=clinic, patient=other, doctor=None, room=room, starts_at=nine, ends_at=ten)
    plan = run(clinic, lines(tmp_path, line(), line(诊室="2诊室")))
    assert reasons(plan.rejected) == [(2, "overlap")]
    assert plan.created == 1


def test_long_and_dangerous_texts_are_kept_whole(clinic, patient, doctor, tmp_path):
    note = "=1+1 <script>" + "长" * 12_000
    run(clinic, lines(tmp_path, line(备注=note, 诊室="室" * 60, 预约编号="9" * 80)))
    row = Appointment.objects.get()
    assert row.note == note
    assert len(row.room.name) <= 40
    assert len(row.number) <= 60


def test_other_clinics_patients_are_unknown(clinic, doctor, tmp_path):
    PatientFactory(clinic=ClinicFactory(), name="叶明安", phone=PHONE)
    assert reasons(run(clinic, lines(tmp_path, line())).rejected) == [(2, "unknown_patient")]


def test_the_number_of_queries_does_not_grow_with_the_rows(clinic, patient, doctor, tmp_path):
    def queries(count):
        rows = (line(预约编号=f"{count}-{n}", 预约日期="2026-03-05", 状态="已到") for n in range(count))
        with CaptureQueriesContext(connection) as caught:
            run(clinic, lines(tmp_path, *rows))
        return len(caught)

    queries(1)
    assert queries(10) == queries(1_000)


def test_a_dry_run_makes_no_rooms(clinic, patient, doctor, tmp_path):
    assert run(clinic, lines(tmp_path, line()), dry_run=True).created == 1
    assert not Room.objects.exists()


def test_what_is_no_file_of_appointments_is_refused(clinic, tmp_path):
    with pytest.raises(CommandError):
        command(write(tmp_path, "a,b,c\n1,2,3\n"))
    with pytest.raises(CommandError):
        command(tmp_path / "missing.csv")

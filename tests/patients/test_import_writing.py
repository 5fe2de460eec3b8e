"""What an import leaves in the database, and that it can be run again."""

import io
import json
from collections import Counter
from datetime import date

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent
from accounts.permissions import Role
from patients.importing.service import import_patients
from patients.models import ChartNumber, ClassChange, Consent, Patient, PatientPhone, Referral, Registration
from tests.factories import ClinicFactory, MembershipFactory, UserFactory
from tests.patients.import_helpers import FILES, LIST, SHEET, TODAY, expected, write

pytestmark = pytest.mark.django_db
HEADER = (
    "病历号,姓名,性别,生日,手机,备用电话,微信,来源,首诊日期,末次就诊,医生,咨询师,主诉,分类,标签,职业,住址,备注,介绍人"
)
A, B, C = (f"1990000000{i}" for i in range(1, 4))


@pytest.fixture
def clinic():
    return ClinicFactory(code="YL")


@pytest.fixture
def staffed(clinic):
    for person in json.loads((FILES / "staff.json").read_text())["staff"]:
        MembershipFactory(clinic=clinic, user=UserFactory(full_name=person["name"]), role=person["role"])
    return clinic


def run(clinic, path, **kwargs):
    return import_patients(path=path, clinic=clinic, by=None, today=TODAY, **kwargs).plan.report()


def lines(folder, *rows):
    width = HEADER.count(",")
    return write(folder, "\n".join([HEADER, *(row + "," * (width - row.count(",")) for row in rows)]))


def row(**cells):
    return ",".join(cells.get(name, "") for name in HEADER.split(","))


def figures():
    models = (Patient, Registration, PatientPhone, ChartNumber, ClassChange, Referral, Consent)
    return {model.__name__: model.objects.count() for model in models}


def contents():
    return list(Patient.objects.order_by("pk").values()), list(Registration.objects.order_by("pk").values())


def command(path, *args, clinic="YL"):
    out = io.StringIO()
    call_command("import_patients", str(path), "--clinic", clinic, "--today", "2026-11-21", *args, stdout=out)
    return out.getvalue()


def test_both_files_one_after_the_other_and_again(staffed):
    report = json.loads(command(LIST, "--json"))
    wanted = expected(LIST)
    wanted["merged"] = [{"row": item["row"], "into_row": item["into_row"]} for item in wanted["merged"]]
    assert report == {key: wanted[key] for key in ("rows", "created", "updated", "merged", "rejected", "warnings")}
    assert Counter(Patient.objects.values_list("class_code", flat=True)) == Counter(
        {code.replace("none", ""): count for code, count in wanted["classes"].items()}
    )
    assert Referral.objects.count() == wanted["counts"]["referrals"]["resolvable"]
    assert ClassChange.objects.count() == Patient.objects.exclude(class_code="").count()
    assert Consent.objects.count() == 0
    sheet = json.loads(command(SHEET, "--json"))
    assert {key: sheet[key] for key in ("created", "updated")} == expected(SHEET)["after"][LIST.name]
    before, held = figures(), contents()
    for path in (LIST, SHEET):
        again = json.loads(command(path, "--json"))
        assert again["created"] == 0
        assert again["rows"] == again["updated"] + len(again["merged"]) + len(again["rejected"])
    assert figures() == before
    assert contents() == held


def test_dry_run_reports_the_same_and_writes_nothing(staffed):
    dry = json.loads(command(SHEET, "--json", "--dry-run"))
    assert not Patient.objects.exists()
    assert not AuditEvent.objects.exists()
    assert dry == json.loads(command(SHEET, "--json"))


def test_command_in_words_and_its_errors(clinic, tmp_path):
    assert "2 created" in command(lines(tmp_path, row(姓名="一", 手机=A), row(姓名="二", 手机=B)))
    with pytest.raises(CommandError, match="NO"):
        command(LIST, clinic="NO")
    with pytest.raises(CommandError):
        command(tmp_path / "none.csv")
    with pytest.raises(CommandError):
        command(write(tmp_path, "hello", "hello.csv"))
    with pytest.raises(CommandError, match="nowhere"):
        command(LIST, "--mapping", '{"姓名": "nowhere"}')
    with pytest.raises(CommandError):
        command(LIST, "--mapping", "{")


def test_everything_a_row_says_is_kept(clinic, tmp_path):
    doctor = UserFactory(full_name="谢美林", role=Role.DOCTOR, clinic=clinic)
    tc = UserFactory(full_name="曹素铭", role=Role.COORDINATOR, clinic=clinic)
    cells = row(
        病历号="K1", 姓名="叶 明安先生", 性别="M", 生日="1985.3", 手机=f"{A}/{B}", 备用电话="026-12345678", 微信="wx1",
        来源="抖音", 首诊日期="2024-05-02", 末次就诊="2025-01-03", 医生="谢美林医生", 咨询师="曹素铭", 主诉="牙疼",
        分类="ce", 标签="VIP|怕疼",
        职业="教师", 住址="云岭区", 备注="=1+1", 介绍人="",
    )  # fmt: skip
    assert run(clinic, lines(tmp_path, cells))["created"] == 1
    patient = Patient.objects.get()
    assert (patient.name, patient.name_key, patient.name_initials) == ("叶明安", "叶明安", "yma")
    assert (patient.sex, patient.birth_date, patient.birth_day_known) == ("m", date(1985, 3, 1), False)
    assert (patient.wechat_id, patient.occupation, patient.region) == ("wx1", "教师", "云岭区")
    assert (patient.notes, patient.class_code) == ("=1+1", "C-E")
    assert [(phone.number, phone.last4) for phone in patient.phones.all()] == [
        (A, A[-4:]), (B, B[-4:]), ("02612345678", "5678"),
    ]  # fmt: skip
    here = patient.registrations.get()
    assert (here.owner, here.doctor, here.channel, here.channel_detail) == (tc, doctor, "douyin", "抖音")
    assert (here.first_visit_on, here.last_visit_on) == (date(2024, 5, 2), date(2025, 1, 3))
    assert (here.complaint, here.tags) == ("牙疼", ["VIP", "怕疼"])
    assert here.number.startswith("YL")
    assert [chart.number for chart in here.chart_numbers.all()] == ["K1"]
    change = ClassChange.objects.get()
    assert (change.old_class, change.new_class, change.patient) == ("", "C-E", patient)
    assert patient.class_set_at == change.at
    event = AuditEvent.objects.get()
    assert (event.action, event.detail["created"]) == ("import_patients", 1)


def test_later_rows_fill_what_is_empty_and_never_overwrite(clinic, tmp_path):
    first = row(
        病历号="K1", 姓名="张三", 手机=A, 生日="属龙", 职业="教师", 分类="X", 来源="抖音", 首诊日期="2024-05-02"
    )
    second = row(病历号="K2", 姓名="张三", 手机=A, 备用电话=B, 生日="1985-03-07", 职业="护士",
        分类="CD", 来源="百度", 备注="n",
                 末次就诊="2024-05-01", 标签="VIP")  # fmt: skip
    third = row(病历号="K2", 姓名="张三", 手机=B, 备注="m", 分类="CA")
    report = run(clinic, lines(tmp_path, first, second, third))
    assert (report["created"], len(report["merged"])) == (1, 2)
    patient = Patient.objects.get()
    assert (patient.birth_date, patient.occupation, patient.class_code) == (date(1985, 3, 7), "教师", "C-D")
    assert patient.notes == "n"
    here = patient.registrations.get()
    assert (here.channel, here.channel_detail, here.tags) == ("douyin", "抖音", ["VIP"])
    assert (here.first_visit_on, here.last_visit_on) == (date(2024, 5, 2), None)
    assert sorted(chart.number for chart in here.chart_numbers.all()) == ["K1", "K2"]
    assert [phone.number for phone in patient.phones.all()] == [A, B]
    assert ClassChange.objects.count() == 1


def test_updating_keeps_the_version_and_history(clinic, tmp_path):
    run(clinic, lines(tmp_path, row(姓名="张三", 手机=A)))
    assert run(clinic, lines(tmp_path, row(姓名="张 三", 手机=A, 备用电话=C, 职业="教师")))["updated"] == 1
    patient = Patient.objects.get()
    assert (patient.version, patient.occupation) == (2, "教师")
    assert [phone.number for phone in patient.phones.all()] == [A, C]


def test_same_file_again_creates_nothing_even_after_a_correction_by_hand(clinic, tmp_path):
    path = lines(tmp_path, row(姓名="张三", 手机=A), row(姓名="李四", 微信="wx"), row(姓名="李四", 微信="wx"))
    assert run(clinic, path)["created"] == 3
    patient = Patient.objects.get(name="张三")
    patient.name = "张珊"
    patient.save()
    report = run(clinic, path)
    assert (report["created"], report["updated"]) == (0, 3)


def test_the_same_file_twice_at_once_is_imported_once(clinic, tmp_path, monkeypatch):
    path = lines(tmp_path, row(病历号="K1", 姓名="张三", 手机=A), row(病历号="K2", 姓名="李四", 手机=B, 介绍人="张三"))

    def wait(_clinic):  # while the other import is waited for, it ends
        monkeypatch.undo()
        run(clinic, path)

    monkeypatch.setattr("patients.importing.service._wait_for_others", wait)
    report = run(clinic, path)
    assert (report["created"], report["updated"]) == (0, 2)
    assert (ChartNumber.objects.count(), Referral.objects.count()) == (2, 1)


def test_a_person_merged_away_is_found_in_who_is_left(clinic, tmp_path):
    path = lines(tmp_path, row(姓名="李四", 微信="wx"), row(姓名="李四四", 手机=B))
    run(clinic, path)
    gone, left = Patient.objects.order_by("pk")
    Patient.objects.filter(pk=gone.pk).update(merged_into=left)
    report = run(clinic, lines(tmp_path, row(姓名="李四", 微信="wx")))
    assert (report["created"], report["updated"]) == (0, 1)


def test_another_clinics_patients_are_not_touched(clinic, tmp_path):
    path = lines(tmp_path, row(姓名="张三", 手机=A))
    run(ClinicFactory(), path)
    assert run(clinic, path)["created"] == 1
    assert Registration.objects.filter(clinic=clinic).count() == 1


def test_a_card_number_belongs_to_the_first_who_bore_it(clinic, tmp_path):
    run(clinic, lines(tmp_path, row(病历号="K1", 姓名="张三", 手机=A), row(病历号="K1", 姓名="李四", 手机=B)))
    run(clinic, lines(tmp_path, row(病历号="K1", 姓名="王五", 手机=C)))
    assert ChartNumber.objects.get().registration.patient.name == "张三"


def test_text_longer_than_its_field_is_kept_whole_in_the_notes(clinic, tmp_path):
    long = "很长" * 300
    run(clinic, lines(tmp_path, row(姓名="张三", 手机=A, 住址=long, 主诉=long, 备注="n", 标签=long, 病历号=long)))
    patient = Patient.objects.get()
    assert patient.region == long[:200]
    assert patient.notes.startswith("n\n")
    assert patient.notes.count(long) == 4


def test_awkward_characters_arrive_as_they_are(clinic, tmp_path):
    odd = "a\\b\\n'\";DROP{}\u2028🥭"
    path = write(tmp_path, f'姓名\t手机\t标签\t备注\n芒果冰🥭\t{A}\t{odd}\t"a\tb\nc\\t"\n')
    run(clinic, path)
    patient = Patient.objects.get()
    assert patient.notes == "a\tb\nc\\t"
    assert patient.registrations.get().tags == [odd.replace(";", ",").split(",")[0], "DROP{}\u2028🥭"]


def test_referral_is_effective_from_the_first_visit_and_existing_ones_stay(clinic, tmp_path):
    people = [
        row(姓名="甲甲", 手机=A, 介绍人="乙乙", 首诊日期="2024-05-02"), row(姓名="乙乙", 手机=B),
        row(姓名="丙丙", 手机=C, 介绍人="甲甲"),
    ]  # fmt: skip
    run(clinic, lines(tmp_path, *people))
    links = {link.referred.name: link for link in Referral.objects.select_related("referred", "referrer")}
    assert {name: link.referrer.name for name, link in links.items()} == {"甲甲": "乙乙", "丙丙": "甲甲"}
    assert links["甲甲"].effective_at == clinic.day_bounds(date(2024, 5, 2))[0]
    assert links["丙丙"].effective_at is None
    outcome = import_patients(
        path=lines(tmp_path, row(姓名="乙乙", 手机=B, 介绍人="丙丙"), row(姓名="丁丁", 微信="d", 介绍人="甲甲")),
        clinic=clinic, by=None, today=TODAY,
    )  # fmt: skip
    assert [why.value for _row, why in outcome.referrals.unresolvable] == ["circle"]
    assert Referral.objects.get(referred__name="丁丁").referrer.name == "甲甲"


def test_a_fault_half_way_leaves_nothing_behind(clinic, tmp_path, monkeypatch):
    path = lines(tmp_path, row(姓名="张三", 手机=A, 介绍人="李四"), row(姓名="李四", 手机=B))

    def fail(*args):
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr("patients.importing.service._link", fail)
        with pytest.raises(OSError, match="disk full"):
            run(clinic, path)
    assert set(figures().values()) == {0}
    assert run(clinic, path)["created"] == 2
    assert Registration.objects.order_by("pk").values_list("number", flat=True)[0].endswith("-0001")


def test_queries_do_not_grow_with_the_rows(clinic, tmp_path, django_assert_max_num_queries):
    def people(count):
        return lines(
            tmp_path, *(row(病历号=f"K{i}", 姓名=f"人{i}", 手机=f"1990000{i:04d}", 分类="CE") for i in range(count))
        )

    with django_assert_max_num_queries(40):
        run(clinic, people(3))
    with django_assert_max_num_queries(40):
        run(clinic, people(1500))

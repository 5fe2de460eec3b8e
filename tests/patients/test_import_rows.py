"""The rules of one row: what rejects it, what only warns, what is kept."""

from datetime import date

import pytest

from patients.importing.patient_rules import PatientRow, RejectedRow
from tests.patients.import_helpers import one, planned

HEADER = "姓名,手机,备用电话,微信,出生日期,初诊日期,末次就诊,上次联系,下次联系,医生,咨询师,分类,介绍人,介绍人电话"
BLANK = dict.fromkeys(HEADER.split(","), "")
GOOD = {"姓名": "张三", "手机": "19900000001"}


def read(folder, **cells):
    return one(folder, HEADER, list({**BLANK, **cells}.values()))


def warnings(folder, **cells):
    row = read(folder, **GOOD | cells)
    assert isinstance(row, PatientRow)
    return [reason.value for reason in row.warnings]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"姓名": ""}, "missing_name"),
        ({"姓名": " 无 "}, "missing_name"),
        ({"姓名": "-", "手机": ""}, "missing_name"),
        ({"手机": ""}, "missing_contact"),
        ({"手机": "暂无", "备用电话": "/", "微信": "NULL"}, "missing_contact"),
        ({"手机": "打不通"}, "bad_phone"),
        ({"手机": "1990001", "备用电话": "1990002"}, "bad_phone"),
        ({"手机": "", "备用电话": "199****0001"}, "bad_phone"),
        ({"手机": "1990001", "微信": "无"}, "bad_phone"),
        ({"手机": "", "介绍人电话": "19900000009"}, "missing_contact"),
    ],
)
def test_rejected_with_the_first_reason_that_applies(tmp_path, cells, reason):
    found = read(tmp_path, **GOOD | cells | {"分类": "X", "医生": "张医生", "出生日期": "属龙"})
    assert found == RejectedRow(2, reason)


@pytest.mark.parametrize(
    ("cells", "reasons"),
    [
        ({}, []),
        ({"备用电话": "1990001"}, ["bad_phone"]),
        ({"手机": "1990001", "备用电话": "19900000002"}, ["bad_phone"]),
        ({"手机": "1990001", "微信": "wx"}, ["bad_phone"]),
        ({"手机": "", "微信": "wx"}, []),
        ({"手机": "1990001、19900000002", "备用电话": "1990002"}, ["bad_phone"]),
        ({"介绍人": "李四", "介绍人电话": "1990001"}, []),
        ({"出生日期": "属龙"}, ["bad_date"]),
        ({"出生日期": "2026-11-22"}, ["future_birth"]),
        ({"出生日期": "2026-11-21"}, []),
        ({"初诊日期": "2024-13-01"}, ["bad_date"]),
        ({"初诊日期": "1985.3"}, ["bad_date"]),
        ({"初诊日期": "去年", "末次就诊": "0000-00-00", "上次联系": "上周"}, ["bad_date"]),
        ({"初诊日期": "2024-05-02", "末次就诊": "2024-05-01"}, ["bad_date"]),
        ({"初诊日期": "2024-05-02 18:00", "末次就诊": "2024-05-02"}, []),
        ({"下次联系": "尽快"}, ["bad_date"]),
        ({"下次联系": "3月5号", "上次联系": "3月5号"}, []),
        ({"分类": "C-F"}, ["bad_class"]),
        ({"医生": "张医生"}, ["unknown_staff"]),
        ({"医生": "谢美林医生", "咨询师": "曹素铭"}, []),
        ({"医生": "外聘专家", "咨询师": "前台"}, ["unknown_staff"]),
        ({"医生": "无", "分类": "-", "出生日期": "/"}, []),
        (
            {"分类": "X", "医生": "X", "出生日期": "X", "备用电话": "X"},
            ["bad_class", "bad_date", "bad_phone", "unknown_staff"],
        ),
    ],
)
def test_warnings_each_once(tmp_path, cells, reasons):
    assert warnings(tmp_path, **cells) == reasons


def test_what_cannot_be_read_is_left_empty(tmp_path):
    row = read(
        tmp_path, 姓名="张三", 手机="19900000001", 备用电话="x", 出生日期="2030-01-01", 初诊日期="2024-05-02",
        末次就诊="2024-05-01", 上次联系="上周", 医生="张医生", 分类="C-F",
    )  # fmt: skip
    assert row.phones == ("19900000001",)
    assert (row.birth, row.last_visit, row.last_contact, row.doctor, row.patient_class) == (None, None, None, None, "")
    assert row.first_visit == date(2024, 5, 2)


def test_what_is_kept_of_a_row(tmp_path):
    header = (
        "编号,旧病历号,客户姓名,性别,年龄,生日,手机,家长电话,微信号,QQ,来源,标签,职业,住址,主诉,备注,情况,没听过的列"
    )
    cells = [
        "1,234,567", "K1", "=1+1", "F", "41", "1985.3", "19900000001", "19900000001/026-12345678", "手机同号", "12345",
        "老客户介绍", "VIP|怕疼;夜班、VIP", "教师", "青禾市云岭区", "牙疼", "一：①", "二", "x",
    ]  # fmt: skip
    row = one(tmp_path, header, cells)
    assert row.chart_numbers == ("1234567", "K1")
    assert (row.name, row.sex, row.birth) == ("=1+1", "f", (1985, 3, None))
    assert row.phones == ("19900000001", "02612345678")
    assert (row.wechat, row.qq, row.source) == ("19900000001", "12345", "老客户介绍")
    assert row.tags == ("VIP", "怕疼", "夜班")
    assert (row.occupation, row.address, row.complaint, row.note) == ("教师", "青禾市云岭区", "牙疼", "一：①\n二")


def test_mapping_corrects_the_headers(tmp_path):
    header, line = "甲,乙,丙,备注", ["张三", "19900000001", "wx1", "n"]
    mapping = {"甲": "name", "乙": "phone", "丙": "wechat", "备注": ""}
    row = planned(tmp_path, header, [",".join(line)], mapping=mapping).row(2)
    assert (row.name, row.phones, row.wechat, row.note) == ("张三", ("19900000001",), "wx1", "")


def test_two_columns_are_enough_when_the_mapping_names_them(tmp_path):
    result = planned(tmp_path, "甲,乙", ["张三,19900000001"], mapping={"甲": "name", "乙": "phone"})
    assert result.report["created"] == 1


def test_fingerprint_is_the_rows_whatever_the_order_of_columns(tmp_path):
    one_way = planned(tmp_path, "姓名,手机,微信", ["张三,,wx1"]).row(2)
    other_way = planned(tmp_path, "没听过,微信,姓名,手机", ["x,wx1,张三,"]).row(2)
    changed = planned(tmp_path, "姓名,手机,微信", ["张三,,wx2"]).row(2)
    assert one_way.fingerprint == other_way.fingerprint != changed.fingerprint


@pytest.mark.parametrize("other", ["备用电话", "家庭电话", "手机2", "电话(家长)", "其他联系方式"])
def test_the_first_number_is_the_persons_own_whatever_the_order_of_columns(tmp_path, other):
    row = planned(tmp_path, f"{other},姓名,手机", ["19900000002,张三,19900000001"]).row(2)
    assert row.phones == ("19900000001", "19900000002")

"""Column names: what clinic systems and coordinators call them."""

import pytest

from patients.importing.headers import FIELDS, IGNORED, PATIENT_COLUMNS, find_field

KNOWN = {
    "name": "姓名 客户姓名 患者姓名 病人姓名 顾客姓名 客户 患者 会员姓名 求美者姓名 客户名称 Name",
    "phone": "手机号码 备用电话 联系电话 移动电话 电话 手机 手机号 联系方式 固定电话 家庭电话 座机 手机1 "
    "电话二 客户手机 Mobile 电话(家长) 家长电话 备用号码 其他联系方式 手机号码(必填) 手机/电话",
    "wechat": "微信号 微信 微信号码 微信ID 客户微信 WeChat",
    "chart_number": "病历号 就诊卡号 病案号 档案号 客户编号 患者编号 会员卡号 门诊号 卡号 "
    "病历编号 旧病历号 患者ID 编号",
    "sex": "性别 客户性别 Sex",
    "birth": "出生日期 生日 出生年月 客户生日 出生年月日",
    "source": "渠道来源 来源 来源渠道 客户来源 获客渠道 了解途径 就诊来源 渠道 一级渠道",
    "referrer": "介绍人 推荐人 谁介绍的 转介绍人 介绍人姓名 推荐人姓名 老客户介绍人 推荐客户 转介绍 介绍人/电话",
    "referrer_phone": "介绍人电话 推荐人手机 推荐人联系电话 介绍人手机号 电话(介绍人) 推荐人手机号码",
    "first_visit": "初诊日期 首诊日期 首次就诊日期 首诊时间 初次就诊 首次到店时间 第一次来",
    "last_visit": "末次就诊 最近就诊 最后就诊日期 末次到诊时间 最近一次就诊 上次就诊 最近到店",
    "last_contact": "上次联系 最近联系 最近跟进 末次回访时间 最后跟进时间 上次回访 最近联系时间 上次聊天 最近一次通话",
    "next_contact": "下次联系 下次跟进 下次回访日期 下次跟进时间 计划回访日期 下次聊 什么时候再联系",
    "doctor": "主治医生 责任医生 接诊医生 医生 首诊医生 主诊医师 负责医生 主诊 面诊医生",
    "coordinator": "咨询师 咨询顾问 责任咨询师 顾问 现场咨询师 跟进人 客服 归属咨询",
    "complaint": "主诉 想做什么 意向项目 咨询项目 客户需求 意向 就诊项目 项目",
    "patient_class": "客户分类 分类 客户类别 客户等级 级别 患者分类 C类分类 未成交分类 C类分级 意向分类",
    "tags": "标签 客户标签 患者标签",
    "occupation": "职业 客户职业 工作",
    "address": "住址 地址 家庭住址 联系地址 现住址 居住地址",
    "note": "备注 情况 备注信息 说明 客户备注 跟进情况",
    IGNORED: "年龄 序号 建档日期",
}


@pytest.mark.parametrize(("field", "name"), [(field, name) for field, names in KNOWN.items() for name in names.split()])
def test_column_name_is_known(field, name):
    assert find_field(name, PATIENT_COLUMNS) == field


@pytest.mark.parametrize(
    "written",
    ["姓 名", "姓\n名", "＊姓名", "姓名：", "【姓名】"[1:-1], "姓名（必填）", "姓名*", " 姓名 ", "'姓名", "\ufeff姓名"],
)
def test_ornaments_do_not_matter(written):
    assert find_field(written, PATIENT_COLUMNS) == "name"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "人数",
        "余额",
        "会员等级",
        "欠费金额",
        "介绍人关系",
        "紧急联系人电话",
        "电话(紧急联系人)",
        "最近一次消费金额",
    ],
)
def test_unknown_names_stay_unknown(name):
    assert find_field(name, PATIENT_COLUMNS) is None


def test_every_field_can_be_recognised():
    assert set(PATIENT_COLUMNS.values()) == {*FIELDS, IGNORED}

"""What clinic systems and coordinators call the columns of a patient list.

`FIELDS` says what is read. In the table, a line is one way to compose names: alternatives stand
between bars (an empty one first: the part may be missing), parts between pluses, and words in
capitals stand for the lists above it. IGNORED columns are known, so that they help to recognise a
header, and hold nothing that is kept.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

IGNORED = ""

FIELDS: dict[str, str | Promise] = {
    "name": _("Name"),
    "phone": _("Phone numbers"),
    "wechat": _("WeChat"),
    "qq": _("QQ"),
    "chart_number": _("Card number"),
    "sex": _("Sex"),
    "birth": _("Birth date"),
    "source": _("Channel"),
    "referrer": _("Referrer"),
    "referrer_phone": _("Referrer's phone"),
    "first_visit": _("First visit"),
    "last_visit": _("Last visit"),
    "last_contact": _("Last contact"),
    "next_contact": _("Next contact"),
    "doctor": _("Doctor"),
    "coordinator": _("Coordinator"),
    "complaint": _("Chief complaint"),
    "patient_class": _("Class"),
    "tags": _("Tags"),
    "occupation": _("Occupation"),
    "address": _("Address"),
    "note": _("Note"),
}

_LISTS = {
    "PERSON": "|客户|患者|病人|顾客|会员|用户|客人|就诊人|就诊者|求美者|本人|顾客的|客户的",
    "WHEN": "|日期|时间|日|日子",
    "DATE": "日期|时间",
    "LAST": "末次|最近|最近一次|最后|最后一次|上次|上一次|近期|近次|上回",
    "FIRST": "首次|初次|第一次|首|初|最早|最初",
    "NEXT": "下次|下一次|下回|计划|预计|约定|拟|待|后续|下步|计划下次|应",
    "VISIT": "就诊|到诊|到院|来院|到店|来店|进店|接诊|复诊|诊疗|看诊|就医|治疗|来访|到访|上门|来诊|面诊|来",
    "CONTACT": "联系|跟进|回访|沟通|随访|追踪|跟踪|联络|维护|互动|访问|电话回访|回访跟进|聊|聊天|打电话|通话",
    "REFERRER": "介绍人|推荐人|转介绍人|转介人|引荐人|介绍者|推荐者|邀请人|介绍客户|推荐客户|介绍患者|推荐患者"
    "|老客户介绍人|推荐会员|介绍会员|来源介绍人|渠道介绍人",
    "PHONE": "电话|手机|手机号|手机号码|电话号码|联系电话|联系方式|联系手机|移动电话",
}

_NAMES: dict[str, str] = {
    "name": """
        PERSON + 姓名|名字|名称|名|称呼|全名|真实姓名|中文名
        客户|患者|病人|顾客|会员|客人|就诊人|就诊者|求美者|受检者|宾客
        孩子|小孩|宝宝|儿童 + 姓名
        name|patient|patientname|fullname|customer|customername|client|clientname|membername
    """,
    "phone": """
        PERSON + PHONE
        备用|其他|其它|第二|常用|预留|注册|绑定|主要|主|副|次要|首选|另一|来电|联系|私人|个人 + PHONE
        家长|监护人|家属|父母|母亲|父亲|妈妈|爸爸 + PHONE
        备用|其他|其它|第二|来电|联系|预留|个人 + 号码
        固话|固定电话|座机|座机号|座机号码|家庭电话|家庭座机|住宅电话|宅电|办公电话|单位电话|公司电话|工作电话
        号码|手提电话|手提|手机电话|电话手机|移动手机|移动号码|联络电话|联络方式|通讯电话|预约电话
        tel|telephone|phone|phoneno|phonenumber|mobile|mobileno|mobilephone|mobilenumber|cell|cellphone
        contact|contactnumber|contactphone|homephone|landline
    """,
    "wechat": """
        PERSON + 微信|微信号|微信号码|微信id|微信账号|微信帐号
        个人|添加|加|联系|本人 + 微信|微信号
        vx|vx号|wx|wx号|v信|wechat|wechatid|weixin|weixinid|微信联系方式
    """,
    "qq": """
        PERSON + qq|qq号|qq号码|qq账号
        扣扣|扣扣号
    """,
    "chart_number": """
        PERSON + 编号|号|卡号|id|id号|编码|代码|档案号|档案编号|病历号|病案号|序列号
        旧|原|老|新|纸质|电子|门诊|口腔|牙科|历史|系统 + 病历号|病案号|卡号|编号|档案号|病历编号|就诊卡号
        病历编号|病历本号|病历号码|病历|病案编号|就诊卡号|就诊卡|就诊号|就诊编号|诊疗卡号|诊疗卡|诊疗号
        就诊id|就诊卡编号|卡编号|会员卡|会员卡号|门诊号|门诊卡号|建档号|建档编号|登记号|登记编号|档号|挂号卡号|磁卡号
        chartno|chartnumber|chart|patientid|patientno|patientnumber|mrn|cardno|cardnumber|recordno|customerid
        fileno|filenumber|memberno|memberid
    """,
    "sex": """
        PERSON + 性别
        男女|男/女|sex|gender
    """,
    "birth": """
        PERSON + 出生日期|出生年月|出生年月日|出生日|生日|出生|出生时间|生日日期|阳历生日|公历生日
        出生日期年月日|生辰|birthday|birth|birthdate|dob|dateofbirth
    """,
    "source": """
        PERSON + 来源|渠道|来源渠道|渠道来源|来源方式|来源途径|来源类型|来源分类|来源类别
        获客|就诊|到诊|来诊|来院|到店|进店|引流|推广|市场|开发|信息|网络|初诊|首诊|建档|媒体 + 来源|渠道|途径|方式
        了解|得知|知晓|认识|获知 + 途径|渠道|方式
        客源|来源媒体|媒介|媒介来源|一级渠道|一级来源
        首次来源|来源媒介|如何得知|怎么知道我们的|哪来的|从哪来的
        从哪里知道|从哪知道|怎么知道的|怎么知道我们|怎么来的|哪里来的|从哪来
        source|channel|referralsource|leadsource
    """,
    "referrer": """
        REFERRER + |姓名|名字|名称|信息
        转介绍|转介绍客户|老带新|推介人|转诊人|带来的人|谁介绍来的|谁推荐来的|介绍人/电话|介绍人及电话
        谁介绍的|谁介绍|谁推荐的|谁推荐|谁带来的|谁带的|由谁介绍|转介绍来源|转介绍来自
        referrer|referredby|referral|introducer|recommender
    """,
    "referrer_phone": """
        REFERRER + |的 + PHONE
        REFERRER + 号码|tel
        推介人电话|推介人手机
        referrerphone|referrermobile|referrertel|introducerphone
    """,
    "first_visit": """
        FIRST + VISIT + WHEN
        初诊|首诊|初次|首次|第一次到 + WHEN
        firstvisit|firstvisitdate|firstseen
    """,
    "last_visit": """
        LAST + VISIT + WHEN
        末诊|就诊|到诊|来院|到院|到店|复诊|接诊 + DATE
        lastvisit|lastvisitdate|lastseen|visitdate
    """,
    "last_contact": """
        LAST + CONTACT + WHEN
        |已 + CONTACT + DATE
        lastcontact|lastcontactdate|lastfollowup|contacteddate
    """,
    "next_contact": """
        NEXT + CONTACT + WHEN
        下次电话|再联系|什么时候再联系|下次什么时候联系|何时再联系|下一步时间|回访计划
        提醒日期|提醒时间|下次提醒|下次时间|下次日期
        nextcontact|nextcontactdate|nextfollowup|followupdate
    """,
    "doctor": """
        |主治|责任|接诊|首诊|初诊|主诊|负责|治疗|主管|经治|专属|归属|所属|看诊 + 医生|医师|大夫|专家|牙医|医生姓名
        就诊|坐诊|主刀|指定|诊疗|末次就诊|最近就诊|牙科|口腔|客户|患者|复诊|预约 + 医生|医师|大夫|专家|牙医|医生姓名
        面诊|门诊|出诊 + 医生|医师
        主治|主诊|doctor|dentist|doctorname|physician
    """,
    "coordinator": """
        |责任|归属|所属|负责|主管|专属|现场|接诊|接待|首诊|客户|患者 + 咨询师|咨询顾问|咨询|顾问|咨询员|咨询人|咨询人员
        美学|健康|口腔|服务|跟进|主|治疗|牙科|到诊|前台|门诊|客户归属 + 咨询师|咨询顾问|咨询|顾问|咨询员|协调员|协调师
        面诊顾问|面诊咨询师|美学设计师|咨询助理|咨询老师|客服顾问
        咨询师姓名|顾问姓名|跟进人|跟进人员|跟进者|负责人|归属人|责任人|所属人|维护人|维护人员|客户经理|客户负责人
        客服|客服人员|客服专员|专属客服|健康管家|管家|回访人|回访人员|tc|tc姓名|coordinator|consultant|owner|advisor
    """,
    "complaint": """
        PERSON + 主诉|诉求|需求|主要诉求|意向项目|意向|咨询项目|咨询内容|需求项目
        想做什么|想做的|想做项目|想做的项目|要做什么|做什么|主诉症状|主诉内容|主要问题|主要症状|症状|病情|问题|项目
        意向治疗|治疗意向|咨询意向|项目意向|意向科目|咨询科目|咨询病种|病种|咨询需求
        就诊|来院|到诊|来诊 + 项目|原因|目的|需求
        想弄什么|想做|想治什么|想看什么|诉求项目|求美项目
        关注项目|感兴趣项目|感兴趣的项目|治疗项目|预约项目|初诊项目
        chiefcomplaint|complaint|reason|interest
    """,
    "patient_class": """
        |客户|患者|病人|顾客|客人 + 分类|类别|等级|级别|分级|分层|c类|abc分类|评级|意向等级
        未成交|未成交客户|流失|流失客户|意向|客户意向|客户c类|c类 + 分类|类别|等级|级别|分级
        分类等级|分级分类|abc|c类分类|c类客户|c类等级|c类客户分类|c类别|c级|意向级别|意向度
        class|patientclass|grade|level|category
    """,
    "tags": """
        PERSON + 标签|印象|特征|画像|标记
        印象标签|个性标签|自定义标签|tag|tags|labels
    """,
    "occupation": """
        PERSON + 职业|工作|行业|职务|从事职业
        职业类型|occupation|job|profession
    """,
    "address": """
        PERSON + 住址|地址|住所
        家庭|联系|居住|现居住|常住|通讯|通信|详细|现|现住|家 + 住址|地址|住所
        居住地|常住地|现居地|所在地|所在地区|所在区域|家住哪里|家住哪|住哪|住哪里|区域|地区|address|addr|region
    """,
    "note": """
        PERSON + 备注|情况|说明|记录|备注信息|描述
        其他|其它|跟进|回访|沟通|随访|联系 + 备注|情况|说明|记录|内容
        进展|进度|近况|聊天情况|情况备注
        备注说明|备注内容|情况说明|情况描述|注意事项|特殊说明|特别说明|附注|其他|其它|详情
        note|notes|remark|remarks|memo|comment|comments|description
    """,
    IGNORED: """
        PERSON + 年龄|岁数|周岁|年纪
        建档|登记|创建|录入|注册 + |日期|时间|人|人员
        实足年龄|年龄岁|age|序号|序|行号|no
    """,
}


def _names(field: str) -> Iterator[str]:
    for line in _NAMES[field].split("\n"):
        parts = [_LISTS.get(part.strip(), part.strip()).split("|") for part in line.split("+")]
        yield from map("".join, product(*parts))


_BRACKETED = re.compile(r"[(\[【〔<《{]([^)\]】〕>》}]*)[)\]】〕>》}]")
_OTHER_PERSON = re.compile("介绍|推荐|紧急|医生|咨询|员工")
_ORNAMENTS = re.compile(r"[\s*:•·_.#?!]+")
_COUNTED = re.compile(r"-?[0-9一二三四]$")
_PARTS = re.compile(r"[/、|&或和]")
_SECOND = re.compile(
    "备用|其[他它]|第二|次要|^副|另一|家长|家属|监护|父|母|妈|爸|固话|固定|座机|宅|家庭|办公|单位|公司|工作|[2-4二三四]$"
)
LONGEST = 40


@lru_cache(maxsize=4096)
def header_key(text: str) -> str:
    """Return the form in which column names are compared: NFKC, no spaces or ornaments, no case."""
    return _ORNAMENTS.sub("", unicodedata.normalize("NFKC", text).strip("'\ufeff")).casefold()


PATIENT_COLUMNS: dict[str, str] = {
    key: field for field in reversed(_NAMES) for name in _names(field) if (key := header_key(name))
}


def is_second(name: str) -> bool:
    """Tell whether a column of phones so called holds others than the person's first number."""
    return bool(_SECOND.search(header_key(name)))


def find_field(text: str, columns: Mapping[str, str]) -> str | None:
    """Return the field that a column called `text` holds, IGNORED for a known useless one, None if unknown.

    A remark in brackets counts as a prefix ("电话(介绍人)" = "介绍人电话") or not at all ("姓名(必填)"),
    a closing number not at all ("电话2"); of "手机/电话" both parts must mean the same.
    """
    key = header_key(text) if len(text) <= LONGEST else ""
    if not key or key in columns:
        return columns.get(key)
    bare = _BRACKETED.sub("", key)
    if remark := "".join(_BRACKETED.findall(key)):
        if remark + bare in columns:
            return columns[remark + bare]
        if _OTHER_PERSON.search(remark) and not _OTHER_PERSON.search(bare):
            return None
    for candidate in (bare, _COUNTED.sub("", bare)):
        if candidate in columns:
            return columns[candidate]
    fields = {columns.get(part) for part in _PARTS.split(bare) if part}
    return fields.pop() if len(fields) == 1 else None

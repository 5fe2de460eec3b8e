"""The built-in playbooks: which contacts each class asks for (DOMAIN §3, [S1]).

Placeholders: {surname} {name} {title} {clinic} {tc} {doctor} {appointment} {plan}. A line of three dashes
parts the words for WeChat from those for the phone. Manners of [S1]: 很抱歉, never 不好意思; no guarantee, no 最.
"""

from dataclasses import dataclass
from datetime import time

from accounts.permissions import Role
from followups.models.playbooks import ContactChannel, Nature, PlaybookStep
from followups.models.tasks import TaskKind
from patients.classification import PatientClass

Anchor, ClosedBy = PlaybookStep.Anchor, PlaybookStep.ClosedBy
PHONE, WECHAT = ContactChannel.PHONE, ContactChannel.WECHAT


@dataclass(frozen=True)
class StepDraft:
    """A step as data: days after the anchor (negative: before), clinic-local time, days between repeats."""

    kind: str
    title: str
    anchor: str = Anchor.LEFT
    offset_days: int = 1
    at_time: time | None = None
    repeat_days: int | None = None
    owner_role: str = Role.COORDINATOR
    channel: str = WECHAT
    nature: str = Nature.SERVICE
    script: str = ""
    closed_by: str = ClosedBy.CONTACT


HELLO = "{surname}{title}您好，我是{clinic}的{tc}。"

GREETING = StepDraft(
    TaskKind.KEEP_IN_TOUCH,
    "首次问候",
    offset_days=1,
    at_time=time(16, 30),
    script=HELLO + "\n昨天辛苦您过来，回去以后牙齿感觉怎么样？\n有哪里不舒服，随时告诉我，我转给医生。",
)
WEEK = StepDraft(
    TaskKind.KEEP_IN_TOUCH,
    "刷牙指导后第 7 天",
    offset_days=7,
    at_time=time(14),
    channel=PHONE,
    script=HELLO + "\n一周了，上次教的刷牙方法用得顺手吗？\n有不清楚的地方，您拍一张给我看看。"
    "\n---\n" + HELLO + "现在方便说两句吗？\n上次教的刷牙方法，您用着还顺手吗？\n牙龈还出血吗？我记下来告诉医生。",
)
THREE_WEEKS = StepDraft(
    TaskKind.KEEP_IN_TOUCH,
    "第三周问候",
    offset_days=21,
    at_time=time(15),
    script=HELLO + "\n给您发一小段护牙的做法，换季时牙龈容易敏感，可以照着试试。\n平时有什么想问的，都可以找我。",
)
QUARTER = StepDraft(
    TaskKind.KEEP_IN_TOUCH,
    "定期问候",
    offset_days=60,
    repeat_days=60,
    at_time=time(15),
    script=HELLO + "\n有一阵没见，来问声好。牙齿最近还好吗？\n需要看一看的时候，我帮您约{doctor}的时间。",
)
BOOK = StepDraft(
    TaskKind.BOOK_RECHECK,
    "约复查",
    offset_days=2,
    at_time=time(11),
    channel=PHONE,
    nature=Nature.REMINDER,
    closed_by=ClosedBy.BOOKED,
    script=HELLO + "\n{doctor}请您回来复查一次，看看恢复的情况。\n您这周和下周哪一天方便？我把时间给您留好。",
)
NO_SHOW = StepDraft(
    TaskKind.NO_SHOW,
    "未到，问原因",
    anchor=Anchor.NO_SHOW,
    offset_days=0,
    channel=PHONE,
    nature=Nature.REMINDER,
    closed_by=ClosedBy.BOOKED,
    script=HELLO
    + "\n{appointment}没有等到您，想先问问您身体还好吗？\n{doctor}那边我说过了，您看哪一天合适，我重新给您安排。",
)
COMPLAINT = StepDraft(
    TaskKind.COMPLAINT,
    "投诉处理后回访",
    anchor=Anchor.COMPLAINT,
    offset_days=3,
    at_time=time(11),
    channel=PHONE,
    script=HELLO + "\n上次的事给您添了麻烦，很抱歉。\n想问问处理以后您还满意吗？还有哪里要我们改？",
)


def _plan(days: int, script: str, channel: str = PHONE) -> StepDraft:
    return StepDraft(
        TaskKind.PLAN_SENT,
        f"{{plan}}，第 {days} 天",
        anchor=Anchor.PLAN_SENT,
        offset_days=days,
        at_time=time(12),
        channel=channel,
        closed_by=ClosedBy.BOOKED,
        script=HELLO + script,
    )


PLANS = (
    _plan(3, "\n{doctor}给您做的方案，回去看了有不明白的地方吗？\n您说说顾虑，我去问清楚再告诉您。"),
    _plan(7, "\n方案里的步骤和时间，要不要我再跟您讲一遍？\n您不用急着定，弄明白了再说。", WECHAT),
    _plan(14, "\n来问问您牙齿这两周的感觉。\n要是想当面再问{doctor}，我帮您留一个时间。"),
)
RECHECK_PLAN = StepDraft(
    TaskKind.RECHECK_PLAN,
    "复查方案",
    anchor=Anchor.APPOINTMENT,
    offset_days=-1,
    at_time=time(12),
    nature=Nature.SERVICE,
    channel=ContactChannel.IN_PERSON,
    script="和{doctor}一起写好复查方案：看什么、怎么讲、请患者考虑什么。",
)
ACTIVITY = StepDraft(
    TaskKind.ACTIVITY,
    "活动通知",
    offset_days=30,
    repeat_days=90,
    at_time=time(16),
    nature=Nature.MARKETING,
    script=HELLO + "\n院里近期有护牙活动，想起您上次问过。\n您有兴趣的话我把内容发您；不想收到这类消息，回我一声就好。",
)
GIFT = StepDraft(
    TaskKind.GIFT,
    "赠送服务",
    offset_days=14,
    at_time=time(15),
    nature=Nature.SERVICE,
    script=HELLO + "\n给您留了一次涂氟护理，是送您的，不另收费。\n下次来复查的时候一起做，您看好吗？",
)
VIP = StepDraft(
    TaskKind.KEEP_IN_TOUCH,
    "私下问候",
    offset_days=3,
    repeat_days=30,
    at_time=time(18),
    script=HELLO + "\n就是来问声好，没有别的事。\n牙齿用着舒服吗？有什么想聊的，随时找我。",
)
PERIODIC = StepDraft(
    TaskKind.KEEP_IN_TOUCH,
    "定期提醒",
    anchor=Anchor.CLASS_SET,
    offset_days=90,
    repeat_days=90,
    at_time=time(18),
    nature=Nature.REMINDER,
    script=HELLO + "\n三个月了，该做一次检查和清洁了。\n您方便的时候告诉我，我来安排。",
)
THANKS = StepDraft(
    TaskKind.REFERRAL,
    "介绍致谢",
    anchor=Anchor.CLASS_SET,
    offset_days=0,
    at_time=time(18),
    script=HELLO + "\n谢谢您把朋友介绍过来，我们会用心照顾。\n您自己有什么需要，也请告诉我。",
)

CARE_TOUCH = (GREETING, WEEK, THREE_WEEKS, QUARTER, BOOK, *PLANS, NO_SHOW, COMPLAINT)
BUILTIN: dict[str, tuple[StepDraft, ...]] = {
    PatientClass.CE: CARE_TOUCH,
    PatientClass.CD: CARE_TOUCH,
    PatientClass.CC: (GREETING, WEEK, THREE_WEEKS, BOOK, RECHECK_PLAN, *PLANS, GIFT, ACTIVITY, NO_SHOW, COMPLAINT),
    PatientClass.CB: (GREETING, VIP, GIFT, ACTIVITY, BOOK, RECHECK_PLAN, NO_SHOW, COMPLAINT),
    PatientClass.CA: (THANKS, PERIODIC, NO_SHOW, COMPLAINT),
}
# An appointment of any patient, with or without a class, is confirmed; one who stayed away is asked why.
CONFIRM = StepDraft(
    TaskKind.CONFIRM,
    "确认预约",
    anchor=Anchor.APPOINTMENT,
    offset_days=-1,
    at_time=time(15),
    channel=PHONE,
    nature=Nature.REMINDER,
    closed_by=ClosedBy.RECEIVED,
    script=HELLO + "\n跟您确认一下：{appointment}，{doctor}的时间给您留着。\n您看方便吗？要改时间也请告诉我。",
)
CARE_SCRIPT = (
    "{surname}{title}您好，我是{clinic}的护士。\n昨天治疗以后还顺利吗？有没有肿、痛或者出血？\n"
    "按医嘱照护就好；不舒服请马上告诉我们。"
)
REBOOK_SCRIPT = HELLO + "\n上次的时间取消了，{doctor}请您再来看一次。\n您看哪一天方便？我把时间给您留好。"

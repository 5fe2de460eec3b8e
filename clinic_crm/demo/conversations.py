"""Online chats for the demo: two dozen of the last weeks, good ones and lost ones, imported and inspected as real ones are."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from accounts.models import Clinic, Membership
from accounts.permissions import Role
from consultations.models import Visit
from consultations.stages import Decision
from conversations.importing.jsonl import chat_from
from conversations.models import CapturedContact, CoachingNote, ConsultantName, Conversation
from conversations.services.capturing import Wish, detail_of, take_over
from conversations.services.importing import take_chats
from conversations.services.reading import coach
from patients.models import Channel, Registration

COUNT = 26
TAKEN_OVER = (8, 12, 16, 20, 24)  # of the chats that ended with a booking and a number
COACHING = (("客户问价格先给区间，再约到院，不要让客户自己打电话。", 3), ("两分钟内先回一句，再去查资料。", -2))
CHANNELS = ("百度竞价", "抖音私信", "大众点评", "官网", "小红书")
# What was asked for, and the search words that led there.
KEYWORDS = ("种植牙多少钱一颗", "牙齿矫正要几年", "洗牙疼不疼", "牙疼怎么办", "儿童换牙", "全口种植")
V, C, S = "visitor", "consultant", "system"
Line = tuple[str, str, int]  # who, what, seconds since the line before
CHATS: tuple[tuple[Line, ...], ...] = (
    (
        (V, "缺了两颗大牙，种一颗要多少", 0), (C, "您好，我是青禾口腔的咨询师。请问您今年多大年纪，牙缺了多久了？", 14),
        (V, "52，大概一年", 25), (C, "这一年里拍过片吗，平时抽烟或者有血糖方面的问题吗？", 22), (V, "没拍过，不抽烟", 30),
        (C, "明白了。谢美林医生做种植十二年，我们用数字化导板，当天拍片就能看出骨量，全程有专人陪同。", 28),
        (V, "贵不贵", 20), (C, "国产系统一颗从四千多起，先检查再定方案。您做什么工作的，哪天方便过来？", 24),
        (V, "我教书的，{day}上午十点可以", 33), (C, "好的，给您约{day}上午十点，检查不收费。方便留个手机号吗？", 19), (V, "{phone}", 27),
        (C, "已经登记好了。您还有什么不清楚的吗？祝您生活愉快！", 15),
    ),
    (
        (V, "牙套要戴几年", 0), (C, "一般一年半到两年", 95), (V, "我26了还能做吗，牙有点龅，说话也不太好看，一直很在意", 22), (C, "能", 160),
        (V, "大概多少钱呢，分期可以吗", 31), (C, "这个一句两句说不清，您直接打电话问吧", 140), (S, "访客已离开", 60),
    ),
    (
        (V, "我妈七十了全口没牙，能种吗", 0), (C, "您好！可以的，很高兴为您解答。请问老人家平时身体怎么样，有没有高血压？", 18),
        (V, "有一点高血压，在吃药", 35), (C, "血压稳定就可以做。我们医院成立十五年，徐梦琪主任专做全口种植，有家属休息室。", 26),
        (V, "那我先加个微信了解下吧 {wechat}", 40), (C, "好的，这边加您，备注青禾口腔。您还有哪里不清楚吗？祝老人家身体健康！", 20),
    ),
    (
        (V, "洗牙会不会把牙洗松", 0), (C, "不会", 12), (V, "我听别人说洗完牙缝变大了，而且会酸好几天", 20), (C, "难道别人说的您都信吗？", 25),
        (V, "我就问问", 18), (C, "不好意思，那您自己看着办吧。", 30), (S, "系统提示：会话超时，已自动关闭", 300),
    ),
    (
        (V, "孩子八岁门牙掉了一年没长出来", 0), (C, "您好，请问以前有没有磕碰过，带孩子拍过片吗？", 16), (V, "小时候摔过一次", 28),
        (C, "建议来拍一张小片看看恒牙的位置，程素彤医生看儿童牙八年了，有儿童专区，不害怕。您家住哪一带？", 25),
        (V, "松浦那边，周末人多吗", 22), (C, "周末可以预约，不用排队。您看{day}下午三点可以吗？", 18), (V, "可以", 20),
        (C, "好的，{day}下午三点给您留着。留个电话，我们提前一天提醒您。", 14), (V, "{phone}", 36),
        (C, "收到。请问还有什么不清楚的吗？祝您和孩子周末愉快！", 12),
    ),
    (
        (V, "牙疼了三天，晚上睡不着", 0), (V, "在吗", 80), (C, "在的，您说。", 45), (V, "右边下面最里面那颗，吃了消炎药也没用，疼得厉害", 26),
        (C, "那应该是智齿发炎了，要拔掉。", 70), (V, "拔牙疼不疼", 15), (C, "你看不懂中文吗？打麻药的不疼。", 50), (V, "什么态度", 12),
    ),
    (
        (V, "种牙能用医保吗", 0), (C, "您好，种植的材料费不在医保里，检查和部分治疗可以。请问您缺几颗牙，缺了多久？", 20),
        (V, "一颗，拔了三个月", 30), (C, "三个月正是合适的时候。方便加个QQ或微信，把费用明细发您吗？", 24), (V, "QQ {qq}", 25), (C, "好的，马上发您。祝您顺心！", 18),
    ),
    (
        (V, "你们几点下班", 0), (C, "您好，每天上午九点到晚上六点，周末也上班。", 10), (V, "好的谢谢", 20), (C, "不客气，还有什么不清楚的吗？祝您生活愉快！", 8),
    ),
)  # fmt: skip


def tell_conversations(clinic: Clinic) -> int:
    """Take in the demo's chats, the same ones each time; returns how many there are."""
    rows = Membership.objects.for_clinic(clinic).active().select_related("user", "team").order_by("pk")
    staff = list(rows.with_role(Role.ONLINE_CONSULTANT, Role.COORDINATOR)[:4])
    if not staff:
        return 0
    for member in staff:
        name = f"{member.user.surname}老师"
        ConsultantName.objects.get_or_create(clinic=clinic, name=name, defaults={"user": member.user})
    became = _became(clinic)
    take_chats(
        drafts=(chat_from(n, one, clinic.tz) for n, one in enumerate(_told(clinic, staff, became))), clinic=clinic,
        by=None,
    )  # fmt: skip
    _take_over(clinic, became)
    _coach(clinic)
    filed = CapturedContact.objects.filter(capture__conversation__clinic=clinic, kind=CapturedContact.Kind.WECHAT)
    first = filed.order_by("pk").first()
    if first is not None:  # one that was kept as it should be; the others wait for group and remark
        first.group_name, first.remark, first.added_at = "种植", "全口，为母亲问", first.created_at
        first.save()
    return Conversation.objects.for_clinic(clinic).count()


def _key(clinic: Clinic, number: int) -> str:
    return f"demo-{clinic.code}-{number + 1:02}"


def _start(clinic: Clinic, number: int) -> datetime:
    midnight = clinic.day_bounds(clinic.today())[0]
    return midnight - timedelta(days=1 + number * 37 // COUNT) + timedelta(minutes=545 + number * 97 % 560)


def _became(clinic: Clinic) -> dict[int, Visit]:
    """Return by chat the first visit of the patient it became: somebody who came in the days after it."""
    found: dict[int, Visit] = {}
    visits = Visit.objects.for_clinic(clinic).filter(is_error=False, is_first=True, patient__phones__position=0)
    visits = visits.select_related("patient", "appointment")
    visits = visits.order_by(F("appointment").asc(nulls_last=True), "arrived_at", "pk")  # who had booked first
    for number in TAKEN_OVER:
        start = _start(clinic, number)
        came = visits.filter(arrived_at__gt=start + timedelta(hours=20), arrived_at__lt=start + timedelta(days=9))
        came = came.exclude(patient__in=[visit.patient_id for visit in found.values()])
        accepted = came.filter(decision__in=(Decision.ACCEPTED, Decision.DEPOSIT)) if number % 8 == 0 else came
        visit = accepted.first() or came.first()
        if visit is not None:
            found[number] = visit
    return found


def _take_over(clinic: Clinic, became: dict[int, Visit]) -> None:
    """Tie the chats to whom they became, as their consultants did at the time."""
    for number, visit in became.items():
        chat = Conversation.objects.for_clinic(clinic).get(source_key=_key(clinic, number))
        if chat.patient_id is None and chat.consultant is not None:
            take_over(conversation=chat, wish=Wish(patient=visit.patient), by=chat.consultant)
            Conversation.objects.filter(pk=chat.pk).update(appointment=visit.appointment)
            here = Registration.objects.for_clinic(clinic).filter(patient=visit.patient)
            here.update(channel=Channel.ONLINE_CHAT, channel_detail=detail_of(chat))


def _coach(clinic: Clinic) -> None:
    """Have the manager ask for something better after two of the worst chats: one still has time, one is overdue."""
    member = Membership.objects.for_clinic(clinic).active().with_role(Role.MANAGER).order_by("pk").first()
    if member is None or CoachingNote.objects.for_clinic(clinic).exists():
        return
    worst = Conversation.objects.for_clinic(clinic).exclude(consultant=None).order_by("score", "pk")[: len(COACHING)]
    for chat, (text, days) in zip(worst, COACHING, strict=False):
        note = coach(conversation=chat, text=text, by=member.user)
        CoachingNote.objects.filter(pk=note.pk).update(due_on=clinic.today() + timedelta(days=days))


def _told(clinic: Clinic, staff: list[Any], became: dict[int, Visit]) -> Iterator[dict[str, Any]]:
    for number in reversed(range(COUNT)):  # the latest is written last
        start = _start(clinic, number)
        member = staff[(number % 3 if number % 4 else 0) % len(staff)]
        yield {
            "id": _key(clinic, number),
            "channel": CHANNELS[number * 3 % len(CHANNELS)],
            "keyword": KEYWORDS[number * 5 % len(KEYWORDS)],
            "cost": 100 + number * 37 % 101,
            "consultant": f"{member.user.surname}老师",
            "team": member.team.name if member.team else "",
            "visitor": f"访客{2100 + number * 13}",
            "started_at": start.isoformat(),
            "messages": list(_messages(number, start, clinic, became.get(number))),
        }


def _messages(number: int, start: datetime, clinic: Clinic, visit: Visit | None) -> Iterator[dict[str, str]]:
    agreed = max(start, clinic.day_bounds(clinic.today())[0]) + timedelta(days=3 + number % 5)
    if visit is not None:
        agreed = visit.arrived_at.astimezone(clinic.tz)
    words = {
        "day": f"{agreed.month}月{agreed.day}号",
        "phone": visit.patient.phones.get(position=0).number
        if visit is not None
        else f"199000{clinic.pk % 10}{number:02}{number * 7 % 100:02}",
        "wechat": f"qinghe_demo{number:02}",
        "qq": f"19900{number:04}",
    }
    at = start
    for who, text, after in CHATS[number % len(CHATS)]:
        at += timedelta(seconds=after)
        yield {"at": at.isoformat(), "from": who, "text": text.format(**words)}

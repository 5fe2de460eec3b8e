"""How a chat ended (DOMAIN §5, [S2]: greeting, visitor, consultant, system)."""

import re

from conversations.inspection.chat import Ending
from conversations.inspection.matcher import watch
from conversations.inspection.reading import Reading, bits

ASKS = re.compile(
    r"还有[^。！？!?]{0,12}(?:吗|么|呢|没有?|[？?])|(?:还有|有没有)(?:什么|别的|其[他它]|哪里|哪些|哪儿|啥|问题|疑)[^。！？!?]{0,12}(?:吗|么|呢|没有?|木有|不|[？?])|"
    r"(?:还有?|其[他它]|别的|另外|哪里|哪些|有没有|有什么|有啥|是否|要不要)[^。！？!?]{0,10}(?:不清楚|不明白|不了解|不懂|不确定|没弄懂|没听懂|疑问|疑惑|疑虑|问题|顾虑|困惑|要问|想问|想了解|要了解|需要了解|想知道|需要我|需要帮|可以帮|能帮|要咨询|想咨询|需要咨询|咨询的|担心的|帮到|帮您|帮你|补充|说明的|讲清楚|交代)"
    r"|(?:都|全|说|讲|解释)(?:清楚|明白|了解)了?(?:吗|么|没有|没)|(?:有|存在)(?:什么|任何|其他)?(?:疑问|不清楚|不明白|问题)(?:的地方|的)?(?:吗|么|没有|没|可以|随时|欢迎)|(?:疑问|不清楚|不明白)[^。！？!?]{0,6}(?:吗|么|没)"
)
WISHES = re.compile(
    r"祝|愿你|愿孩子|愿宝宝|愿(?:阿姨|叔叔|老人|您)|(?:一切|万事)(?:顺利|如意|安好)|早日(?:康复|恢复|好孕|如愿)|(?:生活|周末|节日|假期)(?:愉快|快乐)|(?:保重|注意)身体.{0,6}(?:再见|拜)"
)
FAREWELL = re.compile(
    r"再见|拜拜|拜了|bye|回见|88(?!\d)|再会|下次聊|先聊到这|就聊到这|聊到这里|告辞|晚安|先这样(?:吧|了|哈)?[。！]?$|就这样(?:吧|了|哈)?[。！]?$|先下了|先下线了?|下线了[。！]?$|先结束了[。！]?$|接下一位了?[。！]?$|就?到这(?:儿|里)吧[。！]?$|挂了[啊哈]?[。！]?$|下班了[。！]?$|不聊了|先不聊|结束(?:本次)?(?:对话|咨询|会话)了?|祝[^。？！]{1,20}[。！]?$|那您自己考虑|那你自己考虑"
)
LEAVES = re.compile(
    r"再见|拜拜|拜|bye|88|不问了|不聊了|先这样|下了|先走|回见|不用了|算了|再说|谢谢.{0,4}$|没了|没有了|好的?$|晚安"
)
BY_SYSTEM = re.compile(
    r"超时|超过|长时间|未(?:回复|响应|操作|收到|应答|发言)|无(?:响应|应答|操作|回复|新消息)|没有(?:回复|响应|新消息)|自动(?:结束|关闭|断开|终止|下线)|由系统|系统(?:已|已经|自动|将)?(?:结束|关闭|终止)|网络|断开|中断|断线|掉线|连接(?:失败|丢失|异常)|服务器|异常(?:退出|结束|断开)|故障|闲置|空闲|timeout|time out|disconnect"
)
BY_CONSULTANT = re.compile(
    r"(?:客服|咨询师|咨询员|坐席|座席|顾问|接待|工作人员|人工|在线医生|医生|老师|助理|接线员|专员|健康顾问)[^，。]{0,8}(?:结束|关闭|退出|离开|终止|挂断|下线)"
)
BY_VISITOR = re.compile(
    r"(?:访客|客户|用户|顾客|患者|游客|对方|网友)[^，。]{0,8}(?:离开|关闭|退出|结束|下线|离线|终止|挂断|评价)"
)
CLOSED = re.compile(r"结束|关闭|离开|退出|终止|断开|中断|下线|掉线|离线|断线|超时|自动|挂断")


_NOT_BY_HAND = re.compile(r"超|长时间|未|无|自动|网络|断|掉线|系统")
_WISHES, _FAREWELL = watch("wishes", WISHES), watch("farewell", FAREWELL)


def read(reading: Reading) -> Ending:
    """Say who ended the chat.

    A greeting asks whether anything is unclear and wishes well. What a system line says of the end holds unless the
    greeting was complete; a consultant who takes leave without it ended the chat, unless the visitor had done so.
    """
    if _is_greeting(reading):
        return "greeting"
    closing = _closing_line(reading) if reading.senders[-1:] not in (["visitor"], ["consultant"]) else ""
    if closing:
        if BY_CONSULTANT.search(closing) and not BY_SYSTEM.search(closing):
            return "consultant"
        if BY_VISITOR.search(closing) and not _NOT_BY_HAND.search(closing):
            return "consultant" if _consultant_left(reading) else "visitor"
        if BY_SYSTEM.search(closing):
            return "system"
    return "consultant" if _consultant_left(reading) else "visitor"


def _closing_line(reading: Reading) -> str:
    """The system line(s) after the last word of either side."""
    lines = []
    for index in range(len(reading.senders) - 1, -1, -1):
        if reading.senders[index] in ("visitor", "consultant"):
            break
        if reading.senders[index] == "system" and CLOSED.search(reading.texts[index]):
            lines.append(reading.texts[index])
    return lines[-1] if lines else ""


def _is_greeting(reading: Reading) -> bool:
    if not reading.consultant_mask & bits(_WISHES):
        return False
    last = reading.consultant[-4:]
    if not any(WISHES.search(reading.texts[index]) for index in last[-2:]):
        return False
    wish = max(index for index in last[-2:] if WISHES.search(reading.texts[index]))
    return any(ASKS.search(reading.texts[index]) for index in last if index <= wish)


def _consultant_left(reading: Reading) -> bool:
    """The consultant took leave last, and the visitor neither before nor after."""
    if not reading.consultant_mask & bits(_FAREWELL) or not reading.consultant:
        return False
    last, before = reading.consultant[-1], reading.visitor[-1:]
    if (before and before[0] > last) or not FAREWELL.search(reading.texts[last]):
        return False
    return not (before and _TAKES_LEAVE.search(reading.texts[before[0]]))


_TAKES_LEAVE = re.compile(r"再见|拜拜|拜了|bye|88(?!\d)|不问了|不聊了|先这样|下了$|先下了|回见|晚安")

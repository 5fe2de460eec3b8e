"""Who wrote a line: the visitor, a consultant, a bot or the system (bots and system are never anybody's credit)."""

import re
import unicodedata
from collections.abc import Iterable, Set

from conversations.importing.chat import BOT, CONSULTANT, SYSTEM, VISITOR, Line

_ROLES = {
    VISITOR: "访客 客户 顾客 患者 游客 用户 来访者 访问者 咨询者 网友 visitor guest customer client user patient 客人 求美者 对方",
    CONSULTANT: "客服 咨询师 咨询 顾问 咨询员 坐席 座席 接待 接待人员 医助 助理 客服人员 在线客服 人工 人工客服 商务通客服 我 我方 员工 "
    "agent consultant staff operator kefu service support advisor",
    BOT: "机器人 智能客服 智能助手 自动回复 自动应答 智能机器人 ai ai客服 bot robot chatbot 机器人客服 自动消息",
    SYSTEM: "系统 系统提示 系统消息 系统通知 提示 通知 系统信息 system notice sys event 会话事件",
}
ROLE_WORDS = {word: role for role, words in _ROLES.items() for word in words.split()}
_VISITOR_LIKE = re.compile(
    r"(访客|游客|客户|顾客|网友|用户|visitor|guest|user)\s*[-_#:：]?\s*[0-9a-z]*|.+(访客|网友|游客)|.*(市|省)(访客|客户|网友)?",
    re.I,
)
_BOT_LIKE = re.compile(r".*(机器人|自动回复|自动应答|智能客服|智能助手|robot|chatbot).*|.*\bbot\b.*", re.I)
_SYSTEM_LIKE = re.compile(r"系统.{0,4}|system.*", re.I)
_STAFF_LIKE = re.compile(
    r".*(老师|医生|医师|主任|客服|顾问|咨询师?|助理|助手|专员|坐席|接待|导医|护士|店长|经理)\s*[0-9a-z]{0,4}", re.I
)
_AUTOMATIC = re.compile(
    r"^\s*[\[【（(<《]\s*(自动回复|机器人|机器人回复|自动应答|智能回复|auto.?reply)\s*[\]】）)>》]", re.I
)
_SYSTEM_TEXT = re.compile(r"^\s*[\[【（(<《]?\s*(系统提示|系统消息|系统通知|系统)\s*[\]】）)>》]?\s*[:：\]】]")
EVENT = re.compile(
    r"(访客|客户|用户|顾客|对方|您|客服|咨询师|会话|对话|聊天|系统|网络|连接|坐席).{0,14}"
    r"(离开|离线|关闭|结束|超时|断开|接入|转接|转入|进入|上线|下线|建立|中断|开始|排队|加入|无响应|未响应|评价)"
)


def plain(name: str) -> str:
    """Return a name as names are compared: NFKC, no spaces, no closing colon, lower case."""
    return "".join(unicodedata.normalize("NFKC", name).split()).strip(":：[]【】()（）").casefold()


def role_of_word(word: str) -> str:
    """Return the role that a word such as 访客 or agent states; "" for any other word."""
    return ROLE_WORDS.get(plain(word), "")


def role_of_name(name: str, visitor: str, staff: Set[str]) -> str:
    """Return whose name it surely is; "" when it says nothing. Args: staff: known names, as `plain` has them."""
    said = plain(name)
    if not said:
        return ""
    if said in staff:
        return CONSULTANT
    if said in ROLE_WORDS:
        return ROLE_WORDS[said]
    if visitor and said == plain(visitor):
        return VISITOR
    for pattern, role in (
        (_BOT_LIKE, BOT),
        (_SYSTEM_LIKE, SYSTEM),
        (_VISITOR_LIKE, VISITOR),
        (_STAFF_LIKE, CONSULTANT),
    ):
        if pattern.fullmatch(said):
            return role
    return ""


def settle(lines: list[Line], *, visitor: str, consultant: str, staff: Set[str]) -> None:
    """Give every line without a role its role, from the names of the whole chat.

    A name that says nothing is the visitor's when the others are staff, a consultant's when the visitor is
    another, and of two strangers the first to speak is the visitor.
    """
    known = staff | {plain(consultant)} if consultant else staff
    unknown = list(dict.fromkeys(line.name for line in lines if not line.role))
    found = {name: role_of_name(name, visitor, known) for name in unknown}
    have = {line.role for line in lines if line.role} | set(found.values())
    for name in (name for name in unknown if not found[name]):
        found[name] = CONSULTANT if VISITOR in have else VISITOR
        have.add(found[name])
    for line in lines:
        line.role = line.role or found[line.name]


def mark_automatic(lines: Iterable[Line]) -> None:
    """Take answers that say they are automatic for the bot's, and notices of the system for the system's."""
    for line in lines:
        if line.role == CONSULTANT and _AUTOMATIC.match(line.text):
            line.role = BOT
        elif line.role in (CONSULTANT, BOT) and _SYSTEM_TEXT.match(line.text):
            line.role = SYSTEM

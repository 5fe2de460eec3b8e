"""What one line of a pasted or exported chat is: a message's head, a day, a heading, a rule, or more of the last message."""

import re
from dataclasses import dataclass
from datetime import date

from conversations.importing.senders import EVENT, ROLE_WORDS, plain, role_of_name

_DATE = r"(?P<y>\d{4})[-/.年](?P<mo>\d{1,2})[-/.月](?P<d>\d{1,2})日?"
_CLOCK = r"(?P<half>上午|下午|晚上|中午|凌晨)?\s*(?P<h>\d{1,2})[:：](?P<mi>\d{2})(?:[:：](?P<s>\d{2}))?(?:\.\d{1,6})?\s*(?P<ap>[AaPp][Mm])?"
_WEEKDAY = r"(?:\s*[(（]?(?:星期|周|礼拜)[一二三四五六日天][)）]?)?"
_WHEN = rf"[\[【(（]?\s*(?:{_DATE}{_WEEKDAY}[ T]*)?{_CLOCK}\s*[\]】)）]?"
_NAME = r"(?P<name>[^:：\n\t]{1,40}?)"
_HEADS = (
    re.compile(rf"{_WHEN}[ \t]*[-–—|]?[ \t]*{_NAME}\s*[:：]\s*(?P<text>.*)", re.DOTALL),  # time, name: text
    re.compile(
        rf"(?P<name>[^:：\n\t]{{1,40}}?)[ \t]*{_WHEN}\s*[:：](?!\d\d\s*$)\s*(?P<text>.*)", re.DOTALL
    ),  # name (time): text
    re.compile(rf"(?P<name>[^:：\n\t]{{1,40}}?)[ \t]+{_WHEN}\s*"),  # name time, text below
    re.compile(rf"(?P<name>[^:：\n\t]{{1,40}}?)[ \t]*[\[【(（]\s*(?:{_DATE}{_WEEKDAY}[ T]*)?{_CLOCK}\s*[\]】)）]\s*"),
    re.compile(rf"{_WHEN}[ \t]+{_NAME}\s*"),  # time name, text below
)
_TIME_ALONE = re.compile(rf"\W*{_WHEN}\W*")
_ONLY_TIME = re.compile(rf"{_WHEN}\s*(?P<text>.*)", re.DOTALL)
# A sentence, a bare number, a date whose clock follows.
_NO_NAME = re.compile(r"[，。？！,?!；;]|https?$|^\d+$|^[\[(【（]?\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}")
_DAY = re.compile(rf"\W*(?:日期|时间)?\W*{_DATE}{_WEEKDAY}\W*(?:消息记录|聊天记录|的?记录)?\W*")
_RULE = re.compile(r"\s*(?:[=\-—_*#~·─━＝－]\s*){3,}")
_HEADING = re.compile(
    r"[\s=\-—_*#~─━＝－\[【(（]*(?:会话|对话|聊天|聊天记录|对话记录|记录|咨询)\s*(?:ID|编号|号|标识)?\s*[:：#＃]?\s*(?P<key>[A-Za-z0-9_-]{1,60})"
    r"[\s=\-—_*#~─━＝－\]】)）]*"
)
_ABOUT = {
    "key": "会话id 会话编号 会话号 对话id 对话编号 聊天id 记录编号 conversationid sessionid chatid",
    "channel": "渠道 来源 来源渠道 访客来源 推广渠道 平台 channel source",
    "keyword": "关键词 搜索词 关键字 搜索关键词 keyword",
    "cost": "费用 成本 消费 花费 对话成本 cost",
    "team": "组 团队 组别 小组 部门 team group",
    "consultant": "客服姓名 客服名称 咨询师 咨询师姓名 接待客服 接待人 坐席 接待 consultant agent",
    "visitor": "访客名 访客名称 访客姓名 访客id 访客编号 客户名称 客户姓名 visitor",
    "started": "开始时间 会话时间 对话时间 会话开始时间 对话开始时间 咨询时间 startedat start",
    "": "结束时间 会话时长 时长 地区 ip 着陆页 状态 满意度 导出时间 导出人 消息数 消息条数 访问页面",
}
ABOUT = {word: field for field, words in _ABOUT.items() for word in words.split()}
_FIELD = re.compile(r"\s*[\[【]?(?P<word>[^:：\s\]】]{1,12})[\]】]?\s*[:：]\s*(?P<value>.{0,200}?)\s*")
_SPOKEN = re.compile(r"(?P<name>[^:：\n\t，。？！,?!]{1,24}?)\s*[:：]\s*(?P<text>.*)", re.DOTALL)
_HALVES = {"下午": 12, "晚上": 12, "中午": 12, "pm": 12}


@dataclass(frozen=True, slots=True)
class When:
    """The time of a line; `day` is None where the line gives the clock alone, `bad` when it cannot be."""

    day: date | None
    seconds: int
    bad: bool = False
    exact: bool = False  # it names the second, as people in a sentence never do


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a message; `below` when its text stands in the lines that follow."""

    when: When | None
    name: str
    text: str
    below: bool = False
    notice: bool = False  # nobody's words: something happened


def read_head(line: str) -> Head | None:
    """Return the head of a message that has a time; None for any other line."""
    if not any("0" <= c <= "9" for c in line[:80]):
        return None
    for number, pattern in enumerate(_HEADS):
        match = pattern.fullmatch(line)
        if match is None or not _may_be_name(match["name"]):
            continue
        text = match.groupdict().get("text") or ""
        name = match["name"].strip(" \t[]【】<>《》")
        if number == 4 and EVENT.search(name):
            return Head(_when(match), "", name, notice=True)
        return Head(_when(match), name, text, below=number >= 2)
    match = _ONLY_TIME.fullmatch(line)
    if match is not None and match["text"].strip():
        return Head(_when(match), "", match["text"].strip(), notice=True)
    return None


def _may_be_name(name: str) -> bool:
    """Tell whether words before a colon or beside a time can be a name: not a sentence, not another time."""
    said = name.strip()
    return bool(said) and not _NO_NAME.search(said)


def read_spoken(line: str, speakers: frozenset[str], visitor: str, staff: frozenset[str]) -> Head | None:
    """Return a message without a time (name: text), where the name is somebody's for sure."""
    match = _SPOKEN.fullmatch(line)
    if match is None:
        return None
    name = match["name"].strip(" \t[]【】<>")
    if plain(name) in speakers or role_of_name(name, visitor, staff):
        return Head(None, name, match["text"])
    return None


def _when(match: re.Match[str]) -> When:
    part = match.groupdict()
    hour, half = int(part["h"]), (part["ap"] or part["half"] or "").lower()
    if half in _HALVES and hour < 12 and not (half == "中午" and hour == 11):
        hour += 12
    elif half in ("am", "凌晨", "上午") and hour == 12:
        hour = 0
    minute, second = int(part["mi"]), int(part["s"] or 0)
    bad = hour > 23 or minute > 59 or second > 59
    day = None
    if part["y"]:
        try:
            day = date(int(part["y"]), int(part["mo"]), int(part["d"]))
        except ValueError:
            bad = True
    return When(day, hour * 3600 + minute * 60 + second, bad, exact=bool(part["s"]))


def read_time_alone(line: str) -> When | None:
    """Return the time that a line by itself announces for those below."""
    match = _TIME_ALONE.fullmatch(line)
    return _when(match) if match is not None else None


def read_day(line: str) -> date | None:
    """Return the day that a line by itself announces."""
    match = _DAY.fullmatch(line)
    if match is None:
        return None
    try:
        return date(int(match["y"]), int(match["mo"]), int(match["d"]))
    except ValueError:
        return None


def is_rule(line: str) -> bool:
    """Tell whether a line only separates."""
    return _RULE.fullmatch(line) is not None


def read_heading(line: str) -> str | None:
    """Return the number in a heading such as "=== 会话 1024 ==="; None for any other line."""
    match = _HEADING.fullmatch(line)
    return match["key"] if match is not None else None


def read_about(line: str, *, inside: bool) -> tuple[str, str] | None:
    """Return what a line of a chat's header says: (field, value), field "" for what is not kept.

    Args: inside: the header has begun, so that 访客 and 客服 name somebody instead of letting them speak.
    """
    match = _FIELD.fullmatch(line)
    if match is None:
        return None
    word, value = plain(match["word"]), match["value"].strip("]】 ")
    if word in ABOUT:
        return ABOUT[word], value
    if inside and word in ("访客", "客户", "顾客", "客服", "visitor", "agent") and _is_short_name(value):
        return ("visitor" if ROLE_WORDS.get(word) == "visitor" else "consultant"), value
    return None


def _is_short_name(value: str) -> bool:
    return bool(re.fullmatch(r"[\w·]{1,12}", value)) and bool(role_of_name(value, "", frozenset()))

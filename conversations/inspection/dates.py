"""Days and clock times as people write them in a chat: 后天下午三点, 下周二11点半, 9月26日15:00."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final, NamedTuple

_N = "[0-9０-９零〇一二三四五六七八九十两廿]{1,3}"
PART: Final = {
    "凌晨": "night",
    "清晨": "am",
    "早上": "am",
    "早晨": "am",
    "上午": "am",
    "早": "am",
    "一早": "am",
    "中午": "noon",
    "下午": "pm",
    "午后": "pm",
    "傍晚": "pm",
    "晚上": "pm",
    "晚": "pm",
    "夜里": "pm",
    "今晚": "pm",
    "明晚": "pm",
    "明早": "am",
    "下班后": "pm",
    "下了班": "pm",
    "放学后": "pm",
    "晚间": "pm",
    "am": "am",
    "pm": "pm",
    "夜诊": "pm",
    "午饭后": "pm",
    "午休": "noon",
}
_PARTS = "|".join(sorted(PART, key=len, reverse=True))

WEEKDAY = re.compile(
    r"(?P<which>下下个?|下个?|这个?|本|上个?)?(?:周|星期|礼拜)(?P<day>[一二三四五六日天末1-6])(?!个|期|到(?:周|星期)[一二三四五六日]|至|[一二三四五六日天]都)"
)
RELATIVE = re.compile(r"大后[天日]|后[天日]|明[天日早晚儿]|今[天日晚早儿]|当天晚上|今儿|明儿|后儿")
FULL = re.compile(
    rf"(?:(?P<year>20[0-9]{{2}})[年/.\-])?(?P<month>{_N})(?:月|/|(?<=[0-9])[.\-](?=[0-9]{{1,2}}(?:[日号\s上下早晚中（(，,]|$)))(?:份)?(?P<day>{_N})(?:[日号]|(?=\s|上|下|早|晚|中|周|，|,|（|\(|$|[0-9]{{1,2}}[:：]))"
)
DAY = re.compile(
    rf"(?:本月|这个月|这月)?(?P<next>下个?月)?(?P<day>{_N})[号日](?!线|楼|院|门|口|店|馆|诊|机|牙|针|刀|常|本|间|方案)"
)
CLOCK = re.compile(
    rf"(?:(?P<part>{_PARTS})(?:的|，|,|\s)?)?(?:(?P<h24>[01]?[0-9]|2[0-4])[:：](?P<m24>[0-5][0-9])|(?<![慢快好多少大小远近轻高低差松紧])(?P<hour>{_N})(?:点|時|时(?!间|候|常|不|代|髦|段|期|效))(?!多少)(?:钟|整)?(?P<minute>半|[一三]刻|过?[0-9零〇一二三四五六七八九十]{{1,3}}分?(?![0-9个位号天颗]))?)"
)
PART_ONLY = re.compile(_PARTS.replace("|早|", "|").replace("|晚|", "|"))
#: A clock time behind these is an opening hour or a limit, not an appointment.
LIMIT_BEFORE = re.compile(
    r"(?:到|至|-|~|—|开到|营业到|截止|之前|不超过|超过|最晚|上班|下班|门诊|都|一般|平时|每天)(?:门诊|到|都|是)*$"
)
LIMIT_AFTER = re.compile(
    r"^(?:到|至|-|~|—|之?前|以?后|开门|关门|下班|上班|起床|睡|才|就下班|开始上班|停诊|多(?!钟)|左右起)"
)

_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}


def number(text: str) -> int | None:
    """Read up to three numerals: 8, ８, 八, 十一, 廿三, 二十, 三十五."""
    text = text.strip("过分")
    if text.isdecimal():
        return int(text)
    if "廿" in text:
        text = text.replace("廿", "二十")
    if "十" in text:
        left, _ten, right = text.partition("十")
        if any(char not in _DIGITS for char in left + right):
            return None
        return (_DIGITS[left[-1]] if left else 1) * 10 + (_DIGITS[right[-1]] if right else 0)
    value = 0
    for char in text:
        if char not in _DIGITS:
            return None
        value = value * 10 + _DIGITS[char]
    return value if text else None


class Said(NamedTuple):
    """A day, a part of the day and a clock time, as far as they were said. `choices`: several times were offered."""

    day: date | None = None
    part: str | None = None
    hour: int | None = None
    minute: int = 0
    choices: int = 0

    @property
    def has_time(self) -> bool:
        return self.hour is not None

    def over(self, before: "Said") -> "Said":
        """Complete what was said now by what was said before; a new day forgets the old clock time."""
        day, part = self.day or before.day, self.part
        if part is None and (self.day is None or self.day == before.day):
            part = before.part
        hour, minute = self.hour, self.minute
        if hour is None and self.day is None and self.part is None:
            hour, minute = before.hour, before.minute
        return Said(day, part, hour, minute, self.choices)

    def clock(self) -> tuple[int, int] | None:
        """Give hour and minute of 24; one to six without more is the afternoon."""
        if self.hour is None:
            return None
        hour = self.hour
        if (
            (self.part in ("pm",) and hour < 12)
            or (self.part == "noon" and hour < 4)
            or (self.part is None and 1 <= hour <= 6)
        ):
            hour += 12
        return (hour, self.minute) if hour <= 23 else None


_MAY_BE_WRITTEN = re.compile(r"[月号日/.\-]")  # without one of these no day of a month is named
_MAY_BE_FULL = re.compile(r"[月/]|(?<=[0-9])[.\-]")
_MAY_BE_TOLD = re.compile(r"[周期拜天日晚早儿]")  # nor any other day
_MAY_BE_CLOCK = re.compile(r"[点时時:：]")
_EVENING = re.compile(r"[今明后当]晚|晚[上间]?[0-9一二三四五六七八九十]")


NOTHING = Said()


def _day_in(text: str, start: date) -> tuple[date | None, str]:
    """Give the last day that the text names and the text without it; a written date outweighs 明天 and 周三."""
    found = _written_days(text, start) if _MAY_BE_WRITTEN.search(text) else []
    if not found and _MAY_BE_TOLD.search(text):
        found = [(match.start(), match.end(), _relative(match[0], start)) for match in RELATIVE.finditer(text)]
        if "周" in text or "星期" in text or "礼拜" in text:
            found += _known((match, _weekday(match, start)) for match in WEEKDAY.finditer(text))
    if not found:
        return None, text
    blank = list(text)
    for left, right, _day in found:
        blank[left:right] = [" " if char not in "晚早" else char for char in text[left:right]]
    return max(found)[2], "".join(blank)


def _known(days: Iterable[tuple[re.Match[str], date | None]]) -> list[tuple[int, int, date]]:
    return [(match.start(), match.end(), day) for match, day in days if day is not None]


def _written_days(text: str, start: date) -> list[tuple[int, int, date]]:
    """9月26日, and 26日 where no month stands before it; there is no 30 February."""
    full = list(FULL.finditer(text)) if _MAY_BE_FULL.search(text) else []
    if "号" not in text and "日" not in text:
        return _known((match, _full(match, start)) for match in full)
    found = _known((match, _full(match, start)) for match in full)
    spans = [match.span() for match in full]
    alone = [match for match in DAY.finditer(text) if not any(a <= match.start() < b for a, b in spans)]
    return found + _known((match, _of_month(match, start)) for match in alone)


def _make(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _full(match: re.Match[str], start: date) -> date | None:
    month, day = number(match["month"]), number(match["day"])
    if not month or not day:
        return None
    if match["year"]:
        return _make(int(match["year"]), month, day)
    made = _make(start.year, month, day)
    if made and (start - made).days > 60:
        made = _make(start.year + 1, month, day)
    return made


def _of_month(match: re.Match[str], start: date) -> date | None:
    day = number(match["day"])
    if not day or day > 31:
        return None
    year, month = start.year, start.month
    if match["next"] or day < start.day:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return _make(year, month, day)


def _relative(word: str, start: date) -> date:
    if word.startswith("大后"):
        return start + timedelta(days=3)
    return start + timedelta(days={"后": 2, "明": 1}.get(word[0], 0))


def _weekday(match: re.Match[str], start: date) -> date | None:
    if match["which"] and match["which"].startswith("上"):
        return None
    index = "一二三四五六日".find({"天": "日", "末": "六"}.get(match["day"], match["day"]))
    if index < 0:
        index = int(match["day"]) - 1
    monday = start - timedelta(days=start.weekday())
    which = (match["which"] or "").removesuffix("个")
    if which.startswith("下"):
        return monday + timedelta(days=7 * len(which) + index)
    day = monday + timedelta(days=index)
    return day + timedelta(days=7) if day < start and not which else day


def read(text: str, start: date) -> Said:
    """Read day, part of the day and clock time out of one message; the last of several days, all clock times.

    Args:
        text: the message, folded.
        start: the day the chat began; 下周X is in the next week from Monday to Sunday.
    """
    day, rest = _day_in(text, start)
    times = []
    for match in CLOCK.finditer(rest) if _MAY_BE_CLOCK.search(rest) else ():
        said = _clock(match)
        if said and not LIMIT_BEFORE.search(rest[: match.start()]) and not LIMIT_AFTER.match(rest[match.end() :]):
            times.append(said)
    part = None
    for name in PART_ONLY.finditer(text):
        part = PART[name[0]]
    if "晚" in text and _EVENING.search(text):
        part = "pm"
    if not times:
        return Said(day, part) if day or part else NOTHING
    last = times[-1]
    distinct = {(said.hour, said.minute) for said in times}
    if not last.part:
        part = part if len(times) == 1 else next((s.part for s in times if s.part), part)
    return Said(day, last.part or part, last.hour, last.minute, len(distinct))


def _clock(match: re.Match[str]) -> Said | None:
    part = PART.get(match["part"] or "")
    if match["h24"]:
        hour = int(match["h24"])
        explicit = None if (hour > 12 or (len(match["h24"]) == 2 and hour == 0)) else part
        return Said(None, explicit if hour <= 12 else "24", hour, int(match["m24"])) if hour < 24 else None
    found = number(match["hour"])
    if found is None or found > 24:
        return None
    minute_text = match["minute"]
    minute = 0
    if minute_text == "半":
        minute = 30
    elif minute_text in ("一刻", "三刻"):
        minute = 15 if minute_text[0] == "一" else 45
    elif minute_text:
        minute = number(minute_text) or 0
    if minute > 59:
        return None
    return Said(None, part if found <= 12 else "24", found, minute)

"""Phone, WeChat and QQ that the visitor gave (not the clinic's own, not orders, prices or vouchers)."""

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from conversations.inspection.matcher import watch
from conversations.inspection.reading import LONGEST, Reading, bits

DIGITS: Final = str.maketrans(
    "０１２３４５６７８９零〇○Ｏ一二三四五六七八九两幺洞①②③④⑤⑥⑦⑧⑨壹贰叁肆伍陆柒捌玖",
    "01234567890000123456789210123456789123456789",
)
WIDE: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}

RUN = re.compile(r"\+?[0-9](?:[\s\-.·—–_,，、/*~]{0,2}[0-9])*")
SEPARATED = re.compile(r"[0-9]+")
MOBILE = re.compile(r"1[3-9][0-9]{9}")
NO_PHONE_BEFORE = re.compile(
    r"(?:券码|券号|订单号?|单号|编号|卡号|流水号?|验证码|兑换码|核销码|身份证号?|证号|快递|运单|病历号|就诊号|金额|价格?|积分|尾号|会员号?|账号|条码|序列号|邮编|群号?|QQ|qq|扣扣)(?:码|号|号码)?(?:是|为|:|：|，|,|\s)*[A-Za-z]{0,4}$"
)
THEIRS = re.compile(
    r"(?:你们?|医院|客服|贵院|诊所|门诊|刚才|刚刚|昨天|上午)(?:的|那个|这个|这边|打来的|给的)*(?:客服|前台|咨询)?(?:电话|号码|手机|热线|微信|qq|扣扣|号|打来|打电话|打给我)[^，。,]{0,8}$|(?:这是|是不是|是)你们?(?:的)?(?:电话|号码|号|微信|qq)?[^，。]{0,4}$|给我打(?:电话|过来)的(?:是|号码)?[^，。]{0,4}$"
)
THEIRS_AFTER = re.compile(r"^[^0-9，。]{0,4}(?:是你们|是不是你们|是贵院|是医院的|是客服)")
TAKEN_BACK = re.compile(
    r"(?:打错|写错|发错|输错|错了|不对|少打|多打|换一?个|改成|改为|应该是|以这个为准|打这个|用这个|不用那个|这个停)"
)

SAME = re.compile(
    r"(?:微信|v信|vx|wx|薇信|威信|v)?(?:和|跟|与|电话|手机|都|也|就)?(?:号|号码)?(?:是)?(?:同号|同步|同这个|同手机|同电话|一个号|同一个|一样的?号?|通用|也是这个|就是这个|就是手机号?|就是电话|是手机号?|也是手机号?|是这个(?:号|手机|电话)|也是它|都是这个|是同一个)|(?:手机|电话)号?(?:就是|也是|同|即|=)(?:微信|v)|(?:微信|vx|wx|v)(?:手机|电话)?(?:都是|同|也是|就是)(?:这个|一个|手机|电话|号)?|加微信就?(?:这个|手机)号?|(?:这个|手机号?|电话)(?:可以|能|直接|也能|就能|就可以|也可以)?(?:加|搜)(?:到)?(?:我)?(?:的)?(?:微信|vx|wx|v)",
    re.I,
)
WECHAT_WORD = re.compile(
    r"微信|薇信|威信|卫星号|围信|v信|\bvx\b|vx|wx|weixin|wechat|加v|我v|\bv[:：]|绿泡泡|徽信", re.I
)
QQ_WORD = re.compile(r"qq|扣扣|企鹅|q号|蔻蔻|[加我]q(?![a-z])|\bq[:：]", re.I)
WECHAT_ID = re.compile(
    r"(?<![A-Za-z0-9_\-@.])(?!https?|www)([A-Za-z][A-Za-z0-9_\-]{5,19})(?![A-Za-z0-9_\-]|@|\.(?:com|cn|net))"
)
QQ_ID = re.compile(r"(?<![0-9])([1-9][0-9]{4,10})(?![0-9])")
WORDS_ONLY: Final = frozenset(
    {
        "weixin",
        "wechat",
        "iphone",
        "android",
        "all-on-4",
        "allon4",
        "implant",
        "please",
        "thanks",
        "thank",
        "number",
        "hello",
        "invisalign",
        "botox",
        "thermage",
        "fotona",
    }
)
AGREES = re.compile(r"^(?:可以|行|好|嗯|对|是的?|没错|ok|就这个|用这个|就是这个|嗯嗯|没问题|对的|正确|没变)", re.I)
YOURS = re.compile(
    r"(?:你|您)(?:上次|之前|预留|登记|留|填|原来|这个|的)*(?:的)?(?:电话|号码|手机|联系方式|号)|(?:预留|登记|留的|留下的)(?:的)?(?:电话|号码|手机)"
)
REFUSES = re.compile(
    r"(?:不|别|不想|不要|不用|不方便|先不|暂时不|不愿意|没必要)(?:再)?(?:留|加|给|打电话|打给|登记|存)"
)


@dataclass(frozen=True)
class Given:
    """A value and the index of the message that gave it."""

    value: str
    message: int


def plain(text: str) -> str:
    """Full-width letters and marks made plain, every character in its place."""
    return text.translate(WIDE)


def phones_in(text: str) -> list[tuple[int, int, str]]:
    """Give (start, end, 11 digits) of every mobile number, however it is spaced, dashed or spelt in numerals."""
    digits = plain(text).translate(DIGITS)
    found = []
    for run in RUN.finditer(digits):
        if run.end() - run.start() >= 11:
            found.extend(_split(run[0], run.start()))
    return found


_COUNTRY = re.compile(r"^(?:0086|86)(?=1[3-9][0-9]{9}$)")


def _split(run: str, offset: int) -> list[tuple[int, int, str]]:
    """Cut a run of digit groups into mobile numbers; groups that do not add up to 11 are none."""
    groups = [(match[0], match.start(), match.end()) for match in SEPARATED.finditer(run)]
    found: list[tuple[int, int, str]] = []
    index = 0
    while index < len(groups):
        joined, end = "", index
        while end < len(groups) and len(joined) < 11:
            joined += groups[end][0]
            end += 1
            bare = joined
            for prefix in ("0086", "86"):
                if bare.startswith(prefix) and len(joined) > 11:
                    bare = bare[len(prefix) :]
            if MOBILE.fullmatch(bare):
                break
            if joined in ("86", "0086"):
                joined = ""
        bare = _COUNTRY.sub("", joined)
        rest = "".join(group[0] for group in groups[end:])
        if MOBILE.fullmatch(bare) and (not rest or len(rest) > 2 or index > 0 or _is_far(run, groups, end)):
            found.append((offset + groups[index][1], offset + groups[end - 1][2], bare))
            index = end
        else:
            index += 1 if found or len(groups[index][0]) >= 11 else len(groups)
    return found


def _is_far(run: str, groups: list[tuple[str, int, int]], end: int) -> bool:
    """A lone short group behind a whole number written in one piece is another thing (a clock time)."""
    return len(groups[end - 1][0]) == 11 or run[groups[end - 1][2] : groups[end][1]].strip() in ("，", ",", "、", "/")


_NUMERALS = f"0-9ｏ{''.join(map(chr, DIGITS))}"
_DIGIT = re.compile(f"[{_NUMERALS}]")
_GAP = r"(?:[^\S\n]|[\-.·—–_,，、/*~－．＿／＊～]){0,2}"
_PIECES_BEGIN: Final = frozenset("0123456789ｏ -.－．\u3000\t").union(map(chr, DIGITS))
_IN_ONE_PIECE = re.compile(f"[{_NUMERALS}](?:{_GAP}[{_NUMERALS}]){{10}}")
_WECHAT, _QQ = watch("wechat", WECHAT_WORD), watch("qq", QQ_WORD)


def phone(reading: Reading) -> Given | None:
    """Give the mobile number the visitor gave, the last one where it was corrected."""
    if len(_DIGIT.findall(reading.text)) < 11:
        return None
    if not _IN_ONE_PIECE.search(reading.text):
        return _joined(reading)
    theirs = {number for index in _digit_lines(reading, "consultant") for _s, _e, number in _phones(reading, index)}
    best: Given | None = None
    for index in _digit_lines(reading, "visitor"):
        for start, end, number in _phones(reading, index):
            text = reading.texts[index]
            before = text[:start]
            if number in theirs and not (best and best.value == number) and not _was_given(reading, index, number):
                continue
            if NO_PHONE_BEFORE.search(before) or THEIRS.search(before) or THEIRS_AFTER.match(text[end:]):
                continue
            if _is_wechat_only(reading, index, start):
                continue
            if best is None or TAKEN_BACK.search(text) or TAKEN_BACK.search(_previous(reading, index)):
                best = Given(number, index)
    return best or _joined(reading) or _agreed(reading)


def _digit_lines(reading: Reading, sender: str) -> list[int]:
    """Give the lines of a side that may hold a number."""
    if reading.is_plain:
        lines = sorted({reading.line_of(match.start()) for match in _IN_ONE_PIECE.finditer(reading.text)})
        return [line for line in lines if reading.senders[line] == sender]
    return reading.consultant if sender == "consultant" else reading.visitor


def _phones(reading: Reading, index: int) -> list[tuple[int, int, str]]:
    text = reading.raws[index][:LONGEST]
    return phones_in(text) if reading.is_plain or _MANY_DIGITS.search(text) else []


_MANY_DIGITS = re.compile(
    r"(?:[0-9０-９零〇○一二三四五六七八九两幺洞壹贰叁肆伍陆柒捌玖][^0-9０-９零〇○一二三四五六七八九两幺洞壹贰叁肆伍陆柒捌玖]{0,3}){11}"
)


def _was_given(reading: Reading, index: int, number: str) -> bool:
    """The consultant only repeats what the visitor had given before."""
    first = next(
        (
            line
            for line, sender in enumerate(reading.senders)
            if sender in ("visitor", "consultant") and any(number == n for _s, _e, n in _phones(reading, line))
        ),
        index,
    )
    return reading.senders[first] == "visitor"


_BY_PHONE = re.compile(r"电话|手机|同号|号码")
_ASKED_TO_CALL = re.compile(r"电话|手机|号码|联系方式")
#: 加您微信，号码是多少？ asks for the id of WeChat.
_ITS_NUMBER = re.compile(r"微信[^。？?电话手机]{0,6}号码?(?:是|多少|呢|？|\?)")
_OTHER_WAY = re.compile(r"电话|手机|微信")
_BETWEEN = re.compile(r"[\s\-.]")
_IN_NUMBER = re.compile(r"(?<=[0-9])[ \-](?=[0-9])")
_OF_SOMETHING = re.compile(r"元|块|点|号$|岁|年|月")
_WORD_ITSELF = re.compile(r"(?:vx|wx|weixin|wechat)\w{0,3}", re.I)
_GLUED = re.compile(r"(?:vx|wx|v信|微信号?|weixin)[:：是\s]*([A-Za-z][A-Za-z0-9_\-]{5,19})", re.I)
_WECHAT_DIGITS = re.compile(r"(?:微信号?|vx|wx|v信)(?:是|:|：|\s)*([0-9]{6,10})(?![0-9])", re.I)


def _is_wechat_only(reading: Reading, index: int, start: int) -> bool:
    before = plain(reading.texts[index][:start])[-10:]
    text = reading.texts[index]
    return bool(WECHAT_WORD.search(before)) and not _BY_PHONE.search(text)


def _previous(reading: Reading, index: int) -> str:
    place = bisect_left(reading.visitor, index)
    earlier = reading.visitor[place - 1] if place else -3
    return reading.texts[earlier] if index - earlier <= 2 else ""


def _joined(reading: Reading) -> Given | None:
    """A number sent in two or three pieces, one after the other."""
    pieces, first = "", -2
    for index in reading.visitor:
        if reading.texts[index][:1] not in _PIECES_BEGIN:
            pieces = ""
            continue
        text = plain(reading.texts[index]).translate(DIGITS)
        digits = _BETWEEN.sub("", text)
        if digits.isascii() and digits.isdigit() and len(digits) <= 8:
            pieces = pieces + digits if index - first == 1 else digits
            first = index
            if MOBILE.fullmatch(pieces):
                return Given(pieces, index)
        else:
            pieces = ""
    return None


def _agreed(reading: Reading) -> Given | None:
    """The consultant names the visitor's number on file and the visitor agrees."""
    for index in _digit_lines(reading, "consultant"):
        numbers = _phones(reading, index)
        if not numbers or not YOURS.search(reading.texts[index]):
            continue
        answer = next((line for line in reading.visitor if line > index), None)
        if answer is not None and AGREES.match(reading.texts[answer]):
            return Given(numbers[0][2], answer)
    return None


def _asked_last(reading: Reading, index: int) -> str:
    """What the consultant said last before this message."""
    place = bisect_left(reading.consultant, index)
    return reading.texts[reading.consultant[place - 1]] if place else ""


def wechat(reading: Reading, phone_given: Given | None) -> Given | None:
    """Give the WeChat id the visitor gave; 微信同号 means the phone."""
    if not (reading.visitor_mask | reading.consultant_mask) & bits(_WECHAT):
        return None
    theirs = {
        match[1].lower()
        for index in reading.consultant
        for match in WECHAT_ID.finditer(plain(reading.raws[index][:LONGEST]))
    }
    best: Given | None = None
    for index in reading.visitor:
        text = plain(reading.raws[index][:LONGEST])
        asked = _asked_last(reading, index)
        if phone_given and SAME.search(text) and (WECHAT_WORD.search(text) or WECHAT_WORD.search(asked)):
            return Given(phone_given.value, index)
        value = _wechat_in(reading, index, text, asked)
        if not value or value.lower() in theirs or THEIRS.search(text[: text.find(value)].lower()):
            continue
        if best is None or TAKEN_BACK.search(text):
            best = Given(value, index)
    return best


def _wechat_in(reading: Reading, index: int, text: str, asked: str) -> str:
    own = WECHAT_WORD.search(text)
    bare = WECHAT_ID.fullmatch(text.strip(" 。.,，:：")) is not None
    previous = _previous(reading, index)
    if own or WECHAT_WORD.search(previous) or (WECHAT_WORD.search(asked) and (bare or not QQ_WORD.search(text))):
        ids = [
            match
            for match in WECHAT_ID.finditer(text)
            if match[1].lower() not in WORDS_ONLY and not _WORD_ITSELF.fullmatch(match[1])
        ]
        glued = _GLUED.search(text)
        if glued and glued[1].lower() not in WORDS_ONLY:
            return glued[1]
        if ids:
            return ids[-1][1]
        for start, _end, number in phones_in(text):
            if _is_wechat_only(reading, index, start) or (
                not own
                and WECHAT_WORD.search(asked)
                and (not _ASKED_TO_CALL.search(asked) or _ITS_NUMBER.search(asked))
            ):
                return number
        digits = _WECHAT_DIGITS.search(text)
        if digits:
            return digits[1]
    return ""


def _numerals(text: str, *, told: bool) -> str:
    """九九零零… as digits where a number is told of; elsewhere 一 and 两 are words."""
    return text.translate(DIGITS) if told else text


def qq(reading: Reading) -> Given | None:
    """Give the QQ number the visitor gave."""
    if not (reading.visitor_mask | reading.consultant_mask) & bits(_QQ):
        return None
    theirs = {match[1] for index in reading.consultant for match in QQ_ID.finditer(plain(reading.texts[index]))}
    best: Given | None = None
    for index in reading.visitor:
        own = QQ_WORD.search(reading.texts[index])
        text = _numerals(plain(reading.texts[index]), told=own is not None)
        asked = _asked_last(reading, index)
        if not own and not (QQ_WORD.search(asked) or QQ_WORD.search(_previous(reading, index))):
            continue
        joined = _IN_NUMBER.sub("", text)
        for match in QQ_ID.finditer(joined):
            if match[1] in theirs or (MOBILE.fullmatch(match[1]) and not own) or THEIRS.search(joined[: match.start()]):
                continue
            if not own and _OF_SOMETHING.search(joined[match.end() : match.end() + 2]):
                continue
            if MOBILE.fullmatch(match[1]) and _OTHER_WAY.search(joined):
                continue
            if joined[match.end() :].startswith("@") and not own:
                continue
            if best is None or TAKEN_BACK.search(text):
                best = Given(match[1], index)
    return best

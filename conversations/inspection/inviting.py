"""Whether the consultant tried to bring the visitor in, or to book (DOMAIN §5)."""

import re
from typing import Final

from conversations.inspection.chat import Found
from conversations.inspection.lexicon.notation import fold
from conversations.inspection.matcher import Hit
from conversations.inspection.reading import Reading

#: 来查岗的 comes for no treatment; 登记了好发资料 enters a name.
_NO_VISIT = ("号码", "来查岗", "来查户口", "登记了好", "登记了才", "登记了再")
_NOT_INVITING = re.compile(r"(?:不用|没有?|不能|不必|别|为什么|干嘛|怎么|谁让你|还没)$")


#: 多数能调过来, 有没有人陪您过来: what comes, or comes right, is nobody invited.
_COMES_OTHERWISE = re.compile(
    r"(?:调|改|缓|转|反|翻|恢复|换|变|救|扳|纠)$|(?:有没有|有|没)人(?:能|可以)?(?:陪|带|送)你?$"
)
#: 由医生亲自来做.
_BY_DOCTOR = re.compile(r"(?:由|医生|主任|院长|教授|博士|护士|专家)(?:亲自|本人|会|就|给你)?$")
_BEFORE_COME = ("月经", "例假", "姨妈", "本", "后", "以", "起", "原", "跑", "将", "发", "拍", "传")
#: 留个号码, 给您安排的是王医生, 挂在大厅.
_AFTER = ("码", "的是", "的医生", "的主任", "大厅")
#: 您一般星期几休息？
_USUALLY = re.compile(r"一般|平时|通常|平常|日常")
_ON_THE_WAY = re.compile(r"打工|上班|坐(?:地铁|公交|车|高铁|火车|飞机)|要多久|多远|几站")

#: 把手机号发过来 has a number come, not a visitor.
_SENT_OVER = re.compile(r"(?:发|传|拍)[^，。！？]{0,8}$")


#: 预约到人, 面诊室都是独立的, 从面诊跟到恢复 tell of the house.
_NO_CALL: Final = ("预约到人", "约到人", "预约制", "约制", "面诊室", "面诊跟", "面诊到", "面诊、")
#: 留个电话吗，我给您登记。
_NUMBER_ASKED = re.compile(r"(?:留|报|给)[^，。？]{0,4}(?:电话|手机|号码|联系方式|微信)")
_EVERY: Final = ("月", "周", "天", "年", "星期", "礼拜")
_FOR_CARE = re.compile(
    r"(?:了|好|的是)?(?:[一两三四五六几0-9]+次|[一两]位|免费|专|单独|护士|护理|随访|车|住|助理|房|陪)"
)
#: 末次月经哪天来的？
_CAME = re.compile("(?:天|年|月|时候|点)来的(?!话|时)")
#: 您从哪边过来？ 从部队转业过来的.
_FROM: Final = ("哪边", "哪里", "哪儿", "哪", "哪个方向", "转业", "退休", "调")


#: What is said in these asks nobody to come.
_COLD: Final = frozenset({"abuse", "taboo.scolding", "taboo.interrogating"})


def invited(reading: Reading, rude: list[Found]) -> bool:
    """Tell whether the consultant tried to bring the visitor in or to book.

    Args:
        rude: taboo phrases found; what calls the visitor to account invites nobody (约好了为什么不来？).
    """
    cold = [found for found in rude if found.code in _COLD]
    for line, hit in reading.hits("invite", "consultant"):
        if cold and is_rude(reading, line, hit, cold) and reading.is_question(hit.start):
            continue
        if not _is_of_something_else(reading, hit):
            return True
    return _proposes_time(reading)


def _is_of_something_else(reading: Reading, hit: Hit) -> bool:
    """Whether the words are denied, or what comes is not the visitor (把手机号发过来, 多数能调过来)."""
    text, before = reading.text, reading.clause_before(hit.start)
    word = text[hit.start : hit.end]
    if _NOT_INVITING.search(before) or text.startswith(_NO_VISIT, hit.start):
        return True
    if text.startswith(_AFTER, hit.end) or before.endswith(("每", "每逢")):
        return True
    if text[max(0, hit.start - 2) : hit.end].startswith("欢迎来到"):
        return True
    if text.startswith(_NO_CALL, hit.start) or _CAME.search(text, hit.start, hit.end + 2):
        return True  # 预约到人, 哪天来的
    if (
        (word.startswith(("周", "星期")) and text.startswith(("回", "次", "趟"), hit.start + 2))
        or (text.startswith(("来一趟", "来一次"), hit.start) and before.endswith(_EVERY))
        or (word.endswith("安排") and _FOR_CARE.match(text, hit.end))
        or (word.endswith(("登", "登记")) and _NUMBER_ASKED.search(reading.sentence(hit.start)))
    ):
        return True  # 四周一回; 给您安排一位护士
    if word.startswith("来"):
        return before.endswith(_BEFORE_COME) or _BY_DOCTOR.search(before) is not None
    if word.endswith("过来"):
        return (
            before.endswith(_FROM)
            or any(p.search(before) for p in (_SENT_OVER, _COMES_OTHERWISE))
            or bool(_ON_THE_WAY.match(text, hit.end))
        )
    if word.startswith("亲自来") or text.startswith("面诊后", hit.start):
        return _BY_DOCTOR.search(before) is not None
    if word.endswith("坐诊，看"):
        return text.startswith("了", hit.end)
    return (word == "方便吗" and before.endswith("请假")) or ("休" in word and _USUALLY.search(before) is not None)


_PROPOSED = re.compile(
    r"(?:今天|明天|后天|今晚|明晚|明早|这周|下周|(?<![0-9一二三四五六七八九十两几到每半多])周[一二三四五六日天末](?!回|次|趟|遍)|星期[一二三四五六日天]|礼拜[一二三四五六日天]|[上下]午|早上|晚上|中午|[0-9二三四五六七八九十]点|十一点|[0-9]日|[0-9]:[0-9]{2})"
)
_PROPOSES = re.compile(
    r"(?<![回起出原本以后])来|到院|到店|可以|行吗|行，|没问题|好吗|提前|记得|方便|有空|约|登记|留好|给你留|记下|[点半]?[？?]|等你|见[。！]?$|查吧|看吧"
)
#: The day, the hour and the doctor told: that is a booking.
_CONFIRMS = re.compile(
    r"(?:[日号]|[周期拜][一二三四五六日天]|[今明后]天)[^。！？]{0,8}(?:[0-9一二三四五六七八九十]点|[0-9]:[0-9]{2})[^。！？]{0,8}(?:主任|教授|院长|医生|医师|大夫|博士)"
)
_IS_HOURS = re.compile(
    r"疼|痛|痒|肿|胀|鼓|勃|每周|每逢|回去|回家|慢慢来|[大小]一点|是不是|得倒|告诉|结果|申请|电话来|打电话|发给|到今天|到现在|咳|起夜|熬夜|睡得|几点|上班|开门|营业|门诊时间|客服|联系你|打给|回你|回复|下班|发你|发到|通知|戴|涂|敷|睡前|刷牙|吃药|忙|睡|反应|症状|发作|几次|起来|[做拔打种补洗割查拍开买]的(?:吗|么)|[做拔打种补洗割查拍]了(?:吗|没)"
)


def _proposes_time(reading: Reading) -> bool:
    """A time to come or its confirmation is an attempt to book, in whatever words."""
    for index in reading.consultant:
        text = reading.texts[index]
        if index > reading.visitor[0] and _PROPOSED.search(text):
            for sentence in re.split(r"[。！!；;\n]", text):
                if (
                    _PROPOSED.search(sentence)
                    and (_PROPOSES.search(sentence) or _CONFIRMS.search(sentence))
                    and not _IS_HOURS.search(sentence)
                ):
                    return True
    return False


def is_rude(reading: Reading, line: int, hit: Hit, rude: list[Found]) -> bool:
    """A taboo phrase in the same sentence: it asks nothing; one that is merely everyday does."""
    if not rude:
        return False
    sentence = reading.sentence(hit.start)
    return any(
        found.message == line and found.code != "taboo.colloquial" and found.quote and fold(found.quote) in sentence
        for found in rude
    )

"""Whether the consultant asked about the condition (DOMAIN §5): by its words, by how such questions are built, or at all."""

import re

from conversations.inspection.chat import Found
from conversations.inspection.inviting import is_rude
from conversations.inspection.matcher import Hit
from conversations.inspection.reading import ASKING, Reading

#: Questions that ask for a time to come, a number or a wish, not for the condition.
SCHEDULING = re.compile(
    r"什么时候(?:方便|有空|来|过来|能来|能到|有时间|到)|哪天(?![拔做摔磕种开发打补割生查装伤用停动起出掉断])|有空|有时间|方便(?:吗|来|过来|留)|几点(?:方便|来|到|过来)|多久(?:能来|能到|过来|到)|来过我们|了解过(?:我们|价格)|预算|留(?:个|一个|下)|电话|手机|微信|号码|预约|约(?:个|一个|到|在|您|你|上|给)|可以吗[？?]?$|好吗[？?]?$|行吗[？?]?$"
)
STRONG_CONDITION = re.compile(r"多久了|疼|痛|肿|痒|出血|检查过|查过|做过|拍过|治过|症状|过敏|药|病史|手术|月经|同房|缺")


def is_missing(reading: Reading, rude: list[Found]) -> bool:
    """Tell whether the consultant asked nothing of symptoms, course, examinations and treatment so far.

    Args:
        rude: taboo phrases found; a rhetorical question asks nothing.
    """
    for line, hit in reading.hits("ask.condition", "consultant"):
        if not reading.is_question(hit.start) or is_rude(reading, line, hit, rude) or _is_of_life(reading, hit):
            continue
        clause = reading.clause_before(hit.start) + reading.text[hit.start : hit.end + 12]
        sentence = reading.sentence(hit.start)
        asks = STRONG_CONDITION.search(sentence) or not (
            SCHEDULING.search(clause.rstrip("\n")) or WANTING.search(sentence)
        )
        if asks and not _is_told(reading, hit, sentence):
            return False
    return not (_asks_somehow(reading, rude) or _asks_earnestly(reading, rude))


_REST = re.compile("[^，。！？!?；;,\n]*[，。！？!?；;,\n]?")


def _is_told(reading: Reading, hit: Hit, sentence: str) -> bool:
    """Whether its clause tells, and what the sentence then asks is when to come: 抽血要空腹，您看明早方便吗？"""
    if "，" not in sentence or SCHEDULING.search(sentence) is None:
        return False
    rest = _REST.match(reading.text, hit.end)
    if rest is None or not rest[0].endswith("，"):
        return False
    clause = reading.clause_before(hit.start) + reading.text[hit.start : rest.end() - 1]
    return ASKING.search(clause) is None and SCHEDULING.search(sentence[len(clause) :]) is not None


#: 作息规律, 几年级, 多少周岁 are asked of the person, not of the condition.
_OF_LIFE = re.compile(r"(?:作息|生活|饮食|上班|工作|婚育|婚姻|家庭|经济|交通|单位)$")


def _is_of_life(reading: Reading, hit: Hit) -> bool:
    """Whether the words lie in a question on age or circumstances, or lead up to one (是不是经常|加班)."""
    leads = reading.text[hit.start : hit.end].startswith(("有没", "是不是", "是否", "有无"))
    if reading.text[hit.start : hit.end] in ("规律", "情况", "状况") and _OF_LIFE.search(
        reading.clause_before(hit.start)
    ):
        return True
    return any(
        other.start < hit.end + leads and hit.start < other.end
        for category in ("ask.profile", "ask.social")
        for _line, other in reading.hits(category, "consultant")
        if other.end - other.start >= hit.end - hit.start or leads
    )


#: How one asks for what is there or was done, whatever the thing is called.
ASKS_SOMEHOW = re.compile(
    r"还是(?:后来|最近|慢慢|突然|忽然|这两年|近来|一直|时好时坏)|(?<![来去到加听说解])过[^，。？?\n我们你您来去]{0,2}?(?:吗|么|没有|没(?!有))|有(?:没有|没(?!有)|无|过)(?!时间|空|兴趣|需要|预算|考虑|来|了解|听|人|加|在|别的|其他|什么|微信|不|疑|问题|哪里|需要|担心|顾虑|车|医保|社保|对象|男|女|老公)"
    r"|([\u3400-\u9fff])(?<![好行可能要是方想对会忙愿肯来去做约打住带成用急冷介差贵近远])不\1(?!了|概)|几(?:厘米|毫米|公分|指|斤|滴|口|块|层|度)(?!以|之|内|就|都|左)|多少(?:度|毫米|斤|分|毫升|片|粒|克)|(?:是|属于|偏)[^，。？?]{1,8}还是(?!您|你|我|来|想|今|明|后|早|晚|上午|下午|傍晚|周)[^，。？?]{1,8}[，？?呢]"
)
#: What the visitor wants, or who writes, is no question on the condition.
WANTING = re.compile(
    r"(?:是|想|要|来|需要|想要)(?:咨询|了解|做|问|看)[^，。？?\n]{0,12}(?:吗|么|呢|项目|哪方面|什么|哪个|哪种)?[？?]"
)


#: What else a consultant asks: what is wished, whether all is clear, when to come, how to be reached.
_NO_CONDITION = re.compile(
    r"还有|疑|清楚|明白|想|要|需|可以|好[吗不]|行[吗不]|[哪那]天|方便|空|预算|价|钱|称呼|贵姓|医保|知道我|院区|渠道|看到|号|电话|微信|qq|扣扣|地址|过来|来[吗呢]|到[吗店院]|咨询|帮|服务|补充|打听|顾虑|困惑|礼拜|星期|周[一二三四五六日末几]|[上下]午|今[天晚]|明[天早晚]|后天|几点|时间|什么时候|有什么|哪方面|您说|吧[？?]$|怎么样[？?]$|是不是[？?]$|对吗|是吗[？?]$|在吗|呢[？?]$|意下|考虑|决定|同意|称心|满意|记上|留着|放心|(?:^|[，。])(?:那|这)?(?:您|你)看|家里人|信得过|说的是|你是说|你指|行不"
)
#: An adverb of time, a part of the body, a doing that is over: what an earnest question on the condition has.
_OF_STATE = re.compile(
    r"过|了没|得[到见着]|[左右上下里外前后两单]边|还是|不做|不动|时候|早起|白天|夜里|平[时常]|颜色|形状|以前|之前|小时候|最近|开始|痛|疼|看得见|摸|碰|咬|嚼|刷|吃|睡|走|坐|站|蹲|笑|说话"
)
_QUESTION = re.compile("[^。！？?!\n]+[？?]")


def _asks_earnestly(reading: Reading, rude: list[Found]) -> bool:
    """Whether a question is left that is neither of life nor of the visit, and bears on a state."""
    first = reading.visitor[0] if reading.visitor else 0
    spoken = {found.message for found in rude}
    of_life = [hit for category in ("ask.profile", "ask.social") for _line, hit in reading.hits(category, "consultant")]
    for index in reading.consultant:
        text = reading.texts[index]
        if not ("？" in text or "?" in text) or index in spoken or index < first:
            continue
        for match in _QUESTION.finditer(text):
            if not _OF_STATE.search(match[0]) or _NO_CONDITION.search(match[0]):
                continue
            start, end = reading.offsets[index] + match.start(), reading.offsets[index] + match.end()
            if not any(start <= hit.start < end for hit in of_life):
                return True
    return False


def _asks_somehow(reading: Reading, rude: list[Found]) -> bool:
    spoken = {found.message for found in rude}
    of_life = [hit for category in ("ask.profile", "ask.social") for _line, hit in reading.hits(category, "consultant")]
    for index in reading.consultant:
        if index in spoken:
            continue
        for match in ASKS_SOMEHOW.finditer(reading.texts[index]):
            start = reading.offsets[index] + match.start()
            if (match[0].startswith("有") or match[0][1:2] == "不") and not reading.is_question(start):
                continue  # 看有没有病变
            begins = start - len(reading.clause_before(start))
            if not any(begins <= hit.start < start + len(match[0]) for hit in of_life):
                return True
    return False

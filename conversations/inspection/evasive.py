"""Answers that say nothing: every clause of a short message leaves it open, to the visitor or to later ([S2] 敷衍).

No single word of 都行，你定。 or 还行吧，没细算过。 is at fault; that there is nothing else in the message is.
"""

import re
from collections.abc import Iterator
from typing import Final

from conversations.inspection.matcher import Hit, watch
from conversations.inspection.reading import Reading

LONGEST: Final = 32  # characters; a longer message says something
_CLAUSES = re.compile(r"[，。！、～~\s]+")
#: Clauses that say nothing by themselves.
EMPTY = re.compile(
    r"(?:哦+|嗯+|啊|呵呵|哈哈|哎呀|唉|行|行吧|好吧|好|这个嘛?|那个|反正|其实|是吧|没事|没事没事|没啥|对|那|是的|能|能做|能治|能好|可以|都可以|都行|都好|一样的?|都一样|就那些|有的?|有介绍的?)"
    r"|(?:来|你来|过来|直接来|来就行|来看看|放心|放心做|放心来|你放心|放心做)吧?"
    r"|每个?人(?:都)?不一样|因人而异|(?:价格|效果|时间|费用)?(?:都)?(?:不一定|不好说|说不好|不知道|不清楚|不晓得)"
    r"|没(?:啥|什么|多大|太大|有)?(?:区别|差别|不同|影响|讲究|注意的)的?"
    r"|(?:你)?(?:先)?(?:睡|休息|忙|玩)(?:吧|去吧)|(?:大概|也就|差不多)?几(?:百|千|万)?(?:到几(?:百|千|万))?(?:块)?"
    r"|(?:其他|别的|具体|细节)的?(?:到店|到院|来了|见面|当面|面诊|回头|以后)(?:再)?(?:聊|说|谈|看|问)?"
)
#: Clauses that leave it open; one of them makes the message an evasion.
OPEN = re.compile(
    r"(?:这个)?(?:看|随)(?:着)?你(?:自己)?(?:个人)?(?:喜欢|心情|意愿|高兴|便|喜好|爱好|爱)?(?:吧|呗|咯)?"
    r"|(?:就)?(?:你|你自己|自己)(?:定|看|选|决定|挑|转转|逛逛|看看|想想|点开看|琢磨|拿主意|体会|判断|掂量)(?:吧|呗|就行|就好|咯)?"
    r"|(?:应该|大概|可能|也就|还|就|估计|算)(?:还)?(?:行|那样|没事|一般|正常|凑合|好|可以|正常恢复|差不多)(?:吧|呗|咯)"
    r"|(?:那样|没事|一般|凑合|差不多)(?:吧|呗|咯)"
    r"|(?:没事|就)?(?:不用|别|甭|不要|不必)(?:去)?(?:管|想|理|问|纠结|多问|细问|多想)(?:它|他|那么多|了|太多|这些|那些|那么细)*(?:就是了|就行)?"
    r"|(?:我)?没(?:怎么)?(?:细|仔细|具体|认真)?(?:算|看|问|数|统计|了解|研究|留意|关注)过"
    r"|(?:挑|选|买|用)(?:个|一个)?(?:便宜|贵|喜欢|顺眼|好看|合适)的(?:就是了|就行了?|吧|呗)"
    r"|能有(?:啥|什么)(?:注意|区别|讲究|问题|事|影响|不同)的?(?:啊|呢|呀)?"
    r"|(?:来了?|到院|到店|过来|到时候?)(?:再)?(?:看了再说|报价|听安排|听医生的|看着办|看着弄|看吧)(?:就行|就好|吧)?"
    r"|(?:上面|前面|之前|上次|刚才)?(?:不是|都)?(?:说|讲)过(?:大概|一遍)?了(?:嘛|啊)?|就那(?:些|样|么回事)"
    r"|(?:做|来|试|打|用)了?就知道了|(?:过|等)(?:几天|两天|阵子|段时间)(?:再|就)?(?:看|说|好)(?:看|吧|了)?"
)
_MAY = watch("evasive", re.compile(
    r"看你自|看你喜|看你心|看你高|看你个|随你|你定|你看吧|你看着|你选|自己[定看选决挑转逛想点琢拿体判掂]|行吧|行呗|样吧|样呗|没事吧|常吧|恢复呗|"
    r"常呗|多吧|[还就该概能计]好吧|可以吧|合吧|不用管|别管|甭管|别想|不用想|别理|别问|不用问|不用理|纠结|算过|[没细体真么]看过|"
    r"没[细仔具问数]|没统计|没了解|没研究|没留意|没关注|的就[是行]|能有[啥什]|来报价|来了报价|听安排|听医生的|看了再说|看着办|看着弄|"
    r"看吧|过了嘛|[说讲]过[大一]|过了啊|就那[些样么]|就知道了|[几两]天[再就看说好]|阵子[再就看说好]|段时间[再就看说好]"
))  # fmt: skip
#: 不X谁X: a claim, whatever the words are.
SELF_EVIDENT = re.compile(r"不([^，。！？\n]{1,2})谁\1")
_WHO = watch("evident", SELF_EVIDENT)
WATCHED: Final = (_MAY, _WHO)


def find(reading: Reading) -> Iterator[tuple[str, int, Hit]]:
    """Give code, line and place of what only the build of a whole message or clause tells."""
    for line in reading.lines_with(_MAY, "consultant"):
        text = reading.texts[line]
        if len(text) <= LONGEST and "？" not in text and "?" not in text and _says_nothing(text):
            start = reading.offsets[line]
            yield "taboo.perfunctory", line, Hit(start, start + len(text), "")
    for line in reading.lines_with(_WHO, "consultant"):
        match = SELF_EVIDENT.search(reading.texts[line])
        if match is not None:
            start = reading.offsets[line]
            yield "taboo.rhetorical", line, Hit(start + match.start(), start + match.end(), "")


def _says_nothing(text: str) -> bool:
    clauses = [clause for clause in _CLAUSES.split(text) if clause]
    open_ones = [clause for clause in clauses if OPEN.fullmatch(clause)]
    return bool(open_ones) and all(clause in open_ones or EMPTY.fullmatch(clause) for clause in clauses)

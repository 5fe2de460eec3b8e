"""Taboo phrases and abuse in the consultant's messages (DOMAIN §5, [S2]).

The lists say which words; here is decided whether they are said so: not denied, not a medical term, not the visitor's
own words repeated, not literal. What a quotation holds is blanked before (Reading).
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from conversations.inspection import evasive
from conversations.inspection.chat import Found
from conversations.inspection.lexicon import INSTEAD
from conversations.inspection.matcher import Hit
from conversations.inspection.reading import Reading, bits

ABUSE: Final = "abuse"
#: Of several in one message the first of these that is there speaks for those it lists.
SPEAKS_FOR: Final[dict[str, frozenset[str]]] = {
    "abuse": frozenset({"taboo.scolding", "taboo.rhetorical", "taboo.interrogating", "taboo.perfunctory"}),
    "taboo.scolding": frozenset({"taboo.rhetorical", "taboo.interrogating", "taboo.perfunctory"}),
    "taboo.interrogating": frozenset({"taboo.rhetorical", "taboo.perfunctory"}),
    "taboo.shirking": frozenset({"taboo.rhetorical", "taboo.perfunctory"}),
}
PLAIN: Final = ("难道", "难不成")
CODES: Final = (
    "abuse", "taboo.scolding", "taboo.interrogating", "taboo.rhetorical", "taboo.shirking", "taboo.perfunctory",
    "taboo.colloquial",
)  # fmt: skip

DENIED = re.compile(
    r"(?:不|没|没有|没人|别(?!的|人|家)|不要|不会|不用|无需|不必|并非|(?<!是)不是|绝不|从不|怕|担心|觉得|显得|避免|以免|免得|防止|请勿|不能|不再|不至于)(?:你|人|让你|会|再|有|觉得|显得|说|想|的|这么|那么|太|很){0,2}$"
)
REPORTED = re.compile(
    r"你(?:刚才|刚刚|之前|上面|前面)?(?:问|说|提到|讲|写|担心|想问|问到|说到|发)(?:的|过|到|是)?(?:那句|是)?[^，。！？]{0,4}$"
    r"|(?:妈妈|爸爸|爸妈|父母|老公|老婆|先生|太太|家人|家里人|别人|人家|朋友|同事|同学|邻居|有人|他们?|她们?|孩子)(?:总|老|都|常|经常|一直|就|会|还|刚才)*(?:说|骂|笑|嫌|问|觉得|认为|笑话)你?(?:是|很|太)?$"
    r"|(?:很多|不少|有些|好多|常有|许多|有的)(?:人|患者|朋友|家长|顾客|客人|网友|求美者|姐妹|女性|男性|妈妈)(?:会|都|也|常|总|常常|刚开始)*(?:问|说|觉得|担心|想|以为|认为|纠结)[^。！？]{0,8}$"
)
JAW = re.compile(r"颞|下颌|关节|咬合|张口|开口|弹响|紊乱|综合征")
MEANT_WELL = re.compile(
    r"(?:帮|为|替|给)你(?:再|先|去|马上|立刻)?(?:问|查|确认|核实|联系|转|咨询|了解|反馈|跟进|看|申请|催|协调|安排|解决|处理|登记|记)|我(?:马上|现在|这就|先|再|去|来|立刻)+(?:去|就)?(?:问|查|确认|核实|了解|请教|反馈|联系)|(?:稍等|请稍|马上回复|尽快回复|稍后回复|请教|让(?:医生|主任|同事|财务).{0,8}(?:回|联系|告诉|答复|解释))"
)

#: What is said of the visitor, to put at ease: 打字慢也没关系.
EASES = re.compile(r"[，也都的话]{0,3}(?:没关系|不要紧|没事|不着急|不急|慢慢|可以(?:发|用)语音)")

#: A question that is asked out of care, or answered at once: 为什么没来呢，需要的话我帮您改期。
ASKED_KINDLY = re.compile(
    r"理解|辛苦|不要紧|(?<!跟我们)(?<!和我们)(?<!跟我)没关系|需要的话|别担心|放心|(?:帮|为|替)你(?:改|安排|查|登记|约|看|协调|换|留|重新|再发|保留)|(?:是)?因为|多半|原因是|主要是|很抱歉"
)
#: Reading matter with someone at hand to explain it.
EXPLAINS = re.compile(
    r"(?:看完|不明白|不懂|有问题|有疑问|不清楚|没看懂).{0,8}(?:问我|找我|告诉我|我再|再给你|给你讲|联系我)|给你(?:解答|讲解|详细)|我(?:也|再|先|来)?(?:发|给)你?.{0,4}一份"
)

#: We call the visitor; nobody is sent to the telephone.
CALLS_BACK = re.compile(
    r"(?:(?:我|护士|助理|我们|会|再)给$|给你|我|我们|护士|助理|医生|客服|再|会|主动)(?:再|会|们)?(?:打|打个|打一个|去|回|来)?$"
)

#: 不好意思 that is meant: not an apology but shyness.
SHY_AFTER = re.compile(
    r"(?:的|说(?!一下|下)|讲|开口|提(?!醒)|跟|和|找|去|来(?!晚|迟)|见|让人|告诉|拒绝|看|启齿|面对|承认|问(?!一下|下|你)|脱|做|治|到|咨询|叫|要|张嘴|笑|露|谈|聊|在|面诊|检查|啊的|心理|了$)"
)
SHY_BEFORE = re.compile(
    r"(?:没什么|没啥|没有什么|有什么|不用|不必|无需|别|不要|不会|会|觉得|感到|有点|有些|怕|如果|要是|若|的话|因为|人|都|他|她|你|自己|先生|孩子|患者|朋友|家|也|还|就|才|可能|难免|害羞|是)(?:很|太|感到|觉得|有点|有些|再|是)?$"
)
APOLOGY_BEFORE = re.compile(
    r"^(?:真的?是?|实在是?|非常|太|很|十分|特别|那|啊|哎呀|真的|你好|亲|先生|女士|哦|嗯|呃|可能|这个|也|还|确实|的确|挺|先说声|说声|先|给你添麻烦|让你久等)*$"
)
ASKS_AFTER = re.compile(
    r"过敏|怀孕|发炎|感染|遗传|家里(?:也|有)|家族|长辈|也有人|糖尿病|高血压|之前|以前|是不是|是因为|没告诉|没给你|还没有?(?:做|拍|查)过"
)
ACCUSES = re.compile(
    r"还|骗|白送|免费|不知道|不懂|不会|不能|不想|不该|不应|不应该|就|非要|要(?:我|医生|给|求|送|把)|怪|你以为|让(?:我|医生)|不明白|不清楚|不信|连|没人|比|贵|便宜|都(?:要|得|不)|谁|坑|害|我们|我(?!们).{0,4}(?:错|没|骗)"
)


@cache
def _watched() -> int:
    """The bits of all that is looked at here."""
    return bits(*CODES, *evasive.WATCHED)


def find(reading: Reading) -> list[Found]:
    """Give taboo phrases and abuse, each code once a message, with the words and what to say instead."""
    if not (reading.consultant_mask & _watched() or "！" in reading.text):
        return []
    said: dict[int, dict[str, Hit]] = {}
    for code in CODES:
        own = reading.rules.added.get(code, {})
        for line, hit in reading.hits(code, "consultant"):
            found = said.setdefault(line, {})
            if code not in found and (hit.word in own or _is_meant(reading, code, line, hit)):
                found[code] = hit
    for code, line, hit in evasive.find(reading):
        said.setdefault(line, {}).setdefault(code, hit)
    findings = [
        Found(code, line, reading.quote(hit), reading.rules.own_advice(code, hit.word), _detail(code, hit.word))
        for line, found in sorted(said.items())
        for code, hit in found.items()
        if not _is_spoken_for(reading, code, found)
    ]
    return findings + _cried(reading, said) if "！" in reading.text else findings


#: Blame that is cried out, in whatever words: 你自己不听！ 怎么才来！
BLAMES = re.compile(
    r"(?:(?:^|[，。！\n])(?:你|那你|你们)?(?:别|少|不许|不准|不要|甭|莫)(?!担心|紧张|怕|害怕|着急|急|错过|客气|忘|犹豫|难过|灰心|在意|介意|太|放弃|有|多想|让|怀疑|焦虑|见外|自责|走开|错失|大意|轻易|自行|用|吃|喝|碰|熬夜|空腹|乱吃|揉|抓|挠|沾水|灰)[^。！？\n]{1,16}"
    r"|赶紧(?:把|给我|戒|停)[^。！？\n]{1,8}|(?:你|都)[^，。！？\n]{0,4}(?:油盐不进|软硬不吃|不听劝)[^，。！？\n]{0,3}"
    r"|(?:你|他|她|你们|自己)[^，。！？\n]{0,8}(?:不|没)(?:听|管|看|说|刷|戴|注意|按|上心|长|爱惜|控制|忌口)[^，。！？\n]{0,8}"
    r"|(?:怎么|咋)(?:这么|那么|又|还|才|就|老)[^，。！？\n]{1,10}|(?:才|现在)(?:知道|想起|发现|着急|急|来)[^，。！？\n]{0,6}|什么(?:人|态度|毛病|脑子|记性|习惯)|怎么(?:能|可以)(?:不|没)[^，。！？\n]{1,10}|(?:就|那就|就都|趁早)(?:别|不要|甭|少)(?:再|来|问|浪费|耽误|提|想|做|说)[^。！？\n]{0,10}|自己(?:往上|往前|往回|去|给我)?(?:翻|爬楼|找找)[^。！？\n]{0,4}|(?:说|讲|发|回|告诉你)过了)！"
)
KIND = re.compile("祝|谢|恭喜|很抱歉|欢迎|放心|[哦哈呢啦]！|优惠|活动|厉害|漂亮|年轻|便宜|好看|棒")


def _cried(reading: Reading, said: dict[int, dict[str, Hit]]) -> list[Found]:
    """Scolding by its tone, in a message that has nothing else of the kind."""
    code = "taboo.scolding"
    found = []
    for index in reading.consultant:
        text = reading.texts[index]
        if "！" not in text or said.get(index) or KIND.search(text):
            continue
        match = BLAMES.search(text)
        if match is not None:
            found.append(Found(code, index, match[0].strip("，。！\n"), reading.rules.own_advice(code, "")))
    return found


def _detail(code: str, word: str) -> dict[str, str]:
    """The word of the list, where there is one thing to say instead."""
    return {"word": word} if word in INSTEAD.get(code, ()) else {}


def _is_spoken_for(reading: Reading, code: str, found: dict[str, Hit]) -> bool:
    """Whether another code of the message says it already; 难道 makes a rhetorical question of what it questions."""
    asked = found.get("taboo.rhetorical")
    plain = asked is not None and reading.text[asked.start : asked.end] in PLAIN
    if code == "taboo.rhetorical" and asked and "taboo.perfunctory" in found and "不就" in asked.word:
        return True  # 自己查一下不就行了
    if plain and code in ("taboo.rhetorical", "taboo.interrogating"):
        return code == "taboo.interrogating"
    return any(code in SPEAKS_FOR.get(other, ()) for other in found)


def _is_meant(reading: Reading, code: str, line: int, hit: Hit) -> bool:
    opens = reading.text[hit.start] in "\n，。！"  # the word begins with the mark before it: its clause begins there
    before = "" if opens else reading.clause_before(hit.start)
    if REPORTED.search(before):
        return False
    check = CHECKS.get(code)
    return check is None or check(reading, line, hit, before)


def _abuse(reading: Reading, line: int, hit: Hit, before: str) -> bool:
    word = reading.text[hit.start : hit.end]
    if word == "tmd":
        return not (JAW.search(reading.text) or reading.text[hit.end : hit.end + 1] in "，是(（就也也也的病")
    if before.endswith(_WISHED) or reading.text[hit.end : hit.end + 1] in _GOES_ON.get(word, ""):
        return False
    if _NO_MATTER.match(reading.text, hit.end):
        return False  # 没文化也没关系
    if "成" in word and _BEARS_IT.match(reading.text, hit.end):
        return False  # 秃成这样也能种
    if word[0] == "话" and before.endswith("句"):
        return False  # 几句话也讲不清
    if word == "寄生虫" and "你" not in before:
        return False
    if word[0] == "穷" and _AFFORDS.match(reading.text, hit.end):
        return False
    if word.endswith("神经") and reading.text[hit.end : hit.end + 1] != "病":
        return False
    if (
        ("妈" in word[:2] and before.endswith("妈"))
        or (word[0] == "妈" and before.endswith(_A_MOTHER))
        or _OF_ONESELF.search(before)
    ):
        return False
    return not DENIED.search(before)


#: 当妈的 is a mother.
_A_MOTHER = ("当", "做", "我", "孩子", "宝宝", "宝", "小孩", "老", "大", "舅", "姑", "姨", "干")
#: 我真笨 is said of oneself.
_OF_ONESELF = re.compile(
    r"(?:^|也|都|刚才|刚刚|怪|是|看)我(?:自己|刚才|刚刚|也|可|怎么|是不是|这人|这个人|这脑子|这记性)?(?:也|太|真|有点)*$"
)
#: 穷人也看得起病 promises.
_AFFORDS = re.compile(r"(?:都|也)?(?:能|可以|.得起)")
_BEARS_IT = re.compile(r"样?(?:的)?(?:也|都|还)?(?:是)?(?:能|可以|没关系|没事|不要紧|不用)")
_NO_MATTER = re.compile(r"的?(?:人|朋友)?(?:也|都)(?:能|可以|没关系|没事|不要紧|不用)")
#: 祝您全家安康 wishes; 低能量 is a medical word.
_WISHED = ("祝", "愿", "祝福", "祝愿")
_GOES_ON: Final[dict[str, str]] = {"低能": "量级耗", "弱智": "", "没文化": "程"}


def _rhetorical(reading: Reading, line: int, hit: Hit, before: str) -> bool:
    """A claim about the matter in the form of a question: its answer lies in it (谁受罪？不还是您自己吗？).

    A question that the visitor is to answer for is interrogating (_interrogating), and what asks nothing, scolding.
    """
    word = reading.text[hit.start : hit.end]
    if _REALLY_ASKS.search(reading.text[hit.start : hit.end + 2]) or (
        word.endswith(("行吗", "成吗", "行么")) and "，" in word
    ):
        return False
    if word.startswith("你以为") and _CORRECTS.match(reading.text, hit.end):
        return False
    if word not in PLAIN:
        return not DENIED.search(before) or hit.word.startswith("(不")
    sentence = reading.sentence(hit.start)
    rest = sentence[sentence.find("难") :]
    follows = reading.text[reading.text.find(sentence, max(0, hit.start - len(sentence))) + len(sentence) :]
    return not (
        (ASKS_AFTER.search(rest + follows[:15]) and not ACCUSES.search(rest))
        or follows.startswith(("可以", "好的", "没问题", "欢迎", "那可以", "你是想问", "你想问", "你是问", "你的意思"))
    )


#: 您以为是蛀牙对吗？其实… puts right.
_CORRECTS = re.compile(r"[吗？]?其实|[吗？]?不是的|[吗？]?没有的")
#: 哪有不舒服 asks where it hurts; 怎么可能嫌您烦 puts at ease.
_REALLY_ASKS = re.compile(
    r"^哪[能会敢](?:呢|啊|的话)|^哪(?:有|个|里|儿)?(?:地方)?不(?:舒服|适|方便|满意|清楚|明白|懂|对)|^哪有(?:你说的)?(?:这么|那么)?(?:客气|夸张|厉害)|^怎么可能(?:嫌|笑|怪|介意|打扰|麻烦|不管|不理)"
)


def _colloquial(reading: Reading, line: int, hit: Hit, before: str) -> bool:
    after = reading.text[hit.end : hit.end + 6]
    if hit.word == "不好意思":
        if before.endswith(_TRULY) and after[:1] in "，。！":
            return True
        if SHY_AFTER.match(after) or SHY_BEFORE.search(before):
            return False
        return APOLOGY_BEFORE.match(before) is not None or after[:1] in "，。！,!啊哈哦呀 "
    return before.endswith(("能不能", "可不可以")) or not re.search(
        r"(?:不|没|别|怕|免得|以免|避免|会|不用|不敢|不会|太|很|添|挺|比较|不想|不能|再|些|点|个|嫌|有|更)$", before
    )


#: 真是不好意思 begs pardon.
_TRULY = ("真是", "真的是", "实在是", "实在", "真", "确实是")


def _perfunctory(reading: Reading, line: int, hit: Hit, before: str) -> bool:
    word = reading.text[hit.start : hit.end]
    if _is_anothers_business(reading, hit, word, before):
        return False
    if EASES.match(reading.text[hit.end : hit.end + 8]) or EXPLAINS.search(reading.texts[line]):
        return False
    if DENIED.search(before) or ("电话" in word and CALLS_BACK.search(before)):
        return False
    if word.startswith("来") and before.endswith(("出", "起", "下", "上", "回")):
        return False
    if _TAKES_LEAVE.match(reading.texts[line]) or _closes(reading, line, hit):
        return False
    if word[0] == "去" and before.endswith(_I_GO):
        return False  # 我去翻一下记录
    if word.startswith("就这样") and (before.endswith(_ALWAYS_SO) or reading.text.startswith("还是", hit.end)):
        return False
    if word.startswith("先别说") and reading.text[hit.end : hit.end + 1] == "话":
        return False
    return not (word.startswith(("打字", "电话")) and MEANT_WELL.search(reading.texts[line]))


#: 好的，那先这样，再见。 ends a chat, and does nothing else.
_TAKES_LEAVE = re.compile(
    r"(?:好的?|行|嗯|可以|没问题)*[，。]?(?:那|就|咱们|我们)*(?:先|就|就先)(?:这样|到这|到这里|聊到这|聊到这里)(?:吧|了|啦|哈)?[，。](?:再见|拜拜|回头见|祝你|祝您|有事|有问题|有需要|需要)"
)

#: What a chat is closed with, at the end of its last message.
_CLOSES = re.compile(
    r"(?:到这(?:里|儿)?吧|先(?:这样|结束|去忙|忙|到这|聊到这)(?:里|儿)?[了吧]?|下线了|撤了|先?(?:说|聊)?到这(?:儿|里)|就这样)[，。]?(?:我(?:这边)?先(?:结束|下线|去忙)了)?[，。]?(?:再见|拜拜|回见|再会|晚安|祝[^，。！]{1,10})?(?:，再见)?[。！]?$"
)
#: The visitor still wants to know something.
_WAITS = re.compile(r"[吗么呢？?]|怎么|咋|什么|啥|多少|多久|几|哪|为什么|能不能|要不要|会不会|不$")
_AN_ANSWER: Final = 12  # characters before the leave-taking that can be an answer
_I_GO = ("我", "我这就", "我先", "我马上", "我现在", "帮你", "给你", "替你")


def _closes(reading: Reading, line: int, hit: Hit) -> bool:
    """Whether the words take leave of a visitor who asks nothing more: a fault of the ending alone."""
    text = reading.texts[line]
    closing = _CLOSES.search(text) if line == reading.consultant[-1] else None
    if closing is None or hit.end - reading.offsets[line] <= closing.start():
        return False
    asked = [index for index in reading.visitor if index < line][-1:]
    is_unanswered = closing.start() < _AN_ANSWER and bool(asked) and asked[0] == line - 1
    return not (is_unanswered and _WAITS.search(reading.texts[asked[0]]))


#: 从小就这样 tells how it is.
_ALWAYS_SO = ("的", "是", "也", "一直", "从小", "都", "本来", "开始", "天生", "生下来", "以来", "一来")


def _is_anothers_business(reading: Reading, hit: Hit, word: str, before: str) -> bool:
    """Whether the one who is busy, off duty or has no time is the visitor or the doctor, or it is over and excused."""
    if "下班" in word and before and not re.search("我|咱|客服|这边|系统", before + word):
        return True
    is_busy = "忙" in word or word.startswith("顾")
    has_none = is_busy or word.startswith(("没", "回不过")) or ("有" in word and "事" in word)
    if has_none and ("你" in before or "医生" in before or "主任" in before):
        return True
    if not is_busy:
        return False
    if "很抱歉" in reading.text[max(0, hit.start - 12) : hit.start + 30]:
        return True
    return word.startswith(("忙", "在忙")) and before.endswith(("刚才", "刚刚", "刚", "刚才在", "刚刚在"))


#: 花多少您自己定，我只负责讲明白。
_ONLY_EXPLAINS = re.compile("把|讲明白|讲清楚|说明白|说清楚|给你(?:讲|说|解释)|告诉你")


def _shirking(reading: Reading, line: int, hit: Hit, before: str) -> bool:
    if _ONLY_EXPLAINS.match(reading.text, hit.end):
        return False
    return not MEANT_WELL.search(reading.texts[line]) and not before.endswith(("怕", "担心", "不会说", "不会让"))


def _scolding(reading: Reading, line: int, hit: Hit, before: str) -> bool:
    """An order, a reproach or an outcry; asked for form at most (听明白没有！ 早干嘛去了！ 怪谁！).

    Blame that is put as a claim in question form (能怪牙膏吗) is rhetorical.
    """
    word = reading.text[hit.start : hit.end]
    if word.endswith(("能怪", "能赖", "能怨")):
        return False
    if (word.startswith(("都说了", "说了")) and before.endswith("该说的")) or _OF_ONESELF.search(before):
        return False
    if word.startswith(("谁让", "谁叫", "谁教")) and reading.sentence(hit.start).endswith("的？"):
        return False  # who did is asked for: interrogating
    return not DENIED.search(before) and "请问" not in before


#: 您看到我刚才发的报价了吗？ asks whether it arrived.
_DID_IT_ARRIVE = re.compile(r"[看听收][到见]我[^，。]{0,8}发的[^，。]{0,8}了吗")


def _interrogating(reading: Reading, line: int, hit: Hit, before: str) -> bool:
    """A question by which the visitor is called to account for what he did, wants, knows or can do.

    号码您到底留不留？ 想转您怎么不早说？ 你看不懂中文吗？ It differs from a rhetorical one in that its subject is the
    visitor and an answer is due; and from one in earnest by what follows: care, help, or the answer itself.
    """
    word = reading.text[hit.start : hit.end]
    if DENIED.search(before) or ("请问" in before and "到底" not in before + word) or _DID_IT_ARRIVE.match(word):
        return False
    if "还有" in before + word and ("没" in word or "不" in word):
        return False  # 您看还有没听懂的地方没？
    if word.startswith("谁") and re.match(r"(?:，|那)?你?(?:去)?找", reading.text[hit.end : hit.end + 6]):
        return False  # 谁跟您说的您找谁去: shirking
    end = reading.offsets[line] + len(reading.texts[line])
    return ASKED_KINDLY.search(reading.text, hit.end, end) is None


CHECKS: Final[dict[str, Callable[[Reading, int, Hit, str], bool]]] = {
    "abuse": _abuse,
    "taboo.scolding": _scolding,
    "taboo.rhetorical": _rhetorical,
    "taboo.interrogating": _interrogating,
    "taboo.perfunctory": _perfunctory,
    "taboo.shirking": _shirking,
    "taboo.colloquial": _colloquial,
}

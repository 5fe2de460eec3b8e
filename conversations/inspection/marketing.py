"""What a consultant neither asked nor offered, and whether the chat is about a possible treatment (DOMAIN §5)."""

import re
from typing import Final

from conversations.inspection.chat import Found
from conversations.inspection.lexicon.marketing import NO_NAME_BEFORE, SURNAMES, TITLES
from conversations.inspection.lexicon.notation import fold
from conversations.inspection.lexicon.scope import STRONG_ERRAND
from conversations.inspection.matcher import Hit
from conversations.inspection.reading import Reading

#: Marketing is expected once the visitor wrote this many messages ([S2] and the data's definition).
LEAST_MESSAGES: Final = 3
GREETING = re.compile(r"^[\s你好您在吗么有人嗨哈喽hihello，,。.!！?？医生老师请问咨询下一亲呢啊客服的~～]*$")

NUMBER = "[0-9零一二三四五六七八九十两]"
AGE_GIVEN = re.compile(
    rf"{NUMBER}{{1,4}}(?:周)?(?:岁|周岁)|今年(?:刚|才|都|快|虚岁|满|也|就|已经|，)?{NUMBER}{{2,3}}(?!号|月|年|点|[0-9])|{NUMBER}{{1,3}}(?:多)?岁|(?:^|[\n\s，,。])(?:我|他|她|人)?(?:都|已经|快)?[1-9][0-9](?:了|，|,|$|\n| )(?![0-9])|(?:[0-9]0|[七八九零][零0]|[0-9]{{2}})后(?!天|面)|[0-9]{{2,4}}年(?:的|出生|生的)|属[鼠牛虎兔龙蛇马羊猴鸡狗猪]|奔[三四五六七](?:了|的)|{NUMBER}个(?:多)?月(?:大|的宝)|(?:儿子|女儿|孩子|宝宝|闺女|娃|妈|爸|母亲|父亲|奶奶|爷爷|老公|老婆){NUMBER}{{1,3}}(?:了|\s|，|,|$)|(?:男|女)[，, ]?[1-9][0-9](?![0-9])|[1-9][0-9](?:的)?(?:男|女)(?:的|生|性)|(?:年近|年过){NUMBER}+|(?:未满|刚满|满){NUMBER}{{1,3}}(?!月|天)"
)
MARRIED_GIVEN = re.compile(
    r"结婚|已婚|未婚|没结婚|老公|老婆|媳妇|爱人|丈夫|妻子|离异|离婚|单身|未生育|没对象|男朋友|女朋友|男友|女友|对象|二胎|三胎|生过|生完|刚生|生了|顺产|剖腹产|剖宫产"
)

ASKS_SIZE = re.compile(
    r"(?:不管|无论|不论|压力|缝|口子|创口|切口|洞|影响|区别|差别|肿块|肌瘤|囊肿|差|面积|直径|有|关系|概率|几率|可能性|结节|斑|牙缝)$"
)
#: Questions that ask for a time to come, a number or a wish, not for the condition.
SCHEDULING = re.compile(
    r"什么时候(?:方便|有空|来|过来|能来|能到|有时间|到)|哪天|有空|有时间|方便(?:吗|来|过来|留)|几点(?:方便|来|到|过来)|多久(?:能来|能到|过来|到)|来过我们|了解过(?:我们|价格)|预算|留(?:个|一个|下)|电话|手机|微信|号码|预约|约(?:个|一个|到|在|您|你|上|给)|可以吗[？?]?$|好吗[？?]?$|行吗[？?]?$"
)
STRONG_CONDITION = re.compile(r"多久了|疼|痛|肿|痒|出血|检查过|查过|做过|拍过|治过|症状|过敏|药|病史|手术|月经|同房|缺")


def is_in_scope(reading: Reading) -> bool:
    """Tell whether the chat is about a possible treatment, not an errand, a complaint, directions or a wrong address."""
    errands = reading.hits("errand", "visitor")
    if not errands:
        return True
    first = [index for index in reading.visitor if not GREETING.match(reading.texts[index])][:2]
    early = [hit for line, hit in errands if line in first]
    if not early:
        return True
    if any(
        reading.text[hit.start : hit.end].startswith(STRONG_ERRAND) or hit.word.startswith(("(驾校", "(发错"))
        for hit in early
    ):
        return bool(re.search(r"(?:如果|要是|万一|不满意|没效果|不成功|失败).{0,8}退", reading.visitor_text))
    wishes = [hit for _line, hit in reading.hits("wish", "visitor")]
    return any(
        not any(early_hit.start < hit.end and hit.start < early_hit.end for early_hit in errands_only(early))
        for hit in wishes
    )


def errands_only(hits: list[Hit]) -> list[Hit]:
    """The errands that swallow a wish: done with you already (在你们那做的)."""
    return [hit for hit in hits if hit.word.startswith("(上次")]


def _asked(reading: Reading, category: str) -> bool:
    return any(reading.is_question(hit.start) for _line, hit in reading.hits(category, "consultant"))


def _asks_age(reading: Reading) -> bool:
    for _line, hit in reading.hits("ask.profile", "consultant"):
        if "多大" in reading.text[hit.start : hit.end] and ASKS_SIZE.search(
            reading.clause_before(hit.start + reading.text[hit.start : hit.end].index("多大"))
        ):
            continue
        if reading.is_question(hit.start):
            return True
    return False


def _bears(reading: Reading) -> bool:
    if reading.has("bears", "visitor"):
        return True
    bears = reading.hits("bears", "consultant")
    others = len(reading.hits("other", "visitor"))
    if not others:
        return bool(bears)
    opens = bool(bears) and reading.consultant[0] == bears[0][0] and reading.consultant[0] < reading.visitor[0]
    return opens or len(bears) > others + len(reading.hits("other", "consultant"))


def _profile_missing(reading: Reading) -> bool:
    if not _bears(reading) or _asks_age(reading):
        return False
    text = reading.visitor_text
    if AGE_GIVEN.search(text):
        return False
    return not (reading.has("fertility", "visitor") and MARRIED_GIVEN.search(text))


def _condition_missing(reading: Reading, rude: list[Found]) -> bool:
    for line, hit in reading.hits("ask.condition", "consultant"):
        sentence = reading.sentence(hit.start)
        if not reading.is_question(hit.start) or any(
            found.message == line and found.quote and fold(found.quote) in sentence for found in rude
        ):
            continue
        clause = reading.clause_before(hit.start) + reading.text[hit.start : hit.end + 12]
        if STRONG_CONDITION.search(reading.sentence(hit.start)) or not SCHEDULING.search(clause.rstrip("\n")):
            return False
    return True


def _social_missing(reading: Reading) -> bool:
    return not _asked(reading, "ask.social")


def _expert_offered(reading: Reading) -> bool:
    if reading.has("offer.expert", "consultant"):
        return True
    for index in reading.consultant:
        text = reading.texts[index]
        for match in _NAMED.finditer(text):
            if text[max(0, match.start() - 1) : match.start() + 1] not in NO_NAME_BEFORE and not _is_former(
                text, match.start()
            ):
                return True
    return False


_NAMED = re.compile(f"[{SURNAMES}](?:{'|'.join(TITLES)})")


def _is_former(text: str, start: int) -> bool:
    """A doctor the visitor saw elsewhere is nobody of ours."""
    return re.search(r"(?:之前看的|原来的|当时的|那边的|那个)$", text[:start]) is not None


_DOCTOR = re.compile(r"主任|医生|教授|院长|博士|大夫|专家|从医|从业|经验|坐诊|他|她|主刀|医师|返聘")


_SURELY_HOUSE = re.compile(r"开业|建院|成立|连锁|家(?:院区|分院)")
_THING = re.compile(r"种植体|材料|牙冠|产品|设备|针剂|仪器|进口|这项|技术|激光|假体")


def _brand_offered(reading: Reading) -> bool:
    """The clinic's history, size or standing; a doctor's years and former hospitals are not the clinic's."""
    for _line, hit in reading.hits("offer.brand", "consultant"):
        clause = reading.clause_before(hit.start) + reading.text[hit.start : hit.end + 4]
        if _SURELY_HOUSE.search(clause) or not (_DOCTOR.search(clause) or _THING.search(clause)):
            return True
    return False


_SERVICE_DENIED = re.compile(r"(?:没有|不提供|不能|无法|没)$")


def _service_offered(reading: Reading) -> bool:
    return any(
        not _SERVICE_DENIED.search(reading.clause_before(hit.start))
        for _line, hit in reading.hits("offer.service", "consultant")
    )


_OURS = re.compile(
    r"我们|用的|采用|使用|技术|设备|仪器|系统|配|结合|做的|可以做|方案|设计|机器|术前|术中|定位|切口|创伤|引进|开展|先|就能|不用|能看|一次|当天"
)
#: What the visitor asks for anyway: telling its price or how long it lasts offers no method.
WEAK: Final = frozenset(
    "种植体 光源 附件 培养 原装 提拉 激光 光子 热玛吉 假体 肉毒 水光 宫腔 中药 造影 彩超 胚胎 微创 无痛 全切 埋线 胶原".split()
)
#: Whether the visitor had it done before is a question, not an offer.
_TRIED = re.compile(r"[做打拍用戴装试查]过|有没有(?:做|打|拍|用|戴|装|了解)")


def _technique_offered(reading: Reading) -> bool:
    for _line, hit in reading.hits("offer.technique", "consultant"):
        word = reading.text[hit.start : hit.end]
        if word in WEAK:
            sentence = reading.sentence(hit.start)
            if not _OURS.search(sentence) or reading.is_question(hit.start):
                continue
        elif reading.is_question(hit.start) and _TRIED.search(reading.sentence(hit.start)):
            continue
        return True
    return False


_NOT_INVITING = re.compile(r"(?:不用|没有?|不能|不必|别|为什么|干嘛|怎么|谁让你|还没)$")


def _invited(reading: Reading) -> bool:
    for _line, hit in reading.hits("invite", "consultant"):
        before = reading.clause_before(hit.start)
        word = reading.text[hit.start : hit.end]
        if _NOT_INVITING.search(before) or (
            word.startswith("来") and before.endswith(("本", "后", "以", "起", "原", "跑", "将"))
        ):
            continue
        if before.endswith("欢迎") and word.startswith("来到"):
            continue
        if reading.text[max(0, hit.start - 2) : hit.end].startswith("欢迎来到"):
            continue
        return True
    return False


def find(reading: Reading, rude: list[Found]) -> list[Found]:
    """Give what was neither asked, nor offered, nor proposed; only for a chat that marketing applies to.

    Args:
        rude: taboo phrases found; a rhetorical question asks nothing.
    """
    missing = (
        ("not_asked.profile", _profile_missing(reading)),
        ("not_asked.condition", _condition_missing(reading, rude)),
        ("not_asked.social", _social_missing(reading)),
        ("not_offered.technique", not _technique_offered(reading)),
        ("not_offered.expert", not _expert_offered(reading)),
        ("not_offered.brand", not _brand_offered(reading)),
        ("not_offered.service", not _service_offered(reading)),
        ("not_invited", not _invited(reading)),
    )
    return [Found(code, None, "", reading.rules.advice_for(code)) for code, is_missing in missing if is_missing]

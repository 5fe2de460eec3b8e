"""What a consultant neither asked nor offered (DOMAIN §5)."""

import re
from typing import Final

from conversations.inspection import answers, asking, methods
from conversations.inspection.chat import Found
from conversations.inspection.inviting import invited, is_rude
from conversations.inspection.lexicon.marketing import NO_NAME_BEFORE, SURNAMES, TITLES
from conversations.inspection.matcher import Hit, watch
from conversations.inspection.reading import Reading

#: Marketing is expected once the visitor wrote this many messages ([S2] and the data's definition).
LEAST_MESSAGES: Final = 3

NUMBER = "[0-9零一二三四五六七八九十两]"
AGE_GIVEN = re.compile(
    rf"虚岁{NUMBER}|(?:^|[\n\s，,])(?:我|本人|今年)?[二三四五六七]十(?:[一二三四五六七八九](?:了|岁|多)?|了|岁|出头|多岁)(?=[\s，,。\n]|$)|{NUMBER}{{1,4}}(?:周)?(?:岁|周岁)|今年(?:刚|才|都|快|虚岁|满|也|就|已经|，)?{NUMBER}{{2,3}}(?!号|月|年|点|[0-9])|{NUMBER}{{1,3}}(?:多)?岁|(?:^|[\n\s，,。])(?:我|他|她|人)?(?:今年)?(?:都|已经|快|才|刚|就)?[1-9][0-9](?:了|，|,|$|\n| )(?![0-9])|(?:[0-9]0|[七八九零][零0]|[0-9]{{2}})后(?!天|面)|[0-9]{{2,4}}年(?:的|出生|生的)|属[鼠牛虎兔龙蛇马羊猴鸡狗猪]|奔[三四五六七](?:了|的)|{NUMBER}个(?:多)?月(?:大|的宝)|(?:儿子|女儿|孩子|宝宝|闺女|娃|妈|爸|母亲|父亲|奶奶|爷爷|老公|老婆|婆婆|公公|岳父|岳母|外公|外婆|姥姥|姥爷|姐|哥|弟|妹|阿姨|叔叔|侄子|侄女|外甥|外甥女|孙子|孙女|男朋友|女朋友|男友|女友|爱人|媳妇|对象|朋友|同事|同学|闺蜜)(?:今年|都|快|才|刚)?{NUMBER}{{1,3}}(?:了|就|\s|，|,|$|个(?:多)?月)|(?:男|女)[，, ]?[1-9][0-9](?![0-9])|[1-9][0-9](?:的)?(?:男|女)(?:的|生|性)|(?:年近|年过){NUMBER}+|(?:未满|刚满|满){NUMBER}{{1,3}}(?!月|天)|(?:宝宝|孩子|娃|出生|小孩)[^。\n]{{0,12}}{NUMBER}个(?:多)?月"
)
MARRIED_GIVEN = re.compile(
    r"结婚|已婚|未婚|没结婚|老公|老婆|媳妇|爱人|丈夫|妻子|离异|离婚|单身|未生育|没对象|男朋友|女朋友|男友|女友|对象|二胎|三胎|生过|生完|刚生|生了|顺产|剖腹产|剖宫产"
)

ASKS_SIZE = re.compile(
    r"(?:不管|无论|不论|压力|缝|口子|创口|切口|洞|影响|区别|差别|肿块|肌瘤|囊肿|差|面积|直径|有|关系|概率|几率|可能性|结节|斑|牙缝)$"
)


def _asked(reading: Reading, category: str, rude: list[Found]) -> bool:
    return any(
        reading.is_question(hit.start)
        and not reading.clause_before(hit.start).endswith(("带", "领"))
        and not is_rude(reading, line, hit, rude)
        for line, hit in reading.hits(category, "consultant")
    )


def hit_of(reading: Reading, hit: Hit) -> str:
    """The words found."""
    return reading.text[hit.start : hit.end]


def _asks_age(reading: Reading) -> bool:
    for _line, hit in reading.hits("ask.profile", "consultant"):
        if "多大" in reading.text[hit.start : hit.end] and ASKS_SIZE.search(
            reading.clause_before(hit.start + reading.text[hit.start : hit.end].index("多大"))
        ):
            continue
        if reading.is_question(hit.start):
            return True
    return False


#: A state that a dental matter is asked in spite of.
_BESIDES = frozenset({"移植", "美容", "皮肤", "下巴", "怀孕", "产后", "备孕", "月经", "例假", "糖尿病"})


#: Whom it may be about; in a chat about the visitor they bear on nothing (孩子没人看).
_SOMEBODY = re.compile(r"儿童|孩子|小孩|宝宝|小朋友|娃|儿子|女儿|闺女|宝贝|男孩|女孩|丫头|小家伙|侄|孙")


_CROWN = re.compile("烤瓷|牙冠|全瓷|根管|冠")


def _bearing(reading: Reading, sender: str, *, is_own: bool) -> list[tuple[int, Hit]]:
    return [
        (line, hit)
        for line, hit in reading.hits("bears", sender)
        if reading.text[hit.end : hit.end + 1] not in ("科", "病")
        and not (reading.text[hit.start : hit.end] == "牙套" and _CROWN.search(reading.visitor_text))
        and not (
            reading.text[hit.start : hit.end] == "下面"
            and ("牙" in reading.visitor_text or "牙" in reading.text[hit.end : hit.end + 8])
        )
        and not (is_own and _SOMEBODY.search(reading.text[hit.start : hit.end]))
    ]


def _bears(reading: Reading, *, is_own: bool) -> bool:
    theirs = _bearing(reading, "visitor", is_own=is_own)
    if theirs and not ("牙" in reading.visitor_text and all(hit_of(reading, hit) in _BESIDES for _line, hit in theirs)):
        return True
    bears = _bearing(reading, "consultant", is_own=is_own)
    others = len(reading.hits("other", "visitor"))
    if not others:
        return bool(bears)
    opens = bool(bears) and reading.consultant[0] == bears[0][0] and reading.consultant[0] < reading.visitor[0]
    return opens or len(bears) > others + len(reading.hits("other", "consultant"))


#: A number alone answers what was asked, and age was not.
_BARE_NUMBER = re.compile(r"\n[0-9零一二三四五六七八九十]{1,3}(?=\n|$)")


def _profile_missing(reading: Reading, *, is_own: bool) -> bool:
    if not _bears(reading, is_own=is_own) or _asks_age(reading):
        return False
    text = reading.visitor_text
    if AGE_GIVEN.search(_BARE_NUMBER.sub("\n", text)):
        return False
    if not (reading.has("fertility", "visitor") or "产后" in text):
        return True
    return MARRIED_GIVEN.search(text) is None


def _social_missing(reading: Reading, rude: list[Found]) -> bool:
    return not _asked(reading, "ask.social", rude)


def _expert_offered(reading: Reading) -> bool:
    if any(
        not (
            hit.word.endswith("…年") and (reading.is_question(hit.start) or _OF_HOUSE.search(hit_of(reading, hit)))
        )  # 做过几次手术，最近一次在哪年？
        for _line, hit in reading.hits("offer.expert", "consultant")
    ):
        return True
    for index in reading.lines_with(_TITLED, "consultant"):
        text = reading.texts[index]
        for match in _NAMED.finditer(text):
            if text[max(0, match.start() - 1) : match.start() + 1] not in NO_NAME_BEFORE and not _is_former(
                text, match.start()
            ):
                return True
    return False


_OF_HOUSE = re.compile(r"质保|保修|保用|寿命|维持|医院|建院|开业|门诊|机构|诊所|成立|中心|[^主]院")
_NAMED = re.compile(f"[{SURNAMES}](?:{'|'.join(TITLES)})")
_TITLED = watch("titled", _NAMED)


def _is_former(text: str, start: int) -> bool:
    """A doctor the visitor saw elsewhere is nobody of ours."""
    return text[:start].endswith(("之前看的", "原来的", "当时的", "那边的", "那个"))


_DOCTOR = re.compile(
    r"(?:三甲|公立|大)医院(?:过来|出来|退|待|干|工作|来的)|名中医|名医|传承人|人才|主任|医生|教授|院长|博士|大夫|专家|从医|从业|经验|坐诊|他|她|主刀|医师|返聘|主治|老师(?!们)"
)


_SURELY_HOUSE = re.compile(r"单位|床位|牙椅|诊室|开业|建院|成立|连锁|家(?:院区|分院)")
_THING = re.compile(r"种植体|材料|牙冠|产品|设备|针剂|仪器|进口|这项|技术|激光|假体")


def _brand_offered(reading: Reading) -> bool:
    """The clinic's history, size or standing; a doctor's years and former hospitals are not the clinic's."""
    for _line, hit in reading.hits("offer.brand", "consultant"):
        if hit.word.startswith("年(的|)") and reading.text[hit.start - 1] in "少青成老":
            continue  # 青少年门诊
        if hit.word.startswith("(张牙椅") and reading.text[hit.start - 1] in "一单":
            continue  # 一人一个诊室
        if _is_of_something_else(reading, hit) or (hit.word.startswith("(开|做|办") and reading.is_question(hit.start)):
            continue
        if hit.word.startswith("年(的|)") and _is_doctors(reading, hit.start):
            continue  # 大夫姓江，看了二十年妇科
        if hit.word.startswith("(平|") and reading.text[hit.start - 1] not in _OF_SIZE:
            continue  # 压平, 调平
        if hit.word.startswith("(开|做|办") and reading.text[hit.start] in "做干" and _is_doctors(reading, hit.start):
            continue
        clause = (
            reading.clause_before(hit.start) + _CLAUSE_REST.split(reading.text[hit.start : hit.end + 10], maxsplit=1)[0]
        )
        if _SURELY_HOUSE.search(clause) or not (_DOCTOR.search(clause) or _THING.search(clause)):
            return True
    return False


_OF_SIZE: Final = frozenset("0123456789零一二三四五六七八九十百千万几多余来")
_HOURS = re.compile(
    r"周[一二三四五六日末]|每天|天天|几点|[0-9一二三四五六七八九十]点|早上|晚上|中午|照常|正常|节假日|今天|明天|全年"
)
_BRANDS = re.compile(
    r"看|什么|哪个|哪种|哪款|不同|差别|多种|几个|每个|其他|区别|各|选|牙膏|进口|国产|韩国|瑞士|德国|美国|奶粉|药"
)


def _is_of_something_else(reading: Reading, hit: Hit) -> bool:
    """营业 tells the hours, 品牌 what an implant is of."""
    word = hit_of(reading, hit)
    if word == "营业":
        return _HOURS.search(reading.clause_before(hit.start)) is not None
    if word == "评分":
        return re.search("[做打测]|态|疼|痛|量表", reading.clause_before(hit.start)) is not None
    if word == "资质":
        return _is_doctors(reading, hit.start)
    if word == "定点":
        return reading.text[hit.end : hit.end + 1] in "取咬活疼痛注放清打位"
    if word == "托管":
        return reading.text[hit.end : hit.end + 1] in "区班室"
    return word == "品牌" and _BRANDS.search(reading.clause_before(hit.start)) is not None


_HOUSE = re.compile(r"我们|医院|本院|院里|门诊|机构|诊所|口腔|中心|店")


def _is_doctors(reading: Reading, start: int) -> bool:
    """Years of work told of a doctor who was named before in the sentence."""
    sentence = reading.text[max(0, start - 60) : start]
    said = re.split(r"[。！？\n]", sentence)[-1]
    clause = reading.clause_before(start)
    return _DOCTOR.search(said) is not None and (_DOCTOR.search(clause) is not None or not _HOUSE.search(clause))


_CLAUSE_REST = re.compile(r"(?<=.)[，。！？；\n,]")

_DRINKS = ("饮料", "果汁", "茶水", "热水", "点心", "零食")
_SERVICE_DENIED = re.compile(r"(?:没有|不提供|不能|无法|没|找|执业|证书|资格|也要有?|需要有?|最好有?)$")
#: 我是线上顾问，请问… introduces the one who writes.
_CALLS: Final = ("做个", "做个小", "做一个", "做一次", "个小")  # the very call, not the care
_INTRODUCES: Final = ("请问", "为你服务", "请讲", "上顾问")


#: 二十四小时以后, 晚上门诊, 维护得好 and a call to come serve nobody.
_NO_SERVICE: Final[dict[str, re.Pattern[str]]] = {
    "二十四小时": re.compile(r"(?:以后|之后|后|内|以内|之内|再|不|别)"),
    "24小时": re.compile(r"(?:以后|之后|后|内|以内|之内|再|不|别)"),
    "上门": re.compile("诊"),
    "维护": re.compile(r"得|好|，"),
    "导诊": re.compile("台"),
    "有人接": re.compile(r"(?!你|待)"),
    "帮你挂": re.compile(r"[^，。！？]{0,8}(?:[？?]|，(?:可以|行|好)吗)"),
    "不用等": re.compile(r"骨|消|恢复|愈|拆|[一二三四五六七八九十0-9几]+(?:天|周|个|年)|长|牙|伤"),
    "帮你排": re.compile(r"到|在|上|个|下|明|周|后"),
    "专人": re.compile(r"(?:给|跟|和|同)?你?(?:回|打|联系|去电|致电)"),
}


def _service_offered(reading: Reading, rude: list[Found]) -> bool:
    return any(
        not is_rude(reading, line, hit, rude)
        and not ((other := _NO_SERVICE.get(hit_of(reading, hit))) and other.match(reading.text, hit.end))
        and not _SERVICE_DENIED.search(reading.clause_before(hit.start))
        and not (hit_of(reading, hit) == "回访" and reading.clause_before(hit.start).endswith(_CALLS))
        and not any(words in hit_of(reading, hit) for words in _INTRODUCES)
        and not (reading.text.startswith("为你服务", hit.end - 1))
        and not (
            reading.text.startswith(("有人", "照顾", "照看", "陪着", "照料", "帮你带"), hit.start)
            and reading.is_question(hit.start)
        )
        and not (hit_of(reading, hit) in _DRINKS and _CONSUMED.search(reading.clause_before(hit.start)))  # 少喝深色饮料
        for line, hit in reading.hits("offer.service", "consultant")
    )


_CONSUMED = re.compile(r"喝|吃|忌|戒|避免|远离|别碰|深色|碳酸")

_OURS = re.compile(
    r"我们|用的|采用|使用|技术|设备|仪器|系统|配|结合|做的|可以做|方案|设计|机器|术前|术中|定位|切口|创伤|引进|开展|先|就能|不用|能看|一次|当天"
)
#: What the visitor asks for anyway: telling its price or how long it lasts offers no method.
WEAK: Final = frozenset(
    "冷敷 植体 种植体 光源 附件 培养 原装 提拉 激光 光子 热玛吉 假体 肉毒 水光 宫腔 中药 造影 彩超 胚胎 微创 无痛 全切 埋线 胶原 吸脂 抽脂 毛囊 盆底 植发 脱毛 隆鼻 tct".split()
)
#: Parts of what is paid for, named with the price whoever asks.
_PRICED: Final = frozenset({"种植体", "附件", "光源", "原装", "培养", "冷敷", "植体", "毛囊", "盆底"})
#: Whether the visitor had it done before is a question, not an offer.
_TRIED = re.compile(
    r"[做打拍用戴装试查吃测照抽验扫种埋洗]过|[做打拍查验]了(?:没|吗|么)|有没有(?:做|打|拍|用|戴|装|了解)"
)


#: Words that name a method but for what they stand with.
_NO_METHOD: Final[dict[str, re.Pattern[str]]] = {
    "机器人": re.compile("是机器人"),
    "机器": re.compile("机器人"),
    "紫外线": re.compile("紫外线(?:弱|强|照|大|会|少|晒|很|最)"),
    "显微": re.compile("显微外科"),
    "盆底": re.compile("盆底(?:松|肌|功|有|的|受)"),
    "光子": re.compile("光子的"),
}


def _said_before(reading: Reading, word: str, line: int) -> bool:
    """Whether the visitor named it first."""
    return any(word in reading.texts[index] for index in reading.visitor if index < line)


def _technique_offered(reading: Reading, rude: list[Found]) -> bool:
    insulting = {found.message for found in rude if found.code in ("abuse", "taboo.perfunctory")}
    for line, hit in reading.hits("offer.technique", "consultant"):
        if line in insulting:
            continue
        word = reading.text[hit.start : hit.end]
        if (names := _NO_METHOD.get(word)) and names.search(reading.text, hit.start - 2, hit.end + 3):
            continue
        if word in WEAK and (word in _PRICED or _said_before(reading, word, line)):
            sentence = reading.sentence(hit.start)
            if not _OURS.search(sentence) or sentence.endswith(("？", "?", "吗", "吗\n")):
                continue
        elif reading.is_question(hit.start) and (
            word in WEAK or _TRIED.search(reading.sentence(hit.start)) or _said_before(reading, word, line)
        ):
            continue
        return True
    return _names_a_method(reading) or methods.told(reading, insulting) or answers.technique(reading, insulting)


#: 用的是…, 可以做…, 再用…: a thing done or used, whatever it is called; errands of a visit are none.
_METHOD = re.compile(
    r"(?:(?:(?:^|(?<=[，。！？]))(?:都|全)?用的(?:都|全)?是)|(?:我们|我院|这边|院里|科里|医生|主任|检查|治疗|手术|验配|矫正|修复|种植|注射|护理|缝合|麻醉)[^，。？！]{0,6}(?:用|做|打)的(?:都)?是|(?:我们|我院|这边|院里|科里)用的|(?:我们|这边|院里)(?:会|都|常|主要|一般)?(?:靠|走)|主要靠|(?:可以|会|先|再|建议|一般|要|适合|能)(?:先|再|考虑)?(?:做|用)(?:一个|个|一次|一下)?)"
    r"(?!检查|面诊|预约|登记|准备|参考|考虑|决定|一下|好|完|了|过|不|得|的|手术|牙|医保|分期|现金|手机|什么|哪|这|那|您|你|麻药|药|工作|隐形|主|矫正|种植|到|很|几|十|好|上|一辈子|多|三|五|[0-9])[\u3400-\u9fffa-z0-9]{3,}"
)


_METHODS = watch("method", _METHOD)


def _names_a_method(reading: Reading) -> bool:
    return any(
        not reading.is_question(reading.offsets[index] + match.start())
        for index in reading.lines_with(_METHODS, "consultant")
        for match in _METHOD.finditer(reading.texts[index])
    )


def find(reading: Reading, rude: list[Found], *, is_own: bool = True, is_booked: bool = False) -> list[Found]:
    """Give what was neither asked, nor offered, nor proposed; only for a chat that marketing applies to.

    Args:
        rude: taboo phrases found; a rhetorical question asks nothing.
        is_own: the visitor asks for themselves.
        is_booked: a time was agreed, whoever named it first.
    """
    lines: set[int | None] = {found.message for found in rude if found.code != "taboo.colloquial"}
    missing = (
        ("not_asked.profile", _profile_missing(reading, is_own=is_own)),
        ("not_asked.condition", asking.is_missing(reading, rude)),
        ("not_asked.social", _social_missing(reading, rude)),
        ("not_offered.technique", not _technique_offered(reading, rude)),
        ("not_offered.expert", not _expert_offered(reading)),
        ("not_offered.brand", not (_brand_offered(reading) or answers.brand(reading, lines))),
        ("not_offered.service", not (_service_offered(reading, rude) or answers.service(reading, lines))),
        ("not_invited", not (is_booked or invited(reading, rude))),
    )
    return [Found(code, None, "", reading.rules.own_advice(code)) for code, is_missing in missing if is_missing]

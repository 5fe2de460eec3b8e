"""Whom a chat is about: the visitor, or somebody else (DOMAIN §5: third-party enquiry)."""

import re
from dataclasses import dataclass
from typing import Final

from conversations.inspection.lexicon.scope import KIN
from conversations.inspection.matcher import watch
from conversations.inspection.reading import Reading, bits

_KIN = KIN[1:-1]
#: Without 我 before it only these are somebody asked for; 姐, 哥, 阿姨 may be a way to address.
_BARE = "孩子|小孩子|小孩|宝宝|宝贝|娃|小朋友|老人家|老人|朋友|闺蜜|同事|同学|女朋友|男朋友|老公|老婆|媳妇|爱人|女儿|儿子|闺女|妈妈|爸爸|母亲|父亲|奶奶|爷爷|婆婆|公公|岳母|岳父|大宝|二宝|家人|家里老人|外婆|外公|姥姥|姥爷|室友|孙子|孙女|侄子|侄女|弟弟|妹妹|姐姐|哥哥|姐夫|妹夫|嫂子|弟媳|舅舅|舅妈|姑姑|表姐|表妹|表哥|表弟|二叔|大伯"
_OWN = rf"(?:(?:我|俺|咱)(?:老家|乡下|单位|公司|家里|家|们家|们|的|一个|那个|个|这个|那|有个|有一个)*(?:{_KIN})|(?:家里|家里的|一个|那个)?(?:{_BARE})(?!们|不?好))"
#: The kin only say, pay, drive or wait; they are not the patient.
_MERELY = r"(?:也|都|老|总|一直|就|还|今天|昨天|前|刚|想|老是|天天|他|她|们|又)*(?:说(?!(?:她|他)?(?:自己|下面|下边|嘴里|牙|身上|老|总|最近)*[^，。\n]{0,3}(?:疼|痛|痒|胀|酸|肿|麻|出血|不舒服))|嫌|让|叫|陪|催|觉得|建议|介绍|推荐|同意|不同意|反对|支持|给我|送我|开车|带我|在家|知道|不知道|告诉|打给|看摊|也让|逼|嘱咐|提醒|看见|看到|发现|吵|怪|劝|做过|在你们|在这|在贵|都在|上次在|认识|出差|上班|不让|不肯让|不放心|会陪|商量|过生日|结婚(?![0-9一二三四五六七八九十两几好多快])|付|出钱|骂|笑|笑话|嘲笑|离婚|分手|吃饭|放假|不在|没在|没空|没人|有人|谁|由|(?:可以|能|会|还)?(?:帮|照顾|带孩子)|走了|去世|有事|忙|(?:要|需要|用|也要|会不会|也需要|要不要)(?:一起|也|跟着|同时)?(?:治|查|检查|吃药|用药|来|去|看|传染|做)[^，。\n]{0,4}(?:吗|么|不|嘛))"
_BEARING = r"(?:生|怀|要|备|带|有|想要|没有|生完|生过|生了|喂|奶|养|接|送|看|带着|照顾|哄|管|抱|陪|顾|等|打算要|两个|一个|俩|三个|几个|没|和|跟|问问|问|和我|跟我|问我|问下我|听我|听|问一下我|回去跟|等我|等|靠|让|叫|被|像|随)"

ASKED_FOR = re.compile(
    rf"(?:帮|替|给|代|为)(?:我|俺|家里|咱|一个|我们|人)?(?:家|的|个|一个)?(?:{_KIN}|人家|别人|家里人|人)(?:来|先|去)?(?:问|咨询|看|预约|约|打听|了解|做|种|查|弄|整|挂|找|治|瞧|矫)"
    rf"|(?:^|[\n，。,！？\s想要能下])(?:给|帮|替|带|陪)(?:家里|一个|个)?(?:{_BARE})(?:来|先|去|们)?(?:做|种|看|涂|洗|补|拔|矫|整|弄|打|查|治|约|预约|咨询|问|检查|配|割|买|镶|装|报)"
    rf"|(?<![不话])(?:是|想带|要带|带|不是我[，, ]?是|给|陪|领)(?:我|俺|咱)(?:家|的|们家|家里)?(?:{_KIN})(?!说|让|问|陪|推荐|介绍|叫)"
    rf"|(?:不是我(?:自己|本人|做|种|看|要|弄|用|整|治|怀|想)|我是(?:帮|替|代)|(?:帮|替)(?:别人|人家|人|家人|朋友|同事|家里人)(?:问|咨询|看|了解|打听))"
)
SUBJECT = re.compile(
    rf"(?:^|[\n，。,.！!？?\s、；;]|你好|您好|想问下?|请问|问下|问一下|医生|老师|咨询下|咨询一下|就是|因为|那个|但是|其实|现在|今年|最近)({_OWN})(?!{_MERELY})"
)
POSSESSED = re.compile(rf"(?:我|俺|咱)(?:家|们家|的|家里|那)?(?:{_KIN})(?!{_MERELY})")
AGED = re.compile(
    rf"(?:[0-9一二三四五六七八九十两]{{1,3}}(?:个半|个)?(?:岁半?|个?月大?|年级)(?:多|左右)?(?:的)?(?:小)?(?:男孩|女孩|男宝|女宝|宝宝|宝贝|娃娃?|孩子|小孩|小朋友|儿子|女儿|闺女|孙子|孙女|外孙|侄子|侄女|弟弟|妹妹))|(?:^|[\n])(?:是)?(?:男孩|女孩|儿子|女儿|闺女|男宝|女宝|小子|丫头)(?=[\s，,。0-9]|$)"
    rf"|(?:{_KIN}|男孩|女孩|小男孩|小女孩|男宝|女宝)(?:今年|刚|才|快|现在|刚满|马上|已经|，|,|\s|都|也)*(?:[0-9一二三四五六七八九十两]{{1,3}}(?:个半|个)?(?:岁|月|周岁|多|了)|上(?:小学|初|高|幼儿园|大学|[一二三四五六]年级)|读(?:初|高|小学|大学)|(?:初|高)[一二三中]|[一二三四五六]年级)"
)
MYSELF = re.compile(
    r"我自己(?!带|接|送|管|陪|照|在家|开|来|去|哺|喂)(?:做|种|看|想|用|要|来|整|弄|，|,|的|牙|，?)|我本人|本人(?:想|要|今年|男|女)|是我自己|给自己|自己(?:种|做|想|用)的?[，,]|^我自己(?!带|接|送|管|陪|照|在家|开|来|去)"
)
JOINT = re.compile(
    rf"我们|我[0-9]{{2}}岁?[，, ]{{0,2}}(?:{_KIN})[0-9]{{2}}|我(?:和|跟|与)(?:我)?(?:{_KIN})|两口子|夫妻|俩人|我俩|咱俩|(?:{_KIN})(?:和|跟|与)我|一直没怀|没怀上|怀不上|没有怀孕|都没怀|没怀孕"
)
PARTNER = re.compile(r"老公|老婆|媳妇|妻子|丈夫|爱人|对象|先生|太太|男朋友|女朋友|男友|女友|另一半")
CHILD_TO_COME = re.compile(rf"{_BEARING}(?:了|个|过|着|到|上|第二个|第一个|一下|下|我|我们|的|家)*$")
OWN_FERTILITY = re.compile(
    r"(?:是|给|帮|替)(?:我)?(?:老公|老婆|媳妇|爱人|丈夫|妻子|对象|先生|男朋友|女朋友)|(?:他|她)(?:的|做过|以前|之前|前年|去年|精|输卵管|查|检查|不好意思|今年|是)|以前|切|宫外孕|精子|精液|弱精|少精"
)


@dataclass(frozen=True)
class Enquiry:
    """Whether somebody else is asked for: the visitor message that shows it, and whether the consultant noticed."""

    message: int | None
    is_noticed: bool


_MAY_SHOW = watch("who", ASKED_FOR, AGED, SUBJECT, POSSESSED)
_NOBODY = Enquiry(None, True)


def read(reading: Reading) -> Enquiry:
    """Find out for whom the visitor asks; a couple's joint question about having children is the visitor's own."""
    if not reading.visitor_mask & bits(_MAY_SHOW):
        return _NOBODY
    candidates = reading.lines_with(_MAY_SHOW, "visitor")
    early = reading.visitor[:EARLY]
    message = next((index for index in candidates if _shows(reading, index, is_early=index in early)), None)
    if message is None or (MYSELF.search(reading.visitor_text) and not ASKED_FOR.search(reading.visitor_text)):
        return _NOBODY
    if reading.has("fertility", "visitor") and _is_joint(reading):
        return _NOBODY
    return Enquiry(message, _is_noticed(reading, message))


#: Kin named later are told of, not asked for, unless in so many words.
EARLY: Final = 3
_ELDER = re.compile(r"妈|母亲|爸|父亲|婆婆|公公|岳|奶奶|爷爷|外婆|外公|姥|老人|大姨|姑")
#: Who nurses or wants another child tells of the one there is.
NURSING = re.compile(
    r"哺乳|喂奶|断奶|背奶|奶水|母乳|二胎|三胎|产后|生完|刚生|生了(?:两|二|一|三|俩)|生过|顺产|剖腹|漏尿"
)


def _shows(reading: Reading, index: int, *, is_early: bool) -> bool:
    text = reading.texts[index]
    asked = max((other for other in reading.consultant if other < index), default=None)
    if asked is not None and _ASKED_OF_KIN.search(reading.texts[asked]):
        return False
    if ASKED_FOR.search(text):
        return True
    if not is_early:
        return False
    if AGED.search(text):
        return not NURSING.search(reading.visitor_text) or _ELDER.search(text) is not None
    if asked is not None and _ASKED_OF_BIRTHS.search(reading.texts[asked]) and _HAS_BORNE.search(text):
        return False
    for match in SUBJECT.finditer(text):
        start = match.start(1)
        if not CHILD_TO_COME.search(text[:start]) and _has_trouble(text[match.end() :]):
            return True
    for match in POSSESSED.finditer(text):
        if not CHILD_TO_COME.search(text[: match.start()]) and _has_trouble(text[match.end() :]):
            return True
    return False


#: Kin are named in answer: who else has it, who comes along.
_ASKED_OF_KIN = re.compile(
    r"家族|遗传|(?:家里|家中|长辈|父母|爸妈|直系|亲属|家人)[^。？?]{0,10}(?:有|得|患|谁|也)|谁陪|谁带|有人陪|陪你"
)

#: How many children there are is told of oneself.
_ASKED_OF_BIRTHS = re.compile(r"生育|生过|生了|生完|几个孩子|有孩子|有小孩|怀过|流产|结婚")
_HAS_BORNE = re.compile(
    r"^\n?(?:有|生了|生过|就|只有|已婚|结了|结婚了)?[ ，,]?(?:有|生了|生过)?(?:[一二两俩三123]个?)(?:孩子|小孩|娃|宝宝|儿子|女儿|男孩|女孩)"
)

_TROUBLE = re.compile(
    r"那儿|那里|身上|起了|长了|出了|烂|破了|裂|红|麻|秃|漏|[0-9一二三四五六七八九十]{1,3}岁|那个(?:来|没|不|推|老)|例假|大姨妈|姨妈|今年|想|要|的?牙|疼|痛|肿|痒|出血|脸|鼻|眼|皮|月经|怀|宫|卵|精|尿|包皮|检查|做|种|拔|补|洗|矫|整|装|治|打|缺|掉|断|歪|不齐|长|换|能|可以|没|不|有点|有|得了|查|以前|之前|下面|上面|嘴|老|总|一直|那方面|体检|最近|血|斑|痘|胖|瘦|老是|戴|敏感|晃|松|痔|早泄|不好意思|害怕|胆小|怕|不敢|不肯|也|高血压|糖尿|摔|磕|碰|龅|地包天|口臭|磨|咬|蛀|黑|黄|双|单|推迟|不来|流|人流|产后|备孕|今|这|情况|需要|适合|戴|拍|说是|医生说|腋臭|狐臭|脱发|秃|听力|耳|鼾|呼噜|打呼|过敏|喷嚏|痔|胃|腰|腿|颈|近视|散光|白内障|青光眼|看不|听不|失眠|咳|喘|得|患|咋|湿疹|荨麻|白癜|银屑|癣|疣|甲状|结节|增生|囊肿|肌瘤|多囊|更年|矮|发育|斜|弱视|眼睛|头发|头|身上|手|脚|痛|很|特别|严重|体重|背|膝|心|便|肛|乳|胸|结婚|备孕|舌|唇|短|个子|夜里|晚上|发烧|[0-9]{2}"
)


def _has_trouble(rest: str) -> bool:
    """What follows the kin says something of their condition or wish (or the sentence stops at them)."""
    rest = rest.lstrip("的 ，,")[:14]
    return (bool(rest) and _TROUBLE.match(rest) is not None) or _TROUBLE.search(rest[:8]) is not None


def _is_joint(reading: Reading) -> bool:
    text = reading.visitor_text
    return JOINT.search(text) is not None and not (PARTNER.search(text) and OWN_FERTILITY.search(text))


_HE = re.compile(
    r"(?:^|[，。！？,\n\x00请让那])(?:他|她)|(?:他|她)(?:今年|多大|有|是|的|现在|平时|几|做|在|抽|会|自己|本人|之前|以前|最近|能|可以|愿意|哪|什么|怎么|方便|过来|一起|也|来)"
)
_DOCTOR = re.compile(r"主任|医生|教授|院长|博士|大夫|主刀|专家")


def _is_noticed(reading: Reading, message: int) -> bool:
    """The consultant names the person afterwards, or speaks of him or her; wishes at the end do not count."""
    after = [index for index in reading.consultant if index > message]
    if not after:
        return True
    for line, hit in reading.hits("notices", "consultant"):
        if (
            line > message
            and "祝" not in reading.clause_before(hit.start)
            and not (reading.text[hit.start : hit.end] == "本人" and reading.text[hit.start - 1] == "你")
            and not _is_elsewhere(reading, hit.start, hit.end)
        ):
            return True
    for index in after:
        for match in _HE.finditer(reading.texts[index]):
            start = reading.offsets[index] + match.start()
            if not _DOCTOR.search(reading.sentence(start)) and not _DOCTOR.search(
                reading.texts[index][: match.start()]
            ):
                return True
    return False


def _is_elsewhere(reading: Reading, start: int, end: int) -> bool:
    """儿童 rooms, 妇女, 叔 within another word and such name nobody here."""
    after = reading.text[end : end + 2]
    before = reading.text[max(0, start - 2) : start]
    return (
        after.startswith(("们", "都说"))
        or before.endswith(("很多", "不少", "别的", "其他", "好多"))
        or "和家人" in reading.text[start - 2 : end]
    )

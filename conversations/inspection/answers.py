"""What an answer tells of, read from what it answers (DOMAIN §5: technique, brand, service).

A visitor who asks who stands behind the clinic, how a thing is done or what becomes of him alone names the subject;
the answer then need not: 从一间小门脸做到现在，二十三个春秋. An answer that asks back, sends away or is rude tells
nothing.
"""

import re
from collections.abc import Iterator
from typing import Final

from conversations.inspection.matcher import watch
from conversations.inspection.reading import Reading

#: Characters that an answer needs to tell anything.
LEAST: Final = 10

_ASKS_HOW = re.compile(
    r"(?:怎么|咋|如何|咋个|怎样)(?:个|样)?(?:做|弄|治|整|取|拔|种|去掉|去除|处理|查|测|切|合上|放|接|调|垫|矫|修|补|洗|操作|植|缝|埋|填|割|开|救|搞|来的|治疗|手术|检查)"
    r"|(?:用|拿|靠|打|填)(?:的|)(?:什么|啥|哪种)|什么(?:原理|方法|办法|手段|技术|材料)|啥(?:法子|原理|材料|办法|招)|(?:动|开)(?:大)?刀|(?:刀口|伤口|切口|创口)|手术大|遭罪|(?:能|得)救|咋整|几针|会不会僵|啥感觉|长得回来|只能(?:拔|切|手术)"
)
_ASKS_HOUSE = re.compile(
    r"正规|靠谱|正不正|开(?:了)?(?:多久|几年|多少年)|哪年|(?:多少|几)年(?:了|头)|年头|规模|(?:地方|店|医院|门面|你们)(?:大不大|大吗|有多大)|你们(?:是|家)?(?:什么|啥)?牌子|牌子(?:响|大|老)|名气|没听(?:过|说)|公立|私立|民营|莆田|口碑|同行|执照|有(?:没有|没)?(?:资质|证|营业)|连锁|分(?:店|号|院)|跑路|卷钱|倒闭|关门(?:呢|了|咋|怎么)|骗子|黑(?:店|诊所|心)|小(?:诊所|门诊|店|作坊|地方)|冒出来|什么来头|是(?:不是)?(?:新开|才开)|刚开"
)
_ASKS_CARE = re.compile(
    r"怕|担心|紧张|害怕|慌|一个人|没人(?:陪|管|照)|排队|等(?:多久|半天)|尴尬|难为情|难堪|隐私|熟人|躲着|开不了口|丢人|外地|人生地不熟|跑不动|路远|售后|(?:谁|没人|就不)管|找谁|万一|半夜|夜里|出(?:了)?问题|做坏|恢复不好|不舒服了|晕(?:针|血|倒)|照顾|(?:陪|接)(?:吗|不|人)|回不了家|复查|术后|做完就|环境|一直疼|疼起来"
)
_THE_WORK = re.compile(
    r"切|缝|推[进入开]|抽[自取出吸]|注|扎[一进针]|贴[在着住]|翻[开过]|埋|盖(?:过|住)|铺|取[一出个下]|粘|牵|伸[一进]|刺|夹|削|磨|剪|挑|震|代谢|填[进充]|回填|撑|提纯|离心|波段|纳秒|毫米|零点|[0-9]+nm|镜|针|刀|光|电|压掉|点[在五六七八几]|个点|模|陶瓷|钛|支架|孔|膜|频率|机器|仪|电脑|扫描|材料|打(?:个|一个)(?:眼|孔|洞)"
)
_OF_HOUSE = re.compile(
    r"[0-9一二三四五六七八九十百千两]|年|家|层|平|单位|医院|院区|级|证|执照|评|认证|医保|合作|托管|直管|直属|奖|第一|最|甲|招牌|老百姓|街坊|集团|总部|专科|公立|口碑"
)
_CARES = re.compile(
    r"陪|(?:带|领|送|接|迎|扶|推)(?:着|你|到)|护士|护工|专人|专车|管家|顾问|助理|单独|单间|一人一|只有(?:你|一)|只(?:叫|显|写|喊|留)|没人(?:知道|看见|认)|随时|值班|热线|通宵|二十四小时|24小时|免费|不(?:另)?收|不要钱|上门|到你家|住到|房间|病房|糖水|热水|温水|毯|握|牵着|守|直达|替你|打码|化名|保密|电话(?:回访|问)|回访|群里|微信上|质保|重做|返修|举手|按铃|停下|慢慢来(?!，|。)|提前(?:跟|告诉)|家人"
)
_OF_A_DOCTOR = re.compile(r"主任|医生|教授|博士|大夫|专家|医师|院长|毕业|上岗|他|她")
_HOUSE_ITSELF = re.compile(r"我们|本院|医院|门诊(?!量)|机构|诊所|中心|店|集团|院区")
#: It sends away, denies or asks back.
_TELLS_NOTHING = re.compile(
    r"不清楚|不知道|说不好|不好说|难说|看情况|因人而异|再说|百度|自己(?:看|查|搜|定)|问(?:医生|前台|别人)|差不多|随便|不归|不关|管不|没办法|不一定"
)
_PRICE = re.compile(r"[0-9百千万]+(?:元|块)|多少钱|价")

_HOW, _HOUSE, _CARE = watch("how", _ASKS_HOW), watch("house", _ASKS_HOUSE), watch("care", _ASKS_CARE)


def _answered(reading: Reading, kind: str, asks: re.Pattern[str], skipped: set[int | None]) -> Iterator[str]:
    """Give what the consultant stated right after a visitor's message that asks so."""
    senders = reading.senders
    for index in reading.lines_with(kind, "visitor"):
        if not asks.search(reading.texts[index]):
            continue
        for place in range(index + 1, len(senders)):
            if senders[place] == "visitor":
                break
            if senders[place] == "consultant" and place not in skipped:
                yield from (
                    said
                    for said in re.split(r"(?<=[。！？?!])", reading.texts[place])
                    if len(said) >= LEAST and not said.endswith(("？", "?", "吗。")) and not _TELLS_NOTHING.search(said)
                )


def technique(reading: Reading, skipped: set[int | None]) -> bool:
    """Tell whether how it is done was asked and told: two things of the work, and no mere price."""
    return any(
        len(set(_THE_WORK.findall(said))) >= ENOUGH and not _PRICE.search(said)
        for said in _answered(reading, _HOW, _ASKS_HOW, skipped)
    )


ENOUGH: Final = 2


def brand(reading: Reading, skipped: set[int | None]) -> bool:
    """Tell whether the clinic's standing was asked for and told of."""
    return any(
        _OF_HOUSE.search(said) and (_HOUSE_ITSELF.search(said) or not _OF_A_DOCTOR.search(said))
        for said in _answered(reading, _HOUSE, _ASKS_HOUSE, skipped)
    )


def service(reading: Reading, skipped: set[int | None]) -> bool:
    """Tell whether a worry about being alone, seen, hurt or forgotten was met with what is done about it."""
    return any(_CARES.search(said) for said in _answered(reading, _CARE, _ASKS_CARE, skipped))

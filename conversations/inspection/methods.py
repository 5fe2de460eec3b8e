"""Whether a consultant tells how a thing is done, whatever the method is called (DOMAIN §5: technique).

The lists name methods and equipment; new ones come every year. Here the sentence tells by its build: something is
done with, through or by means of something, or several steps of the work are told one after the other.
"""

import re
from typing import Final

from conversations.inspection.matcher import watch
from conversations.inspection.reading import Reading

#: The work itself; that the visitor rinses at home is none of it.
_STEPS: Final = (
    "切[一开除掉口]|小口|开窗|缝|剥离?|松解|固定|悬吊|打孔|分离|分开送|抽[吸取出]|吸[出走掉]|撑[开起住]|顶[起开]|植入|植进|填[充进平]|补量|冷冻|冻[掉住]|"
    "消融|汽化|烧[掉灼]|刮[除掉净]|灌[注进]|扩[张开]|拉[到回紧]|推[到开进掉]|重置|释放|封[闭住]|扎[住紧]|结扎|栓[住塞]|造口|吻合|压低|磨[平出]|堆塑|"
    "扫描|建模|导入|注射|分层|分[两三四五六七八九十几多][层点次段]|[两三四五六七八九十几0-9]个点|止血|引流|定位|取材|照射|贴[上敷合]|缩小|收紧|收拢|粘[住上合]|"
    "摘[出除]|取[出下]|置[入换]|埋[入在]|包埋|转移|带蒂|翻起|复位|校准|诱导|刺激|激活|敷上|渗透|喷[上涂]"
)
_STEP = re.compile(_STEPS)
_TOOLS: Final = (
    "(?<![方办没想看说手无书做用语合违])法|(?<![手技艺学])术(?![前中后语])|(?<![眼照])镜(?!子)|仪|(?<![开动一])刀(?!口|片)|钝针|滚针|飞梭|支架|补片|贴片|硅酮|放疗|(?<!打)激光|射频|"
    "探头|导板|球囊|导管|导丝|支抗|托槽|弓丝|染色|冷冻|电刀|超声|等离子|脉冲|负压|缝线|可吸收|套圈|磁|光纤|水刀|剥离子|芯片|试剂|配方|评分|量表|模型|软件|算法"
)
_OURS = re.compile(
    r"(?:我们|我院|这边|院里|科里)(?:都|一般|会|常|主要)?用(?!心|药|医保|微信|电话|手机|的|不|到|户|过)[^，。？！]{2}|(?:显微镜|内镜|腔镜|直视|可视|超声|引导|监护|造影)下|用[钝滚冰空]心?针"
)
_WITH = re.compile(
    rf"(?:用|靠|借助|经|通过|沿着?|从|走|拿|配上|结合)[^，。？！]{{1,12}}?(?:{_STEPS}|一[套拧夹点推拉刮刺]一?|喷|冲[掉洗净])"
)
_DOES = re.compile(rf"(?:做|打|放|贴|上|缝|埋|照|加|配|装|敷)(?!过|了吗)[^，。？！吗么]{{0,9}}?(?:{_TOOLS})")
#: At home, on the way, or paying: no work of the clinic.
_NOT_THE_WORK = re.compile(
    r"自己|在家|回家|回去|温水|盐水|牙线|牙刷|毛巾|洗面奶|[冷热开]水|医保|社保|微信|支付|手机|电话|分期|电梯|地铁|公交|开车|坐车|吃|喝|饭|侧门|大门|门口|挂号|收费|发票|检查费|人(?:群|多)|号线|别(?:用|拿|去|做|打)|不(?:要|能|建议|用)(?:用|拿|做|打)?|以前|之前|别处|别家|外面"
)
_SENTENCE = re.compile(r"[^。！？?!\n]+[。！？?!]?")
_ASKS = ("？", "?", "吗", "吗。", "没有。", "呢。")
_WORK = watch("work", _STEP, _OURS, re.compile(_TOOLS))
ENOUGH: Final = 2  # steps of the work told in one sentence


def told(reading: Reading, skipped: set[int | None]) -> bool:
    """Tell whether the consultant described the work; messages in `skipped` do not count."""
    for index in reading.lines_with(_WORK, "consultant"):
        if index in skipped:
            continue
        for match in _SENTENCE.finditer(reading.texts[index]):
            if not match[0].endswith(_ASKS) and _tells(match[0]):
                return True
    return False


def _tells(sentence: str) -> bool:
    clauses = [clause for clause in re.split("[，；：,;]", sentence) if not _NOT_THE_WORK.search(clause)]
    if any(_OURS.search(clause) or _WITH.search(clause) or _DOES.search(clause) for clause in clauses):
        return True
    return len({found for clause in clauses for found in _STEP.findall(clause)}) >= ENOUGH

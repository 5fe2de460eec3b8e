"""What service etiquette is looked for, and what the answers come to (KPI 3). Needs no database.

The built-in rubrics follow DOMAIN §2 and §4: the greeting, the complaint before any examination, the doctor who
leaves the price to the coordinator [S1]; hour, tone and sincerity of a call-back, and the phrases that a
professional avoids [S2].
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

VISIT, CALL = "visit", "call"
WHOLE = 100  # points of a rubric
MOST_ITEMS = 20
LONGEST_LABEL, LONGEST_HELP = 60, 160
YES, PARTLY, NO = Decimal(1), Decimal("0.5"), Decimal(0)
# What a form sends for each answer; None: does not apply.
ANSWERS: dict[str, Decimal | None] = {"1": YES, "0.5": PARTLY, "0": NO, "na": None}
HUNDREDTH = Decimal("0.01")


class BadAnswers(ValueError):
    """Answers that give no score; the message says why, for the person. `codes` are the items concerned."""

    def __init__(self, message: str, codes: Iterable[str] = ()) -> None:
        self.codes = tuple(codes)
        super().__init__(message)


@dataclass(frozen=True)
class Item:
    """One thing that is looked for. `points` is its share of 100; texts in English and Chinese."""

    code: str
    label: str
    label_zh: str
    points: int
    help: str = ""
    help_zh: str = ""

    def words(self, language: str) -> str:
        """Return its name in a language, in the other one where that has none."""
        chinese = language.startswith("zh")
        return (self.label_zh or self.label) if chinese else (self.label or self.label_zh)

    def hint(self, language: str) -> str:
        """Return what to look for, in a language."""
        chinese = language.startswith("zh")
        return (self.help_zh or self.help) if chinese else (self.help or self.help_zh)


@dataclass(frozen=True)
class Lost:
    """Points not reached at one item."""

    item: Item
    points: Decimal


@dataclass(frozen=True)
class Score:
    """What the answers come to.

    Args: value: 0 to 100, two places; earned, possible: points of the items that apply; lost: where points were
    lost, the most first; left_out: items that did not apply.
    """

    value: Decimal
    earned: Decimal
    possible: int
    lost: tuple[Lost, ...]
    left_out: tuple[Item, ...]


def items_of(stored: Iterable[Mapping[str, Any]]) -> tuple[Item, ...]:
    """Read the items of a stored rubric."""
    names = Item.__dataclass_fields__
    return tuple(Item(**{name: row[name] for name in names if name in row}) for row in stored)


def stored(items: Iterable[Item]) -> list[dict[str, Any]]:
    """Return items as a rubric keeps them."""
    return [asdict(item) for item in items]


def score(items: Iterable[Item], answers: Mapping[str, Decimal | None]) -> Score:
    """Return the score of one inspection.

    An item that does not apply (None) is left out of what was reached and of what could be; the rest is scaled
    to 100 and rounded half up to two places.
    Raises: BadAnswers for an item without an answer, an answer that is none, or when nothing applied.
    Source: DOMAIN §6.3.
    """
    asked = tuple(items)
    open_items = [item for item in asked if item.code not in answers]
    if open_items:
        words = ngettext("%(count)d item has no answer.", "%(count)d items have no answer.", len(open_items))
        raise BadAnswers(words % {"count": len(open_items)}, [item.code for item in open_items])
    odd = [item.code for item in asked if answers[item.code] not in (YES, PARTLY, NO, None)]
    if odd:
        raise BadAnswers(_("That is no answer."), odd)
    told = [(item, given) for item in asked if (given := answers[item.code]) is not None]
    if not told:
        raise BadAnswers(_("Nothing applied: there is nothing to score."))
    possible = sum(item.points for item, _given in told)
    earned = sum((given * item.points for item, given in told), Decimal(0))
    lost = [Lost(item, item.points - given * item.points) for item, given in told if given < YES]
    return Score(
        value=(earned * WHOLE / possible).quantize(HUNDREDTH, ROUND_HALF_UP),
        earned=earned,
        possible=possible,
        lost=tuple(sorted(lost, key=lambda one: -one.points)),
        left_out=tuple(item for item in asked if answers[item.code] is None),
    )


def problem(items: Iterable[Item]) -> str:
    """Say what is wrong with a rubric; "" for a good one."""
    rows = tuple(items)
    if not 1 <= len(rows) <= MOST_ITEMS:
        return _("A rubric has 1 to %(most)d items.") % {"most": MOST_ITEMS}
    if len({row.code for row in rows}) < len(rows):
        return _("An item stands there twice.")
    if any(not row.words("zh").strip() for row in rows):
        return _("Each item needs a name.")
    if any(row.points < 1 for row in rows):
        return _("Each item is worth at least 1 point.")
    total = sum(row.points for row in rows)
    if total != WHOLE:
        return _("The points add up to %(total)d; they must add up to %(whole)d.") % {"total": total, "whole": WHOLE}
    return ""


BUILTIN: dict[str, tuple[Item, ...]] = {
    VISIT: (
        Item(
            "greeting", "Greeted by the script", "按话术问候", 10,
            "At once, standing, with name and title.", "起身迎接，第一时间问好，称呼“先生／女士”。",
        ),
        Item(
            "names", "Named themselves and the doctor", "介绍自己和接诊医生", 10,
            "The patient knows who will see them.", "患者知道今天由谁接待、由哪位医生看诊。",
        ),
        Item(
            "apology", "Apologised for the wait", "为等候致歉", 8,
            "“很抱歉，让您久等了”, however short the wait.", "说“很抱歉，让您久等了”，等得再短也要说。",
        ),
        Item(
            "unclear", "Asked whether the form was clear", "询问问诊表有无疑问", 8,
            "And thanked the patient for filling it in.", "主动问有没有不明白的地方，并感谢配合。",
        ),
        Item(
            "guiding", "Kept talking while guiding", "引导途中保持沟通", 8,
            "Led the way, no silence on the way.", "走在侧前方引路，途中不冷场。",
        ),
        Item(
            "complaint", "Complaint confirmed before any exam", "先确认主诉再检查", 12,
            "Said so, repeated it in the patient's words.", "说明先确认主诉、之后再检查，并用患者的话复述。",
        ),
        Item(
            "words", "Professional words", "用语专业", 10,
            "No taboo phrase, no brushing off, no interrupting.", "没有服务忌语、口头禅和敷衍，不打断患者。",
        ),
        Item(
            "doctor_leaves", "The doctor left and named the coordinator", "医生说明后退场", 10,
            "After the plan, saying who explains the rest.", "讲完治疗计划即退场，并说明接下来由哪位咨询师讲解。",
        ),
        Item(
            "no_price", "The doctor did not talk of price", "医生不谈价格", 8,
            "Nor of time or which option to choose.", "价格、时间和方案选择都留给咨询师。",
        ),
        Item(
            "same_words", "Coordinator and doctor said the same", "医生与咨询师说法一致", 8,
            "Plan, principles and what was promised.", "治疗计划、原则和承诺前后一致。",
        ),
        Item(
            "farewell", "Saw the patient off", "送别", 8,
            "Next appointment repeated, thanked, to the door.", "复述下次预约时间，致谢并送到门口。",
        ),
    ),
    CALL: (
        Item(
            "hour", "Called in the hours the patient wishes", "在患者方便的时段回访", 15,
            "Not at work, rest or meals.", "不在患者上班、休息或用餐的时间打扰。",
        ),
        Item(
            "names", "Named the clinic and oneself", "报出门诊和自己的姓名", 12,
            "In the first sentence.", "第一句话就说清楚。",
        ),
        Item(
            "permission", "Asked whether it suits", "先问是否方便", 10,
            "“打扰一下，您现在方便吗？”", "“打扰一下，您现在方便吗？”",
        ),
        Item(
            "tone", "Friendly tone", "语气温和", 15,
            "The tone this patient likes; no urging.", "符合患者喜欢的语气，不催促。",
        ),
        Item(
            "speed", "Calm speed, no interrupting", "语速适中、不打断", 12,
            "Leaves room to answer.", "给患者说话的时间。",
        ),
        Item(
            "sincerity", "Sincere care first", "真诚关心在先", 14,
            "Asks how the patient is before the errand.", "先问患者的情况，再说来意。",
        ),
        Item(
            "words", "No taboo phrase", "没有服务忌语", 12,
            "No counter-question, no shirking, no “不好意思”.", "不反问、不推卸，不说“不好意思”。",
        ),
        Item(
            "next_step", "Agreed on a next step", "约定下一步", 10,
            "A time or a date, repeated at the end.", "有具体时间，结束前复述一遍并道别。",
        ),
    ),
}  # fmt: skip

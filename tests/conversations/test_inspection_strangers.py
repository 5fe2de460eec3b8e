"""What tells a fault from its neighbour, in words of no labelled chat."""

import pytest
from pypinyin import Style, pinyin

from conversations.inspection import spelling
from tests.conversations.spoken import chat, codes


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("孩子自己不肯戴牙套你也不看着！", "taboo.scolding"),
        ("手术是主任做的，不是我做的，您去问主任。", "taboo.shirking"),
        ("刀都开了，还能退回去吗？", "taboo.rhetorical"),
        ("没看见还是不想看？", "taboo.interrogating"),
        ("抖音上搜，一堆呢。", "taboo.perfunctory"),
        ("就说你傻，听不出来吗。", "abuse"),
        ("麻烦带一下上次的片子。", "taboo.colloquial"),
        ("先做咬合扫苗，再定方案。", "error.typo"),
        ("您不心疼谁心疼？", "taboo.rhetorical"),
        ("神医来了也没办法。", "taboo.rhetorical"),
        ("你怎么又取消了？", "taboo.interrogating"),
        ("是谁教你这么用药的？", "taboo.interrogating"),
        ("没让你说话，先填单子。", "taboo.scolding"),
        ("不要再发语音了，听不清！", "taboo.scolding"),
        ("都行，你定。", "taboo.perfunctory"),
        ("呵呵，还行吧。", "taboo.perfunctory"),
        ("就你这口破牙还挑医生？", "abuse"),
    ],
)
def test_a_class_of_phrases_is_found(text: str, code: str) -> None:
    assert codes("你好", f">{text}") & {code} == {code}


@pytest.mark.parametrize(
    "text",
    [
        "秃成这样也能种，只要后面的头发够。",
        "穷人也看得起病，我们有减免。",
        "难道先生也想来听听？可以的，欢迎。",
        "刚才忙着接诊，现在给您细说。",
        "您别担心，麻药起效了才开始！",
        "请问您自己吃药了吗？",
        "您上次为什么没来呢，是路上不方便吗？需要的话我帮您改期。",
        "很多人问难道隐形就一定比钢牙好，其实要看牙列情况。",
        "哪有不舒服，您跟我说说好吗？",
        "我真笨，刚才把日期写反了。",
        "当妈的，都心疼孩子。",
        "没文化也没关系，表格我帮您填。",
        "从一开始就这样，还是最近才出现的？",
        "好的，没事的，您慢慢来。",
    ],
)
def test_what_only_looks_like_a_fault_is_none(text: str) -> None:
    assert not {code for code in codes("你好", f">{text}") if code.startswith(("taboo", "abuse"))}


def test_trouble_with_what_was_done_here_is_an_errand_until_something_new_is_wished_for() -> None:
    done = ("我在你们家打的瘦脸针", ">您好，请讲。", "现在一边高一边低", "怎么办")
    assert not chat(*done).in_scope
    assert chat(*done[:2], "现在想再做个双眼皮", "多少钱").in_scope


def test_another_clinics_patient_is_no_patient_of_ours() -> None:
    assert chat("钢丝扎嘴 不是在你们这做的", ">您好。", "能剪吗", "还想转过来").in_scope


def test_kin_named_late_are_told_of_and_not_asked_for() -> None:
    opening = ("想做光子嫩肤", ">您好，请问皮肤敏感吗？", "不敏感", ">好的。", "嗯", ">您看哪天来？")
    assert not chat(*opening, "宝宝这两天发烧 下周再说").third_party
    assert chat("宝宝舌系带短 说话不清", ">您好。").third_party


def test_an_agreed_time_is_an_invitation_whoever_named_it() -> None:
    agreed = ("想洗牙", ">您好，多久没洗了？", "两年", ">好的。", "明天下午三点过去", ">好的，6月11日下午三点。")
    assert chat(*agreed).captured.booking
    assert "not_invited" not in codes(*agreed)


def test_an_everyday_phrase_does_not_undo_the_question_beside_it() -> None:
    asked = ("想割双眼皮", ">您好。", "多少钱", ">不好意思，您是做什么工作的？", "文员")
    assert "not_asked.social" not in codes(*asked)


def test_a_qq_number_may_be_spelt_in_numerals() -> None:
    assert chat("加我QQ吧 QQ九九零零零四一五六", ">好的。").captured.qq == "990004156"


def test_a_doubt_settles_no_appointment() -> None:
    assert chat("想验血", ">周六早上八点半来好吗？", "我想想吧", ">好的，想好了告诉我。", "嗯").captured.booking is None


def test_the_table_of_sounds_agrees_with_the_dictionary() -> None:
    for char, group in list(spelling._homophones().items())[::40]:
        sounds = {pinyin(other, style=Style.NORMAL, heteronym=False)[0][0] for other in group | {char}}
        assert len(sounds) == 1, char


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("不拍片医生怎么看，靠猜吗？", "taboo.rhetorical"),
        ("您去饭店吃饭能不给钱吗？", "taboo.rhetorical"),
        ("刚才不是说了吗，您有认真看吗？", "taboo.interrogating"),
        ("别家做的问我干嘛？", "taboo.interrogating"),
        ("不拍就别来问了！", "taboo.scolding"),
        ("没事，回去多喝水。", "taboo.perfunctory"),
        ("介绍在主页，您点进去看。", "taboo.perfunctory"),
        ("报告我看不了，您去问开单的医生。", "taboo.shirking"),
        ("她答应的你找她，她离职了。", "taboo.shirking"),
        ("你算老几。", "abuse"),
        ("真是不好意思，刚才接待别的客人去了。", "taboo.colloquial"),
    ],
)
def test_further_turns_of_speech_are_found(text: str, code: str) -> None:
    assert codes("你好", f">{text}") & {code} == {code}


@pytest.mark.parametrize(
    "text",
    [
        "您妹妹今年多大了？",
        "您是从换牙就这样，还是后来慢慢变的？",
        "好的，那先这样，再见。",
        "难道您家里也有人是这样？",
        "会用牙周探针检查，画一张图。",
        "种植牙跟镶牙的区别在基底。",
        "不一定，要看片子。",
    ],
)
def test_more_neighbours_are_no_fault(text: str) -> None:
    assert not [code for code in codes("你好", f">{text}") if code.startswith(("taboo", "abuse", "error"))]


@pytest.mark.parametrize(
    ("text", "code", "is_missing"),
    [
        ("您是上班还是自己做生意？", "not_asked.condition", True),  # asks of circumstances
        ("您多少周岁？", "not_asked.condition", True),
        ("是天生这样，还是后来变的？", "not_asked.condition", False),
        ("您是哪一年出生的？", "not_asked.profile", False),
        ("二十四小时以后再刷牙。", "not_offered.service", True),
        ("停车也免费。", "not_offered.service", False),
        ("到时候医生会讲的。", "not_offered.expert", True),
        ("操作的医生有国际认证。", "not_offered.expert", False),
        ("多数是可以调过来的。", "not_invited", True),
        ("由医生亲自来做。", "not_invited", True),
        ("留个号码好吗？", "not_invited", True),
        ("您直接来三楼找我。", "not_invited", False),
        ("请您先留下联系方式。", "not_offered.technique", True),
        ("我们做提肌调整，两边调匀。", "not_offered.technique", False),
        ("从里面把力量调平。", "not_offered.brand", True),
        ("我们在深圳有二十年了。", "not_offered.brand", False),
    ],
)
def test_what_a_sentence_asks_or_offers(text: str, code: str, is_missing: bool) -> None:
    assert (code in codes("想做双眼皮", "多少钱", f">{text}", "嗯", "好")) is is_missing

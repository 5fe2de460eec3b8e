"""The appointment both sides agreed to: the last one, with an exact time, not refused and not called off."""

import re
from dataclasses import dataclass
from datetime import datetime

from conversations.inspection import dates
from conversations.inspection.dates import Said
from conversations.inspection.reading import Reading

YES = re.compile(
    r"^(?:[那就]|嗯|哦|啊|ok|OK|那就|就)*[，, ]?(?:可以|行|好|嗯|恩|ok|OK|没问题|对|是的|成|中|定|要得|得|妥|约吧|就这个|就这样|都可以|都行|麻烦|谢谢|收到|能|有空|方便|就它|来得及|给我(?:吧|留|定|约)?|留着|记上|排上|写上|没事|同意|确定|一言为定)"
)
NO = re.compile(
    r"不行|不可以|不方便|没空|没时间|来不了|去不了|不能|有事|不想|不去|不来|不约|不了|不合适|赶不上|不要|太早|太晚|太赶|出差|要上班|加班|再看|看看再|考虑|再说|商量|不确定|不一定|没定|改天|换个|换一|有没有别|还有别|算了|取消|不用|到时候|回头|等我|先不|想想|想一想|问问|问一下|看情况|冲突|走不开|抽不开"
)
CALLED_OFF = re.compile(
    r"先不约|不约了|取消(?!不了|吗)|不去了|不来了|算了|先不去|不用约|先别约|别约|不预约|再说吧|下次再|先不用|暂时不|不做了|不定了|还是不|考虑考虑|再考虑|再看看"
)
FULL = re.compile(
    r"约满|满了|没有?(?:号|位|空)|已经满|排满|不上班|休息|不坐诊|停诊|不在|没空|不行|不可以|不好意思|很抱歉|来不及|有手术|不能"
)
CONFIRMS = re.compile(
    r"^(?:好|可以|行|没问题|嗯|收到|ok|对|是的|有的|能|当然)|登记|约好|约上|已经?(?:为|给|帮|约|预|安|记|订|留)|给你(?:留|约|登|安排|预|定|挂|改)|帮你(?:留|约|登|安排|预|定|挂|改)|为你(?:留|约|登|安排|预|定|挂|改)|改到|改成|改为|定在|约在|记下|预约成功|安排在|安排好|那就|恭候|等你|见|不见不散|准时"
)
OFFERS = re.compile(
    r"[?？]\s*$|可以吗|行吗|好吗|方便吗|怎么样|如何|行不行|可以不|好不好|要不|呢[。]?$|您看|你看|或者|还是|都可以|都有|有空位|合适吗"
)
AGREES_WITHOUT = re.compile(r"^(?:好|可以|行|没问题|嗯|收到|ok|对|是的|有的|能的?|当然)")


_NOTHING = dates.NOTHING


@dataclass(slots=True)
class _State:
    context: Said = _NOTHING
    offer: Said | None = None  # the consultant's, waiting for a yes
    wish: Said | None = None  # the visitor's, waiting for a yes
    agreed: Said | None = None
    message: int | None = None
    asked: str = ""  # what the consultant said last

    @property
    def is_idle(self) -> bool:
        """Nothing is offered, wished for or agreed, so a message that names no time changes nothing."""
        return self.offer is None and self.wish is None and self.agreed is None


def read(reading: Reading) -> tuple[datetime | None, int | None]:
    """Give the last time agreed and the message that settled it."""
    text = reading.text
    if not ("点" in text or "时" in text or ":" in text or "：" in text or "時" in text) or not _TIMES.search(text):
        return None, None
    try:
        start = reading.chat.started_at.date()
    except (AttributeError, ValueError):
        return None, None
    state = _State()
    for index, sender in enumerate(reading.senders):
        if sender not in ("visitor", "consultant"):
            continue
        text = reading.texts[index]
        said = dates.read(text, start) if len(text) < 2000 and _TIMELY.search(text) else _NOTHING
        if sender == "consultant":
            state.asked = text
        if said is _NOTHING and state.is_idle:
            continue
        if sender == "consultant":
            _consultant(state, said, text, index)
        else:
            _visitor(state, said, text, index)
    return _as_datetime(reading, state)


_TIMES = re.compile(r"(?:[0-9０-９二三四五六七八九十两]|(?<![有差])一)(?:点|[时時](?!间|候))|[0-9][:：][0-9]")
#: Without one of these characters a message names neither day nor time.
_TIMELY = re.compile(
    r"[点时時:：月号日周期拜天早晚午末晨夜0-9下放ap]"
    r"(?:(?<=[点时時:：月号日周期拜天早晚午末晨夜])|(?<=[0-9])[./-][0-9]|(?<=下)了?班|(?<=放)学|(?<=[ap])m)"
)


#: 您说个时间，我来排。 您哪天方便过来？
_YOURS_TO_NAME = re.compile(
    r"(?:哪天|什么时候|几点|几号|何时)[^。？?]{0,6}(?:来|到|合适|方便|行)[^。？?]{0,3}[？?]$|你[挑选定说报]个?(?:日子|时间|日期)(?:吧|呢)?[。？?]?$|(?:时间|日子|哪天|几点)[^。？?]{0,4}(?:你定|随你|听你的)|你(?:说|报|定|挑)个?(?:时间|日子|点)[^。？?]{0,3}我(?:来|帮你|给你|就|都)?(?:排|安排|留|登记|约)"
)


def _settle(state: _State, said: Said | None, index: int) -> None:
    state.agreed, state.message = said, index if said else None
    state.offer = state.wish = None


def _complete(said: Said | None) -> bool:
    return said is not None and said.day is not None and said.hour is not None and said.choices <= 1


def _visitor(state: _State, said: Said, text: str, index: int) -> None:
    if not said.has_time and CALLED_OFF.search(text):
        _settle(state, None, index)
    elif said.has_time:
        _visitor_names_time(state, said, text, index)
    elif state.offer is not None and NO.search(text):
        full = said.over(state.context)
        state.offer = None
        if _names(said):
            state.context = full
            state.wish = full if _is_wish(text) else None
    else:
        _visitor_answers(state, said, text, index)


def _visitor_answers(state: _State, said: Said, text: str, index: int) -> None:
    """A yes to what was offered, or a day or part of the day without a clock time."""
    if state.offer is not None and YES.match(text):
        accepted = said.over(state.offer)
        if _complete(accepted):
            _settle(state, accepted, index)
            return
    if _names(said):
        state.context = said.over(state.context)
        state.wish = None


def _visitor_names_time(state: _State, said: Said, text: str, index: int) -> None:
    offer = state.offer
    full = said.over(offer if offer is not None else state.context)
    state.context = full
    if said.choices > 1 or (NO.search(text) and not _is_wish(text)):
        return
    state.wish = full
    if _complete(full) and _YOURS_TO_NAME.search(state.asked):
        state.agreed, state.message = full, index  # until the consultant says it is full
    if offer is None:
        return
    same = _complete(offer) and full.day == offer.day and full.clock() == offer.clock()
    chosen = full.day is not None and (_CHOOSES.search(text) or (offer.choices > 1 and YES.match(text)))
    if same or chosen:
        _settle(state, full, index)


_CHOOSES = re.compile(r"点(?:半|钟|一刻|[0-9一二三四五六七八九十]+分?)?(?:的)?吧")


def _is_wish(text: str) -> bool:
    return _WISHES.search(text) is not None


_WISHES = re.compile(r"改|换|那|行吗|可以吗|行不|要不|吧|有号|有空|能不能|有人吗|还是|呢")


def _consultant(state: _State, said: Said, text: str, index: int) -> None:
    if _complete(state.wish) and not said.has_time and _answers_wish(state, said, text, index):
        return
    if not _names(said):
        return
    full = said.over(state.wish or state.offer or state.agreed or state.context)
    offers = OFFERS.search(text.rstrip()) is not None
    known = bool(CONFIRMS.search(text) or state.wish or state.agreed)
    state.context = full
    if _complete(full) and said.has_time:
        if (_STATES.search(text) and not _asks_time(text)) or (not offers and known):
            _settle(state, full, index)
        else:
            state.offer = full
        return
    if full.choices > 1 or offers:
        state.offer = full
    if full.hour is None:
        state.wish = None


def _answers_wish(state: _State, said: Said, text: str, index: int) -> bool:
    """The consultant says yes (or no) to the time the visitor wished for, without naming a time."""
    wish = state.wish
    if wish is None:
        return False
    if FULL.search(text) and not AGREES_WITHOUT.match(text):
        if state.agreed is wish:
            state.agreed = state.message = None
        state.wish = None
    elif CONFIRMS.search(text) or AGREES_WITHOUT.match(text):
        _settle(state, wish._replace(day=said.day or wish.day), index)
        return True
    return False


_STATES = re.compile(
    r"登记|约好|约上了|已经?(?:为|给|帮|约|预|安|记|订|留)|给你(?:留好|留了|约好|改到|登记|记)|帮你(?:留好|留了|约好|改到|登记|记)|改到|改成|改为|定在|预约成功|安排好|^好的?[，,。]|^收到[，,。]|^行[，,。]|^没问题|^嗯[，,。]|^可以的?[，,。]"
)


def _asks_time(text: str) -> bool:
    """Whether the very sentence with the time asks for a yes."""
    return any(_TIMED.search(sentence) and _ASKS.search(sentence) for sentence in _SENTENCES.split(text))


_SENTENCES = re.compile(r"[。！!]")
_TIMED = re.compile(r"点|[0-9][:：][0-9]")
_ASKS = re.compile(r"[?？]|可以吗|行吗|好吗|方便吗|怎么样|如何|合适吗")


def _names(said: Said) -> bool:
    return said.day is not None or said.has_time or said.part is not None


def _as_datetime(reading: Reading, state: _State) -> tuple[datetime | None, int | None]:
    said = state.agreed
    clock = said.clock() if said else None
    if said is None or said.day is None or clock is None:
        return None, None
    started = reading.chat.started_at
    try:
        return datetime(said.day.year, said.day.month, said.day.day, *clock, tzinfo=started.tzinfo), state.message
    except ValueError:
        return None, None

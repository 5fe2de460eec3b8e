"""Puts the parts of an inspection together."""

import re

from conversations.inspection import booking, contacts, endings, manners, marketing, people, timing, wording
from conversations.inspection.chat import Captured, Chat, Found, Verdict
from conversations.inspection.reading import Reading
from conversations.inspection.rules import Rules
from conversations.inspection.scope import is_in_scope


def inspect(chat: Chat, rules: Rules | None = None) -> Verdict:
    """Judge one chat by the rules (the built-in ones when none are given).

    Pure and deterministic: the same chat and rules give the same verdict; no text, order or missing time makes it
    raise. Findings are ordered by message, those of the whole chat last.
    """
    rules = rules or Rules.builtin()
    reading = Reading(chat, rules)
    numbers = timing.counts(reading)
    waited = timing.waits(chat)
    in_scope = is_in_scope(reading)
    enquiry = people.read(reading)
    captured = _captured(reading)
    is_effective = in_scope and numbers["visitor_messages"] >= marketing.LEAST_MESSAGES

    findings = _waits(waited, rules, reading)
    _words(numbers, rules, findings)
    said = manners.find(reading)
    _unserved(reading, said, rules, findings)
    findings += said
    wording.typos(reading, findings)
    wording.punctuation(reading, findings)
    if is_effective:
        findings += marketing.find(
            reading, said, is_own=enquiry.message is None, is_booked=captured.booking is not None
        )
    if enquiry.message is not None and not enquiry.is_noticed:
        quote = reading.raws[enquiry.message][:200]
        findings.append(Found("third_party_missed", enquiry.message, quote, rules.own_advice("third_party_missed")))
    if rules.off:
        findings = [found for found in findings if found.code not in rules.off]
    if len(findings) > 1:
        findings.sort(key=_place)
    first = waited[0] if waited else None
    later = [wait.seconds for wait in waited[1:] if wait.seconds is not None]
    return Verdict(
        ending=endings.read(reading),
        third_party=enquiry.message is not None,
        in_scope=in_scope,
        is_effective=is_effective,
        captured=captured,
        findings=tuple(findings),
        first_reply_seconds=first.seconds if first and first.is_answered else None,
        longest_silence_seconds=max(later, default=None),
        counts=numbers,
    )


def _place(found: Found) -> tuple[bool, int, str]:
    return found.message is None, found.message or 0, found.code


def _waits(waited: list[timing.Wait], rules: Rules, reading: Reading) -> list[Found]:
    found = []
    for index, wait in enumerate(waited):
        code = "neglect.silence" if index else "neglect.slow_first_reply"
        limit = rules.silence_seconds if index else rules.first_reply_seconds
        if wait.seconds is not None and wait.seconds > limit:
            detail = {"seconds": wait.seconds, "answered": wait.is_answered}
            found.append(Found(code, wait.message, reading.raws[wait.message][:200], rules.own_advice(code), detail))
    return found


def _words(numbers: dict[str, int], rules: Rules, findings: list[Found]) -> None:
    visitor, consultant = numbers["visitor_chars"], numbers["consultant_chars"]
    if visitor and consultant < rules.few_words_ratio * visitor:
        detail = {"visitor_chars": visitor, "consultant_chars": consultant}
        findings.append(Found("neglect.few_words", None, "", rules.own_advice("neglect.few_words"), detail))


_PHONE_ONLY = re.compile(r"手机|电话|号码|联系方式|微信|留个|留一个|加个|qq")
_EMPTY = re.compile(r"^[嗯哦啊好的是要对行在的有没不呢吧。，！？ 您你稍等一下请讲说]*$")
_SUBSTANCE = 10  # characters from which on a message can be an answer


def _unserved(reading: Reading, said: list[Found], rules: Rules, findings: list[Found]) -> None:
    """The consultant spoke first, inviting; the visitor asked; (nearly) nothing that could be an answer came."""
    if not reading.visitor or not reading.consultant or reading.visitor[0] < reading.consultant[0]:
        return
    rude = {found.message for found in said}
    served = 0
    for index in reading.consultant:
        text = reading.texts[index]
        if index < reading.visitor[0] or index in rude or _EMPTY.match(text) or len(text) < _SUBSTANCE:
            continue
        if _PHONE_ONLY.search(text) and len(text) < 30:
            continue
        served += 1
    asked = [index for index in reading.visitor if len(reading.texts[index]) >= 4]
    answered = [index for index in reading.consultant if index > reading.visitor[0]]
    if not asked or served > len(asked) // 5 or (answered and served and len(asked) < 5):
        return
    opening = reading.consultant[0]
    advice = rules.own_advice("neglect.unserved_invite")
    findings.append(Found("neglect.unserved_invite", opening, reading.raws[opening][:200], advice))


def _captured(reading: Reading) -> Captured:
    phone = contacts.phone(reading)
    wechat = contacts.wechat(reading, phone)
    qq = contacts.qq(reading)
    booked, booked_message = booking.read(reading)
    if not (phone or wechat or qq or booked):
        return Captured()
    return Captured(
        phone=phone.value if phone else None,
        wechat=wechat.value if wechat else None,
        qq=qq.value if qq else None,
        booking=booked,
        phone_message=phone.message if phone else None,
        wechat_message=wechat.message if wechat else None,
        qq_message=qq.message if qq else None,
        booking_message=booked_message,
    )

"""The built-in words of messages by purpose and language, and what may be filled in."""

import re
from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from followups.models.messages import MessagePurpose as P
from followups.models.playbooks import Nature

PLACE = re.compile(r"\{([^{}]*)\}")

VARIABLES = {
    "name": _("the patient's name"),
    "clinic": _("the clinic's name"),
    "address": _("the clinic's address"),
    "phone": _("the clinic's telephone"),
    "day": _("the day of the appointment"),
    "time": _("the time of the appointment"),
    "doctor": _("the doctor"),
    "kind": _("the kind of appointment"),
    "text": _("the text written for it"),
    "title": _("the title of the reading"),
    "count": _("how many there are"),
}
SAMPLES = {
    "name": "沈雨薇", "clinic": "青禾口腔", "address": "青禾路 12 号 2 楼", "phone": "199 0000 0000",
    "day": "11月23日", "time": "10:00", "doctor": "谢美林", "kind": "复查",
    "text": "周六上午有口腔护理讲座，欢迎参加。", "title": "牙周炎是怎么回事", "count": "3",
}  # fmt: skip

_VISIT = ("name", "clinic", "address", "phone", "day", "time", "doctor", "kind")
_TEXT = ("name", "clinic", "text")
ALLOWED: dict[str, tuple[str, ...]] = {
    P.APPOINTMENT_BOOKED: _VISIT,
    P.REMINDER_DAY: _VISIT,
    P.REMINDER_HOURS: _VISIT,
    P.APPOINTMENT_CHANGED: _VISIT,
    P.CARE: _TEXT,
    P.MATERIAL: ("name", "clinic", "title", "text"),
    P.CAMPAIGN: _TEXT,
    P.TASK: _TEXT,
    P.DIGEST: ("name", "clinic", "count", "text"),
    P.KPI_DIGEST: ("name", "clinic", "title", "text"),
    P.ALERT: ("name", "clinic", "text"),
}
NATURES = {P.CAMPAIGN: Nature.MARKETING}

ZH = {
    P.APPOINTMENT_BOOKED: "{name}您好，您在{clinic}的{kind}已预约：{day} {time}，{doctor}医生。如需改期请提前联系我们。",
    P.REMINDER_DAY: "{name}您好，提醒您{day} {time}在{clinic}{kind}，{doctor}医生。如不能前来请尽早告知，退订回T。",
    P.REMINDER_HOURS: "{name}您好，您今天{time}在{clinic}有{kind}，{doctor}医生等您。",
    P.APPOINTMENT_CHANGED: "{name}您好，您在{clinic}的{kind}已改到{day} {time}，{doctor}医生。",
    P.CARE: "{name}您好，{text}{clinic}",
    P.MATERIAL: "{name}您好，这是为您准备的《{title}》：{text} {clinic}",
    P.CAMPAIGN: "{name}您好，{text}{clinic}，退订回T。",
    P.TASK: "{name}您好，{text}{clinic}",
    P.DIGEST: "{clinic}：有{count}项逾期待办。{text}",
    P.KPI_DIGEST: "{clinic}：{title}\n{text}",
    P.ALERT: "{clinic}：{text}",
}
EN = {
    P.APPOINTMENT_BOOKED: "Dear {name}, your {kind} at {clinic} is booked for {day} {time} with Dr. {doctor}.",
    P.REMINDER_DAY: "Dear {name}, a reminder of your {kind} at {clinic} on {day} {time} with Dr. {doctor}. T to stop.",
    P.REMINDER_HOURS: "Dear {name}, we expect you today at {time} at {clinic} for your {kind} with Dr. {doctor}.",
    P.APPOINTMENT_CHANGED: "Dear {name}, your {kind} at {clinic} was moved to {day} {time} with Dr. {doctor}.",
    P.CARE: "Dear {name}, {text} {clinic}",
    P.MATERIAL: "Dear {name}, here is “{title}” for you: {text} {clinic}",
    P.CAMPAIGN: "Dear {name}, {text} {clinic}. T to stop.",
    P.TASK: "Dear {name}, {text} {clinic}",
    P.DIGEST: "{clinic}: {count} overdue tasks. {text}",
    P.KPI_DIGEST: "{clinic}: {title}\n{text}",
    P.ALERT: "{clinic}: {text}",
}
BUILT_IN: dict[str, dict[str, str]] = {"zh-hans": {str(k): v for k, v in ZH.items()},
                                       "en": {str(k): v for k, v in EN.items()}}  # fmt: skip


def places_in(body: str) -> list[str]:
    """Return what a text leaves to be filled in, in order, each once."""
    return list(dict.fromkeys(PLACE.findall(body)))


def unknown_in(body: str, purpose: str) -> list[str]:
    """Return what a text asks for that its purpose does not have."""
    return [name for name in places_in(body) if name not in ALLOWED.get(purpose, ())]


def fill(body: str, variables: Mapping[str, object]) -> str:
    """Return the text with everything filled in; what is not known stays empty."""
    filled = PLACE.sub(lambda found: str(variables.get(found[1], "")), body)
    return re.sub(r"，医生(等您)?", "", filled).strip() if not variables.get("doctor") else filled.strip()


def built_in(purpose: str, language: str) -> str:
    """Return the built-in words; Chinese for a language there are none in."""
    return BUILT_IN.get(language, BUILT_IN["zh-hans"])[purpose]

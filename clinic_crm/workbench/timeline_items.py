"""How the events of a timeline are told: icon, title, words, who, when."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clinic_crm.templatetags._format import clock, money, short_day, when_within
from clinic_crm.workbench.timeline import Event
from consultations.stages import ENDED, ROUTES, Decision, Stage
from followups.models import Appointment, ContactChannel, ContactOutcome, MessageChannel, MessagePurpose, Task, TaskKind
from metrics.services.etiquette import SPOKEN
from patients.classification import Complaint
from patients.models import CareAction, Channel, ComplaintCase, ConsentPurpose

SHOWN_THUMBS = 4
GONE = {Appointment.Status.NO_SHOW, Appointment.Status.CANCELLED_PATIENT, Appointment.Status.CANCELLED_CLINIC}
MARKS: dict[str, tuple[str, str]] = {
    "visit": ("door-open", ""),
    "stage": ("milestone", ""),
    "appointment": ("calendar-check", ""),
    "booking": ("calendar-plus", ""),
    "class": ("tags", ""),
    "decision": ("clipboard-check", ""),
    "refund": ("undo-2", ""),
    "plan": ("file-text", ""),
    "image": ("images", ""),
    "referral": ("users-round", ""),
    "consent": ("shield-check", ""),
    "record": ("user-plus", ""),
    "contact": ("phone-call", ""),
    "task": ("list-checks", ""),
    "message": ("message-square", ""),
    "care": ("hand-heart", ""),
    "complaint": ("message-circle-warning", ""),
    "merge": ("merge", ""),
    "reveal": ("eye", ""),
}


@dataclass
class Item:
    """One line of the timeline, ready to print."""

    kind: str
    title: str
    at: datetime
    icon: str = "circle"
    tone: str = ""
    by: str = ""
    text: str = ""
    url: str = ""
    time: str = ""
    day: str = ""
    day_note: str = ""
    thumbs: list[dict[str, Any]] = field(default_factory=list)
    more_thumbs: int = 0
    steps: list[dict[str, str]] = field(default_factory=list)
    visit_id: int = 0
    name: str = ""  # the bare thing, where several are told in one breath


@dataclass(frozen=True)
class Told:
    """What one kind of event says of itself."""

    title: str
    text: str = ""
    note: str = ""
    tone: str = ""
    icon: str = ""
    url: str = ""
    name: str = ""


def _joined(*parts: Any) -> str:
    """Join clauses: "Undecided, ¥16,800"."""
    return pgettext("clause", ", ").join(str(part) for part in parts if part)


def _listed(names: Iterable[str]) -> str:
    """Join things of one kind: "panoramic, intraoral"."""
    return pgettext("list", ", ").join(names)


def steps_of(stage: str, route: str) -> list[dict[str, str]]:
    """Return the stages of a visit as the small stepper shows them."""
    path = [step for step in ROUTES[route] if step not in ENDED]
    at = path.index(Stage(stage)) if stage in path else len(path)
    states = ("done", "current", "future")
    return [{"label": str(s.label), "state": states[(i >= at) + (i > at)], "url": ""} for i, s in enumerate(path)]


def _visit(data: dict[str, Any], pk: int, subject: int) -> Told:
    title = _("First visit") if data["first"] else _("Visit no. %(number)d") % {"number": data["number"]}
    complaint = data["words"] or (str(Complaint(data["complaint"]).label) if data["complaint"] else "")
    is_open = data["stage"] not in ENDED
    doctor = _("doctor %(name)s") % {"name": data["doctor"]} if data["doctor"] else ""
    text = "" if is_open else _joined(data["unseen"] and _("left without being seen"), data["unseen"], doctor)
    title = _joined(title, complaint)
    return Told(title, text, tone="accent" if is_open else "", url=reverse("visit", args=[pk]))


def _stage(data: dict[str, Any], pk: int, subject: int) -> Told:
    name = str(Stage(data["new"]).label)
    return Told(_stages(name), data["reason"], url=reverse("visit", args=[data["visit"]]), name=name)


def _stages(names: str) -> str:
    return _("Stage: %(stages)s") % {"stages": names}


def _decision(data: dict[str, Any], pk: int, subject: int) -> Told:
    amount = money(data["amount"]) if data.get("amount") is not None else ""
    deposit = _("deposit %(amount)s") % {"amount": money(data["deposit"])} if data.get("deposit") is not None else ""
    label = str(Decision(data["decision"]).label)
    title = _("Decision: %(decision)s") % {"decision": _joined(label, amount, deposit)}
    note = _("obstacle: %(what)s") % {"what": data["obstacle"]} if data["obstacle"] else ""
    good = data["decision"] in {Decision.ACCEPTED, Decision.DEPOSIT}
    return Told(title, note=note, tone="good" if good else "", url=f"{reverse('visit', args=[pk])}?stage=decision")


def _refund(data: dict[str, Any], pk: int, subject: int) -> Told:
    words = _("Refunded %(amount)s in full") if data["full"] else _("Refunded %(amount)s")
    url = reverse("visit", args=[data["visit"]]) if data["visit"] else ""
    note = _("taken back") if data["undone"] else ""
    title = words % {"amount": money(data["amount"])}
    return Told(title, data["reason"], note=note, tone="" if data["undone"] else "bad", url=url)


def _image(data: dict[str, Any], pk: int, subject: int) -> Told:
    title = _("Exam: %(names)s") % {"names": _listed(data["names"])}
    return Told(title, url=f"{reverse('visit', args=[pk])}?stage=exam")


def _booking(data: dict[str, Any], pk: int, subject: int) -> Told:
    status = Appointment.Status(data["status"])
    starts = when_within(datetime.fromisoformat(data["starts"]))
    text = _joined(str(Appointment.Kind(data["kind"]).label), data["doctor"], data["purpose"])
    note = str(status.label) if status in GONE else ""
    return Told(_("Booked for %(when)s") % {"when": starts}, text, note=note)


def _appointment(data: dict[str, Any], pk: int, subject: int) -> Told:
    status = Appointment.Status(data["status"])
    starts = when_within(datetime.fromisoformat(data["starts"]))
    kind = str(Appointment.Kind(data["kind"]).label)
    text = _joined(kind, data["doctor"], data["purpose"])
    words = {
        Appointment.Status.CONFIRMED: _("Confirmed for %(when)s"),
        Appointment.Status.NO_SHOW: _("Did not come, %(when)s"),
        Appointment.Status.CANCELLED_PATIENT: _("Cancelled by the patient, %(when)s"),
        Appointment.Status.CANCELLED_CLINIC: _("Cancelled by the clinic, %(when)s"),
        Appointment.Status.MOVED: _("Moved away from %(when)s"),
        Appointment.Status.ERROR: _("Entered in error, %(when)s"),
    }
    icon = "calendar-x" if status in GONE else "calendar-clock" if status == Appointment.Status.MOVED else ""
    tone = "bad" if status == Appointment.Status.NO_SHOW else ""
    title = words.get(status, str(status.label)) % {"when": starts}
    return Told(title, _joined(text, data["reason"]), tone=tone, icon=icon)


def _class(data: dict[str, Any], pk: int, subject: int) -> Told:
    old, new = data["old"], data["new"] or _("no class")
    words = _("Class %(old)s → %(new)s") if old else _("Class %(new)s")
    title = (_("Class stays %(new)s") if old == new else words) % {"old": old, "new": new}
    note = ""
    if data["suggested"]:
        note = _("as suggested") if data["suggested"] == data["new"] else ""
        if not note:
            note = _("%(code)s was suggested") % {"code": data["suggested"]}
    if data["correction"]:
        note = _joined(_("correction"), note)
    suggested_because = data["why"]
    why = data["reason"] or (_(suggested_because) if suggested_because else "")
    judged = [
        _("awareness %(n)s") % {"n": data["awareness"]} if data["awareness"] else "",
        _("trust %(n)s") % {"n": data["trust"]} if data["trust"] else "",
    ]
    text = _("Because: %(why)s") % {"why": _joined(why, *judged)} if why else _joined(*judged)
    return Told(title, text, note=note)


def _plan(data: dict[str, Any], pk: int, subject: int) -> Told:
    title = _("No treatment indicated") if data["none"] else _joined(_("Plan finished"), data["title"])
    return Told(
        title, data["principles"] or data["findings"], url=f"{reverse('visit', args=[data['visit']])}?stage=doctor"
    )


def _referral(data: dict[str, Any], pk: int, subject: int) -> Told:
    brought = data["referrer"] == subject
    title = _("Brought %(name)s") if brought else _("Referred by %(name)s")
    name = data["referred_name"] if brought else data["referrer_name"]
    note = _("effective") if data["effective"] else _("not effective yet")
    return Told(title % {"name": name}, note=note, tone="good" if data["effective"] else "")


def _consent(data: dict[str, Any], pk: int, subject: int) -> Told:
    words = _("Agreed: %(what)s") if data["given"] else _("Not agreed: %(what)s")
    purpose = ConsentPurpose(data["purpose"]).label if data["purpose"] in ConsentPurpose.values else data["purpose"]
    return Told(words % {"what": purpose}, icon="" if data["given"] else "shield-off", name=str(purpose))


def _record(data: dict[str, Any], pk: int, subject: int) -> Told:
    channel = Channel(data["channel"]).label if data["channel"] in Channel.values else ""
    return Told(_("Registered, %(number)s") % {"number": data["number"]}, _joined(data["clinic"], channel))


def _contact(data: dict[str, Any], pk: int, subject: int) -> Told:
    channel, outcome = ContactChannel(data["channel"]).label, ContactOutcome(data["outcome"])
    again = when_within(datetime.fromisoformat(data["next"])) if data["next"] else ""
    note = _("again %(when)s") % {"when": again} if again else ""
    icon = "phone-call" if data["channel"] == ContactChannel.PHONE else "message-circle"
    title = _("%(how)s: %(outcome)s") % {"how": channel, "outcome": outcome.label}
    scored = data["inspect"] and data["channel"] == ContactChannel.PHONE and data["outcome"] in SPOKEN
    url = reverse("etiquette_call", args=[pk]) if scored else ""
    return Told(title, _joined(data["task"], data["note"]), note=note, icon=icon, url=url)


def _task(data: dict[str, Any], pk: int, subject: int) -> Told:
    url = reverse("task", args=[pk])
    if data["kind"] == TaskKind.RECHECK_PLAN and not data["reason"]:
        return Told(_("Recheck plan written"), url=url, icon="clipboard-check")
    reason = Task.Closed(data["reason"]).label if data["reason"] else ""
    return Told(_("Task closed: %(title)s") % {"title": data["title"]}, str(reason), url=url)


def _message(data: dict[str, Any], pk: int, subject: int) -> Told:
    words = {"what": MessagePurpose(data["purpose"]).label, "how": MessageChannel(data["channel"]).label}
    return Told(_("%(how)s sent: %(what)s") % words, data["body"])


def _care(data: dict[str, Any], pk: int, subject: int) -> Told:
    return Told(str(CareAction.Kind(data["what"]).label), data["note"])


def _complaint(data: dict[str, Any], pk: int, subject: int) -> Told:
    category = ComplaintCase.Category(data["category"]).label
    title = _("Complaint %(number)s: %(category)s") % {"number": data["number"], "category": category}
    outcome = str(ComplaintCase.Outcome(data["outcome"]).label) if data["outcome"] else ""
    note = outcome if data["closed"] else _("open")
    return Told(title, data["what"], note=note, tone="" if data["closed"] else "bad")


def _merge(data: dict[str, Any], pk: int, subject: int) -> Told:
    title = _("Merged with the record of %(name)s") % {"name": data["name"]}
    return Told(title, note=_("undone") if data["undone"] else "")


def _reveal(data: dict[str, Any], pk: int, subject: int) -> Told:
    what = {"phone": _("phone number"), "wechat": _("WeChat id"), "qq": "QQ"}.get(data["what"] or "", "")
    return Told(_joined(_("Contact opened"), what))


TELL: dict[str, Callable[[dict[str, Any], int, int], Told]] = {
    "visit": _visit,
    "stage": _stage,
    "decision": _decision,
    "refund": _refund,
    "image": _image,
    "appointment": _appointment,
    "booking": _booking,
    "class": _class,
    "plan": _plan,
    "referral": _referral,
    "consent": _consent,
    "record": _record,
    "contact": _contact,
    "task": _task,
    "message": _message,
    "care": _care,
    "complaint": _complaint,
    "merge": _merge,
    "reveal": _reveal,
}


def item_of(event: Event, subject: int, tz: ZoneInfo) -> Item:
    """Tell one event. `subject` is the patient whose timeline it is; times are shown in `tz`."""
    told = TELL[event.kind](event.data, event.pk, subject)
    icon, tone = MARKS[event.kind]
    local = timezone.localtime(event.at, tz)
    item = Item(
        kind=event.kind,
        title=told.title,
        at=local,
        icon=told.icon or icon,
        tone=told.tone or tone,
        by=_joined(event.data.get("by"), told.note),
        text=told.text,
        url=told.url,
        time=clock(local),
        name=told.name,
    )
    if event.kind == "visit" and event.data["stage"] not in ENDED:
        item.steps, item.visit_id = steps_of(event.data["stage"], event.data["route"]), event.pk
    files = event.data.get("files") or []
    item.thumbs, item.more_thumbs = files[:SHOWN_THUMBS], max(0, event.data.get("count", 0) - SHOWN_THUMBS)
    return item


def items_of(
    events: Iterable[Event], *, subject: int, tz: ZoneInfo, first_visit: date | None = None, last_day: str = ""
) -> list[Item]:
    """Tell events in their order; the date stands on the first of each day.

    Args: first_visit: its day is named as such; last_day: ISO date with which the part above ended.
    """
    told: list[Item] = []
    for event in events:
        item = item_of(event, subject, tz)
        if told and _same_statement(told[-1], item):
            told[-1].title = _listed([told[-1].title, item.name])
            continue
        if told and _same_way(told[-1], item):
            told[-1].name = f"{item.name} → {told[-1].name}"  # newest first: the earlier stage stands before it
            told[-1].title = _stages(told[-1].name)
            continue
        if item.at.date().isoformat() != last_day:
            last_day = item.at.date().isoformat()
            item.day, item.day_note = _day_words(item.at, first_visit)
        told.append(item)
    return told


def _same_statement(above: Item, item: Item) -> bool:
    """Tell whether two consents were given in one breath."""
    same = above.kind == item.kind == "consent" and above.icon == item.icon and above.by == item.by
    return same and abs((above.at - item.at).total_seconds()) < 60


def _same_way(above: Item, item: Item) -> bool:
    """Tell whether one person took a visit from one stage to the next on one day, with nothing in between."""
    same = above.kind == item.kind == "stage" and above.url == item.url and above.by == item.by
    return same and not (above.text or item.text) and above.at.date() == item.at.date()


def _day_words(at: datetime, first_visit: date | None) -> tuple[str, str]:
    today = timezone.localdate(timezone=at.tzinfo)
    if at.date() == today:
        return pgettext("day", "Today"), short_day(at)
    if at.date() == first_visit:
        return short_day(at), _("first visit")
    return short_day(at), date_format(at, "D").replace("星期", "周")

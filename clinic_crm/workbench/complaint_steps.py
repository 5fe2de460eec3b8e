"""The steps of a complaint in words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from patients.models import ComplaintCase, ComplaintStep, Patient

Kind = ComplaintStep.Kind
ICONS = {
    Kind.TAKEN: "inbox",
    Kind.REPLIED: "phone",
    Kind.NOTE: "pencil",
    Kind.CHANGED: "arrow-right-left",
    Kind.JOINED: "link",
    Kind.CLOSED: "circle-check",
    Kind.REOPENED: "rotate-ccw",
}
TONES = {Kind.TAKEN: "bad", Kind.CLOSED: "good", Kind.REOPENED: "watch", Kind.REPLIED: "accent"}


@dataclass(frozen=True)
class Told:
    """One step as the timeline shows it."""

    icon: str
    tone: str
    title: str
    text: str
    by: str
    at: datetime


def told(case: ComplaintCase, *, money: bool) -> list[Told]:
    """Return what was done about a case, the latest first; three statements. Args: money: say what it cost."""
    steps = list(case.steps.select_related("by").order_by("-at", "-pk"))
    names = _names(steps)
    return [
        Told(
            icon=ICONS[Kind(step.kind)],
            tone=TONES.get(Kind(step.kind), ""),
            title=_title(step, case),
            text="\n".join(part for part in (*_facts(step, names, money=money), step.text) if part),
            by=str(step.by) if step.by else "",
            at=step.at,
        )
        for step in steps
    ]


def _names(steps: list[ComplaintStep]) -> dict[str, dict[Any, str]]:
    """Return the names of everybody that changes speak of."""
    details = [step.detail for step in steps]
    staff = {pk for detail in details for key in ("owner", "about") for pk in detail.get(key, ()) if pk}
    patients = {pk for detail in details for pk in detail.get("patient", ()) if pk}
    return {
        "staff": {person.pk: str(person) for person in User.objects.filter(pk__in=staff)} if staff else {},
        "patients": {person.pk: person.name for person in Patient.objects.filter(pk__in=patients)} if patients else {},
    }


def _title(step: ComplaintStep, case: ComplaintCase) -> str:
    detail = step.detail
    if step.kind == Kind.TAKEN:
        return _("Taken") + (f" · {case.get_source_display()}")
    if step.kind == Kind.JOINED:
        if "to" in detail:
            return _("Joined to %(number)s, which it repeats") % {"number": detail["to"]}
        return _("%(number)s was joined to this") % {"number": detail.get("repeat", "")}
    if "unjoined" in detail:
        return _("Taken apart from %(number)s") % {"number": detail["unjoined"]}
    titles = {
        Kind.REPLIED: _("Answered the patient"),
        Kind.NOTE: _("Note"),
        Kind.CHANGED: _("Changed"),
        Kind.CLOSED: _("Settled"),
        Kind.REOPENED: _("Opened again"),
    }
    return titles[Kind(step.kind)]


def _facts(step: ComplaintStep, names: dict[str, dict[Any, str]], *, money: bool) -> list[str]:
    detail, found = step.detail, []
    if step.kind == Kind.CLOSED:
        labels = dict(ComplaintCase.Outcome.choices)
        found.append(str(labels.get(detail.get("outcome"), "")))
        found.append(_("Upheld") if detail.get("upheld") else _("Not upheld"))
        found.append(f"¥{detail['cost']}" if money and detail.get("cost") else "")
        return [_(", ").join(part for part in found if part)]
    nobody = _("nobody")
    if "owner" in detail:
        found.append(_("Settled by: %(name)s") % {"name": names["staff"].get(detail["owner"][1], nobody)})
    if "about" in detail:
        found.append(_("About: %(name)s") % {"name": names["staff"].get(detail["about"][1], nobody)})
    if "severity" in detail:
        labels = dict(ComplaintCase.Severity.choices)
        found.append(" → ".join(str(labels.get(value, value)) for value in detail["severity"]))
    if "patient" in detail:
        found.append(_("Patient: %(name)s") % {"name": names["patients"].get(detail["patient"][1], "")})
    return found

"""The ten key figures (DOMAIN §6, [S1]): one object each, read by page, drill-down, API, command, export and snapshot."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

DEFINITIONS = "1"  # counted up when a definition changes; frozen months name theirs

Unit = Literal["percent", "points", "yuan", "count"]
Direction = Literal["up", "down"]


@dataclass(frozen=True)
class Companion:
    """A figure that stands beside a KPI."""

    slug: str  # "<kpi>.<name>"
    name: Promise
    unit: Unit = "percent"
    direction: Direction = "up"


@dataclass(frozen=True)
class Kpi:
    """One key figure.

    Args:
        number: as in DOMAIN §6.
        target: what [S1] asks for; a clinic sets its own.
        meaning: the definition, for the reader.
        records: what the numerator and the denominator are made of.
    """

    number: int
    slug: str
    name: Promise
    meaning: Promise
    target: Decimal
    records: Literal["visit", "consultation", "patient", "appointment", "complaint", "inspection"]
    unit: Unit = "percent"
    direction: Direction = "up"
    companions: tuple[Companion, ...] = ()


KPIS: tuple[Kpi, ...] = (
    Kpi(
        1,
        "classification",
        pgettext_lazy("kpi", "Classification"),
        _("Of consultations that left undecided or refused: fully classified by the end of that day."),
        Decimal(100),
        "visit",
        companions=(Companion("classification.accuracy", _("Accuracy, audited blind")),),
    ),
    Kpi(
        2,
        "c_conversion",
        pgettext_lazy("kpi", "C-class conversion"),
        _("Of patients standing in C-E to C-B or entering there: higher, or accepted, at the end of the window."),
        Decimal(30),
        "patient",
        companions=(Companion("c_conversion.fell", _("Fell"), direction="down"),),
    ),
    Kpi(
        3,
        "etiquette",
        pgettext_lazy("kpi", "Service etiquette"),
        _("Mean of the inspection scores, in person, by telephone and in chats."),
        Decimal(90),
        "inspection",
        unit="points",
        companions=(
            Companion("etiquette.visit", _("In person"), unit="points"),
            Companion("etiquette.call", _("By telephone"), unit="points"),
            Companion("etiquette.chat", _("In chats"), unit="points"),
        ),
    ),
    Kpi(
        4,
        "form",
        pgettext_lazy("kpi", "Consultation form"),
        _("Of first visits received: form complete before the handoff."),
        Decimal(100),
        "visit",
        companions=(Companion("form.late", _("Complete, but late"), direction="down"),),
    ),
    Kpi(
        5,
        "next_appointment",
        pgettext_lazy("kpi", "Next appointment"),
        _("Of received visits that ended: a later appointment made by the end of that day."),
        Decimal(100),
        "visit",
        companions=(Companion("next_appointment.covered", _("Still covered today")),),
    ),
    Kpi(
        6,
        "cancellation",
        pgettext_lazy("kpi", "Cancellations"),
        _("Of appointments due, less those cancelled by the clinic or entered in error: cancelled by the patient."),
        Decimal(10),
        "appointment",
        direction="down",
        companions=(
            Companion("cancellation.no_show", _("No-shows"), direction="down"),
            Companion("cancellation.broken", _("Broken, with late moves"), direction="down"),
        ),
    ),
    Kpi(
        7,
        "closing",
        pgettext_lazy("kpi", "Closing rate"),
        _("Of consultations first received, less no treatment indicated: accepted or deposit paid."),
        Decimal(80),
        "consultation",
        companions=(
            Companion("closing.same_day", _("On the same day")),
            Companion("closing.thirty_days", _("Within 30 days")),
            Companion("closing.money", _("By money")),
            Companion("closing.presented", _("Of those presented a plan")),
        ),
    ),
    Kpi(
        8,
        "wechat",
        pgettext_lazy("kpi", "WeChat added"),
        _("Of patients received: linked by the end of their first day received in the window."),
        Decimal(100),
        "patient",
    ),
    Kpi(
        9,
        "referral",
        pgettext_lazy("kpi", "Referrals"),
        _("Of patients received in the twelve months up to the end: at least one effective referral in them."),
        Decimal(30),
        "patient",
        companions=(Companion("referral.new_patients", _("New patients who came by referral")),),
    ),
    Kpi(
        10,
        "complaints",
        pgettext_lazy("kpi", "Complaints"),
        _("Complaint cases received, of the patients received."),
        Decimal(2),
        "complaint",
        direction="down",
        companions=(Companion("complaints.upheld", _("Upheld"), direction="down"),),
    ),
)

BY_SLUG = {kpi.slug: kpi for kpi in KPIS}
ACCURACY_TARGET = Decimal(95)  # of classification.accuracy

"""How figures are said on the dashboard: the words of each shortfall, of each part, of values and changes."""

from datetime import date
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy, pgettext, pgettext_lazy

from accounts.windows import Window
from metrics.figures import Figure
from metrics.kpis import BY_SLUG, Companion, Kpi
from metrics.words import plain, rounded

Words = str | Promise

# What the records that keep a figure from its target are: (part of the records, words with their number).
SHORTFALL: dict[str, tuple[str, Promise]] = {
    "classification": (
        "failing",
        ngettext_lazy("%(n)s not fully classified", "%(n)s not fully classified", "n"),
    ),
    "c_conversion": ("failing", ngettext_lazy("%(n)s did not move up", "%(n)s did not move up", "n")),
    "etiquette": ("failing", ngettext_lazy("%(n)s score below the target", "%(n)s scores below the target", "n")),
    "form": (
        "failing",
        ngettext_lazy("%(n)s form not complete in time", "%(n)s forms not complete in time", "n"),
    ),
    "next_appointment": (
        "failing",
        ngettext_lazy("%(n)s visit without next appointment", "%(n)s visits without next appointment", "n"),
    ),
    "cancellation": (
        "counted",
        ngettext_lazy("%(n)s cancelled by the patient", "%(n)s cancelled by patients", "n"),
    ),
    "closing": ("failing", ngettext_lazy("%(n)s consultation not closed", "%(n)s consultations not closed", "n")),
    "wechat": ("failing", ngettext_lazy("%(n)s patient without WeChat", "%(n)s patients without WeChat", "n")),
    "referral": (
        "failing",
        ngettext_lazy("%(n)s patient has referred nobody", "%(n)s patients have referred nobody", "n"),
    ),
    "complaints": ("counted", ngettext_lazy("%(n)s complaint", "%(n)s complaints", "n")),
}

# What the records of a figure are, in numerator and outside it.
PARTS: dict[str, tuple[Words, Words]] = {
    "classification": (_("Fully classified that day"), _("Not fully classified")),
    "classification.accuracy": (_("Second opinion agrees"), _("Second opinion differs")),
    "c_conversion": (_("Moved up or accepted"), _("Did not move up")),
    "c_conversion.fell": (_("Fell"), _("Did not fall")),
    "etiquette": (_("Target reached"), _("Below the target")),
    "form": (_("Complete before the handoff"), _("Not complete in time")),
    "form.late": (_("Complete, but late"), _("In time, or not at all")),
    "next_appointment": (_("Next appointment made that day"), _("No next appointment")),
    "next_appointment.covered": (_("Covered today"), _("Not covered today")),
    "cancellation": (_("Cancelled by the patient"), _("Not cancelled")),
    "cancellation.no_show": (_("No-shows"), _("Others")),
    "cancellation.broken": (_("Broken"), _("Others")),
    "closing": (_("Accepted or deposit paid"), _("Not closed")),
    "wechat": (_("Linked that day"), _("Not linked")),
    "referral": (_("Referred somebody"), _("Referred nobody")),
    "complaints": (_("Complaints"), _("No complaint")),
}
UNITS: dict[str, Words] = {
    "visit": _("visits"), "consultation": _("consultations"), "patient": _("patients"),
    "appointment": _("appointments"), "complaint": _("patients"), "inspection": _("scores"),
}  # fmt: skip
STATUS: dict[str, Words] = {
    "good": pgettext_lazy("figure", "On target"), "watch": pgettext_lazy("figure", "Close"),
    "bad": pgettext_lazy("figure", "Off target"), "none": "", "few": pgettext_lazy("figure", "Few"),
}  # fmt: skip


def part_words(slug: str) -> tuple[Words, Words]:
    """Return what counted and failing records of a figure are called."""
    return PARTS.get(slug, (_("Counted"), _("Not counted")))


def unit_of(of: Kpi | Companion) -> Words:
    """Return what the denominator counts, in words."""
    kpi = BY_SLUG[of.slug.partition(".")[0]]
    return "" if of.unit == "yuan" else UNITS[kpi.records] if isinstance(of, Kpi) else ""


def target_text(figure: Figure) -> str:
    """Return the target as a bound: ≥ 80%, ≤ 10%, 100%; empty without one."""
    if figure.target is None:
        return ""
    unit = "%" if figure.of.unit == "percent" else ""
    said = f"{plain(figure.target)}{unit}"
    if figure.of.direction == "down":
        return f"≤ {said}"
    return said if figure.of.unit == "percent" and figure.target == 100 else f"≥ {said}"


def change_of(now: Figure, then: Figure | None) -> Decimal | None:
    """Return the difference in points, rounded as shown; None where either has no value."""
    if then is None or now.value is None or then.value is None:
        return None
    return rounded(now.value) - rounded(then.value)


def change_tone(now: Figure, change: Decimal) -> str:
    """Return good, bad or none: whether a change is for the better."""
    if not change:
        return "none"
    return "good" if (change > 0) == (now.of.direction == "up") else "bad"


def short_day(day: date) -> str:
    """Return a day as 11月18日, with its year when it is another."""
    same = day.year == timezone.localdate().year
    return date_format(day, pgettext("date format", "j M") if same else pgettext("date format", "j M Y"))


def window_title(window: Window) -> str:
    """Return the days of a window: from the first to the last, or the one it has."""
    if window.last_day == window.start:
        return short_day(window.start)
    first, last = short_day(window.start), short_day(window.last_day)
    return pgettext("days", "%(first)s – %(last)s") % {"first": first, "last": last}

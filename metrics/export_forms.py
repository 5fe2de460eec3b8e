"""What leaves the house, in which shape, and why."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from metrics.kpis import KPIS

FIGURES, RECORDS = "figures", "records"


class KpiExportForm(forms.Form):
    """Figures alone need no reason; records name patients, and do."""

    what = forms.ChoiceField(
        label=gettext_lazy("What leaves"),
        choices=[(FIGURES, gettext_lazy("Figures")), (RECORDS, gettext_lazy("Records behind them"))],
    )
    format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=[("pdf", gettext_lazy("A4 report (PDF)")), ("xlsx", "Excel"), ("csv", "CSV")],
    )
    by = forms.ChoiceField(
        label=gettext_lazy("Broken down by"),
        required=False,
        choices=[
            ("", gettext_lazy("not at all")), ("coordinator", gettext_lazy("Coordinator")),
            ("team", gettext_lazy("Team")), ("doctor", gettext_lazy("Doctor")), ("clinic", gettext_lazy("Clinic")),
            ("month", pgettext_lazy("month of the year", "Month")),
        ],
    )  # fmt: skip
    kpi = forms.ChoiceField(
        label=gettext_lazy("Key figure"),
        required=False,
        choices=[("", gettext_lazy("all ten")), *((kpi.slug, kpi.name) for kpi in KPIS)],
    )
    reason = forms.CharField(
        label=gettext_lazy("What is it for?"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Needed for records: they name patients."),
    )

    def clean(self) -> dict[str, Any]:
        """Ask for a reason where patients are named; a report on paper holds figures only."""
        data = super().clean() or {}
        if data.get("what") == RECORDS:
            if len((data.get("reason") or "").strip()) < 2:
                self.add_error("reason", _("Say what the records are for."))
            if data.get("format") == "pdf":
                self.add_error("format", _("Records come as Excel or CSV."))
        return data

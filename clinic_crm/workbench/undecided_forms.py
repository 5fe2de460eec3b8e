"""What is asked when a card is moved, and by what the board is narrowed."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic
from clinic_crm.workbench.undecided import MOST, SORTS, View
from patients.classification import Complaint, PatientClass
from patients.queries import doctors, owners


class MoveForm(forms.Form):
    """Another class for a patient who was seen in `expected`."""

    code = forms.ChoiceField(label=_("Class"), choices=PatientClass.choices)
    expected = forms.CharField(max_length=3, required=False, widget=forms.HiddenInput)
    reason = forms.CharField(label=_("Reason"), max_length=500, required=False)
    is_correction = forms.BooleanField(label=_("Corrects an earlier mistake, does not count as a move"), required=False)


class BoardFilterForm(forms.Form):
    """The filters of the board; read by `undecided.View`, this only prints them."""

    owner = forms.ChoiceField(label=_("Coordinator"), required=False)
    doctor = forms.ChoiceField(label=_("Doctor"), required=False)
    complaint = forms.ChoiceField(label=_("Complaint"), required=False)
    from_amount = forms.IntegerField(label=_("Plan amount from (¥)"), min_value=0, max_value=MOST, required=False)
    to_amount = forms.IntegerField(label=_("Plan amount up to (¥)"), min_value=0, max_value=MOST, required=False)
    from_age = forms.IntegerField(label=_("Age of the case from (days)"), min_value=0, max_value=36_500, required=False)
    to_age = forms.IntegerField(label=_("Age of the case up to (days)"), min_value=0, max_value=36_500, required=False)

    def __init__(self, view: View, clinic: Clinic) -> None:
        super().__init__(initial={name: getattr(view, name) for name in self.base_fields})
        fields: dict[str, Any] = self.fields
        fields["owner"].choices = [("", _("Anybody's")), *owners(clinic)]
        fields["doctor"].choices = [("", _("Any")), *doctors(clinic)]
        fields["complaint"].choices = [("", _("Any")), *Complaint.choices]


FILTER_NAMES = tuple(BoardFilterForm.base_fields)
__all__ = ["FILTER_NAMES", "SORTS", "BoardFilterForm", "MoveForm"]

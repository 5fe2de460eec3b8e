"""Forms of what a clinic decides itself."""

from django import forms
from django.utils.translation import gettext_lazy as _

from consultations.models import ExamKind, Script
from consultations.stages import Stage

SPOKEN = [(stage.value, stage.label) for stage in Stage if stage not in {Stage.CLOSED, Stage.LEFT_UNSEEN}]


class ScriptForm(forms.ModelForm):  # type: ignore[type-arg]
    """Words to say at a stage."""

    class Meta:
        model = Script
        fields = ("stage", "title", "body")
        widgets = {"body": forms.Textarea(attrs={"rows": 5})}
        help_texts = {
            "body": _("{salutation} {patient} {doctor} {coordinator} {clinic} are filled in when the script is shown.")
        }

    stage = forms.ChoiceField(label=_("Stage"), choices=SPOKEN)


class ExamKindForm(forms.ModelForm):  # type: ignore[type-arg]
    """One kind of exam with its price."""

    class Meta:
        model = ExamKind
        fields = ("name", "price", "is_basic", "is_required", "needs_files", "is_active")
        labels = {"price": _("Price, yuan")}

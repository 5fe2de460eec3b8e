"""Forms of the import of chats: a file or pasted text, what columns hold, whose a name is."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Clinic, User
from conversations.importing.columns import FIELDS
from conversations.importing.opening import SUFFIXES
from patients.import_forms import ChooseColumnsForm

LONGEST_PASTE = 2_000_000


class UploadForm(forms.Form):
    """A file, or text pasted from a chat system."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        help_text=gettext_lazy("JSONL, CSV, Excel (.xlsx) or text, up to 50 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(sorted(SUFFIXES))}),
        error_messages={"empty": gettext_lazy("The file is empty.")},
    )
    text = forms.CharField(
        label=gettext_lazy("Or paste chats here"),
        required=False,
        max_length=LONGEST_PASTE,
        widget=forms.Textarea(attrs={"rows": 6, "placeholder": "2026-11-20 13:05:12 访客1234：…"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        has_file, has_text = bool(cleaned.get("file")), bool((cleaned.get("text") or "").strip())
        if not self.errors and has_file == has_text:
            self.add_error(
                "text" if has_file else "file",
                _("One of the two: a file or pasted text.") if has_file else _("Choose a file, or paste text."),
            )
        return cleaned


class ColumnsForm(ChooseColumnsForm):
    """What the columns of a table of messages hold."""

    known = FIELDS
    needed = (
        (frozenset({"text"}), gettext_lazy("Say which column holds the text."), "text"),
        (frozenset({"sender", "role"}), gettext_lazy("Say which column holds who said it."), "sender"),
        (
            frozenset({"conversation", "visitor"}),
            gettext_lazy("Say which column holds the conversation or the visitor."),
            "conversation",
        ),
    )


class LinkForm(forms.Form):
    """Whose name in the chats it is."""

    name = forms.CharField(max_length=60, widget=forms.HiddenInput)
    user = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("Consultant"), empty_label=gettext_lazy("Choose")
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = User.objects.working_in(clinic)  # type: ignore[attr-defined]

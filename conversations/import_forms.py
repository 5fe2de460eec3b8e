"""Forms of the import of chats: a file or pasted text, what columns hold, whose a name is."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Clinic, User
from conversations.importing.columns import FIELDS
from conversations.importing.opening import SUFFIXES
from patients.import_forms import samples_of
from patients.importing.headers import IGNORED, header_key
from patients.importing.reader import Table

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


class ColumnsForm(forms.Form):
    """What each named column holds; one choice per name."""

    def __init__(self, *args: Any, table: Table, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names: dict[str, str] = {}
        samples, seen = samples_of(table), set()
        for position, name in enumerate(table.header.names):
            if not name or header_key(name) in seen:
                continue
            seen.add(header_key(name))
            key = f"column_{position}"
            self.names[key] = name
            self.fields[key] = forms.ChoiceField(
                label=name,
                required=False,
                choices=[(IGNORED, _("Leave out")), *FIELDS.items()],
                widget=forms.Select(attrs={"class": "input"}),
                initial=table.header.fields.get(position, IGNORED),
                help_text=" · ".join(samples.get(position, ())),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen = set(cleaned.values())
        if "text" not in chosen:
            raise ValidationError(_("Say which column holds the text."), code="text")
        if not chosen & {"sender", "role"}:
            raise ValidationError(_("Say which column holds who said it."), code="sender")
        if not chosen & {"conversation", "visitor"}:
            raise ValidationError(_("Say which column holds the conversation or the visitor."), code="conversation")
        return cleaned

    @property
    def mapping(self) -> dict[str, str]:
        """What was chosen: column name → field, "" for a column left out."""
        return {name: self.cleaned_data[key] for key, name in self.names.items()}


class LinkForm(forms.Form):
    """Whose name in the chats it is."""

    name = forms.CharField(max_length=60, widget=forms.HiddenInput)
    user = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("Consultant"), empty_label=gettext_lazy("Choose")
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = User.objects.filter(memberships__clinic=clinic, memberships__is_active=True).order_by("full_name")
        self.fields["user"].queryset = staff.distinct()  # type: ignore[attr-defined]

"""Forms of the import: the file, and what its columns hold."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.importing.headers import FIELDS, IGNORED, header_key
from patients.importing.reader import TEXT_SUFFIXES, WORKBOOK_SUFFIXES, Table
from patients.importing.text import content

SAMPLES = 3
SAMPLE_ROWS = 40
PRIVATE = frozenset({"wechat", "qq"})
_NUMBER = re.compile(r"\d{7,}")


class UploadForm(forms.Form):
    """The file to import."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or Excel (.xlsx), up to 50 MB and 200,000 rows."),
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(sorted(TEXT_SUFFIXES | WORKBOOK_SUFFIXES))}),
        error_messages={"empty": gettext_lazy("The file is empty.")},
    )


class ChooseColumnsForm(forms.Form):
    """What each named column of a table holds; one choice per name. A kind of import names its fields."""

    known: ClassVar[Mapping[str, Any]]  # field → its name on the page
    # One of these fields has to be chosen; what to say if none is; the code of that error.
    needed: ClassVar[tuple[tuple[frozenset[str], Any, str], ...]]

    def __init__(self, *args: Any, table: Table, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names: dict[str, str] = {}
        samples = samples_of(table)
        choices = [(IGNORED, _("Leave out")), *self.known.items()]
        seen: set[str] = set()
        for position, name in enumerate(table.header.names):
            if not name or header_key(name) in seen:
                continue
            seen.add(header_key(name))
            key = f"column_{position}"
            self.names[key] = name
            self.fields[key] = forms.ChoiceField(
                label=name,
                required=False,
                choices=choices,
                widget=forms.Select(attrs={"class": "input"}),
                initial=table.header.fields.get(position, IGNORED),
                help_text=" · ".join(samples.get(position, ())),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen = set(cleaned.values())
        for fields, words, code in self.needed:
            if not chosen & fields:
                raise ValidationError(words, code=code)
        return cleaned

    @property
    def mapping(self) -> dict[str, str]:
        """What was chosen: column name → field, "" for a column left out."""
        return {name: self.cleaned_data[key] for key, name in self.names.items()}


class ColumnsForm(ChooseColumnsForm):
    """What the columns of a list of patients hold."""

    known = FIELDS
    needed = (
        (frozenset({"name"}), gettext_lazy("Say which column holds the name."), "name"),
        (frozenset({"phone", "wechat"}), gettext_lazy("Say which column holds the phone or WeChat."), "contact"),
    )


def samples_of(table: Table) -> dict[int, list[str]]:
    """Return, by column, the first few different values, long numbers masked."""
    found: dict[int, list[str]] = {}
    private = {i for i, field in table.header.fields.items() if field in PRIVATE}
    for count, row in enumerate(table.rows()):
        if count >= SAMPLE_ROWS:
            break
        for position, cell in enumerate([] if row.broken else row.cells):
            texts = found.setdefault(position, [])
            text = content(cell)
            text = f"{text[:2]}****" if position in private else _NUMBER.sub(_masked, text)
            text = f"{text[:24]}…" if len(text) > 24 else text
            if text.strip("*") and text not in texts and len(texts) < SAMPLES:
                texts.append(text)
    return found


def _masked(number: re.Match[str]) -> str:
    return f"{number[0][:3]}****{number[0][-2:]}"

"""The rules editor: thresholds, word lists and codes as a form, read into what RuleSet.data holds."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from conversations.inspection import Rules, RulesError, describe
from conversations.inspection.codes import CODES, GROUPS
from conversations.word_gloss import gloss

LARGEST = 20_000  # signs of a word list


def words_in(text: str) -> list[tuple[str, str]]:
    """Read lines like `亲亲 = 您` into (word, what to say instead)."""
    found = []
    for line in text.splitlines():
        word, _sign, advice = line.replace("＝", "=").partition("=")
        if word.strip():
            found.append((word.strip(), advice.strip()))
    return found


def _listed(entry: dict[str, Any]) -> str:
    """Write what a clinic added to a category as the lines that `words_in` reads."""
    added = [item if isinstance(item, dict) else {"word": item} for item in entry.get("added", [])]
    pairs = [(item["word"], item.get("advice", "")) for item in added] + list(entry.get("advice", {}).items())
    return "\n".join(f"{word} = {advice}" if advice else word for word, advice in pairs)


class RulesForm(forms.Form):
    """What a clinic changed of the built-in rules; `data` of a valid form is RuleSet.data."""

    seen = forms.IntegerField(min_value=0, max_value=10**9, widget=forms.HiddenInput)
    note = forms.CharField(label=_("What changed"), required=False, max_length=200)
    reinspect = forms.ChoiceField(
        label=_("Earlier chats"), required=False, initial="month",
        choices=[("", _("leave as they are")), ("month", _("of the last 30 days, again")), ("all", _("all, again"))],
    )  # fmt: skip

    def __init__(self, data: Any = None, *, rules: dict[str, Any], version: int) -> None:
        super().__init__(data, initial={"seen": version, "reinspect": "month"})
        self.facts = describe()
        self.data_read: dict[str, Any] = {}
        thresholds = rules.get("thresholds", {})
        for t in self.facts["thresholds"]:
            number = forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"})
            self.fields[f"t.{t['key']}"] = forms.FloatField(
                label=t["label"], min_value=t["min"], max_value=t["max"], widget=number,
                initial=f"{thresholds.get(t['key'], t['default']):g}",
            )  # fmt: skip
        for category in self.facts["categories"]:
            entry = rules.get("words", {}).get(category["key"], {})
            self.fields[f"w.{category['key']}"] = forms.CharField(
                label=category["label"], required=False, max_length=LARGEST, initial=_listed(entry),
                widget=forms.Textarea(attrs={"rows": 4}),
            )  # fmt: skip
            words = [(item["word"], item["word"]) for item in category["words"]]
            self.fields[f"x.{category['key']}"] = forms.MultipleChoiceField(
                required=False, choices=words, initial=entry.get("removed", [])
            )
        for code in CODES:
            self.fields[f"on.{code}"] = forms.BooleanField(
                required=False, initial=code not in rules.get("off", []), label=str(CODES[code].label)
            )
            self.fields[f"a.{code}"] = forms.CharField(
                required=False, max_length=300, initial=rules.get("advice", {}).get(code, "")
            )

    # --- for the page

    def thresholds(self) -> list[dict[str, Any]]:
        return [{"field": self[f"t.{t['key']}"], **t} for t in self.facts["thresholds"]]

    def categories(self) -> list[dict[str, Any]]:
        """The word lists, each with its built-in words and which are left out."""
        found = []
        for category in self.facts["categories"]:
            left_out = set(self[f"x.{category['key']}"].value() or [])
            words = [
                {**item, "shown": gloss(item["word"]), "out": item["word"] in left_out} for item in category["words"]
            ]
            field = self[f"w.{category['key']}"]
            own = len(words_in(str(field.value() or "")))
            found.append({**category, "words": words, "field": field, "own": own, "out": len(left_out)})
        return found

    def codes(self) -> list[dict[str, Any]]:
        """The codes by group, each with its switch and advice."""
        return [
            {
                "label": label,
                "codes": [
                    {"code": code, "known": known, "on": self[f"on.{code}"], "advice": self[f"a.{code}"]}
                    for code, known in CODES.items()
                    if known.group == group
                ],
            }
            for group, label in GROUPS.items()
        ]

    # --- reading

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if not self.errors:
            self.data_read = self._read(said)
            try:
                Rules.from_data(self.data_read)
            except RulesError as error:
                parts = error.path.split(".")
                names = [f"w.{'.'.join(parts[1:n])}" for n in range(2, len(parts) + 1)]
                self.add_error(next((name for name in names if name in self.fields), None), str(error))
        return said

    def _read(self, said: dict[str, Any]) -> dict[str, Any]:
        """Return what differs from the built-in rules alone, so that later built-in words reach the clinic."""
        data: dict[str, Any] = {}
        data["thresholds"] = {
            t["key"]: said[f"t.{t['key']}"] for t in self.facts["thresholds"] if said[f"t.{t['key']}"] != t["default"]
        }
        data["words"] = {c["key"]: entry for c in self.facts["categories"] if (entry := self._words(c, said))}
        data["off"] = [code for code in CODES if not said[f"on.{code}"]]
        data["advice"] = {code: said[f"a.{code}"] for code in CODES if said[f"a.{code}"]}
        return {key: value for key, value in data.items() if value}

    def _words(self, category: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
        builtin = {item["word"] for item in category["words"]}
        pairs = words_in(said[f"w.{category['key']}"])
        entry: dict[str, Any] = {
            "added": [{"word": word, "advice": advice} for word, advice in pairs if word not in builtin],
            "advice": {word: advice for word, advice in pairs if word in builtin and advice},
            "removed": said[f"x.{category['key']}"],
        }
        return {key: value for key, value in entry.items() if value}

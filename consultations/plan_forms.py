"""The doctor's form for a plan with options and items, and the coordinator's for its prices.

Options and items come and go while typing. Each has a key: the row's id, or "n" and a number for a new one;
the keys are posted in order (`option`, and `<key>-item` for each option), the fields carry them as prefix.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.reading import whole_number
from consultations.models import Plan, PlanOption
from consultations.plan_rules import MOST_ITEMS, MOST_OPTIONS, ItemDraft, OptionDraft, PlanDraft
from consultations.services.plan_terms import Terms
from consultations.teeth import NotATooth, parse_teeth


class PlanHeadForm(forms.Form):
    """Title, findings and principles."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput, required=False)
    title = forms.CharField(label=gettext_lazy("Title, as the patient reads it"), max_length=120, required=False)
    findings = forms.CharField(
        label=gettext_lazy("Findings"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    principles = forms.CharField(
        label=gettext_lazy("Principles of treatment"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    no_treatment = forms.BooleanField(label=gettext_lazy("No treatment indicated"), required=False)


class OptionForm(forms.Form):
    """One way to treat, without money."""

    name = forms.CharField(label=gettext_lazy("Option"), max_length=80, required=False)
    is_suggested = forms.BooleanField(label=gettext_lazy("I suggest this one"), required=False)
    duration = forms.CharField(label=gettext_lazy("Time it takes"), max_length=80, required=False)
    pain = forms.TypedChoiceField(
        label=gettext_lazy("Pain, 0 to 5"),
        choices=[(n, str(n)) for n in range(6)],
        coerce=int,
        required=False,
        empty_value=None,
    )
    pain_note = forms.CharField(label=gettext_lazy("About pain"), max_length=120, required=False)
    side_effects = forms.CharField(label=gettext_lazy("Effect on the neighbours"), max_length=120, required=False)
    care = forms.CharField(label=pgettext_lazy("plan", "Care"), max_length=120, required=False)


class ItemForm(forms.Form):
    """One line of an option."""

    name = forms.CharField(
        label=gettext_lazy("Item"), max_length=120, required=False, widget=forms.TextInput(attrs={"list": "item-names"})
    )
    quantity = forms.IntegerField(label=gettext_lazy("Quantity"), min_value=1, max_value=32, initial=1)
    sessions = forms.IntegerField(label=gettext_lazy("Sessions"), min_value=1, max_value=60, initial=1)


class ItemEntry:
    """An item in the form: its key, fields and teeth."""

    def __init__(self, option_key: str, key: str, data: QueryDict | None, initial: ItemDraft | None) -> None:
        self.key = key
        self.prefix = f"{option_key}-{key}"
        start = {"name": initial.name, "quantity": initial.quantity, "sessions": initial.sessions} if initial else {}
        self.form = ItemForm(data, prefix=self.prefix, initial=start)
        self.typed = data.getlist(f"{self.prefix}-teeth") if data is not None else []
        self.stored = list(initial.teeth) if initial and data is None else []

    @cached_property
    def teeth(self) -> list[int]:
        """The teeth picked; a number that is none raises NotATooth."""
        return self.stored or parse_teeth(self.typed)

    @property
    def teeth_error(self) -> str:
        try:
            _teeth = self.teeth
        except NotATooth as error:
            return _("%(value)s is no FDI tooth number.") % {"value": error.text[:12]}
        return ""

    @property
    def picked(self) -> list[int]:
        return [] if self.teeth_error else self.teeth

    @property
    def is_blank(self) -> bool:
        return not (self.form["name"].value() or "").strip() and not self.typed and not self.stored

    def draft(self) -> ItemDraft:
        data = self.form.cleaned_data
        row = whole_number(self.key)
        return ItemDraft(data["name"].strip(), tuple(self.teeth), data["quantity"], data["sessions"], row)


class OptionEntry:
    """An option in the form with its items."""

    def __init__(self, key: str, data: QueryDict | None, initial: OptionDraft | None) -> None:
        self.key = key
        names = OptionForm.base_fields
        start = {name: getattr(initial, name) for name in names} if initial else {}
        self.form = OptionForm(data, prefix=key, initial=start)
        if data is not None:
            self.items = [ItemEntry(key, item, data, None) for item in data.getlist(f"{key}-item")[:MOST_ITEMS]]
        else:
            self.items = [ItemEntry(key, str(item.id), None, item) for item in (initial.items if initial else ())]

    @property
    def is_blank(self) -> bool:
        return not (self.form["name"].value() or "").strip() and all(item.is_blank for item in self.items)

    def is_valid(self) -> bool:
        rows = [item for item in self.items if not item.is_blank]
        good = [item.form.is_valid() and not item.teeth_error for item in rows]
        for item in rows:
            if item.form.is_valid() and not item.form.cleaned_data["name"].strip():
                item.form.add_error("name", _("Say what is done."))
                good.append(False)
        return self.form.is_valid() and all(good)

    def draft(self) -> OptionDraft:
        data = self.form.cleaned_data
        items = tuple(item.draft() for item in self.items if not item.is_blank)
        return OptionDraft(**data, items=items, id=whole_number(self.key))


class PlanEditor:
    """The whole form: head, options and items, as stored or as posted."""

    def __init__(self, data: QueryDict | None = None, *, draft: PlanDraft | None = None, version: int = 0) -> None:
        draft = draft or PlanDraft()
        head = {name: getattr(draft, name) for name in PlanHeadForm.base_fields if name != "version"}
        self.head = PlanHeadForm(data, initial={**head, "version": version})
        if data is not None:
            self.options = [OptionEntry(key, data, None) for key in data.getlist("option")[:MOST_OPTIONS]]
        else:
            self.options = [OptionEntry(str(option.id), None, option) for option in draft.options]
            if not self.options:
                self.add_option()

    def _new_key(self) -> str:
        keys = [option.key for option in self.options] + [item.key for o in self.options for item in o.items]
        taken = [whole_number(key[1:]) or 0 for key in keys if key.startswith("n")]
        return f"n{max(taken, default=0) + 1}"

    def add_option(self) -> None:
        """Put one more, empty option with one empty item at the end."""
        if len(self.options) < MOST_OPTIONS:
            option = OptionEntry(self._new_key(), None, None)
            self.options.append(option)
            self.add_item(option.key)

    def add_item(self, option_key: str) -> None:
        for option in self.options:
            if option.key == option_key and len(option.items) < MOST_ITEMS:
                option.items.append(ItemEntry(option.key, self._new_key(), None, None))

    def drop(self, key: str) -> None:
        """Take out an option by its key, or an item by option's and own key ("12-34")."""
        self.options = [option for option in self.options if option.key != key]
        for option in self.options:
            option.items = [item for item in option.items if item.prefix != key]

    @property
    def may_add_option(self) -> bool:
        return len(self.options) < MOST_OPTIONS

    @property
    def forms(self) -> list[forms.Form]:
        """All forms, for the summary of errors."""
        nested = [[option.form, *(item.form for item in option.items if not item.is_blank)] for option in self.options]
        return [self.head, *(form for part in nested for form in part)]

    def is_valid(self) -> bool:
        rows = [option.is_valid() for option in self.options if not option.is_blank]
        return self.head.is_valid() and all(rows)

    @property
    def version(self) -> int:
        return self.head.cleaned_data.get("version") or 0

    def draft(self) -> PlanDraft:
        data = {name: value for name, value in self.head.cleaned_data.items() if name != "version"}
        options = tuple(option.draft() for option in self.options if not option.is_blank)
        return PlanDraft(**data, options=options)


def _money(label: Any, **kwargs: Any) -> forms.DecimalField:
    return forms.DecimalField(label=label, min_value=Decimal(0), max_digits=10, decimal_places=2, **kwargs)


def _short(amount: Decimal | None) -> Decimal | None:
    """Return an amount without the cents it has not got: 800.00 → 800."""
    return amount if amount is None or amount % 1 else amount.quantize(Decimal(1))


class OptionTermsForm(forms.Form):
    """Money and schedule of one option; a price field for each of its items."""

    discount = _money(gettext_lazy("Discount"), required=False)
    payment_note = forms.CharField(label=gettext_lazy("About payment"), max_length=120, required=False)
    duration = forms.CharField(label=gettext_lazy("Schedule"), max_length=80, required=False)

    def __init__(self, data: QueryDict | None, *, option: PlanOption) -> None:
        initial: dict[str, Any] = {
            "discount": _short(option.discount or None),
            "payment_note": option.payment_note,
            "duration": option.duration,
        }
        super().__init__(data, prefix=str(option.pk), initial=initial)
        self.option = option
        for item in option.items.all():
            label = f"{item.name} {item.teeth_text}".strip()
            self.fields[f"price-{item.pk}"] = _money(label, initial=_short(item.unit_price), required=False)

    @property
    def price_rows(self) -> Iterable[tuple[Any, forms.BoundField]]:
        return [(item, self[f"price-{item.pk}"]) for item in self.option.items.all()]

    def prices(self) -> dict[int, Decimal]:
        return {item.pk: self.cleaned_data[f"price-{item.pk}"] or Decimal(0) for item in self.option.items.all()}

    def terms(self) -> Terms:
        data = self.cleaned_data
        return Terms(data["discount"] or Decimal(0), data["payment_note"], data["duration"])


class DepositForm(forms.Form):
    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    deposit = _money(gettext_lazy("Deposit asked for today"), required=False)


class PlanTermsEditor:
    """The coordinator's whole form."""

    def __init__(self, data: QueryDict | None = None, *, plan: Plan, deposit: Decimal | None = None) -> None:
        self.head = DepositForm(data, initial={"version": plan.version, "deposit": _short(deposit)})
        self.options = [OptionTermsForm(data, option=option) for option in plan.options.all()]

    @property
    def forms(self) -> list[forms.Form]:
        return [self.head, *self.options]

    def is_valid(self) -> bool:
        results = [form.is_valid() for form in self.forms]  # each says what is wrong with it
        return all(results)

    def prices(self) -> dict[int, Decimal]:
        return {pk: price for form in self.options for pk, price in form.prices().items()}

    def terms(self) -> dict[int, Terms]:
        return {form.option.pk: form.terms() for form in self.options}

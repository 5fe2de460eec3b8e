"""Phone numbers as people type them."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from patients.importing.cells import read_phones
from patients.importing.text import content

MOBILE_DIGITS = 11


def typed_digits(text: str) -> str:
    """Return only the digits of what was typed, full-width ones included."""
    return "".join(c for c in content(text) if c.isdigit())


def clean_number(text: str) -> str:
    """Return one usable number, digits only, "" for nothing typed.

    Raises: ValidationError saying what is wrong (how many digits lack, or that it is no number).
    """
    said = content(text)
    if not said:
        return ""
    phones = read_phones(said)
    if len(phones.numbers) == 1 and not phones.bad:
        return phones.numbers[0]
    if len(phones.numbers) > 1:
        raise ValidationError(_("One number per field."), code="several")
    digits = len(typed_digits(said))
    if said.startswith("1") and 0 < digits < MOBILE_DIGITS:
        lacking = MOBILE_DIGITS - digits
        raise ValidationError(_("%(count)d digits short: a mobile number has 11."), "short", {"count": lacking})
    raise ValidationError(_("This is no phone number: 11 digits, or an area code and a number."), code="bad")

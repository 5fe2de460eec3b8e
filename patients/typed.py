"""What people type about a person, as it is kept or refused; for forms and for the API."""

from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from patients.importing.cells import display_name

OLDEST = 120  # years


def clean_name(text: str) -> str:
    """Return a name as it is kept. Raises ValidationError when nothing is left of it."""
    name = display_name(text)
    if not name:
        raise ValidationError(_("Give a name."), code="required")
    return name


def check_birth(day: date | None, today: date) -> None:
    """Raise ValidationError for a birth date that cannot be."""
    if day is not None and (day > today or day.year < today.year - OLDEST):
        raise ValidationError(_("This birth date cannot be."), code="birth")

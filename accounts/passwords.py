"""What a password must be."""

from django.contrib.auth.password_validation import MinimumLengthValidator
from django.utils.translation import gettext as _


class LongEnough(MinimumLengthValidator):
    """Django's rule about length, in words that are translated."""

    def get_error_message(self) -> str:
        return _("This password is too short: at least %(count)s characters.") % {"count": self.min_length}

    def get_help_text(self) -> str:
        return self.get_error_message()

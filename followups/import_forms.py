"""The form of the appointments' import: what its columns hold."""

from django.utils.translation import gettext_lazy as _

from followups.importing.headers import FIELDS
from patients.import_forms import ChooseColumnsForm


class ColumnsForm(ChooseColumnsForm):
    """What the columns of a list of appointments hold."""

    known = FIELDS
    needed = (
        (frozenset({"start"}), _("Say which column holds the start."), "start"),
        (frozenset({"status"}), _("Say which column holds the status."), "status"),
        (frozenset({"chart_number", "phone"}), _("Say which column holds the card number or the phone."), "patient"),
    )

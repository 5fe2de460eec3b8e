"""The columns of the patient list: which there are, which are shown."""

from django.utils.translation import gettext_lazy as _

from accounts.access import StaffRequest

SESSION_KEY = "patient_columns"
COLUMNS = {
    "class": _("Class"),
    "complaint": _("Chief complaint"),
    "owner": _("Coordinator"),
    "channel": _("Channel"),
    "visit": _("Last visit"),
    "next": _("Next appointment"),
    "contact": _("Last contact"),
    "tags": _("Tags"),
    "number": _("Patient number"),
}
CONTACT_ONLY = frozenset({"channel", "contact", "tags"})  # care does not need them


def allowed_columns(contact: bool) -> list[str]:
    """Return the columns a person may see, in their order."""
    return [name for name in COLUMNS if contact or name not in CONTACT_ONLY]


def shown_columns(request: StaffRequest, contact: bool) -> list[str]:
    """Return the columns to show: those in the URL, else the ones remembered, else all."""
    allowed = allowed_columns(contact)
    asked = request.GET.get("cols")
    wanted = asked.split(",") if asked is not None else request.session.get(SESSION_KEY)
    return [name for name in allowed if name in wanted] if wanted is not None else allowed

"""What managers ask of consultants, over the task list and on the board of today."""

from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from accounts.permissions import Permission
from conversations import queries
from followups.beside import Beside

ROW = "conversations/_coaching_row.html"


def coaching(user: User, clinic: Clinic, scope: str) -> Beside:
    """Return what the person is to do better; with all tasks on the list, for managers, what is overdue of anybody's."""
    if scope == "all" and user.may(Permission.SCORE_CONVERSATIONS, clinic):
        return Beside(_("Coaching that is overdue"), ROW, list(queries.coaching_overdue(clinic)[: queries.SIZE]))
    if not user.may(Permission.VIEW_CONVERSATIONS, clinic):
        return Beside("", ROW, [])
    return Beside(_("What to do better"), ROW, list(queries.coaching_open(clinic, of=user)[: queries.SIZE]))

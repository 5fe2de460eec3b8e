"""The first of one's own tasks that are due, for the today board."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, Window
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from accounts.models import Clinic, User
from accounts.statements import Statement
from followups.models import ContactChannel, Task, TaskKind
from followups.task_list import ICONS, SOON_LATE, due_words, subject_of

SHOWN = 7
AT_HAND = timedelta(hours=1)  # before it is due
VERBS: dict[str, Promise] = {
    ContactChannel.PHONE: pgettext_lazy("task", "Call"),
    ContactChannel.WECHAT: pgettext_lazy("task", "Write"),
    ContactChannel.SMS: pgettext_lazy("task", "Send"),
    ContactChannel.WECOM: pgettext_lazy("task", "Send"),
    ContactChannel.IN_PERSON: pgettext_lazy("task", "Open"),
}
PREPARE = pgettext_lazy("task", "Prepare")
READ = (
    "kind", "title", "channel", "due_at", "patient__name", "appointment__starts_at", "appointment__purpose",
    "appointment__kind",
)  # fmt: skip


@dataclass(frozen=True)
class Due:
    """One task: what it is about, when (with a level once that presses), and the verb of its button."""

    task: Task
    title: str
    at: datetime | None
    icon: str
    level: str
    words: str
    verb: str


@dataclass(frozen=True)
class DueTasks:
    rows: list[Due]
    total: int


def due_tasks(user: User, clinic: Clinic, now: datetime) -> DueTasks:
    """Return one's own tasks of today and before, the longest due first (one statement)."""
    end = clinic.day_bounds(timezone.localtime(now, clinic.tz).date())[1]
    found = _MINE.rows(clinic=clinic.pk, user=user.pk, role=user.role_in(clinic) or "", end=end)
    return DueTasks([_due(task, now) for task in found], found[0].total if found else 0)


def _mine(*, clinic: int, user: int, role: str, end: datetime) -> Any:
    rows = Task.objects.for_clinic(clinic).open().not_paused().filter(due_at__lt=end)
    rows = rows.filter(Q(owner=user) | Q(owner=None, owner_role=role)).select_related("patient", "appointment")
    return rows.only(*READ).annotate(total=Window(Count("pk"))).order_by("due_at", "pk")[:SHOWN]


_MINE = Statement(_mine)


def _due(task: Task, now: datetime) -> Due:
    over = now - task.due_at
    level, words = "", ""
    if over > timedelta(0):
        level, words = ("watch" if over < SOON_LATE else "bad"), due_words(over)
    elif -over < AT_HAND:
        level, words = "watch", _("in %(n)s min") % {"n": max(1, int(-over.total_seconds() // 60))}
    title, at = subject_of(task)
    verb = PREPARE if task.kind == TaskKind.RECHECK_PLAN else VERBS[task.channel]
    return Due(task, title, at, ICONS.get(ContactChannel(task.channel), "phone"), level, words, str(verb))

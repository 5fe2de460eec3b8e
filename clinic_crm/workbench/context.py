"""What the frame of every page needs: navigation, clinics to switch to, where to search and add."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject, cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import current_clinic
from accounts.models import Clinic, User
from accounts.permissions import Permission
from followups.jobs import late_by_pulse
from followups.task_list import due_count

THEMES = ("light", "dark")


@dataclass(frozen=True)
class Place:
    """A page that the navigation may offer; `names` are its possible URL names, the first known one counts."""

    names: tuple[str, ...]
    label: Any
    icon: str
    permission: Permission
    also: tuple[str, ...] = ()  # addresses of pages that belong to this one


@dataclass(frozen=True)
class NavItem:
    url: str
    label: Any
    icon: str
    active: bool = False
    badge: int = 0


RAIL = (
    Place(("doctor_queue",), _("My queue"), "stethoscope", Permission.TREAT),
    Place(("today",), _("Today"), "layout-dashboard", Permission.VIEW_TODAY, also=("/visits/",)),
    Place(("patient_list",), _("Patients"), "users-round", Permission.VIEW_PATIENTS),
    Place(("appointments",), _("Calendar"), "calendar-days", Permission.BOOK),
    Place(("tasks",), _("Follow-ups"), "phone-call", Permission.FOLLOW_UP),
    Place(("undecided",), pgettext_lazy("page", "Undecided"), "columns-3", Permission.WORK_UNDECIDED),
    Place(("conversations",), pgettext_lazy("navigation", "Chats"), "messages-square", Permission.VIEW_CONVERSATIONS),
    Place(("kpis",), _("KPIs"), "chart-column", Permission.VIEW_OWN_KPIS),
)
MORE = (
    Place(("complaint_list",), _("Complaints"), "message-square-warning", Permission.TAKE_COMPLAINTS),
    Place(("referral_list",), _("Referrals"), "share-2", Permission.RECORD_CARE),
    Place(("patient_import", "import_list", "import_new"), _("Import patients"), "upload", Permission.IMPORT_PATIENTS),
    Place(("class_audits",), _("Class audits"), "scale", Permission.RATE_CLASSES),
    Place(("etiquette",), _("Service etiquette"), "clipboard-check", Permission.FOLLOW_UP),
    Place(("moved_up",), _("What moved patients up"), "trending-up", Permission.AUDIT_CLASSES),
    Place(("playbooks",), _("Playbooks"), "route", Permission.EDIT_PLAYBOOKS),
    Place(("script_list",), _("Scripts"), "message-square-quote", Permission.EDIT_CONTENT),
    Place(("form_template_list",), _("Consultation forms"), "clipboard-list", Permission.EDIT_CONTENT),
    Place(("exam_price_list", "exam_kinds"), _("Examinations"), "scan-line", Permission.EDIT_CONTENT),
    Place(("material_list",), _("Readings"), "book-open", Permission.EDIT_PLAYBOOKS),
    Place(("campaign_list",), _("Campaigns"), "megaphone", Permission.RUN_CAMPAIGNS),
    Place(("outbox",), _("Outbox"), "send", Permission.VIEW_OUTBOX),
    Place(("duplicate_list",), _("Duplicates"), "merge", Permission.MERGE_PATIENTS, also=("/merges/",)),
    Place(("settings",), _("Settings"), "settings", Permission.EDIT_CONTENT),
    Place(("staff_list", "staff"), _("Staff"), "id-card", Permission.MANAGE_STAFF),
    Place(("clinic_list", "clinics"), _("Clinics"), "building-2", Permission.MANAGE_CLINICS),
    Place(("audit_log", "audit"), _("Audit log"), "scroll-text", Permission.VIEW_AUDIT),
)


def first_url(*names: str) -> str:
    """The address of the first name that is routed, else an empty string."""
    for name in names:
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return ""


def nav_items(places: Sequence[Place], user: User, clinic: Clinic, path: str) -> list[NavItem]:
    """The places this person may go to from here; the longest matching address is the active one."""
    found = [(place, first_url(*place.names)) for place in places if user.may(place.permission, clinic)]
    starts = [(start, url) for place, url in found if url for start in (url, *place.also) if path.startswith(start)]
    active = max(starts, key=lambda pair: len(pair[0]))[1] if starts else None
    return [NavItem(url, place.label, place.icon, url == active) for place, url in found if url]


class Frame:
    """What the frame shows for one request. Each part is found when it is printed, so fragments pay nothing."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def user(self) -> User | None:
        user = getattr(self.request, "user", None)
        return user if isinstance(user, User) else None

    @cached_property
    def clinic(self) -> Clinic | None:
        return current_clinic(self.user) if self.user else None

    @cached_property
    def theme(self) -> str:
        """The theme chosen by the person, else by this browser; empty follows the system."""
        theme = getattr(self.user, "theme", "") or self.request.COOKIES.get("theme", "")
        return theme if theme in THEMES else ""

    def _places(self, places: Sequence[Place]) -> list[NavItem]:
        if self.user is None or self.clinic is None:
            return []
        return nav_items(places, self.user, self.clinic, self.request.path)

    def _url(self, permission: Permission, *names: str) -> str:
        allowed = self.user and self.clinic and self.user.may(permission, self.clinic)
        return first_url(*names) if allowed else ""

    @cached_property
    def nav_items(self) -> list[NavItem]:
        url, count = self.tasks_url, self.task_count
        return [replace(item, badge=count) if url and item.url == url else item for item in self._places(RAIL)]

    @cached_property
    def tasks_url(self) -> str:
        return self._url(Permission.FOLLOW_UP, "tasks")

    @cached_property
    def task_count(self) -> int:
        """How many of one's own tasks are due today (one statement, when the frame is printed)."""
        if not self.tasks_url or self.user is None or self.clinic is None:
            return 0
        return due_count(self.user, self.clinic, timezone.now())

    @cached_property
    def more_items(self) -> list[NavItem]:
        return self._places(MORE)

    @property
    def more_active(self) -> bool:
        return any(item.active for item in self.more_items)

    @cached_property
    def switchable_clinics(self) -> list[Clinic]:
        if self.user is None or len(self.user.clinic_ids()) < 2:
            return []
        return list(Clinic.objects.filter(pk__in=self.user.clinic_ids()))

    @cached_property
    def search_url(self) -> str:
        return self._url(Permission.VIEW_PATIENTS, "search")

    @cached_property
    def quick_add_url(self) -> str:
        return self._url(Permission.QUICK_ADD, "patient_add")

    @cached_property
    def late_jobs(self) -> list[str]:
        """Periodic jobs that should have run by now, for those who look after messages; asks no database."""
        allowed = self.user and self.clinic and self.user.may(Permission.MANAGE_MESSAGES, self.clinic)
        return late_by_pulse() if allowed else []

    @property
    def home_url(self) -> str:
        return first_url("home", "today") or "/"

    @property
    def clinic_switch_url(self) -> str:
        return first_url("switch_clinic", "clinic_switch", "set_clinic")

    @property
    def language_url(self) -> str:
        return first_url("switch_language", "language_switch", "set_language")

    @property
    def theme_url(self) -> str:
        return first_url("switch_theme", "theme_switch", "set_theme")

    @property
    def calendar_url(self) -> str:
        return first_url("my_calendar")

    @property
    def password_url(self) -> str:
        return first_url("account_change_password")

    @property
    def first_start_url(self) -> str:
        """Where the first clinic is opened; empty once anybody has an account. One statement."""
        return "" if User.objects.exists() else first_url("first_start")

    @property
    def security_url(self) -> str:
        return first_url("security")

    @property
    def api_access_url(self) -> str:
        return first_url("api_access")

    @property
    def sign_out_url(self) -> str:
        return first_url("account_logout")


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `frame` for the shell, `clinic` for pages (a view's own clinic overrides it)."""
    shell = Frame(request)
    return {"frame": shell, "clinic": SimpleLazyObject(lambda: shell.clinic)}

"""What the frame of every page needs: navigation, clinics to switch to, where to search and add."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject, cached_property
from django.utils.safestring import SafeString

from accounts.access import current_clinic
from accounts.models import Clinic, Group, User
from accounts.permissions import Permission, permissions_of
from accounts.reading import page_before
from clinic_crm.workbench.navigation import first_url, printed_rail
from followups.jobs import late_by_pulse
from followups.task_list import due_count

THEMES = ("light", "dark")


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

    @cached_property
    def _rights(self) -> frozenset[Permission]:
        if self.user is None or self.clinic is None or not self.user.is_active:
            return frozenset()
        return permissions_of(self.user.role_in(self.clinic))

    def _url(self, permission: Permission, *names: str) -> str:
        return first_url(*names) if permission in self._rights else ""

    @property
    def rail(self) -> SafeString:
        """The navigation, printed once for all who have the same rights."""
        return printed_rail(self._rights, self.request.path, self.task_count)

    @cached_property
    def tasks_url(self) -> str:
        return self._url(Permission.FOLLOW_UP, "tasks")

    @cached_property
    def task_count(self) -> int:
        """How many of one's own tasks are due today (one statement, when the frame is printed on a page without them)."""
        if not self.tasks_url or self.user is None or self.clinic is None:
            return 0
        known: int | None = getattr(self.request, "task_count", None)
        return due_count(self.user, self.clinic, timezone.now()) if known is None else known

    @cached_property
    def switchable_clinics(self) -> list[Clinic]:
        if self.user is None or len(self.user.clinic_ids()) < 2:
            return []
        return self.user.clinics()

    @cached_property
    def search_url(self) -> str:
        return self._url(Permission.VIEW_PATIENTS, "search")

    @cached_property
    def quick_add_url(self) -> str:
        return self._url(Permission.QUICK_ADD, "patient_add")

    @cached_property
    def late_jobs(self) -> list[str]:
        """Periodic jobs that should have run by now, for those who look after messages; asks no database."""
        return late_by_pulse() if Permission.MANAGE_MESSAGES in self._rights else []

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
    def way_back(self) -> str:
        """The page that led here, for pages that say what could not be done; empty when none of ours did."""
        return page_before(self.request)

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
    def group_name(self) -> str:
        """The name of the group, for the pages where people sign in. One statement."""
        return Group.named()

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

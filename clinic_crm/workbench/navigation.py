"""The navigation: the pages there are, and which of them a person is offered."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.permissions import Permission
from clinic_crm.templatetags._fixed import fixed

COUNTED, BADGE = "tasks", "<!--tasks-->"  # the place with a number, and where it is put


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
    counts: bool = False  # the tasks of today are counted beside it


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
    Place(("appointment_import",), _("Import appointments"), "calendar-plus", Permission.MANAGE_CALENDAR),
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


@lru_cache(maxsize=128)
def first_url(*names: str) -> str:
    """The address of the first name that is routed, else an empty string."""
    for name in names:
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return ""


@dataclass(frozen=True)
class Rail:
    """The navigation for a set of rights on one page; alike for everybody who has them."""

    rights: frozenset[Permission]
    active: str  # the address of the place one is in

    def _items(self, places: tuple[Place, ...]) -> list[NavItem]:
        routed = ((place, first_url(*place.names)) for place in places if place.permission in self.rights)
        return [NavItem(url, p.label, p.icon, url == self.active, COUNTED in p.names) for p, url in routed if url]

    @property
    def first(self) -> list[NavItem]:
        return self._items(RAIL)

    @property
    def more(self) -> list[NavItem]:
        return self._items(MORE)

    @property
    def home_url(self) -> str:
        return first_url("home", "today") or "/"

    @property
    def more_active(self) -> bool:
        return any(item.active for item in self.more)


@lru_cache(maxsize=1)
def _routed() -> tuple[tuple[Place, str], ...]:
    return tuple((place, url) for place in (*RAIL, *MORE) if (url := first_url(*place.names)))


@lru_cache(maxsize=256)
def _starts(rights: frozenset[Permission]) -> tuple[tuple[str, str], ...]:
    """Beginnings of addresses with the place they belong to, the longest first."""
    pairs = [(s, url) for place, url in _routed() if place.permission in rights for s in (url, *place.also)]
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


def printed_rail(rights: frozenset[Permission], path: str, tasks: int) -> SafeString:
    """Return the navigation's HTML; `tasks` is the number beside follow-ups, none when 0."""
    active = next((url for start, url in _starts(rights) if path.startswith(start)), "")
    badge = format_html('<span class="badge">{}</span>', tasks) if tasks else ""
    return mark_safe(fixed("frame/_rail.html", rail=Rail(rights, active)).replace(BADGE, badge))  # noqa: S308

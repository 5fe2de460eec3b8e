"""What a clinic may change, by subject."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Clinic, User
from accounts.permissions import Permission


@dataclass(frozen=True)
class Entry:
    """One page of settings; `restorable` when it has built-in defaults that it can go back to."""

    route: str
    name: Any
    what: Any
    permission: Permission
    restorable: bool = False
    about: str = ""  # what the address names, if it names anything

    @property
    def url(self) -> str:
        return reverse(self.route, args=[self.about] if self.about else None)

    @property
    def restore_url(self) -> str:
        return reverse("settings_restore", args=[self.route])


@dataclass(frozen=True)
class Group:
    name: Any
    icon: str
    entries: tuple[Entry, ...]


P = Permission
GROUPS = (
    Group(_("Clinics and people"), "building-2", (
        Entry("clinic_list", _("Clinics"), _("Group, names, time zones, late cancellation, limits of stages"), P.MANAGE_CLINICS, True),
        Entry("staff_list", _("Staff"), _("Who works here, and as what"), P.MANAGE_STAFF),
        Entry("team_list", _("Teams"), _("Teams of coordinators"), P.MANAGE_STAFF),
        Entry("import_list", _("Import patients"), _("From a table or another program"), P.IMPORT_PATIENTS),
    )),
    Group(_("Calendar"), "calendar-days", (
        Entry("schedule", _("Hours"), _("Of the clinic, each doctor and each room"), P.MANAGE_CALENDAR, True),
        Entry("schedule_absences", _("Absences and holidays"), _("When nobody can be booked"), P.MANAGE_CALENDAR),
        Entry("schedule_rooms", _("Rooms"), _("Where patients are seen"), P.MANAGE_CALENDAR),
        Entry("appointment_import", _("Import appointments"), _("From a table or another program"), P.MANAGE_CALENDAR),
        Entry("schedule_settings", _("Kinds of appointment"), _("Lengths, rechecks, reminders"), P.MANAGE_CALENDAR, True),
    )),
    Group(_("Visits"), "clipboard-list", (
        Entry("form_template_list", _("Consultation forms"), _("The questions of the form"), P.EDIT_CONTENT, True),
        Entry("exam_kinds", _("Examinations"), _("Kinds and prices"), P.EDIT_CONTENT, True),
        Entry("script_list", _("Scripts"), _("What to say in each stage"), P.EDIT_CONTENT, True),
    )),
    Group(_("Follow-ups and messages"), "phone-call", (
        Entry("playbooks", _("Playbooks"), _("When whom to call, by class"), P.EDIT_PLAYBOOKS, True),
        Entry("material_list", _("Readings"), _("What patients are sent to read"), P.EDIT_PLAYBOOKS),
        Entry("message_templates", _("Message texts"), _("What messages say"), P.MANAGE_MESSAGES, True),
        Entry("message_settings", _("Message settings"), _("Quiet hours, channels"), P.MANAGE_MESSAGES, True),
        Entry("sender_list", _("Senders"), _("Through whom messages leave"), P.MANAGE_MESSAGES),
        Entry("hook_list", _("Webhooks"), _("Which other systems are told what happens"), P.MANAGE_MESSAGES),
    )),
    Group(pgettext_lazy("navigation", "Chats"), "messages-square", (
        Entry("chat_rules", _("Rules for chats"), _("Word lists and thresholds of the inspection"), P.EDIT_CHAT_RULES, True),
        Entry("chat_rubrics", _("Rubrics for chats"), _("How points are given"), P.EDIT_CHAT_RULES, True),
        Entry("consultant_names", _("Names in chats"), _("Who of the staff writes under which name"), P.EDIT_CHAT_RULES),
        Entry("chat_webhook_settings", _("Webhook"), _("How chats come in by themselves"), P.IMPORT_CONVERSATIONS),
    )),
    Group(_("Quality"), "chart-column", (
        Entry("kpi_targets", _("Targets"), _("What each key figure should reach"), P.SET_TARGETS, True),
        Entry("etiquette_rubric", _("Etiquette rubric"), _("What is looked at in visits"), P.INSPECT_ETIQUETTE, True, "visit"),
    )),
)  # fmt: skip


# In this order a clinic that has just been opened gets going.
FIRST_STEPS: dict[str, Any] = {
    "staff_list": _("Invite the people who work here: each gets a link to choose a password."),
    "schedule": _("Say when the clinic, its doctors and its rooms take patients."),
    "kpi_targets": _("Look through the targets; those you left empty are the usual ones."),
    "playbooks": _("Look through the playbooks: whom to call when, by class."),
    "import_list": _("Bring your patients; then their appointments and your chats."),
}


def first_steps(groups: list[Group]) -> list[tuple[Entry, Any]]:
    """Return the pages to begin with, of those that somebody may open, with what to do there."""
    entries = {entry.route: entry for group in groups for entry in group.entries}
    return [(entries[route], words) for route, words in FIRST_STEPS.items() if route in entries]


def groups_for(user: User, clinic: Clinic) -> list[Group]:
    """Return the groups with the pages this person may open here; empty groups are left out."""
    found = (
        Group(group.name, group.icon, tuple(entry for entry in group.entries if user.may(entry.permission, clinic)))
        for group in GROUPS
    )
    return [group for group in found if group.entries]


def entry_of(route: str) -> Entry | None:
    """Return the page of settings with this route."""
    return next((entry for group in GROUPS for entry in group.entries if entry.route == route), None)

"""Which role may do what. Permissions are code: they are read here, tested here, changed here."""

from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a staff member is in one clinic (DOMAIN §1)."""

    COORDINATOR = "coordinator", _("Coordinator")
    ONLINE_CONSULTANT = "online_consultant", _("Online consultant")
    DOCTOR = "doctor", _("Doctor")
    FRONT_DESK = "front_desk", _("Front desk")
    NURSE = "nurse", _("Nurse")
    MANAGER = "manager", _("Manager")
    ADMIN = "admin", _("Administrator")


class Permission(StrEnum):
    """One thing that a page, an action or an API route may require."""

    SIGNED_IN = "signed_in"
    VIEW_TODAY = "view_today"
    VIEW_PATIENTS = "view_patients"
    EDIT_PATIENTS = "edit_patients"
    QUICK_ADD = "quick_add"
    REVEAL_CONTACT = "reveal_contact"  # numbers, WeChat, and what is known of the person's life
    CALL_PATIENTS = "call_patients"  # open a number, to call; nothing else
    IMPORT_PATIENTS = "import_patients"
    EXPORT_PATIENTS = "export_patients"
    CLASSIFY = "classify"
    BOOK = "book"
    CHECK_IN = "check_in"
    VIEW_VISITS = "view_visits"
    COORDINATE = "coordinate"  # receive, form, complaint, handoff, explain, decide, checkout
    CAPTURE_EXAM = "capture_exam"
    READ_HANDOFF = "read_handoff"
    TREAT = "treat"  # acknowledge, findings, plan, leave the room
    VIEW_PLAN = "view_plan"
    VIEW_MONEY = "view_money"
    APPROVE_WAIVER = "approve_waiver"
    EDIT_CONTENT = "edit_content"  # scripts, form templates, exam prices
    MANAGE_STAFF = "manage_staff"
    MANAGE_CLINICS = "manage_clinics"
    VIEW_AUDIT = "view_audit"
    WORK_UNDECIDED = "work_undecided"  # the undecided board, suggested classes
    RECORD_CARE = "record_care"  # what was done for a patient, word of mouth, thanks
    TAKE_COMPLAINTS = "take_complaints"
    SETTLE_COMPLAINTS = "settle_complaints"
    RATE_CLASSES = "rate_classes"  # second opinion, blind
    AUDIT_CLASSES = "audit_classes"  # draw samples, read the agreement
    MERGE_PATIENTS = "merge_patients"
    ANSWER_RIGHTS = "answer_rights"  # a patient's report, erasure
    FOLLOW_UP = "follow_up"  # own tasks, log contacts, send by hand
    HAND_OVER = "hand_over"  # other people's tasks
    RUN_CAMPAIGNS = "run_campaigns"  # draft and submit
    APPROVE_CAMPAIGNS = "approve_campaigns"
    EDIT_PLAYBOOKS = "edit_playbooks"  # playbooks, materials
    MANAGE_CALENDAR = "manage_calendar"  # hours, absences, holidays, rooms
    VIEW_OUTBOX = "view_outbox"
    MANAGE_MESSAGES = "manage_messages"  # templates, senders, quiet hours; retry and reconcile
    VIEW_OWN_KPIS = "view_own_kpis"  # the key figures of one's own patients
    VIEW_KPIS = "view_kpis"  # of everybody; with exports
    SET_TARGETS = "set_targets"
    INSPECT_ETIQUETTE = "inspect_etiquette"  # score visits and call-backs
    REFUND = "refund"  # record money paid back
    VIEW_CONVERSATIONS = "view_conversations"  # one's own; all of them with SCORE_CONVERSATIONS
    IMPORT_CONVERSATIONS = "import_conversations"
    CAPTURE_CONTACTS = "capture_contacts"  # make patients and appointments of what was captured
    SCORE_CONVERSATIONS = "score_conversations"  # read all, score, answer appeals, coach, reports
    EDIT_CHAT_RULES = "edit_chat_rules"  # word lists, thresholds, rubrics


P = Permission
_EVERYONE = frozenset({P.SIGNED_IN, P.VIEW_TODAY, P.VIEW_PATIENTS, P.VIEW_VISITS, P.TAKE_COMPLAINTS})
_COORDINATOR = _EVERYONE | {
    P.EDIT_PATIENTS,
    P.QUICK_ADD,
    P.REVEAL_CONTACT,
    P.IMPORT_PATIENTS,
    P.CLASSIFY,
    P.BOOK,
    P.CHECK_IN,
    P.COORDINATE,
    P.CAPTURE_EXAM,
    P.READ_HANDOFF,
    P.VIEW_PLAN,
    P.VIEW_MONEY,
    P.FOLLOW_UP,
    P.RUN_CAMPAIGNS,
    P.VIEW_OUTBOX,
    P.WORK_UNDECIDED,
    P.RECORD_CARE,
    P.SETTLE_COMPLAINTS,
    P.RATE_CLASSES,
    P.VIEW_OWN_KPIS,
}
_MANAGER = _COORDINATOR | {
    P.EXPORT_PATIENTS,
    P.APPROVE_WAIVER,
    P.EDIT_CONTENT,
    P.MANAGE_STAFF,
    P.VIEW_AUDIT,
    P.HAND_OVER,
    P.AUDIT_CLASSES,
    P.MERGE_PATIENTS,
    P.ANSWER_RIGHTS,
    P.APPROVE_CAMPAIGNS,
    P.EDIT_PLAYBOOKS,
    P.MANAGE_CALENDAR,
    P.MANAGE_MESSAGES,
    P.VIEW_KPIS,
    P.SET_TARGETS,
    P.INSPECT_ETIQUETTE,
    P.REFUND,
    P.VIEW_CONVERSATIONS,
    P.IMPORT_CONVERSATIONS,
    P.CAPTURE_CONTACTS,
    P.SCORE_CONVERSATIONS,
    P.EDIT_CHAT_RULES,
}

ROLE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.COORDINATOR: _COORDINATOR,
    Role.ONLINE_CONSULTANT: _EVERYONE
    | {
        P.EDIT_PATIENTS,
        P.QUICK_ADD,
        P.REVEAL_CONTACT,
        P.BOOK,
        P.FOLLOW_UP,
        P.VIEW_CONVERSATIONS,
        P.IMPORT_CONVERSATIONS,
        P.CAPTURE_CONTACTS,
    },
    Role.DOCTOR: _EVERYONE | {P.READ_HANDOFF, P.TREAT, P.CAPTURE_EXAM, P.VIEW_PLAN},
    Role.FRONT_DESK: _EVERYONE | {P.EDIT_PATIENTS, P.QUICK_ADD, P.REVEAL_CONTACT, P.BOOK, P.CHECK_IN, P.FOLLOW_UP},
    Role.NURSE: _EVERYONE | {P.CAPTURE_EXAM, P.READ_HANDOFF, P.CALL_PATIENTS, P.FOLLOW_UP},
    Role.MANAGER: _MANAGER,
    Role.ADMIN: _MANAGER | {P.MANAGE_CLINICS},
}


def permissions_of(role: str | None) -> frozenset[Permission]:
    """Return what `role` may do; nothing for an unknown role or None."""
    return ROLE_PERMISSIONS.get(role or "", frozenset())

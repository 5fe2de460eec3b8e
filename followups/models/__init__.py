"""What was promised for later: appointments, tasks and messages."""

from followups.models.appointments import AbsenceReason, Appointment, AppointmentChange, Room, Side, TsTzRange
from followups.models.hooks import Hook, HookAttempt, HookDelivery, HookEvent
from followups.models.messages import (
    JobRun,
    Message,
    MessageChannel,
    MessageEvent,
    MessagePurpose,
    MessageTemplate,
    MessagingSettings,
    SenderAccount,
)
from followups.models.playbooks import ContactChannel, Nature, Playbook, PlaybookRun, PlaybookStep
from followups.models.schedule import (
    Absence,
    CalendarFeed,
    CalendarSettings,
    WaitingEntry,
    Weekday,
    WorkingHours,
)
from followups.models.stand_ins import StandIn
from followups.models.tasks import (
    Campaign,
    CampaignMember,
    Contact,
    ContactOutcome,
    Material,
    MaterialUse,
    Task,
    TaskEvent,
    TaskKind,
)

__all__ = [
    "Absence",
    "AbsenceReason",
    "Appointment",
    "AppointmentChange",
    "CalendarFeed",
    "CalendarSettings",
    "Campaign",
    "CampaignMember",
    "Contact",
    "ContactChannel",
    "ContactOutcome",
    "Hook",
    "HookAttempt",
    "HookDelivery",
    "HookEvent",
    "JobRun",
    "Material",
    "MaterialUse",
    "Message",
    "MessageChannel",
    "MessageEvent",
    "MessagePurpose",
    "MessageTemplate",
    "MessagingSettings",
    "Nature",
    "Playbook",
    "PlaybookRun",
    "PlaybookStep",
    "Room",
    "SenderAccount",
    "Side",
    "StandIn",
    "Task",
    "TaskEvent",
    "TaskKind",
    "TsTzRange",
    "WaitingEntry",
    "Weekday",
    "WorkingHours",
]

"""Online chats (DOMAIN §5): what was said, what was found in it, what was captured, what was answered."""

from conversations.models.capture import Capture, CapturedContact
from conversations.models.chat import ChatMessage, ConsultantName, Conversation
from conversations.models.findings import Appeal, Finding
from conversations.models.rule_sets import ReinspectionJob, RuleSet
from conversations.models.scores import CoachingNote, FrontScore, Rubric, ScoreCard
from conversations.models.webhooks import WebhookEvent, WebhookKey

__all__ = [
    "Appeal",
    "Capture",
    "CapturedContact",
    "ChatMessage",
    "CoachingNote",
    "ConsultantName",
    "Conversation",
    "Finding",
    "FrontScore",
    "ReinspectionJob",
    "Rubric",
    "RuleSet",
    "ScoreCard",
    "WebhookEvent",
    "WebhookKey",
]

"""People and chats for the tests of reading."""

from typing import Any

from django.test import Client

from accounts.models import Clinic, User
from accounts.permissions import Role
from conversations.models import ChatMessage, Conversation, Finding
from conversations.services.scoring import refresh
from tests.factories import ConversationFactory, FindingFactory, UserFactory

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
RUDE = [
    ("visitor", "种牙疼不疼"),
    ("consultant", "难道我没说清楚吗", 200),
    ("visitor", "我电话199 0000 1734"),
    ("consultant", "好的，<b>检察</b>后再说"),
]


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def manager_of(clinic: Clinic, **facts: Any) -> User:
    return UserFactory(clinic=clinic, role=Role.MANAGER, **facts)


def consultant_of(clinic: Clinic, **facts: Any) -> User:
    return UserFactory(clinic=clinic, role=Role.ONLINE_CONSULTANT, **facts)


def rude_chat(clinic: Clinic, consultant: User | None = None, **facts: Any) -> Conversation:
    """A chat with a rhetorical question (10 points), a typo (3) and no invitation (5): 82 of 100."""
    chat = ConversationFactory(clinic=clinic, consultant=consultant, lines=RUDE, **facts)
    found(chat, "taboo.rhetorical", at=1, quote="难道我没说清楚吗")
    found(chat, "error.typo", at=3, quote="检察")
    found(chat, "not_invited")
    refresh(conversation=chat)
    return chat


def found(chat: Conversation, code: str, at: int | None = None, **facts: Any) -> Finding:
    message = ChatMessage.objects.get(conversation=chat, position=at) if at is not None else None
    return FindingFactory(conversation=chat, code=code, message=message, user=chat.consultant, **facts)

"""How authenticator apps work here: who needs one, and how what they share with us is kept."""

import base64
import hashlib

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.conf import settings
from django.utils.translation import gettext_lazy

from accounts.models import Group, User
from accounts.permissions import Role

NEED_IT = frozenset({Role.MANAGER, Role.ADMIN})


def _cipher() -> Fernet:
    key = hashlib.sha256(b"authenticator apps" + settings.DATA_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


class StaffMFAAdapter(DefaultMFAAdapter):
    """Keeps secrets encrypted under DATA_KEY, so that a copy of the database alone makes no codes."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This code is not right, or was used already. Wait for the next one."),
    }

    def get_totp_label(self, user: User) -> str:
        return user.username

    def get_totp_issuer(self) -> str:
        return Group.named()

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()


def has_second_step(user: User) -> bool:
    """Tell whether the person signs in with an authenticator app."""
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()


def needs_second_step(user: User) -> bool:
    """Tell whether the person's roles ask for an authenticator app (REQUIRE_TOTP; managers and administrators)."""
    return settings.REQUIRE_TOTP and (user.is_group_admin or bool(NEED_IT & set(user.roles.values())))

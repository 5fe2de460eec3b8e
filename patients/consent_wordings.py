"""What a patient is told when asked for a consent, by version: an entry names the words that were shown.

A change of the words is a new version; the old ones stay, since people agreed to them.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from patients.models.history import ConsentPurpose

CURRENT = "1"

WORDINGS: Mapping[str, Mapping[str, Any]] = {
    "1": {
        ConsentPurpose.CARE: _(
            "My health information is used for my examination, diagnosis and treatment in this clinic."
        ),
        ConsentPurpose.CONTACT: _(
            "The clinic may contact me by phone, text message or WeChat about my appointments and my care."
        ),
        ConsentPurpose.MARKETING: _("The clinic may tell me of activities and offers. I can stop this at any time."),
        ConsentPurpose.WECHAT_ARCHIVE: _("My WeChat conversations with the clinic are kept with my record."),
    },
}


def wording(purpose: str, version: str = CURRENT) -> str:
    """Return the words of a purpose in a version, "" for a version that is not kept here."""
    return str(WORDINGS.get(version, {}).get(purpose, ""))

"""The words of messages: a clinic's own, else the built-in ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from followups import ad_words, message_sets
from followups.errors import Refused
from followups.models import MessageTemplate, MessagingSettings


@dataclass(frozen=True)
class Words:
    """A text with places to fill in, and the provider's code for it."""

    body: str
    provider_code: str = ""

    def rendered(self, variables: Mapping[str, Any]) -> str:
        return message_sets.fill(self.body, variables)

    def in_order(self, variables: Mapping[str, Any]) -> dict[str, str]:
        """Return what is filled in, in the order of the text, as providers with templates of their own want it."""
        return {name: str(variables.get(name, "")) for name in message_sets.places_in(self.body)}


class Book:
    """The texts of some clinics, read once. A clinic's own text in the message's language, else the built-in one."""

    def __init__(self, clinic_ids: Iterable[int]) -> None:
        rows = MessageTemplate.objects.filter(clinic__in=clinic_ids, is_active=True)
        found = rows.values_list("clinic_id", "purpose", "language", "channel", "body", "provider_code")
        self._own = {row[:4]: Words(row[4], row[5]) for row in found}

    def words(self, clinic_id: int, purpose: str, language: str, channel: str) -> Words:
        own = self._own.get((clinic_id, purpose, language, channel))
        return own or Words(message_sets.built_in(purpose, language))


def ad_list(clinic: Clinic) -> ad_words.Words:
    """Return the clinic's list of words of medical advertising."""
    kept = MessagingSettings.objects.filter(clinic=clinic).values_list("ad_words", flat=True).first()
    return ad_words.words_of(kept)


def check_text(*, clinic: Clinic, text: str, marketing: bool, confirmed: bool = False) -> ad_words.Finding:
    """Return what a text uses of the clinic's list (DOMAIN §7).

    Raises: Refused, field "body", for words no advertising may use, and for others unless confirmed.
    """
    found = ad_words.check(text, marketing=marketing, words=ad_list(clinic))
    if found.refused:
        words = "、".join(found.refused)
        raise Refused(_("Advertising must not say: %(words)s") % {"words": words}, field="body")
    if found.flagged and not confirmed:
        words = "、".join(found.flagged)
        told = _("Words of medical advertising: %(words)s. Change them, or tick that they are meant.")
        raise Refused(told % {"words": words}, field="body")
    return found


@transaction.atomic
def save_template(
    *,
    clinic: Clinic,
    purpose: str,
    language: str,
    channel: str,
    body: str,
    by: User,
    provider_code: str = "",
    is_active: bool = True,
    confirmed: bool = False,
) -> MessageTemplate:
    """Keep a clinic's own text. Raises: Refused for what cannot be filled in, or words of medical advertising."""
    unknown = message_sets.unknown_in(body, purpose)
    if unknown:
        names = " ".join(f"{{{name}}}" for name in unknown)
        raise Refused(_("This cannot be filled in: %(names)s") % {"names": names}, field="body")
    marketing = purpose in message_sets.NATURES
    found = check_text(clinic=clinic, text=body, marketing=marketing, confirmed=confirmed)
    key = {"clinic": clinic, "purpose": purpose, "language": language, "channel": channel}
    values = {"body": body, "provider_code": provider_code, "is_active": is_active, "updated_by": by}
    row, created = MessageTemplate.objects.select_for_update().get_or_create(**key, defaults=values)
    if not created:
        for name, value in values.items():
            setattr(row, name, value)
        row.version += 1
        row.save()
    told = {"kind": str(row.get_purpose_display()), "words": "、".join(found.flagged)}
    record(action="message_template_saved", clinic=clinic, by=by, subject=row, **told)
    return row


@transaction.atomic
def reset_template(*, template: MessageTemplate, by: User) -> None:
    """Go back to the built-in words."""
    record(action="message_template_reset", clinic=template.clinic, by=by, kind=str(template.get_purpose_display()))
    template.delete()

"""Links without sign-in: a clinic's for complaints, a patient's to bring friends. Random, printed, revocable."""

import re
import secrets

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import Clinic, User
from patients.models import Patient, PublicLink

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is misread when typed off paper
LENGTH = 10  # 31^10 codes: not to be guessed
_CODE = re.compile(rf"(?:^|/r/)([{ALPHABET}]{{{LENGTH}}})/?$")

Purpose = PublicLink.Purpose


def new_code() -> str:
    """Return a random code."""
    return "".join(secrets.choice(ALPHABET) for _n in range(LENGTH))


@transaction.atomic
def link_for(*, clinic: Clinic, purpose: str, by: User, patient: Patient | None = None) -> PublicLink:
    """Return the live link, made when there is none. Args: patient: the referrer, for a referral link."""
    Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)  # two people ask at once: one link
    rows = PublicLink.objects.for_clinic(clinic).filter(purpose=purpose, patient=patient, revoked_at=None)
    found: PublicLink | None = rows.first()
    if found is None:
        found = PublicLink.objects.create(
            clinic=clinic, purpose=purpose, patient=patient, code=new_code(), created_by=by
        )
        record(action="public_link_made", clinic=clinic, by=by, subject=found, kind=str(purpose))
    return found


@transaction.atomic
def revoke(*, link: PublicLink, by: User) -> None:
    """Make the link useless: what is printed leads nowhere from now on. Once."""
    if PublicLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=timezone.now()):
        record(action="public_link_revoked", clinic=link.clinic, by=by, subject=link, kind=str(link.purpose))


def live(code: str, purpose: str) -> PublicLink | None:
    """Return the link of a code, unless it was revoked or its clinic is closed."""
    rows = PublicLink.objects.filter(code=code.upper(), purpose=purpose, revoked_at=None, clinic__is_active=True)
    found: PublicLink | None = rows.select_related("clinic", "patient").first()
    return found


def code_in(text: str) -> str:
    """Return the referral code in what was typed or scanned (the code alone, or the link), "" when there is none."""
    found = _CODE.search("".join(text.split()).upper().replace("/R/", "/r/"))
    return found[1] if found else ""


def referrer_by_code(text: str, *, user: User) -> Patient | None:
    """Return whose referral code it is, if the person may see that patient; a merged record's is the winner's."""
    code = code_in(text)
    link = live(code, Purpose.REFERRAL) if code else None
    if link is None or link.patient is None:
        return None
    wanted = link.patient.merged_into_id or link.patient.pk
    found: Patient | None = Patient.objects.for_user(user).living().filter(pk=wanted).first()
    return found

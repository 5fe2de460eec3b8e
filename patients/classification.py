"""The five classes of undecided patients and how one is suggested (DOMAIN §3, [S1])."""

from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LOW = 2  # awareness and trust run from 1 to 5; up to here they are low


class PatientClass(models.TextChoices):
    """Classes, lowest first."""

    CE = "C-E", "C-E"
    CD = "C-D", "C-D"
    CC = "C-C", "C-C"
    CB = "C-B", "C-B"
    CA = "C-A", "C-A"


class Complaint(models.TextChoices):
    """What a patient comes for (主诉)."""

    IMPLANT = "implant", _("Implant")
    PROSTHODONTICS = "prosthodontics", _("Prosthodontics")
    ORTHODONTICS = "orthodontics", _("Orthodontics")
    AESTHETIC_RESTORATION = "aesthetic_restoration", _("Aesthetic restoration")
    PERIODONTAL = "periodontal", _("Periodontal")
    ENDODONTIC = "endodontic", _("Root canal")
    FILLING = "filling", _("Filling")
    EXTRACTION = "extraction", _("Extraction")
    CLEANING = "cleaning", _("Cleaning")
    WHITENING = "whitening", _("Whitening")
    PEDIATRIC = "pediatric", _("Children's dentistry")
    PAIN = "pain", _("Toothache")
    MEDICAL_AESTHETIC = "medical_aesthetic", _("Medical aesthetics")
    OTHER = "other", _("Other")


SPECIALIST = frozenset({Complaint.IMPLANT, Complaint.PROSTHODONTICS, Complaint.ORTHODONTICS})
QUALITY_RETURN = frozenset({Complaint.ORTHODONTICS, Complaint.AESTHETIC_RESTORATION})


@dataclass(frozen=True)
class ClassFacts:
    """What the suggestion looks at. `awareness` is 1 to 5, None when not judged yet."""

    complaint: str
    is_return: bool
    awareness: int | None
    effective_referrals: int = 0


@dataclass(frozen=True)
class Suggestion:
    """A class and why."""

    code: str
    reason: str | Promise


def suggest(facts: ClassFacts) -> Suggestion:
    """Suggest a class from the facts; the first rule that applies, with its reason (DOMAIN §3)."""
    if facts.effective_referrals >= 1:
        return Suggestion(PatientClass.CA, _("has brought others who were received"))
    if facts.is_return and facts.complaint in QUALITY_RETURN:
        return Suggestion(PatientClass.CB, _("return visit for orthodontics or aesthetic restoration"))
    if facts.complaint in SPECIALIST and facts.awareness is not None and facts.awareness <= LOW:
        return Suggestion(PatientClass.CC, _("implant, prosthodontics or orthodontics with low awareness"))
    if facts.is_return:
        return Suggestion(PatientClass.CD, _("return visit"))
    return Suggestion(PatientClass.CE, _("first visit"))

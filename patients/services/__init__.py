"""Writes about patients."""

from patients.services.classes import classify
from patients.services.consents import record_consent
from patients.services.contact import link_wechat, reveal_contact
from patients.services.details import set_allergies, set_important, update_patient
from patients.services.referrals import link_referral, mark_referral_effective
from patients.services.registration import NewPatient, register_in_clinic, register_patient

__all__ = [
    "NewPatient",
    "classify",
    "link_referral",
    "link_wechat",
    "mark_referral_effective",
    "record_consent",
    "register_in_clinic",
    "register_patient",
    "reveal_contact",
    "set_allergies",
    "set_important",
    "update_patient",
]

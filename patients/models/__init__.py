"""People, their registrations in clinics, and what is known and agreed about them."""

from patients.models.audits import ClassAudit, ClassAuditItem, ClassSuggestion
from patients.models.care import CareAction, ReferralThanks, WordOfMouth
from patients.models.complaints import ComplaintCase, ComplaintCounter, ComplaintStep, PublicLink
from patients.models.history import ClassChange, Consent, ConsentPurpose, Referral
from patients.models.imports import ImportJob
from patients.models.merging import NotTheSame, PatientMerge, RightsRequest
from patients.models.patient import Patient, PatientPhone, Sex
from patients.models.registration import Channel, ChartNumber, PatientNumberCounter, Registration

__all__ = [
    "CareAction",
    "Channel",
    "ChartNumber",
    "ClassAudit",
    "ClassAuditItem",
    "ClassChange",
    "ClassSuggestion",
    "ComplaintCase",
    "ComplaintCounter",
    "ComplaintStep",
    "Consent",
    "ConsentPurpose",
    "ImportJob",
    "NotTheSame",
    "Patient",
    "PatientMerge",
    "PatientNumberCounter",
    "PatientPhone",
    "PublicLink",
    "Referral",
    "ReferralThanks",
    "Registration",
    "RightsRequest",
    "Sex",
    "WordOfMouth",
]

"""People, their registrations in clinics, and what is known and agreed about them."""

from patients.models.history import ClassChange, Consent, ConsentPurpose, Referral
from patients.models.imports import ImportJob
from patients.models.patient import Patient, PatientPhone, Sex
from patients.models.registration import Channel, ChartNumber, PatientNumberCounter, Registration

__all__ = [
    "Channel",
    "ChartNumber",
    "ClassChange",
    "Consent",
    "ConsentPurpose",
    "ImportJob",
    "Patient",
    "PatientNumberCounter",
    "PatientPhone",
    "Referral",
    "Registration",
    "Sex",
]

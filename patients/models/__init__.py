"""People, their registrations in clinics, and what is known and agreed about them."""

from patients.models.history import ClassChange, Consent, Referral
from patients.models.imports import ImportJob
from patients.models.patient import Patient, PatientPhone
from patients.models.registration import ChartNumber, PatientNumberCounter, Registration

__all__ = [
    "ChartNumber",
    "ClassChange",
    "Consent",
    "ImportJob",
    "Patient",
    "PatientNumberCounter",
    "PatientPhone",
    "Referral",
    "Registration",
]

"""Patients in the REST API."""

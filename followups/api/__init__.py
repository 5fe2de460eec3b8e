"""Appointments, free times, tasks, contacts and messages in the REST API."""

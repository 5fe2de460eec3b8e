"""Routes of a patient's rights in their data."""

from django.urls import path

from clinic_crm.workbench import rights_views

urlpatterns = [
    path("patients/<int:pk>/rights/", rights_views.patient_rights, name="patient_rights"),
    path("patients/<int:pk>/rights/report/", rights_views.rights_report, name="rights_report"),
    path("patients/<int:pk>/rights/erase/", rights_views.rights_erase, name="rights_erase"),
]

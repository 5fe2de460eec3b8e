"""Routes of what is done for patients, and of class audits."""

from django.urls import path

from patients.views import audits, care

urlpatterns = [
    path("patients/<int:pk>/care/", care.patient_care, name="patient_care"),
    path("care/<int:pk>/undo/", care.care_undo, name="care_undo"),
    path("class-audits/", audits.class_audits, name="class_audits"),
    path("class-audits/draw/", audits.class_audit_draw, name="class_audit_draw"),
    path("class-audits/<int:pk>/", audits.class_audit, name="class_audit"),
    path("class-audits/<int:pk>/rate/", audits.class_audit_rate, name="class_audit_rate"),
    path("class-audits/<int:pk>/unrate/", audits.class_audit_unrate, name="class_audit_unrate"),
]

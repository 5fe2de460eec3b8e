"""Routes of the patients' pages. The patient page itself brings several apps together: clinic_crm.workbench."""

from django.urls import include, path

from patients.views import actions, adding, editing, guardian, lists, word_of_mouth

urlpatterns = [
    path("patients/", lists.patient_list, name="patient_list"),
    path("patients/import/", include("patients.import_urls")),
    path("", include("patients.care_urls")),
    path("patients/columns/", lists.patient_columns, name="patient_columns"),
    path("patients/filters/", lists.patient_filters, name="patient_filters"),
    path("patients/export/", lists.patient_export, name="patient_export"),
    path("patients/add/", adding.patient_add, name="patient_add"),
    path("patients/add/phone/", adding.phone_check, name="phone_check"),
    path("patients/pick/", adding.patient_pick, name="patient_pick"),
    path("patients/<int:pk>/register/", adding.patient_register_here, name="patient_register_here"),
    path("patients/<int:pk>/edit/", editing.patient_edit, name="patient_edit"),
    path("patients/<int:pk>/reveal/", actions.patient_reveal, name="patient_reveal"),
    path("patients/<int:pk>/allergies/", actions.patient_allergies, name="patient_allergies"),
    path("patients/<int:pk>/important/", actions.patient_important, name="patient_important"),
    path("patients/<int:pk>/guardian/", guardian.patient_guardian, name="patient_guardian"),
    path("patients/<int:pk>/word-of-mouth/", word_of_mouth.patient_word_of_mouth, name="patient_word_of_mouth"),
]

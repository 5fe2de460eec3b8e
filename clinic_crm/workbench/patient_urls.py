"""Routes of the search and the patient page."""

from django.urls import path

from clinic_crm.workbench import classifying, consenting, patient_views, search

urlpatterns = [
    path("search/", search.search, name="search"),
    path("patients/<int:pk>/", patient_views.patient, name="patient"),
    path("patients/<int:pk>/timeline/", patient_views.patient_timeline, name="patient_timeline"),
    path("patients/<int:pk>/classify/", classifying.patient_classify, name="patient_classify"),
    path("patients/<int:pk>/consents/", consenting.patient_consents, name="patient_consents"),
    path("patients/<int:pk>/wechat/", consenting.patient_wechat, name="patient_wechat"),
    path("patients/<int:pk>/wechat/undo/", consenting.patient_wechat_undo, name="patient_wechat_undo"),
]

"""Routes of the pages about people found twice."""

from django.urls import path

from clinic_crm.workbench import merging_views

urlpatterns = [
    path("duplicates/", merging_views.duplicate_list, name="duplicate_list"),
    path("duplicates/apart/", merging_views.duplicate_apart, name="duplicate_apart"),
    path("merges/", merging_views.merge_list, name="merge_list"),
    path("merges/<int:pk>/", merging_views.merge_detail, name="merge_detail"),
    path("merges/<int:pk>/undo/", merging_views.merge_undo, name="merge_undo"),
    path("patients/<int:pk>/merge/", merging_views.patient_merge, name="patient_merge"),
]

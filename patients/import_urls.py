"""Routes of the import's pages."""

from django.urls import path

from patients import import_views as views

urlpatterns = [
    path("", views.import_list, name="import_list"),
    path("<int:pk>/", views.import_detail, name="import_detail"),
    path("<int:pk>/columns/", views.import_columns, name="import_columns"),
    path("<int:pk>/start/", views.import_start, name="import_start"),
    path("<int:pk>/discard/", views.import_discard, name="import_discard"),
    path("<int:pk>/rejected.csv", views.import_rejected, name="import_rejected"),
]

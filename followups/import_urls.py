"""Routes of the import of appointments."""

from django.urls import URLPattern, path

from followups.views import importing as views

AT = "appointments/import"
urlpatterns: list[URLPattern] = [
    path(f"{AT}/", views.appointment_import, name="appointment_import"),
    path(f"{AT}/<int:pk>/", views.appointment_import_detail, name="appointment_import_detail"),
    path(f"{AT}/<int:pk>/columns/", views.appointment_import_columns, name="appointment_import_columns"),
    path(f"{AT}/<int:pk>/start/", views.appointment_import_start, name="appointment_import_start"),
    path(f"{AT}/<int:pk>/discard/", views.appointment_import_discard, name="appointment_import_discard"),
    path(f"{AT}/<int:pk>/rejected.csv", views.appointment_import_rejected, name="appointment_import_rejected"),
]

"""Routes of the first start and of the settings."""

from django.urls import path

from clinic_crm.setup import views

urlpatterns = [
    path("setup/", views.first_start, name="first_start"),
    path("settings/", views.settings_index, name="settings"),
    path("settings/<slug:what>/restore/", views.settings_restore, name="settings_restore"),
]

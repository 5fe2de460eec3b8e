"""Routes of appointments. Booking and moving stand in the workbench, which knows visits too."""

from django.urls import path

from followups import views

urlpatterns = [
    path("appointments/", views.appointments, name="appointments"),
    path("appointments/<int:pk>/", views.appointment, name="appointment"),
    path("appointments/<int:pk>/confirm/", views.appointment_confirm, name="appointment_confirm"),
    path("appointments/<int:pk>/cancel/", views.appointment_cancel, name="appointment_cancel"),
    path("appointments/<int:pk>/restore/", views.appointment_restore, name="appointment_restore"),
]

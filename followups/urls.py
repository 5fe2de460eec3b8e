"""Routes of appointments, tasks and messages. Booking and moving stand in the workbench, which knows visits too."""

from django.urls import path

from followups.calendar_urls import urlpatterns as calendar_urls
from followups.desk_urls import urlpatterns as desk_urls
from followups.import_urls import urlpatterns as import_urls
from followups.message_urls import urlpatterns as message_urls
from followups.task_urls import urlpatterns as task_urls
from followups.views import appointments as views

urlpatterns = [
    path("appointments/<int:pk>/", views.appointment, name="appointment"),
    path("appointments/<int:pk>/confirm/", views.appointment_confirm, name="appointment_confirm"),
    path("appointments/<int:pk>/cancel/", views.appointment_cancel, name="appointment_cancel"),
    path("appointments/<int:pk>/why/", views.appointment_why, name="appointment_why"),
    path("appointments/<int:pk>/restore/", views.appointment_restore, name="appointment_restore"),
    *calendar_urls,
    *import_urls,
    *desk_urls,
    *task_urls,
    *message_urls,
]

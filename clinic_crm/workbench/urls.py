"""Routes of the pages that bring several apps together."""

from django.urls import include, path

from clinic_crm.workbench import arrivals, booking, views

urlpatterns = [
    path("", include("clinic_crm.workbench.patient_urls")),
    path("", include("clinic_crm.workbench.merging_urls")),
    path("", include("clinic_crm.workbench.rights_urls")),
    path("", include("clinic_crm.workbench.complaint_urls")),
    path("", include("clinic_crm.workbench.referral_urls")),
    path("", include("clinic_crm.workbench.undecided_urls")),
    path("", views.home, name="home"),
    path("today/", views.today, name="today"),
    path("today/board/", views.today_board, name="today_board"),
    path("today/visits/<int:pk>/<slug:step>/", views.today_step, name="today_step"),
    path("check-in/", arrivals.walk_in, name="check_in"),
    path("check-in/<int:pk>/", arrivals.check_in_patient, name="check_in_patient"),
    path("appointments/new/", booking.appointment_new, name="appointment_new"),
    path("appointments/<int:pk>/move/", booking.appointment_move, name="appointment_move"),
    path("appointments/<int:pk>/undo/", booking.appointment_undo, name="appointment_undo"),
    path("appointments/<int:pk>/check-in/", arrivals.appointment_check_in, name="appointment_check_in"),
]

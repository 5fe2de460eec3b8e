"""Routes of complaints."""

from django.urls import path

from clinic_crm.workbench import complaint_acts, complaints, complaints_public

urlpatterns = [
    path("complaints/", complaints.complaint_list, name="complaint_list"),
    path("complaints/new/", complaints.complaint_new, name="complaint_new"),
    path("complaints/link/", complaints_public.complaint_link, name="complaint_link"),
    path("complaints/<int:pk>/", complaints.complaint, name="complaint"),
    path("complaints/<int:pk>/step/", complaint_acts.complaint_step, name="complaint_step"),
    path("complaints/<int:pk>/change/", complaint_acts.complaint_change, name="complaint_change"),
    path("complaints/<int:pk>/close/", complaint_acts.complaint_close, name="complaint_close"),
    path("complaints/<int:pk>/reopen/", complaint_acts.complaint_reopen, name="complaint_reopen"),
    path("complaints/<int:pk>/join/", complaint_acts.complaint_join, name="complaint_join"),
    path("complaints/<int:pk>/unjoin/", complaint_acts.complaint_unjoin, name="complaint_unjoin"),
    path("complaints/<int:pk>/patient/", complaint_acts.complaint_patient, name="complaint_patient"),
    path("complaints/<int:pk>/contact/", complaint_acts.complaint_contact, name="complaint_contact"),
    path("c/<slug:code>/", complaints_public.complaint_public, name="complaint_public"),
    path("c/<slug:code>/thanks/", complaints_public.complaint_thanks, name="complaint_thanks"),
]

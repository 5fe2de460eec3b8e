"""Routes of readings, campaigns, calendar feeds and the import of appointments."""

from django.urls import URLPattern, path

from followups.views import campaigns, feed, materials

urlpatterns: list[URLPattern] = [
    path("campaigns/", campaigns.campaign_list, name="campaign_list"),
    path("campaigns/new/", campaigns.campaign_edit, name="campaign_new"),
    path("campaigns/<int:pk>/", campaigns.campaign, name="campaign"),
    path("campaigns/<int:pk>/edit/", campaigns.campaign_edit, name="campaign_edit"),
    path("campaigns/<int:pk>/submit/", campaigns.campaign_submit, name="campaign_submit"),
    path("campaigns/<int:pk>/approve/", campaigns.campaign_approve, name="campaign_approve"),
    path("campaigns/<int:pk>/send-back/", campaigns.campaign_send_back, name="campaign_send_back"),
    path("campaigns/<int:pk>/stop/", campaigns.campaign_stop, name="campaign_stop"),
    path("content/readings/", materials.material_list, name="material_list"),
    path("content/readings/new/", materials.material_edit, name="material_new"),
    path("content/readings/load/", materials.materials_load, name="materials_load"),
    path("content/readings/<int:pk>/", materials.material_edit, name="material_edit"),
    path("patients/<int:pk>/reading/", materials.patient_reading, name="patient_reading"),
    path("patients/<int:pk>/reading/<int:material>/", materials.patient_reading_use, name="patient_reading_use"),
    path("calendar/feed/<str:token>.ics", feed.calendar_feed, name="calendar_feed"),
    path("me/calendar/", feed.my_calendar, name="my_calendar"),
    path("me/calendar/revoke/", feed.my_calendar_revoke, name="my_calendar_revoke"),
]

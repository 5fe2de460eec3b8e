"""Routes of the inspection of etiquette."""

from django.urls import path

from metrics.views import etiquette, etiquette_recordings, etiquette_rubrics, etiquette_scoring

urlpatterns = [
    path("etiquette/", etiquette.etiquette, name="etiquette"),
    path("etiquette/records/", etiquette.etiquette_records, name="etiquette_records"),
    path("etiquette/mine/", etiquette.etiquette_mine, name="etiquette_mine"),
    path("etiquette/<int:pk>/", etiquette.etiquette_inspection, name="etiquette_inspection"),
    path("etiquette/<int:pk>/seen/", etiquette.etiquette_seen, name="etiquette_seen"),
    path("etiquette/<int:pk>/take-back/", etiquette.etiquette_take_back, name="etiquette_take_back"),
    path("etiquette/<int:pk>/recordings/", etiquette_recordings.etiquette_recording_add, name="etiquette_record_add"),
    path("etiquette/visits/<int:pk>/", etiquette_scoring.etiquette_visit, name="etiquette_visit"),
    path("etiquette/calls/<int:pk>/", etiquette_scoring.etiquette_call, name="etiquette_call"),
    path("etiquette/recordings/<int:pk>/", etiquette_recordings.etiquette_recording, name="etiquette_recording"),
    path("etiquette/rubrics/<slug:kind>/", etiquette_rubrics.etiquette_rubric, name="etiquette_rubric"),
    path(
        "etiquette/rubrics/<slug:kind>/restore/", etiquette_rubrics.etiquette_rubric_restore, name="etiquette_restore"
    ),
]

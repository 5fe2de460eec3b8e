"""Routes of frozen months, of what leaves the house, and of the API."""

from django.urls import path

from metrics import api
from metrics.views import digest, exports, frozen

urlpatterns = [
    path("kpis/frozen/", frozen.frozen_months, name="kpi_frozen"),
    path("kpis/frozen/<int:pk>/", frozen.frozen_month, name="kpi_frozen_month"),
    path("kpis/export/", exports.export, name="kpi_export"),
    path("kpis/digest/", digest.switch, name="kpi_digest"),
    path("api/v1/kpis/", api.kpis, name="api_kpis"),
    path("api/v1/kpis/<slug:slug>/records/", api.kpi_records, name="api_kpi_records"),
]

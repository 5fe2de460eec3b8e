"""Routes of frozen months, of what leaves the house, and of the API."""

from django.urls import path

from metrics.views import digest, exports, frozen

urlpatterns = [
    path("kpis/frozen/", frozen.frozen_months, name="kpi_frozen"),
    path("kpis/frozen/<int:pk>/", frozen.frozen_month, name="kpi_frozen_month"),
    path("kpis/export/", exports.export, name="kpi_export"),
    path("kpis/digest/", digest.switch, name="kpi_digest"),
]

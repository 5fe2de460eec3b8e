"""Routes of the key figures in the API."""

from django.urls import path

from accounts.api.routes import Router, declare
from metrics import api
from metrics.etiquette_api import Inspections, Rubrics

router = Router()
router.register("inspections", Inspections, "inspection")
router.register("etiquette-rubrics", Rubrics, "etiquette_rubric")

urlpatterns = [
    *router.urls,
    declare(path("kpis/", api.Kpis.as_view(), name="api_kpis")),
    declare(path("kpis/<slug:slug>/records/", api.KpiRecords.as_view(), name="api_kpi_records")),
]

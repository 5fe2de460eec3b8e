"""Routes of the dashboard, its panels, records and targets."""

from django.urls import URLPattern, path

from metrics.views import board, records, targets

urlpatterns: list[URLPattern] = [
    path("kpis/", board.dashboard, name="kpis"),
    path("kpis/cards/", board.cards, name="kpi_cards"),
    path("kpis/compare/", board.compare, name="kpi_compare"),
    path("kpis/targets/", targets.targets, name="kpi_targets"),
    path("kpis/panels/<slug:slug>/", board.panel, name="kpi_panel"),
    path("kpis/panels/<slug:slug>/records/", records.panel_records, name="kpi_panel_records"),
]

# Any word may stand for a figure here, so these come after everything else below kpis/.
last: list[URLPattern] = [
    path("kpis/<slug:slug>/", records.records, name="kpi_records"),
    path("kpis/<slug:slug>/trend/", records.trend_chart, name="kpi_trend"),
]

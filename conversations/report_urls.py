"""Routes of the reports on chats, and of exports."""

from django.urls import URLPattern, path

from conversations.views import reports

urlpatterns: list[URLPattern] = [
    path("conversations/reports/", reports.report, {"page": "people"}, name="conversation_reports"),
    path("conversations/reports/trend/", reports.report, {"page": "trend"}, name="conversation_reports_trend"),
    path("conversations/reports/losses/", reports.report, {"page": "losses"}, name="conversation_reports_losses"),
    path("conversations/reports/sources/", reports.report, {"page": "sources"}, name="conversation_reports_sources"),
    path("conversations/reports/times/", reports.report, {"page": "times"}, name="conversation_reports_times"),
    path("conversations/reports/service/", reports.report, {"page": "service"}, name="conversation_reports_service"),
    path("conversations/reports/chats/", reports.report_chats, name="conversation_report_chats"),
    path("conversations/reports/export/", reports.report_export, name="conversation_report_export"),
    path("conversations/export/", reports.conversation_export, name="conversation_export"),
]

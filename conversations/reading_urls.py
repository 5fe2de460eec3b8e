"""Routes of reading, scoring and appealing chats, and of the rules they are read by."""

from django.urls import URLPattern, path

from conversations.views import appeals, fronts, reading, rule_editor, scoring

urlpatterns: list[URLPattern] = [
    path("conversations/", reading.conversations, name="conversations"),
    path("conversations/<int:pk>/", reading.conversation, name="conversation"),
    path("conversations/<int:pk>/lines/", reading.conversation_lines, name="conversation_lines"),
    path("conversations/<int:pk>/open/", reading.conversation_open, name="conversation_open"),
    path("conversations/<int:pk>/read/", reading.conversation_read, name="conversation_read"),
    path("conversations/<int:pk>/self-check/", reading.conversation_self_check, name="conversation_self_check"),
    path("conversations/<int:pk>/coach/", reading.conversation_coach, name="conversation_coach"),
    path("conversations/<int:pk>/score/", scoring.conversation_score, name="conversation_score"),
    path("conversations/<int:pk>/findings/add/", scoring.finding_add, name="finding_add"),
    path("conversations/findings/<int:pk>/withdraw/", scoring.finding_withdraw, name="finding_withdraw"),
    path("conversations/findings/<int:pk>/appeal/", appeals.finding_appeal, name="finding_appeal"),
    path("conversations/appeals/<int:pk>/answer/", appeals.appeal_answer, name="appeal_answer"),
    path("conversations/coaching/<int:pk>/done/", reading.coaching_done, name="coaching_done"),
    path("conversations/rules/", rule_editor.chat_rules, name="chat_rules"),
    path("conversations/rules/save/", rule_editor.chat_rules_save, name="chat_rules_save"),
    path("conversations/rules/try/", rule_editor.chat_rules_try, name="chat_rules_try"),
    path("conversations/rules/preview/", rule_editor.chat_rules_preview, name="chat_rules_preview"),
    path(
        "conversations/rules/preview/<slug:token>/", rule_editor.chat_rules_preview_step, name="chat_rules_preview_step"
    ),
    path("conversations/rules/job/", rule_editor.chat_rules_job, name="chat_rules_job"),
    path("conversations/rules/versions/<int:version>/", rule_editor.chat_rules_version, name="chat_rules_version"),
    path("conversations/rubrics/", fronts.chat_rubrics, name="chat_rubrics"),
    path("conversations/fronts/", fronts.fronts, name="fronts"),
    path("conversations/fronts/<int:pk>/", fronts.front, name="front"),
]

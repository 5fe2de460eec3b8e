"""Routes of the import of chats, of the webhook, and of what chats captured."""

from django.urls import URLPattern, path

from conversations.views import capture, imports, webhook

urlpatterns: list[URLPattern] = [
    path("conversations/import/", imports.conversation_import, name="conversation_import"),
    path("conversations/import/<int:pk>/", imports.conversation_import_detail, name="conversation_import_detail"),
    path(
        "conversations/import/<int:pk>/columns/",
        imports.conversation_import_columns,
        name="conversation_import_columns",
    ),
    path("conversations/import/<int:pk>/start/", imports.conversation_import_start, name="conversation_import_start"),
    path(
        "conversations/import/<int:pk>/discard/",
        imports.conversation_import_discard,
        name="conversation_import_discard",
    ),
    path("conversations/import/<int:pk>/rows.csv", imports.conversation_import_rows, name="conversation_import_rows"),
    path("conversations/names/", imports.consultant_names, name="consultant_names"),
    path("conversations/webhook/", webhook.chat_webhook_settings, name="chat_webhook_settings"),
    path("conversations/webhook/make/", webhook.chat_webhook_make, name="chat_webhook_make"),
    path("conversations/webhook/secret/", webhook.chat_webhook_secret, name="chat_webhook_secret"),
    path("conversations/webhook/end/", webhook.chat_webhook_end, name="chat_webhook_end"),
    path("conversations/webhook/<str:key>/", webhook.chat_webhook, name="chat_webhook"),
    path("conversations/captures/", capture.captures, name="captures"),
    path("conversations/<int:pk>/take-over/", capture.capture_take_over, name="capture_take_over"),
    path("conversations/<int:pk>/take-over/undo/", capture.capture_undo, name="capture_undo"),
    path("conversations/<int:pk>/captured/", capture.capture_correct, name="capture_correct"),
    path("conversations/contacts/<int:pk>/", capture.capture_file, name="capture_file"),
    path("conversations/contacts/<int:pk>/show/", capture.capture_reveal, name="capture_reveal"),
]

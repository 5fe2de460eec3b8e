"""Routes of messages."""

from django.urls import URLPattern, path

from followups.views import callbacks, hooks, messages, outbox

TEMPLATE = "messages/texts/<slug:purpose>/<slug:language>/<slug:channel>/"

urlpatterns: list[URLPattern] = [
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/jobs/", outbox.outbox_jobs, name="outbox_jobs"),
    path("outbox/<int:pk>/", outbox.outbox_message, name="outbox_message"),
    path("outbox/<int:pk>/retry/", outbox.outbox_retry, name="outbox_retry"),
    path("outbox/<int:pk>/cancel/", outbox.outbox_cancel, name="outbox_cancel"),
    path("outbox/<int:pk>/settle/", outbox.outbox_settle, name="outbox_settle"),
    path("messages/texts/", messages.message_templates, name="message_templates"),
    path(TEMPLATE, messages.message_template, name="message_template"),
    path(f"{TEMPLATE}reset/", messages.message_template_reset, name="message_template_reset"),
    path("messages/settings/", messages.message_settings, name="message_settings"),
    path("messages/senders/", messages.sender_list, name="sender_list"),
    path("messages/senders/<slug:channel>/", messages.sender_edit, name="sender_edit"),
    path("messages/webhooks/", hooks.hook_list, name="hook_list"),
    path("messages/webhooks/new/", hooks.hook_new, name="hook_new"),
    path("messages/webhooks/<int:pk>/", hooks.hook, name="hook"),
    path("messages/webhooks/<int:pk>/secret/", hooks.hook_secret, name="hook_secret"),
    path("messages/webhooks/<int:pk>/remove/", hooks.hook_remove, name="hook_remove"),
    path("messages/webhooks/deliveries/<int:pk>/replay/", hooks.hook_replay, name="hook_replay"),
    path("messages/callback/<int:pk>/<slug:token>/", callbacks.message_callback, name="message_callback"),
]

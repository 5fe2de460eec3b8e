"""Routes of online chats. Those with words in the address stand before those with a number."""

from django.urls import URLPattern

from conversations.chat_urls import urlpatterns as chat_urls
from conversations.reading_urls import urlpatterns as reading_urls
from conversations.report_urls import urlpatterns as report_urls

urlpatterns: list[URLPattern] = [
    *chat_urls,
    *report_urls,
    *reading_urls,
]

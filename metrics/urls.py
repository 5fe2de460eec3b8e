"""Routes of the key figures."""

from metrics import board_urls, etiquette_urls, frozen_urls

urlpatterns = [
    *frozen_urls.urlpatterns,
    *etiquette_urls.urlpatterns,
    *board_urls.urlpatterns,
    *board_urls.last,
]

"""All routes."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from clinic_crm import health, styleguide

# Each app's routes stand at the root; the first match wins.
APPS = ("clinic_crm.workbench", "accounts", "patients", "followups", "consultations", "conversations", "metrics")

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("styleguide/", styleguide.styleguide, name="styleguide"),
    *(path("api/v1/", include(f"{app}.api_urls")) for app in APPS if find_spec(f"{app}.api_urls") is not None),
    path("", include("clinic_crm.setup.urls")),
    *(path("", include(f"{app}.urls")) for app in APPS if find_spec(f"{app}.urls") is not None),
]

handler400 = "clinic_crm.errors.bad_request"
handler403 = "clinic_crm.errors.forbidden"
handler404 = "clinic_crm.errors.not_found"
handler500 = "clinic_crm.errors.server_error"

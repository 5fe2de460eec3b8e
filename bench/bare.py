"""A Django with sessions, users and one view: what a web worker weighs before there is a product in it."""

import json
import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

CONTRIB = ("auth", "contenttypes", "sessions", "messages")
MIDDLEWARE = (
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
)

settings.configure(
    SECRET_KEY=os.urandom(16).hex(),
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": json.loads(os.environ["BENCH_DATABASE"])},
    INSTALLED_APPS=[f"django.contrib.{name}" for name in CONTRIB],
    MIDDLEWARE=MIDDLEWARE,
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
)
django.setup()
ROWS = "<table>{% for row in rows %}<tr><td>{{ row.app_label }}</td><td>{{ row.model }}</td></tr>{% endfor %}</table>"


def rows(_request: HttpRequest) -> HttpResponse:
    """Fifty rows, by the ORM and a template."""
    from django.contrib.contenttypes.models import ContentType

    found = ContentType.objects.order_by("pk")[:50]
    return HttpResponse(engines["django"].from_string(ROWS).render({"rows": found}))


urlpatterns = [path("healthz", rows)]
application = get_wsgi_application()

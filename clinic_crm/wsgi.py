"""What the web server runs."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")

application = get_wsgi_application()


def _warm() -> None:
    """Load what the first page would and all workers can share: calendars of holidays, catalogues of words."""
    from django.conf import settings
    from django.utils import timezone, translation

    from followups import holidays_cn

    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            holidays_cn.holidays_of(timezone.now().year)


_warm()

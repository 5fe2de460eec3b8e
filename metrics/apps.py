from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MetricsConfig(AppConfig):
    name = "metrics"
    verbose_name = _("Key figures")

    def ready(self) -> None:
        """Have the outbox ask who still wants the weekly digest when it leaves, and this app's jobs watched."""
        from followups import jobs, wanted
        from followups.models.messages import MessagePurpose
        from metrics import tasks

        jobs.add(*tasks.JOBS)
        wanted.ask(MessagePurpose.KPI_DIGEST, _still_wanted)


def _still_wanted(pairs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    from metrics.services.digest import still_wanted

    return still_wanted(pairs)

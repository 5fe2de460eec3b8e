from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConversationsConfig(AppConfig):
    name = "conversations"
    verbose_name = _("Conversations")

    def ready(self) -> None:
        """Have the jobs of this app watched with the others, and coaching shown over the task list."""
        from conversations import tasks
        from conversations.beside import coaching
        from followups import beside, jobs

        jobs.add(*tasks.JOBS)
        beside.show(coaching)

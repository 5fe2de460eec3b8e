"""A Celery worker or beat for `make chaos`, with the protection taken away that SABOTAGE names."""

import os
import sys


def sabotage(what: str) -> None:
    """Break one protection, so that the programme can show that it notices."""
    import django

    django.setup()
    from followups.services import reconciling, sending_sql

    if what == "no-claim":
        sending_sql.CLAIM = sending_sql.CLAIM.replace("FOR NO KEY UPDATE OF m SKIP LOCKED", "")
    elif what == "no-reconcile":
        # Whatever is in doubt is simply sent again.
        from followups.senders import Found, Reply
        from followups.senders.webhook import WebhookSender

        assert reconciling
        WebhookSender.query = lambda self, message: Reply(Found.ABSENT)  # type: ignore[method-assign]


if __name__ == "__main__":
    if os.environ.get("SABOTAGE"):
        sabotage(os.environ["SABOTAGE"])
    from clinic_crm.celery import app

    app.start(sys.argv[1:])

#!/usr/bin/env python
"""Django's command line; starts or joins the embedded PostgreSQL when no DATABASE_URL is set."""

import os
import sys
from contextlib import nullcontext

WITHOUT_SERVERS = frozenset({"inspect_conversations"})  # commands that read a file and print, no more


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")
    from clinic_crm.embedded import joined

    with nullcontext() if sys.argv[1:2] and sys.argv[1] in WITHOUT_SERVERS else joined():
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

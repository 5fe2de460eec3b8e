"""What must be in place before the web server starts: tables, collected files, demo data on the first run.

Run as `python -m clinic_crm.prepare` while the servers are up; the second time it finds nothing to do.
"""

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor


def migrate() -> None:
    """Apply what is not applied; asks for the plan first, which is much quicker than the command."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        print("Preparing the database …", flush=True)
        call_command("migrate", verbosity=0, interactive=False)


def collect_static() -> None:
    """Collect, hash and compress the browser's files if any changed since the last time."""
    state = hashlib.sha256("\n".join(_static_state()).encode()).hexdigest()
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    if stamp.exists() and stamp.read_text() == state:
        return
    print("Collecting static files …", flush=True)
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(state)


def _static_state() -> Iterator[str]:
    for finder in get_finders():
        for name, storage in finder.list([]):
            found = Path(storage.path(name)).stat()
            yield f"{name} {found.st_size} {found.st_mtime_ns}"


def load_demo() -> None:
    """Fill an empty installation with demo data, unless DEMO=0."""
    from accounts.models import Clinic

    if os.environ.get("DEMO", "1") != "0" and not Clinic.objects.exists():
        print("Loading demo data …", flush=True)
        with transaction.atomic():  # stopped half-way, the next start begins again from nothing
            call_command("load_demo", stdout=io.StringIO())


def print_accounts() -> None:
    """Say how to sign in to the demo data, if it is there."""
    table = io.StringIO()
    call_command("demo_accounts", stdout=table)
    if table.getvalue():
        print("Demo accounts (user name, password, role, name):")
        print(table.getvalue(), end="", flush=True)


def print_first_start() -> None:
    """Say how to open the first clinic, as long as nobody has an account."""
    from clinic_crm.setup.code import new_code
    from clinic_crm.setup.services import is_set_up

    if not is_set_up():
        port = os.environ.get("PORT") or 8000
        print(f"First start: open http://127.0.0.1:{port}/setup/ and type the code {new_code()}", flush=True)


def main() -> None:
    """Do each, only if needed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")
    django.setup()
    migrate()
    collect_static()
    load_demo()
    if os.environ.get("DEMO", "1") != "0":
        print_accounts()
    print_first_start()


if __name__ == "__main__":
    main()

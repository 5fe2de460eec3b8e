"""Print the demo accounts."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.models import User
from clinic_crm.demo.staff import ACCOUNTS, PASSWORD


class Command(BaseCommand):
    help = "Print the demo accounts, one per role; nothing when demo data was not loaded."

    def handle(self, *args: Any, **options: Any) -> None:
        known = set(User.objects.filter(username__startswith="demo_").values_list("username", flat=True))
        for username, name, role in ACCOUNTS:
            if f"demo_{username}" in known:
                self.stdout.write(f"  demo_{username:<10} {PASSWORD}   {role.value} {name}")

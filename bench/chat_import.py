"""How fast chats are imported and inspected, and how much memory that takes.

BENCH_IMPORT_CHATS chats of 20 messages are made from the test chats; 100000 are the 2,000,000 messages of a large clinic.
"""

import itertools
import json
import os
import resource
import tempfile
import time
from pathlib import Path

from django.db import transaction
from django.db.models import CASCADE, Model

from accounts.models import Clinic
from bench.inspection import made
from conversations.models import Conversation
from conversations.services.importing import import_chats

CHATS = int(os.environ.get("BENCH_IMPORT_CHATS", "5000"))
LONG = 20  # messages of a chat
CODE = "CI"


def _write(path: Path) -> None:
    lines = itertools.chain.from_iterable(chat.lines for chat in made())
    with path.open("w", encoding="utf-8") as file:
        for number in range(CHATS):
            messages = [
                {"at": f"2026-06-10T10:{place:02}:00+08:00", "from": line.sender, "text": line.text}
                for place, line in enumerate(itertools.islice(lines, LONG))
            ]
            file.write(json.dumps({"id": f"bench-{number}", "messages": messages}, ensure_ascii=False) + "\n")


def _take_out(clinic: Clinic) -> None:
    """Delete the chats and what hangs on them where they lie: none is read."""
    with transaction.atomic():  # foreign keys are checked at its end
        _delete(Conversation, "clinic", clinic)


def _delete(model: type[Model], path: str, clinic: Clinic) -> None:
    """Delete a clinic's rows, and before them those that point at them; `path` leads from a row to the clinic."""
    for relation in model._meta.related_objects:
        if relation.on_delete is CASCADE and relation.related_model is not model:
            _delete(relation.related_model, f"{relation.field.name}__{path}", clinic)
    rows = model._base_manager.filter(**{path: clinic})
    rows._raw_delete(rows.db)


def report() -> None:
    """Import the chats, print how long it took, and take them out again."""
    clinic, _new = Clinic.objects.get_or_create(code=CODE, defaults={"name": "bench chat import"})
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "chats.jsonl"
            _write(path)
            began = time.perf_counter()
            tally = import_chats(path=path, clinic=clinic, by=None)
            took = time.perf_counter() - began
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    finally:
        _take_out(clinic)
    print(f"\nchat import: {tally.created:,} chats, {tally.messages:,} messages, inspected and stored")
    print(f"  {tally.created / took:,.0f} chats/s, {tally.messages / took:,.0f} messages/s, {memory} MB at most so far")

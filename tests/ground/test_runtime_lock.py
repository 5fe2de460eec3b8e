"""The production image gets what running needs, and none of the tools."""

import re

from packaging.utils import canonicalize_name

from tools.runtime_lock import ROOT, entries, runtime_lock


def test_the_image_gets_what_running_needs_with_its_hashes():
    lock = entries(runtime_lock())
    assert {"django", "celery", "redis", "gunicorn", "psycopg2-binary", "psutil"} <= set(lock)
    assert not {"pytest", "playwright", "mypy", "ruff", "babel"} & set(lock)
    assert all("--hash=sha256:" in block for block in lock.values())


def test_the_whole_lock_is_read():
    text = (ROOT / "requirements.txt").read_text()
    assert "".join(entries(text).values()).count("==") == text.count("==")
    names = re.findall(r"^([a-z0-9._-]+).*==", text, re.MULTILINE | re.IGNORECASE)
    assert {canonicalize_name(name) for name in names} == set(entries(text))

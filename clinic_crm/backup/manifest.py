"""The manifest of a backup: what it holds, and whether it is whole."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from clinic_crm.backup.files import listed, sha256
from clinic_crm.backup.tables import NAME

FORMAT = 1


class BackupError(Exception):
    """A backup cannot be made or used; the message says why, a line for each reason."""


def key_fingerprint() -> str:
    """Return what tells one DATA_KEY from another without showing it."""
    return hmac.new(settings.DATA_KEY.encode(), b"backup", hashlib.sha256).hexdigest()[:16]


def save(directory: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest and its hash."""
    path = directory / "manifest.json"
    path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    (directory / "manifest.sha256").write_text(f"{sha256(path)}  manifest.json\n")


def load(directory: Path) -> dict[str, Any]:
    """Read the manifest. Raises: BackupError when there is none, or it was changed."""
    path = directory / "manifest.json"
    try:
        expected = (directory / "manifest.sha256").read_text().split()[0]
        if sha256(path) != expected:
            raise BackupError("manifest.json was changed.")
        manifest: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError, IndexError) as error:
        raise BackupError(f"{directory} holds no backup: {error}") from error
    if manifest.get("format") != FORMAT:
        raise BackupError(f"The backup has format {manifest.get('format')}; this version reads {FORMAT}.")
    return manifest


def faults(directory: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the backup's files: missing, damaged, or more than the manifest knows."""
    for name, facts in manifest["tables"].items():
        if not NAME.fullmatch(name):
            yield f"{name!r} is no table's name"
        else:
            yield from _fault(directory, f"tables/{name}.copy.gz", facts["sha256"])
    wrong = list(_fault(directory, "files.tsv.gz", manifest["files"]["sha256"]))
    yield from wrong
    if wrong:
        return
    try:
        for name, digest in listed(directory / "files.tsv.gz"):
            yield from _fault(directory, f"files/{name}", digest)
    except ValueError as error:
        yield str(error)


def _fault(directory: Path, name: str, expected: str) -> Iterator[str]:
    path = directory / name
    if not path.is_file():
        yield f"{name} is missing"
    elif sha256(path) != expected:
        yield f"{name} is damaged"

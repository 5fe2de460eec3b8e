"""Uploaded files: copied and hashed in pieces, listed one a line."""

import gzip
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

PIECE = 1024 * 1024  # bytes


def sha256(path: Path) -> str:
    """Return the hash of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def paths_in(root: Path) -> Iterator[str]:
    """Yield the files below `root` as relative paths, in a fixed order; links are not followed."""
    for directory, inner, names in os.walk(root):
        inner.sort()
        for name in sorted(names):
            path = Path(directory, name)
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(root).as_posix()


def copy(source: Path, target: Path) -> str:
    """Copy a file, complete or not at all, and return the hash of what was written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.new")
    digest = hashlib.sha256()
    with source.open("rb") as read, fresh.open("wb") as written:
        while piece := read.read(PIECE):
            digest.update(piece)
            written.write(piece)
        written.flush()
        os.fsync(written.fileno())
    fresh.replace(target)
    return digest.hexdigest()


def listed(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (relative path, hash) of a list of files. Raises ValueError for a path that leads out of the directory."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        for told in lines:
            digest, _tab, name = told.rstrip("\n").partition("\t")
            if not name or name.startswith("/") or ".." in Path(name).parts:
                raise ValueError(f"{name!r} is no path of an uploaded file")
            yield name, digest


def line(name: str, digest: str) -> bytes:
    """Return a file's line in a list."""
    return f"{digest}\t{name}\n".encode()

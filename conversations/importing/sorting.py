"""Rows of many chats, brought together by chat in bounded memory, however they are mixed in the file."""

import heapq
import marshal
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import groupby
from operator import itemgetter
from typing import IO, Any

AT_ONCE = 50_000  # rows that are held in memory at a time
Keyed = tuple[int, int, tuple[Any, ...]]  # which chat, which row, what it holds


def by_chat(rows: Iterable[tuple[str, int, tuple[Any, ...]]]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of each chat together, chats in the order in which they first appear.

    Args: rows: (chat, row number, plain values). Beyond AT_ONCE rows they are sorted in files of the system's
    temporary folder, which vanish with the process.
    """
    numbers: dict[str, int] = {}
    with ExitStack() as files:
        runs: list[Iterator[Keyed]] = []
        held: list[Keyed] = []
        for chat, row, values in rows:
            held.append((numbers.setdefault(chat, len(numbers)), row, values))
            if len(held) >= AT_ONCE:
                runs.append(_spilled(sorted(held, key=itemgetter(0, 1)), files))
                held = []
        held.sort(key=itemgetter(0, 1))
        merged = heapq.merge(*runs, held, key=itemgetter(0, 1)) if runs else iter(held)
        for _number, group in groupby(merged, key=itemgetter(0)):
            yield [values for _chat, _row, values in group]


def _spilled(rows: list[Keyed], files: ExitStack) -> Iterator[Keyed]:
    file = files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    for row in rows:
        marshal.dump(row, file)
    file.seek(0)
    return _read(file, len(rows))


def _read(file: IO[bytes], count: int) -> Iterator[Keyed]:
    for _row in range(count):
        yield marshal.load(file)  # noqa: S302 - written by this process a moment ago

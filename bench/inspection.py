"""How fast chats are inspected, against one pass of a plain multi-pattern search over the same text, on one core.

2,000,000 messages are made from the test chats, repeated with other words at their ends so that nothing repeats
exactly; BENCH_INSPECTION_MESSAGES makes them fewer. The search is the same automaton with the same words.
"""

import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import replace

from conversations.inspection import Chat, inspect, matcher
from conversations.inspection.reading import Reading
from conversations.inspection.rules import Rules

MESSAGES = int(os.environ.get("BENCH_INSPECTION_MESSAGES", "2000000"))
GOAL = 0.30
BATCH = 500  # chats measured at a time, so that memory stays bounded


def made() -> Iterator[Chat]:
    """Give own chats over and over, each time a little different."""
    from tests.conversations.own_chats import CHATS
    from tests.conversations.score import chat_of

    chats = [chat_of(data) for data in CHATS]
    for turn in itertools.count():
        for chat in chats:
            lines = tuple(replace(line, text=f"{line.text} {turn}") for line in chat.lines)
            yield replace(chat, lines=lines)


def report() -> None:
    """Measure and print conversations a second of both."""
    inspect(next(made()))
    automaton = matcher.builtin()
    done = messages = 0
    inspecting = searching = 0.0
    source = made()
    while messages < MESSAGES:
        batch = list(itertools.islice(source, BATCH))
        texts = [Reading(chat, Rules.builtin()).text for chat in batch]
        began = time.process_time()
        for chat in batch:
            inspect(chat)
        inspecting += time.process_time() - began
        began = time.process_time()
        for text in texts:
            automaton.plain_search(text)
        searching += time.process_time() - began
        done += len(batch)
        messages += sum(len(chat.lines) for chat in batch)
    ratio = searching / inspecting
    print(f"inspection  {done:,} chats, {messages:,} messages, one core")
    print(f"  inspect      {done / inspecting:10,.0f} chats/s")
    print(f"  plain search {done / searching:10,.0f} chats/s")
    print(f"  messages     {messages / inspecting:10,.0f} messages/s")
    print(f"  ratio        {ratio:10.1%}  {'ok' if ratio >= GOAL else f'below the goal of {GOAL:.0%}'}")

"""Inspects conversations from a file by the built-in rules or those of a file; needs no database."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.inspection import Chat, Line, Rules, RulesError, Verdict, inspect

SENDERS = ("visitor", "consultant", "bot", "system")


class Command(BaseCommand):
    help = "Inspect conversations of a JSONL file (one a line) and print what was found, one line each."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="JSONL file, UTF-8; - for standard input")
        parser.add_argument("--json", action="store_true", help="print JSON, one object a conversation")
        parser.add_argument("--rules", type=Path, help="JSON file with what differs from the built-in rules")

    def handle(self, *args: Any, **options: Any) -> None:
        rules = _rules(options["rules"])
        bad = 0
        for number, text in _lines(options["file"]):
            try:
                data = json.loads(text)
                chat = chat_of(data)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                bad += 1
                self.stderr.write(f"line {number}: {_reason(error)}")
                continue
            verdict = inspect(chat, rules)
            answer = report(data, verdict)
            self.stdout.write(json.dumps(answer, ensure_ascii=False) if options["json"] else _plain(answer))
        if bad:
            raise CommandError(f"{bad} line(s) could not be read.")


def _rules(path: Path | None) -> Rules:
    if path is None:
        return Rules.builtin()
    try:
        return Rules.from_data(json.loads(path.read_text(encoding="utf-8")))
    except RulesError as error:
        raise CommandError(f"{path}: {error.path}: {error}") from error
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} could not be read: {error}") from error


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Give the lines that are not blank, one at a time; bytes that are no UTF-8 make only their own line fail."""
    try:
        file = open(0, "rb", closefd=False) if str(path) == "-" else path.open("rb")  # noqa: SIM115
    except OSError as error:
        raise CommandError(f"{path} could not be opened: {error.strerror}") from error
    with file:
        for number, raw in enumerate(file, start=1):
            if raw.strip():
                yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8", "surrogateescape")


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"no valid JSON ({error.msg} at character {error.pos + 1})"
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error) or type(error).__name__


def _time(value: Any) -> datetime | None:
    if value in (None, ""):
        return None
    at = datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def chat_of(data: Any) -> Chat:
    """Read one conversation.

    Raises:
        ValueError, KeyError, TypeError: saying what cannot be read.
    """
    if not isinstance(data, dict):
        raise ValueError("an object is expected")
    if any("\udc80" <= char <= "\udcff" for char in json.dumps(data, ensure_ascii=False)):
        raise ValueError("bytes that are not UTF-8")
    messages = data["messages"]
    if not isinstance(messages, list):
        raise ValueError("messages is not a list")
    lines = tuple(_line(item, index) for index, item in enumerate(messages))
    started = _time(data.get("started_at")) or next((line.at for line in lines if line.at), None)
    if started is None:
        raise ValueError("started_at is missing and no message has a time")
    return Chat(started, lines)


def _line(item: Any, index: int) -> Line:
    if not isinstance(item, dict):
        raise ValueError(f"message {index} is no object")
    sender, text = item.get("from"), item.get("text")
    if sender not in SENDERS:
        raise ValueError(f"message {index}: unknown sender {sender!r}")
    if not isinstance(text, str):
        raise ValueError(f"message {index}: text is missing")
    try:
        return Line(_time(item.get("at")), sender, text)
    except (ValueError, TypeError) as error:
        raise ValueError(f"message {index}: {error}") from error


def report(data: dict[str, Any], verdict: Verdict) -> dict[str, Any]:
    """What is printed for one conversation."""
    booking = verdict.captured.booking
    return {
        "id": data.get("id"),
        "ending": verdict.ending,
        "third_party": verdict.third_party,
        "captured": {
            "phone": verdict.captured.phone,
            "wechat": verdict.captured.wechat,
            "qq": verdict.captured.qq,
            "booking": f"{booking:%Y-%m-%d %H:%M}" if booking else None,
        },
        "findings": [{"code": found.code, "message": found.message} for found in verdict.findings],
    }


def _plain(answer: dict[str, Any]) -> str:
    found = ", ".join(
        item["code"] if item["message"] is None else f"{item['code']}@{item['message']}" for item in answer["findings"]
    )
    return f"{answer['id']}\t{answer['ending']}\t{found or '-'}"

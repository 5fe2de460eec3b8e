"""Compares what the inspection says of labelled chats with their labels; the format is that of conversations_dev.jsonl."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from conversations.inspection import Chat, Line, Verdict, inspect


def chat_of(data: dict[str, Any]) -> Chat:
    """Read one labelled conversation."""
    lines = tuple(
        Line(datetime.fromisoformat(item["at"]) if item.get("at") else None, item["from"], item["text"])
        for item in data["messages"]
    )
    return Chat(datetime.fromisoformat(data["started_at"]), lines)


def read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def found_of(verdict: Verdict) -> set[tuple[str, int | None]]:
    return {(finding.code, finding.message) for finding in verdict.findings}


def labelled(data: dict[str, Any]) -> set[tuple[str, int | None]]:
    return {(finding["code"], finding["message"]) for finding in data["labels"]["findings"]}


def captured_of(verdict: Verdict) -> dict[str, str | None]:
    booking = verdict.captured.booking
    return {
        "phone": verdict.captured.phone,
        "wechat": verdict.captured.wechat,
        "qq": verdict.captured.qq,
        "booking": booking.strftime("%Y-%m-%d %H:%M") if booking else None,
    }


@dataclass
class Score:
    """Counts by code, and how often ending, third party and captured values are right."""

    tp: Counter[str] = field(default_factory=Counter)
    fp: Counter[str] = field(default_factory=Counter)
    fn: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    chats: int = 0
    mistakes: list[str] = field(default_factory=list)

    @property
    def codes(self) -> list[str]:
        return sorted({*self.tp, *self.fp, *self.fn})

    def f1(self, code: str | None = None) -> float:
        tp, fp, fn = ((counter[code] if code else sum(counter.values())) for counter in (self.tp, self.fp, self.fn))
        return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 1.0

    def add(self, data: dict[str, Any], verdict: Verdict) -> None:
        self.chats += 1
        found, wanted = found_of(verdict), labelled(data)
        for counter, pairs in ((self.tp, found & wanted), (self.fp, found - wanted), (self.fn, wanted - found)):
            counter.update(code for code, _message in pairs)
        self.mistakes += [f"{data['id']} + {pair}" for pair in sorted(found - wanted, key=str)]
        self.mistakes += [f"{data['id']} - {pair}" for pair in sorted(wanted - found, key=str)]
        labels = data["labels"]
        self._compare(data["id"], "ending", verdict.ending, labels["ending"])
        self._compare(data["id"], "third_party", verdict.third_party, labels["third_party"])
        for name, value in captured_of(verdict).items():
            self._compare(data["id"], name, value, labels["captured"][name])

    def _compare(self, chat: str, name: str, value: object, wanted: object) -> None:
        self.right[name] += value == wanted
        if value != wanted:
            self.mistakes.append(f"{chat} {name}: {value!r}, labelled {wanted!r}")

    def table(self) -> str:
        rows = [f"{'code':28}{'tp':>5}{'fp':>5}{'fn':>5}{'F1':>8}"]
        rows += [
            f"{code:28}{self.tp[code]:5}{self.fp[code]:5}{self.fn[code]:5}{self.f1(code):8.3f}" for code in self.codes
        ]
        rows.append(f"{'micro':28}{self.tp.total():5}{self.fp.total():5}{self.fn.total():5}{self.f1():8.3f}")
        rows += [f"{name:28}{count:5} of {self.chats}" for name, count in sorted(self.right.items())]
        return "\n".join(rows)


def score(chats: Iterable[dict[str, Any]]) -> Score:
    """Inspect every labelled chat with the built-in rules."""
    result = Score()
    for data in chats:
        result.add(data, inspect(chat_of(data)))
    return result

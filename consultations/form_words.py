"""Short ways to write a question set as data."""

from collections.abc import Callable
from typing import Any

Words = tuple[str, str]  # Chinese, English


def words(zh: str, en: str) -> dict[str, str]:
    """Return a text in both languages, as it is stored."""
    return {"zh": zh, "en": en}


def options(*rows: tuple[str, str, str]) -> list[dict[str, Any]]:
    """Return choices from (code, Chinese, English)."""
    return [{"code": code, "label": words(zh, en)} for code, zh, en in rows]


def question(
    code: str,
    type: str,
    zh: str,
    en: str,
    *,
    help: Words | None = None,
    detail: Words | None = None,
    note: Words | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return one question as it is stored; `detail` is what is asked after a yes, `note` how
    the medical history calls it."""
    texts = {"help": help, "detail": detail, "note": note}
    return {"code": code, "type": type, "label": words(zh, en)} | {k: words(*v) for k, v in texts.items() if v} | more


def group(code: str, zh: str, en: str, **more: Any) -> Callable[..., dict[str, Any]]:
    """Return a function that puts questions into a group."""

    def of(*questions: dict[str, Any]) -> dict[str, Any]:
        return {"code": code, "title": words(zh, en), "questions": list(questions)} | more

    return of

"""The labelled development chats, read in place, and own ones: how often the inspection agrees with the labels."""

import pytest
from django.conf import settings

from conversations.inspection import Chat, Line, inspect
from tests.conversations.chats_of_others import CHATS_OF_OTHERS
from tests.conversations.own_chats import CHATS, SHANGHAI
from tests.conversations.score import read, score
from tests.conversations.sentences import SAID

DEV_SET = settings.BASE_DIR.parent / "shared" / "data" / "conversations_dev.jsonl"


@pytest.mark.skipif(not DEV_SET.exists(), reason="the labelled chats are not here")
def test_the_development_set_is_found_as_labelled() -> None:
    result = score(read(DEV_SET))
    print(result.table())  # noqa: T201
    assert result.f1() >= 0.95, result.mistakes
    assert [code for code in result.codes if result.f1(code) < 0.85] == [], result.mistakes
    assert all(count >= 0.95 * result.chats for count in result.right.values()), result.mistakes


def test_chats_in_other_words_are_found_as_labelled() -> None:
    result = score(CHATS)
    assert result.mistakes == []


def test_chats_of_clinics_of_other_kinds_are_found_as_labelled() -> None:
    result = score(CHATS_OF_OTHERS)
    assert result.mistakes == []


@pytest.mark.parametrize(("said", "code"), SAID)
def test_a_sentence_is_found_for_what_it_is(said: str, code: str | None) -> None:
    from datetime import datetime

    lines = (Line(None, "visitor", "你好，我想问一下这个"), Line(None, "consultant", said))
    verdict = inspect(Chat(datetime(2026, 1, 5, 10, tzinfo=SHANGHAI), lines))
    found = {item.code for item in verdict.findings if item.code.partition(".")[0] in ("taboo", "abuse", "error")}
    assert found == ({code} if code else set())

"""What answers come to, at the boundaries; which rubrics hold; which files are recordings."""

import io
from decimal import Decimal

import pytest

from metrics import etiquette_audio as audio
from metrics import etiquette_rules as rules
from metrics.etiquette_rules import NO, PARTLY, YES, BadAnswers, Item

A, B, C = (Item(code, code, code, points) for code, points in (("a", 50), ("b", 30), ("c", 20)))
ITEMS = (A, B, C)


@pytest.mark.parametrize(
    ("answers", "value"),
    [
        ((YES, YES, YES), "100"),
        ((NO, NO, NO), "0"),
        ((PARTLY, PARTLY, PARTLY), "50"),
        ((YES, NO, PARTLY), "60"),
        ((None, YES, YES), "100"),  # left out of both sums
        ((None, YES, NO), "60"),
        ((None, None, PARTLY), "50"),
        ((None, NO, PARTLY), "20"),
        ((YES, None, NO), "71.43"),  # 50 of 70
        ((PARTLY, None, NO), "35.71"),
    ],
)
def test_the_score_is_what_was_reached_of_what_applied(answers, value):
    assert rules.score(ITEMS, dict(zip("abc", answers, strict=True))).value == Decimal(value)


def test_halves_are_rounded_up():
    items = [Item("a", "a", "a", 1), Item("b", "b", "b", 15)]
    assert rules.score(items, {"a": YES, "b": NO}).value == Decimal("6.25")
    items = [Item("a", "a", "a", 1), Item("b", "b", "b", 31)]
    assert rules.score(items, {"a": YES, "b": NO}).value == Decimal("3.13")  # 3.125


def test_a_score_says_where_points_were_lost_the_most_first_and_what_was_left_out():
    told = rules.score(ITEMS, {"a": PARTLY, "b": NO, "c": None})
    assert [(one.item.code, one.points) for one in told.lost] == [("b", 30), ("a", 25)]
    assert told.left_out == (C,)
    assert (told.earned, told.possible) == (25, 80)


def test_what_gives_no_score_is_refused():
    with pytest.raises(BadAnswers) as error:
        rules.score(ITEMS, {"a": YES})
    assert error.value.codes == ("b", "c")
    with pytest.raises(BadAnswers):
        rules.score(ITEMS, {"a": None, "b": None, "c": None})
    with pytest.raises(BadAnswers):
        rules.score(ITEMS, {"a": Decimal("0.7"), "b": YES, "c": YES})


@pytest.mark.parametrize("kind", rules.BUILTIN)
def test_the_built_in_rubrics_hold_and_speak_both_languages(kind):
    items = rules.BUILTIN[kind]
    assert rules.problem(items) == ""
    assert all(item.label and item.label_zh and item.help and item.help_zh for item in items)
    assert all(len(item.label) <= rules.LONGEST_LABEL and len(item.help) <= rules.LONGEST_HELP for item in items)
    assert rules.items_of(rules.stored(items)) == items


@pytest.mark.parametrize(
    "items",
    [
        (),
        (A, B),  # 80
        (A, B, C, Item("d", "d", "d", 1)),  # 101
        (A, A),
        (A, B, Item("c", " ", "", 20)),
        (A, B, C, Item("d", "d", "d", 0)),
        tuple(Item(str(n), "x", "x", 1) for n in range(100)),
    ],
)
def test_a_rubric_that_does_not_hold_is_named(items):
    assert rules.problem(items)


def test_a_missing_language_is_filled_by_the_other():
    assert Item("a", "", "称呼", 1).words("en") == "称呼"
    assert Item("a", "Title", "", 1).words("zh-hans") == "Title"


M4A = b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"
MP3 = b"\xff\xfb\x90\x64" + b"\x00" * 60
SAMPLES = {
    "audio/mp4": M4A,
    "audio/wav": WAV,
    "audio/mpeg": MP3,
    "audio/ogg": b"OggS\x00\x02" + b"\x00" * 20,
    "audio/amr": b"#!AMR\n\x3c\x00",
}


@pytest.mark.parametrize("content_type", SAMPLES)
def test_recordings_are_known_by_their_first_bytes(content_type):
    assert audio.read_recording(io.BytesIO(SAMPLES[content_type])).content_type == content_type
    assert audio.read_recording(io.BytesIO(b"ID3\x04" + b"\0" * 20)).content_type == "audio/mpeg"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"MZ\x90\x00 a program called call.mp3",
        b"<html><script>alert(1)</script>",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 20,
        b"\x00\x00\x00\x20ftypheic\x00\x00\x00\x00",  # a photograph in the same wrapping
        b"RIFF\x24\x00\x00\x00WEBPVP8 ",
        b"\xff\xfb",  # cut off
        b"\xff\xff\xff\xff",  # a frame head that cannot be
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"%PDF-1.7",
        b"PK\x03\x04",
    ],
)
def test_anything_else_is_no_recording(raw):
    with pytest.raises(audio.BadRecording):
        audio.read_recording(io.BytesIO(raw))


def test_a_recording_of_more_than_20_mb_is_refused_and_one_of_20_taken():
    most = WAV + b"\0" * (audio.MOST_BYTES - len(WAV))
    assert len(audio.read_recording(io.BytesIO(most)).content) == audio.MOST_BYTES
    with pytest.raises(audio.BadRecording):
        audio.read_recording(io.BytesIO(most + b"\0"))

"""The worked examples of the handbook are carried out: key figure, sender, inspection rule, field of a stage."""

import importlib.util
import inspect
import re
import time
from datetime import UTC, date, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from accounts.windows import Window
from clinic_crm.embedded import BASE_DIR
from consultations.forms import DecisionForm
from consultations.models import Visit
from consultations.services.decision import Answer
from conversations.inspection import Chat, Line, codes, inspector
from conversations.inspection.reading import Reading
from conversations.inspection.rules import Rules
from conversations.services.webhooks import sign
from followups.senders import Found, Outcome, Outgoing
from followups.senders.webhook import is_signed, signature
from metrics import counting, kpis, records
from metrics.scope import Scope
from tests.factories import ClinicFactory, VisitFactory
from tests.followups.provider import ABORT, running

MAY = Window(date(2026, 5, 1), date(2026, 6, 1), "month")


def example(name: str) -> ModuleType:
    """Load docs/examples/<name>.py."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", BASE_DIR / "docs/examples" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- a key figure --------------------------------------------------------------------------------


@pytest.fixture
def exam_data(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The eleventh figure, hooked in for one test."""
    for module, name in ((kpis, "KPIS"), (counting, "KPIS"), (counting, "SOURCES"), (records, "SOURCES")):
        monkeypatch.setattr(module, name, getattr(module, name))
    made = example("exam_data")
    monkeypatch.setitem(kpis.BY_SLUG, made.EXAM_DATA.slug, made.EXAM_DATA)
    made.hook_in()
    return made.EXAM_DATA


@pytest.mark.django_db
def test_the_example_of_a_key_figure_counts_and_lists_its_records(exam_data: Any) -> None:
    clinic, left = ClinicFactory(zone="Asia/Shanghai"), datetime(2026, 5, 31, 15, 59, tzinfo=UTC)

    def visit(**more: Any) -> Visit:
        given = {"arrived_at": left - timedelta(hours=2), "received_at": left - timedelta(hours=2), "left_at": left}
        made: Visit = VisitFactory(clinic=clinic, stage="closed", **given | more)
        return made

    examined, not_examined = visit(exams_completed_at=left), visit()
    too_late, unseen = visit(exams_completed_at=left + timedelta(seconds=1)), visit(received_at=None)
    visit(left_at=left + timedelta(minutes=1), exams_completed_at=left)  # June in the clinic's zone
    wrong = visit(is_error=True)

    scope = Scope((clinic,))
    figure = counting.figures(scope, MAY)[None][-1]
    assert (figure.of, figure.numerator, figure.denominator) == (exam_data, 1, 3)
    assert figure.status == "bad"
    assert set(records.records_of(exam_data, scope, MAY, "counted")) == {examined}
    assert set(records.records_of(exam_data, scope, MAY, "failing")) == {not_examined, too_late}
    left_out = {code: count for code, _words, count in records.exclusions_of(exam_data, scope, MAY)}
    assert left_out == {"error": 1, "not_received": 1}
    assert set(records.records_of(exam_data, scope, MAY, "excluded:error")) == {wrong}
    assert set(records.records_of(exam_data, scope, MAY, "excluded:not_received")) == {unseen}


# --- a sender ------------------------------------------------------------------------------------

LETTER = Outgoing(uid="QH-7", to="青禾路 1 号", body="您好，明天见", channel="sms")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((200, {"id": "QH-7", "number": "L1"}), Outcome.ACCEPTED),
        ((422, {"reason": "no such street"}), Outcome.REJECTED),
        ((200, {"busy": True}), Outcome.RETRY),
        ((429, {}), Outcome.RETRY),
        ((200, {"id": "QH-8"}), Outcome.UNKNOWN),
        ((200, b"not JSON"), Outcome.UNKNOWN),
        ((500, {}), Outcome.UNKNOWN),
        (ABORT, Outcome.UNKNOWN),
    ],
)
def test_the_example_of_a_sender_never_takes_what_is_unclear_for_a_failure(answer: Any, outcome: Outcome) -> None:
    with running() as provider:
        provider.usual = answer
        sender = example("letter_shop").LetterShopSender({"token": "t", "endpoint": provider.url}, key=provider.url)
        assert sender.send(LETTER).outcome == outcome
        assert provider.requests[0]["headers"]["Authorization"] == "Bearer t"


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ((404, {}), Found.ABSENT),
        ((200, {"state": "posted"}), Found.DELIVERED),
        ((200, {"state": "returned"}), Found.FAILED),
        ((200, {"state": "?"}), Found.CANNOT_TELL),
        ((500, {}), Found.CANNOT_TELL),
    ],
)
def test_the_example_of_a_sender_asks_what_became_of_a_message(answer: Any, found: Found) -> None:
    with running() as provider:
        provider.usual = answer
        sender = example("letter_shop").LetterShopSender({"token": "t", "endpoint": provider.url}, key=provider.url)
        assert sender.query(LETTER).found == found


def test_the_example_of_a_sender_needs_its_settings() -> None:
    result = example("letter_shop").LetterShopSender({}).send(LETTER)
    assert (result.outcome, result.detail) == (Outcome.REJECTED, "missing: token")


# --- a rule of the inspection --------------------------------------------------------------------

SAME = "种植的价格要看骨量，来院拍片后才能确定。"
START = datetime(2026, 5, 6, 2, tzinfo=UTC)


def chat_of(*said: tuple[Any, str]) -> Chat:
    return Chat(START, tuple(Line(START + timedelta(seconds=n), who, text) for n, (who, text) in enumerate(said)))


REPEATING = chat_of(
    ("visitor", "种一颗多少钱"), ("consultant", SAME), ("visitor", "那大概多少呢"), ("consultant", SAME)
)  # fmt: skip
POLITE = chat_of(("visitor", "你好"), ("consultant", "您好"), ("visitor", "在吗"), ("consultant", "您好"))


def test_the_example_of_a_rule_finds_what_it_should_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    made = example("repeated_answer")
    monkeypatch.setitem(codes.CODES, made.REPEATED, made.FAULT)
    found = made.find(Reading(REPEATING, Rules.builtin()))
    assert [(one.code, one.message, one.quote) for one in found] == [(made.REPEATED, 3, SAME)]
    assert found[0].advice == str(made.FAULT.advice)
    assert not made.find(Reading(POLITE, Rules.builtin()))


def test_the_one_line_that_the_handbook_adds_makes_the_inspection_find_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = example("repeated_answer")
    monkeypatch.setitem(codes.CODES, made.REPEATED, made.FAULT)
    page = (BASE_DIR / "docs/developers/add-an-inspection-rule.md").read_text()
    line = re.search(r"```python\n(findings \+= .*)\n```", page)
    assert line
    source = inspect.getsource(inspector.inspect)
    longer, count = re.subn(r"(    wording\.punctuation\(.*\n)", rf"\1    {line[1]}\n", source)
    assert count == 1
    names = dict(vars(inspector)) | {"repeats": made}
    exec(longer, names)  # noqa: S102 - the product's own function with one line more
    assert made.REPEATED in {one.code for one in names["inspect"](REPEATING).findings}
    assert made.REPEATED not in {one.code for one in inspector.inspect(REPEATING).findings}
    off = Rules.from_data({"off": [made.REPEATED]})
    assert made.REPEATED not in {one.code for one in names["inspect"](REPEATING, off).findings}


# --- a webhook -----------------------------------------------------------------------------------


def test_the_example_signs_as_both_sides_check() -> None:
    body = b'{"conversations": []}'
    made = example("sign").headers("secret", body, "e-1")
    assert is_signed("secret", made, body)
    assert made["X-Signature"] == sign("secret", made["X-Timestamp"], body)
    assert not is_signed("secret", made, body + b" ")


def test_the_example_takes_what_we_send_and_nothing_else() -> None:
    is_genuine, body, now = example("sign").is_genuine, b'{"event": "visit.closed"}', int(time.time())

    def sent(at: int) -> dict[str, str]:
        return {"X-Timestamp": str(at), "X-Signature": signature("secret", str(at), body)}

    assert is_genuine("secret", sent(now), body)
    assert not is_genuine("another", sent(now), body)
    assert not is_genuine("secret", sent(now), body + b" ")
    assert not is_genuine("secret", sent(now - 400), body)
    assert not is_genuine("secret", {}, body)


# --- a field of a stage --------------------------------------------------------------------------


def test_the_field_that_the_handbook_follows_passes_through_all_six_places() -> None:
    page = (BASE_DIR / "docs/developers/add-a-stage-field.md").read_text()
    named = sorted(set(re.findall(r"`([\w/]+\.(?:py|html))`", page)))
    assert len(named) > 8
    assert not [path for path in named if not (BASE_DIR / path).exists()]
    about_stages = {"consultations/stages.py", "consultations/services/facts.py"}
    tests = {path for path in named if path.startswith("tests/") and "e2e" not in path}
    carrying = [path for path in named if path not in about_stages | tests]
    assert not [path for path in carrying if "obstacle" not in (BASE_DIR / path).read_text()]
    assert Visit._meta.get_field("obstacle").max_length == DecisionForm.base_fields["obstacle"].max_length  # type: ignore[attr-defined]
    assert "obstacle" in Answer.__dataclass_fields__

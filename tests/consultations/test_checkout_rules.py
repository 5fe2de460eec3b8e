"""Which must-dos a visit has and when it may end, without a database."""

import pytest

from consultations.checkout import MANAGER_ONLY, Line, lines, must_dos, ready
from consultations.stages import Decision

EVERYONE = ("next_appointment", "wechat", "word_of_mouth")


@pytest.mark.parametrize("decision", [Decision.ACCEPTED, Decision.DEPOSIT, Decision.NO_TREATMENT])
def test_a_decided_patient_has_the_three_of_everyone_whatever_the_class(decision: str) -> None:
    assert must_dos(decision=decision, class_code="C-C") == EVERYONE


@pytest.mark.parametrize(
    ("code", "of_class"),
    [
        ("C-E", {"tbi"}),
        ("C-D", {"tbi", "whole_mouth", "prevention", "basic_item"}),
        ("C-C", {"tbi"}),
        ("C-B", {"vip"}),
        ("C-A", {"discount"}),
        ("", set()),
    ],
)
@pytest.mark.parametrize("decision", [Decision.UNDECIDED, Decision.REFUSED])
def test_an_undecided_patient_also_has_those_of_the_class(code: str, of_class: set[str], decision: str) -> None:
    extra = set(must_dos(decision=decision, class_code=code)) - set(EVERYONE)
    assert extra == {"classification", "recheck_plan"} | of_class


def test_a_managers_three_are_open_until_approved_however_good_the_reason() -> None:
    asked = Line(waiver_reason="no phone with them", waiver_asked=True)
    for code in MANAGER_ONLY:
        assert not ready(lines([code], {code: asked}))
        assert ready(lines([code], {code: Line(waiver_reason="no phone with them", waived=True)}))


def test_the_others_need_a_reason_only() -> None:
    assert ready(lines(["tbi"], {"tbi": Line(waiver_reason="no time")}))
    assert not ready(lines(["tbi"], {"tbi": Line()}))


def test_ready_means_every_single_one_is_met() -> None:
    done = Line(done=True)
    codes = ("wechat", "next_appointment")
    assert ready(lines(codes, {"wechat": done, "next_appointment": done}))
    assert not ready(lines(codes, {"wechat": done}))

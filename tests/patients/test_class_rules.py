"""Which class change the facts suggest, at each rule's boundary."""

import pytest

from patients.class_rules import SinceThen, suggest_change

CASES = [
    (SinceThen("C-E"), None),
    (SinceThen("", effective_referrals=1), None),
    (SinceThen("C-E", awareness=4, returns=2), "C-D"),
    (SinceThen("C-E", awareness=3, returns=1), "C-D"),
    (SinceThen("C-E", awareness=2, returns=2), None),
    (SinceThen("C-E", awareness=None, returns=3), None),
    (SinceThen("C-E", "implant", awareness=2, returns=1), "C-C"),
    (SinceThen("C-E", "implant", awareness=3, returns=1), "C-D"),
    (SinceThen("C-C", "implant", awareness=2, returns=1), None),
    (SinceThen("C-C", "orthodontics", awareness=2, returns=1), "C-B"),
    (SinceThen("C-D", quality_returns=1, returns=1), "C-B"),
    (SinceThen("C-B", effective_referrals=1), "C-A"),
    (SinceThen("C-A", "orthodontics", returns=3, quality_returns=2, effective_referrals=2), None),
    (SinceThen("C-B", awareness=5, returns=4), None),
]


@pytest.mark.parametrize(("facts", "code"), CASES)
def test_change_that_the_facts_speak_for(facts: SinceThen, code: str | None) -> None:
    found = suggest_change(facts)
    assert (found.code if found else None) == code
    assert found is None or str(found.reason)

"""The class suggestion, rule by rule and at its boundaries (DOMAIN §3)."""

import pytest

from patients.classification import ClassFacts, suggest


@pytest.mark.parametrize(
    ("complaint", "is_return", "awareness", "referrals", "expected"),
    [
        ("cleaning", False, 1, 1, "C-A"),
        ("implant", False, 1, 1, "C-A"),
        ("orthodontics", True, 1, 1, "C-A"),
        ("orthodontics", True, 1, 0, "C-B"),
        ("aesthetic_restoration", True, 5, 0, "C-B"),
        ("orthodontics", False, 2, 0, "C-C"),
        ("implant", False, 2, 0, "C-C"),
        ("implant", True, 2, 0, "C-C"),
        ("prosthodontics", True, 1, 0, "C-C"),
        ("implant", True, 3, 0, "C-D"),
        ("implant", False, 3, 0, "C-E"),
        ("implant", False, None, 0, "C-E"),
        ("aesthetic_restoration", False, 1, 0, "C-E"),
        ("cleaning", True, 1, 0, "C-D"),
        ("cleaning", True, 5, 0, "C-D"),
        ("pain", False, 5, 0, "C-E"),
    ],
)
def test_the_first_rule_that_applies_decides(
    complaint: str, is_return: bool, awareness: int | None, referrals: int, expected: str
) -> None:
    suggestion = suggest(ClassFacts(complaint, is_return, awareness, referrals))
    assert suggestion.code == expected
    assert str(suggestion.reason)

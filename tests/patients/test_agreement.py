"""Two raters: share, confusion matrix, Cohen's kappa at its boundaries."""

from fractions import Fraction

import pytest

from patients.agreement import FEW, agreement, reading

LABELS = ("C-E", "C-D", "C-C", "C-B", "C-A")


def test_nothing_rated_has_neither_share_nor_kappa() -> None:
    found = agreement([], LABELS)
    assert (found.n, found.percent, found.kappa, found.kappa_text) == (0, None, None, "—")
    assert str(reading(found))


def test_kappa_of_a_worked_example() -> None:
    """Two classes, 50 pairs: 20 both yes, 15 both no, 5 and 10 apart; Cohen's kappa is 0.4."""
    pairs = [("C-E", "C-E")] * 20 + [("C-E", "C-D")] * 5 + [("C-D", "C-E")] * 10 + [("C-D", "C-D")] * 15
    found = agreement(pairs, LABELS)
    assert found.share == Fraction(35, 50)
    assert found.kappa == Fraction(2, 5)
    assert found.matrix[0][:2] == (20, 5)
    assert found.matrix[1][:2] == (10, 15)


def test_full_agreement_over_two_classes_is_one() -> None:
    found = agreement([("C-E", "C-E"), ("C-A", "C-A")], LABELS)
    assert found.kappa == 1
    assert found.percent == 100


def test_one_class_alone_has_no_kappa_but_a_share() -> None:
    found = agreement([("C-E", "C-E")] * 3, LABELS)
    assert found.kappa is None
    assert found.percent == 100


def test_worse_than_chance_is_negative_and_said_so() -> None:
    found = agreement([("C-E", "C-D"), ("C-D", "C-E")], LABELS)
    assert found.kappa == -1
    assert found.percent == 0
    assert reading(found) != reading(agreement([("C-E", "C-E"), ("C-D", "C-D")], LABELS))


@pytest.mark.parametrize(("n", "few"), [(FEW - 1, True), (FEW, False)])
def test_few_pairs_are_marked(n: int, few: bool) -> None:
    assert agreement([("C-E", "C-E")] * n, LABELS).is_few is few

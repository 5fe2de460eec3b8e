"""Tooth numbers, and findings put on and taken off the chart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.permissions import Role
from consultations import teeth
from consultations.errors import MoveRefused, Refused
from consultations.models import ToothFinding
from consultations.models.plan import FDI
from consultations.services import findings
from consultations.stages import Missing
from tests.consultations.clinical import Room


def test_the_chart_holds_every_fdi_tooth_once():
    shown = [tooth for row in teeth.PERMANENT_ROWS + teeth.DECIDUOUS_ROWS for tooth in row]
    assert sorted(shown) == sorted(FDI)
    assert len(shown) == 52


@pytest.mark.parametrize("text", ["11", "48", " 36 ", "55", "85"])
def test_tooth_numbers_are_taken(text):
    assert teeth.parse_tooth(text) == int(text)


@pytest.mark.parametrize(
    "text", ["", "0", "19", "10", "49", "56", "86", "91", "3", "361", "三六", "-36", "3 6", "３６"]
)
def test_other_numbers_are_no_teeth(text):
    with pytest.raises(teeth.NotATooth):
        teeth.parse_tooth(text)


@given(st.integers(-200, 200))
def test_a_number_is_a_tooth_or_refused(number):
    try:
        assert teeth.parse_tooth(str(number)) in FDI
    except teeth.NotATooth:
        assert number not in FDI


def test_several_teeth_are_read_once_each_in_order():
    assert teeth.parse_teeth(["37、36, 11", "36"]) == [11, 36, 37]
    assert teeth.spoken_teeth([37, 36]) == "36、37"


def test_one_wrong_number_among_several_is_named():
    with pytest.raises(teeth.NotATooth) as wrong:
        teeth.parse_teeth(["36 99"])
    assert wrong.value.text == "99"


def test_what_rules_out_what_is_mutual():
    for kind, others in teeth.RULED_OUT.items():
        assert all(kind in teeth.ruled_out_by(other) for other in others)
    assert set(teeth.RULED_OUT) == set(ToothFinding.Kind.values)


@pytest.mark.parametrize(
    ("age", "marked", "offered"),
    [(7, (), True), (13, (), True), (14, (), False), (34, (), False), (None, (), False), (34, (55,), True)],
)
def test_milk_teeth_are_offered_to_children(age, marked, offered):
    assert teeth.offers_deciduous(age, marked) is offered


@pytest.fixture
def room(db):
    return Room()


@pytest.fixture
def visit(room):
    return room.acknowledged()


def standing(rows):
    return {(row.tooth, row.kind) for row in rows}


def test_a_touch_puts_a_finding_on_and_another_takes_it_off(room, visit):
    assert standing(findings.toggle_finding(visit=visit, tooth=36, kind="caries", by=room.doctor)) == {(36, "caries")}
    assert findings.toggle_finding(visit=visit, tooth=36, kind="caries", by=room.doctor) == []
    assert ToothFinding.objects.count() == 1  # taken back, never deleted


def test_a_tooth_has_several_findings_but_a_missing_one_none(room, visit):
    for kind in ("caries", "loose"):
        findings.toggle_finding(visit=visit, tooth=36, kind=kind, by=room.doctor)
    gone = findings.toggle_finding(visit=visit, tooth=36, kind="missing", by=room.doctor)
    assert standing(gone) == {(36, "missing")}
    planned = findings.toggle_finding(visit=visit, tooth=36, kind="planned_implant", by=room.doctor)
    assert standing(planned) == {(36, "missing"), (36, "planned_implant")}


def test_undo_takes_back_whole_gestures_one_after_the_other(room, visit):
    for kind in ("caries", "loose", "missing"):
        findings.toggle_finding(visit=visit, tooth=36, kind=kind, by=room.doctor)
    steps = [standing(findings.undo_finding(visit=visit, by=room.doctor)) for _ in range(4)]
    assert steps == [{(36, "caries"), (36, "loose")}, {(36, "caries")}, set(), set()]


def test_undo_brings_back_what_was_taken_off(room, visit):
    for _ in range(2):
        findings.toggle_finding(visit=visit, tooth=11, kind="tilted", by=room.doctor)
    assert standing(findings.undo_finding(visit=visit, by=room.doctor)) == {(11, "tilted")}
    again = findings.toggle_finding(visit=visit, tooth=12, kind="tilted", by=room.doctor)
    assert standing(again) == {(11, "tilted"), (12, "tilted")}


@pytest.mark.parametrize(("tooth", "kind"), [(99, "caries"), (0, "caries"), (36, "gold")])
def test_no_such_tooth_or_finding(room, visit, tooth, kind):
    with pytest.raises(Refused):
        findings.toggle_finding(visit=visit, tooth=tooth, kind=kind, by=room.doctor)


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.NURSE, Role.MANAGER])
def test_only_a_doctor_finds(room, visit, role):
    with pytest.raises(MoveRefused) as refused:
        findings.toggle_finding(visit=visit, tooth=36, kind="caries", by=room.person(role))
    assert refused.value.missing == (Missing.DOCTOR,)


def test_findings_belong_to_the_examination(room):
    with pytest.raises(Refused):
        findings.toggle_finding(visit=room.visit(), tooth=36, kind="caries", by=room.doctor)
    left, _plan = room.explaining()
    with pytest.raises(Refused):
        findings.undo_finding(visit=left, by=room.doctor)


def test_the_last_visits_findings_are_carried_over_in_one_gesture(room, visit):
    for tooth in (16, 46):
        findings.toggle_finding(visit=visit, tooth=tooth, kind="caries", by=room.doctor)
    type(visit).objects.filter(pk=visit.pk).update(stage="closed")
    later = room.acknowledged(room.sent(room.visit(patient=visit.patient)))
    assert len(findings.last_findings(later)) == 2
    type(visit).objects.filter(pk=visit.pk).update(is_error=True)
    assert not findings.last_findings(later)  # a mistaken visit's may be another person's teeth
    type(visit).objects.filter(pk=visit.pk).update(is_error=False)
    assert standing(findings.carry_over(visit=later, by=room.doctor)) == {(16, "caries"), (46, "caries")}
    with pytest.raises(Refused):
        findings.carry_over(visit=later, by=room.doctor)
    assert findings.undo_finding(visit=later, by=room.doctor) == []

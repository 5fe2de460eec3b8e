"""The whole table of who may do what, written out a second time, so that a slip in the code shows."""

import pytest

from accounts.permissions import ROLE_PERMISSIONS, Permission, Role, permissions_of
from accounts.rules import assignable_roles

C, W, D, F = Role.COORDINATOR, Role.ONLINE_CONSULTANT, Role.DOCTOR, Role.FRONT_DESK
N, M, A = Role.NURSE, Role.MANAGER, Role.ADMIN
EVERYONE = {C, W, D, F, N, M, A}
TABLE: dict[Permission, set[Role]] = {
    Permission.SIGNED_IN: EVERYONE,
    Permission.VIEW_TODAY: EVERYONE,
    Permission.VIEW_PATIENTS: EVERYONE,
    Permission.VIEW_VISITS: EVERYONE,
    Permission.EDIT_PATIENTS: {C, W, F, M, A},
    Permission.QUICK_ADD: {C, W, F, M, A},
    Permission.REVEAL_CONTACT: {C, W, F, M, A},
    Permission.IMPORT_PATIENTS: {C, M, A},
    Permission.EXPORT_PATIENTS: {M, A},
    Permission.CLASSIFY: {C, M, A},
    Permission.BOOK: {C, W, F, M, A},
    Permission.CHECK_IN: {C, F, M, A},
    Permission.COORDINATE: {C, M, A},
    Permission.CAPTURE_EXAM: {C, D, N, M, A},
    Permission.READ_HANDOFF: {C, D, N, M, A},
    Permission.TREAT: {D},
    Permission.VIEW_PLAN: {C, D, M, A},
    Permission.VIEW_MONEY: {C, M, A},
    Permission.APPROVE_WAIVER: {M, A},
    Permission.EDIT_CONTENT: {M, A},
    Permission.MANAGE_STAFF: {M, A},
    Permission.MANAGE_CLINICS: {A},
    Permission.VIEW_AUDIT: {M, A},
    Permission.CALL_PATIENTS: {N},
    Permission.FOLLOW_UP: {C, W, F, N, M, A},
    Permission.HAND_OVER: {M, A},
    Permission.RUN_CAMPAIGNS: {C, M, A},
    Permission.APPROVE_CAMPAIGNS: {M, A},
    Permission.EDIT_PLAYBOOKS: {M, A},
    Permission.MANAGE_CALENDAR: {M, A},
    Permission.VIEW_OUTBOX: {C, M, A},
    Permission.MANAGE_MESSAGES: {M, A},
    Permission.WORK_UNDECIDED: {C, M, A},
    Permission.RECORD_CARE: {C, M, A},
    Permission.TAKE_COMPLAINTS: EVERYONE,
    Permission.SETTLE_COMPLAINTS: {C, M, A},
    Permission.RATE_CLASSES: {C, M, A},
    Permission.AUDIT_CLASSES: {M, A},
    Permission.MERGE_PATIENTS: {M, A},
    Permission.ANSWER_RIGHTS: {M, A},
    Permission.VIEW_OWN_KPIS: {C, M, A},
    Permission.VIEW_KPIS: {M, A},
    Permission.SET_TARGETS: {M, A},
    Permission.INSPECT_ETIQUETTE: {M, A},
    Permission.REFUND: {M, A},
    Permission.VIEW_CONVERSATIONS: {W, M, A},
    Permission.IMPORT_CONVERSATIONS: {W, M, A},
    Permission.CAPTURE_CONTACTS: {W, M, A},
    Permission.SCORE_CONVERSATIONS: {M, A},
    Permission.EDIT_CHAT_RULES: {M, A},
}


def test_every_permission_is_in_the_table():
    assert set(TABLE) == set(Permission)
    assert set(ROLE_PERMISSIONS) == set(Role)


@pytest.mark.parametrize("permission", Permission)
def test_roles_have_exactly_what_the_table_grants(permission):
    assert {role for role in Role if permission in permissions_of(role)} == TABLE[permission]


def test_a_doctor_sees_only_what_treating_needs():
    held = permissions_of(Role.DOCTOR)
    assert not held & {Permission.VIEW_MONEY, Permission.REVEAL_CONTACT, Permission.EXPORT_PATIENTS, Permission.BOOK}


def test_front_desk_sees_no_plan_prices_and_nurses_no_money():
    for role in (Role.FRONT_DESK, Role.NURSE):
        assert not permissions_of(role) & {Permission.VIEW_PLAN, Permission.VIEW_MONEY}


def test_no_role_and_an_unknown_role_may_nothing():
    assert permissions_of(None) == permissions_of("owner") == frozenset()


@pytest.mark.parametrize("role", [*Role, None])
def test_roles_are_given_by_managers_and_administrators_alone(role):
    given = set(assignable_roles(role))
    assert given == {A: EVERYONE, M: EVERYONE - {A}}.get(role, set())

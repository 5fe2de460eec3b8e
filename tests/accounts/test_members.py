"""Changing what staff are: who may, what it ends, what it leaves behind."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import AuditEvent, Membership, User
from accounts.permissions import Permission, Role
from accounts.services import members
from tests.factories import ClinicFactory, MembershipFactory, TeamFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def manager(clinic):
    return UserFactory(role=Role.MANAGER, clinic=clinic)


@pytest.fixture
def admin():
    return UserFactory(role=Role.ADMIN)


@pytest.fixture
def nurse(clinic):
    return MembershipFactory(clinic=clinic, role=Role.NURSE)


def fresh(user):
    return User.objects.get(pk=user.pk)


def actions():
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def test_an_invited_person_has_a_pinyin_username_and_no_password(clinic, manager):
    member = members.invite_member(clinic=clinic, full_name="谢美林", role=Role.DOCTOR, by=manager)
    assert member.user.username == "xiemeilin"
    assert not member.user.has_usable_password()
    assert actions() == ["member_added"]


def test_namesakes_get_different_usernames(clinic, manager):
    names = [members.invite_member(clinic=clinic, full_name="谢美林", role=Role.NURSE, by=manager) for _ in range(3)]
    assert [m.user.username for m in names] == ["xiemeilin", "xiemeilin2", "xiemeilin3"]


def test_a_taken_username_is_refused_whatever_its_case(clinic, manager):
    UserFactory(username="lin")
    with pytest.raises(ValidationError):
        members.invite_member(clinic=clinic, full_name="林", role=Role.NURSE, username="LIN", by=manager)


@pytest.mark.parametrize("role", [r for r in Role if r not in {Role.MANAGER, Role.ADMIN}])
def test_only_managers_invite(clinic, role):
    with pytest.raises(PermissionDenied):
        members.invite_member(clinic=clinic, full_name="甲", role=Role.NURSE, by=UserFactory(role=role, clinic=clinic))


def test_a_manager_makes_no_administrator(clinic, manager, nurse):
    with pytest.raises(PermissionDenied):
        members.invite_member(clinic=clinic, full_name="甲", role=Role.ADMIN, by=manager)
    with pytest.raises(PermissionDenied):
        members.change_role(membership=nurse, role=Role.ADMIN, by=manager)


def test_a_manager_touches_no_administrator(clinic, manager):
    boss = MembershipFactory(clinic=clinic, role=Role.ADMIN)
    for change in (
        lambda: members.change_role(membership=boss, role=Role.NURSE, by=manager),
        lambda: members.disable_member(membership=boss, by=manager),
        lambda: members.rename(membership=boss, full_name="乙", by=manager),
    ):
        with pytest.raises(PermissionDenied):
            change()


def test_a_manager_manages_only_the_own_clinic(manager):
    elsewhere = MembershipFactory(role=Role.NURSE)
    with pytest.raises(PermissionDenied):
        members.change_role(membership=elsewhere, role=Role.DOCTOR, by=manager)
    with pytest.raises(PermissionDenied):
        members.disable_member(membership=elsewhere, by=manager)


def test_nobody_raises_themselves(clinic, manager):
    own = manager.memberships.get()
    with pytest.raises(ValidationError):
        members.change_role(membership=own, role=Role.NURSE, by=manager)
    with pytest.raises(PermissionDenied):
        members.change_role(membership=own, role=Role.ADMIN, by=manager)
    with pytest.raises(ValidationError):
        members.disable_member(membership=own, by=manager)


def test_changing_a_role_keeps_both_in_the_audit_log_and_ends_sessions(clinic, manager, nurse):
    before = fresh(nurse.user).session_epoch
    members.change_role(membership=nurse, role=Role.FRONT_DESK, by=manager)
    assert fresh(nurse.user).session_epoch == before + 1
    event = AuditEvent.objects.get(action="role_changed")
    assert (event.actor, event.detail) == (manager, {"was": "nurse", "now": "front_desk"})


def test_the_same_role_again_changes_nothing(manager, nurse):
    members.change_role(membership=nurse, role=Role.NURSE, by=manager)
    assert actions() == []
    assert fresh(nurse.user).session_epoch == 0


def test_the_last_administrator_stays(admin):
    other = UserFactory(role=Role.ADMIN)
    members.disable_member(membership=other.memberships.get(), by=admin)
    last = admin.memberships.get()
    for by in (None, fresh(other)):
        with pytest.raises((ValidationError, PermissionDenied)):
            members.disable_member(membership=last, by=by)
        with pytest.raises((ValidationError, PermissionDenied)):
            members.change_role(membership=last, role=Role.NURSE, by=by)


def test_an_administrator_who_never_signed_in_does_not_count_as_the_other_one(admin):
    members.invite_member(clinic=ClinicFactory(), full_name="甲", role=Role.ADMIN, by=admin)
    with pytest.raises(ValidationError):
        members.disable_member(membership=admin.memberships.get(), by=None)


def test_disabling_the_only_membership_closes_the_account_and_enabling_opens_it(manager, nurse):
    members.disable_member(membership=nurse, by=manager)
    assert not fresh(nurse.user).is_active
    members.enable_member(membership=nurse, by=manager)
    assert fresh(nurse.user).is_active
    assert actions() == ["member_disabled", "member_enabled"]


def test_disabling_in_one_clinic_leaves_the_other(manager, nurse):
    other = MembershipFactory(user=nurse.user, role=Role.NURSE)
    members.disable_member(membership=nurse, by=manager)
    assert fresh(nurse.user).is_active
    assert fresh(nurse.user).clinic_ids() == [other.clinic_id]


def test_a_disabled_person_sees_no_clinic(manager, nurse):
    members.disable_member(membership=nurse, by=manager)
    person = fresh(nurse.user)
    assert person.clinic_ids() == []
    assert person.working_in is None


def test_a_team_of_another_clinic_is_refused(manager, nurse):
    with pytest.raises(ValidationError):
        members.set_team(membership=nurse, team=TeamFactory(), by=manager)


def test_update_is_all_or_nothing(manager, nurse):
    with pytest.raises(PermissionDenied):
        members.update_member(membership=nurse, full_name="新名", role=Role.ADMIN, team=None, by=manager)
    assert fresh(nurse.user).full_name == nurse.user.full_name


def test_an_administrator_works_in_every_clinic(admin, clinic):
    member = members.invite_member(clinic=clinic, full_name="甲", role=Role.ADMIN, by=admin)
    assert Membership.objects.for_user(admin).filter(pk=member.pk).exists()


def test_only_who_could_manage_all_roles_of_a_person_adds_them_elsewhere(clinic, manager, admin):
    person = UserFactory(role=Role.NURSE)
    with pytest.raises(PermissionDenied):
        members.add_to_clinic(user=person, clinic=clinic, role=Role.NURSE, by=manager)
    members.add_to_clinic(user=person, clinic=clinic, role=Role.FRONT_DESK, by=admin)
    assert set(fresh(person).roles.values()) == {"nurse", "front_desk"}
    with pytest.raises(ValidationError):
        members.add_to_clinic(user=person, clinic=clinic, role=Role.NURSE, by=admin)


def test_scope_can_ask_for_a_permission(clinic):
    person = UserFactory(role=Role.MANAGER, clinic=clinic)
    MembershipFactory(user=person, role=Role.NURSE)
    assert len(person.clinic_ids()) == 2
    assert person.clinic_ids(Permission.MANAGE_STAFF) == [clinic.pk]
    assert {m.clinic_id for m in Membership.objects.for_user(person, Permission.MANAGE_STAFF)} == {clinic.pk}

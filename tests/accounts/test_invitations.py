"""One-time links: used once, replaced by newer ones, ended by time and by role changes."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.models import AuditEvent, User
from accounts.permissions import Role
from accounts.services.invitations import accept_invitation, issue_invitation
from accounts.services.members import change_role, disable_member, invite_member
from tests.factories import ClinicFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db
NEW = "a-long-new-word-7"


@pytest.fixture
def manager():
    return UserFactory(role=Role.MANAGER, clinic=ClinicFactory())


@pytest.fixture
def member(manager):
    clinic = manager.memberships.get().clinic
    return invite_member(clinic=clinic, full_name="罗依依", role=Role.NURSE, by=manager)


@pytest.fixture
def link(member, manager):
    return issue_invitation(membership=member, by=manager)


def accept(client, link, password=NEW):
    return client.post(link, {"password1": password, "password2": password})


def test_the_invited_chooses_a_password_and_is_signed_in(client, link, member):
    assert client.get(link).status_code == 200
    response = accept(client, link)
    assert response.status_code == 302
    assert int(client.session["_auth_user_id"]) == member.user_id
    assert User.objects.get(pk=member.user_id).check_password(NEW)
    assert AuditEvent.objects.filter(action="invitation_accepted", actor=member.user).exists()


def test_a_link_works_once(client, link):
    accept(client, link)
    client.logout()
    assert client.get(link).status_code == 410
    assert accept(client, link, "another-long-word-8").status_code == 410


def test_two_at_once_cannot_both_use_it(link, member):
    token = link.rstrip("/").rpartition("/")[2]
    accept_invitation(user=member.user, token=token, password=NEW, by=member.user)
    with pytest.raises(ValidationError):
        accept_invitation(user=member.user, token=token, password="another-word-9", by=member.user)


def test_a_newer_link_ends_the_older(client, link, member, manager):
    newer = issue_invitation(membership=member, by=manager)
    assert client.get(link).status_code == 410
    assert client.get(newer).status_code == 200


def test_a_link_ends_after_its_time(client, link, settings):
    with time_machine.travel(timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT + 60)):
        assert client.get(link).status_code == 410


def test_disabling_or_changing_the_role_ends_the_link(client, manager, member, link):
    change_role(membership=member, role=Role.FRONT_DESK, by=manager)
    assert client.get(link).status_code == 410
    newer = issue_invitation(membership=member, by=manager)
    disable_member(membership=member, by=manager)
    assert client.get(newer).status_code == 410
    with pytest.raises(ValidationError):
        issue_invitation(membership=member, by=manager)


@pytest.mark.parametrize("path", ["/invitation/x/y/", "/invitation/MQ/abc-123/", "/invitation/%F0%9F%98%80/1-1/"])
def test_a_made_up_link_is_answered_as_over(client, path):
    assert client.get(path).status_code == 410


def test_weak_and_differing_passwords_are_refused(client, link, member):
    for first, second in (("short", "short"), (NEW, NEW + "x"), ("luoyiyi123", "luoyiyi123")):
        response = client.post(link, {"password1": first, "password2": second})
        assert response.status_code == 422
        assert re.search("is-invalid", response.content.decode())
    assert not User.objects.get(pk=member.user_id).has_usable_password()


def test_a_manager_gets_no_link_for_who_is_more_elsewhere(manager):
    clinic = manager.memberships.get().clinic
    person = UserFactory(role=Role.ADMIN)
    here = MembershipFactory(user=person, clinic=clinic, role=Role.NURSE)
    with pytest.raises(PermissionDenied):
        issue_invitation(membership=here, by=manager)


def test_a_nurse_gets_no_link_for_anybody(member):
    nurse = UserFactory(role=Role.NURSE, clinic=member.clinic)
    with pytest.raises(PermissionDenied):
        issue_invitation(membership=member, by=nurse)

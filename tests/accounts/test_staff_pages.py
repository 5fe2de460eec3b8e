"""The staff, team and clinic pages do what their buttons say."""

import pytest

from accounts.forms import LIMITED_STAGES
from accounts.models import AuditEvent, Clinic, Group, Membership, Team, User
from accounts.permissions import Role
from accounts.services.tokens import create_service_account
from tests.factories import ClinicFactory, ConversationFactory, MembershipFactory, TeamFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture
def manager(client, clinic):
    user = UserFactory(role=Role.MANAGER, clinic=clinic)
    client.force_login(user)
    return user


@pytest.fixture
def admin(client, clinic):
    user = UserFactory(role=Role.ADMIN, clinic=clinic)
    client.force_login(user)
    return user


def text(response):
    return response.content.decode()


def test_inviting_shows_the_link_once(client, clinic, manager):
    team = TeamFactory(clinic=clinic)
    data = {"full_name": "罗依依", "role": "nurse", "team": team.pk, "username": ""}
    response = client.post("/staff/new/", data, follow=True)
    member = Membership.objects.get(user__full_name="罗依依")
    assert (member.role, member.team, member.user.username) == ("nurse", team, "luoyiyi")
    assert "http://testserver/invitation/" in text(response)
    assert "/invitation/" not in text(client.get("/staff/"))


def test_a_manager_is_not_offered_the_administrators_role(client, manager):
    assert 'value="admin"' not in text(client.get("/staff/new/"))
    response = client.post("/staff/new/", {"full_name": "甲", "role": "admin"})
    assert response.status_code == 422
    assert not User.objects.filter(full_name="甲").exists()


def test_a_refused_invitation_keeps_what_was_typed(client, manager):
    UserFactory(username="taken")
    response = client.post("/staff/new/", {"full_name": "罗依依", "role": "nurse", "username": "Taken"})
    assert response.status_code == 422
    assert 'value="罗依依"' in text(response)
    assert "is-invalid" in text(response)


def test_changing_role_and_team(client, clinic, manager):
    member, team = MembershipFactory(clinic=clinic), TeamFactory(clinic=clinic)
    data = {"full_name": member.user.full_name, "role": "front_desk", "team": team.pk}
    assert client.post(f"/staff/{member.pk}/", data).status_code == 302
    member.refresh_from_db()
    assert (member.role, member.team) == ("front_desk", team)


def test_a_manager_cannot_open_an_administrators_page(client, clinic, manager):
    boss = MembershipFactory(clinic=clinic, role=Role.ADMIN)
    assert client.get(f"/staff/{boss.pk}/").status_code == 403
    for action in ("disable", "link"):
        assert client.post(f"/staff/{boss.pk}/{action}/").status_code == 403


def test_disabling_and_enabling_by_button(client, clinic, manager):
    member = MembershipFactory(clinic=clinic)
    client.post(f"/staff/{member.pk}/disable/", follow=True)
    assert not Membership.objects.get(pk=member.pk).is_active
    assert member.user.full_name not in text(client.get("/staff/"))
    assert member.user.full_name in text(client.get("/staff/?show=disabled"))
    client.post(f"/staff/{member.pk}/enable/")
    assert Membership.objects.get(pk=member.pk).is_active


def test_the_list_shows_this_clinic_and_filters_by_role(client, clinic, manager):
    nurse = MembershipFactory(clinic=clinic, role=Role.NURSE, user__full_name="罗依依")
    MembershipFactory(role=Role.NURSE, user__full_name="别处人")
    MembershipFactory(clinic=clinic, role=Role.DOCTOR, user__full_name="谢美林")
    page = text(client.get("/staff/?role=nurse"))
    assert nurse.user.full_name in page
    assert "别处人" not in page
    assert "谢美林" not in page


def test_the_list_costs_the_same_for_three_and_for_thirty(client, clinic, manager, django_assert_max_num_queries):
    MembershipFactory.create_batch(30, clinic=clinic)
    with django_assert_max_num_queries(12):
        client.get("/staff/")


def test_a_person_of_another_clinic_is_added_here(client, clinic, manager):
    other = MembershipFactory(user=manager, role=Role.MANAGER).clinic
    person = MembershipFactory(clinic=other, role=Role.NURSE).user
    stranger = MembershipFactory(role=Role.NURSE).user
    assert client.post("/staff/join/", {"user": stranger.pk, "role": "nurse"}).status_code == 422
    assert client.post("/staff/join/", {"user": person.pk, "role": "nurse"}).status_code == 302
    assert Membership.objects.filter(user=person, clinic=clinic, role="nurse").exists()


def test_teams_are_made_renamed_and_dissolved(client, clinic, manager):
    client.post("/staff/teams/", {"name": "咨询一组"})
    team = Team.objects.get(clinic=clinic)
    member = MembershipFactory(clinic=clinic, team=team)
    assert client.post("/staff/teams/", {"name": "咨询一组"}).status_code == 422
    client.post(f"/staff/teams/{team.pk}/", {"name": "咨询二组"})
    page = text(client.get("/staff/teams/"))
    assert "咨询二组" in page
    assert member.user.full_name in page
    client.post(f"/staff/teams/{team.pk}/delete/")
    member.refresh_from_db()
    assert member.team is None


def test_an_administrator_opens_a_clinic(client, admin):
    response = client.post("/clinics/new/", {"code": "qs", "name": "松浦门诊", "zone": "Asia/Shanghai"})
    assert response.status_code == 302
    assert Clinic.objects.get(code="QS").name == "松浦门诊"
    assert client.post("/clinics/new/", {"code": "QS", "name": "x", "zone": "Asia/Shanghai"}).status_code == 422


def test_a_clinics_limits_are_changed_and_logged(client, clinic, admin):
    data = {"name": "新名", "zone": "Asia/Shanghai", "late_cancel_hours": 48, "limit_arrived": 5, "limit_exam": ""}
    assert client.post(f"/clinics/{clinic.pk}/", data).status_code == 302
    changed = Clinic.objects.get(pk=clinic.pk)
    assert (changed.name, changed.late_cancel_hours, changed.stage_limits) == ("新名", 48, {"arrived": 5})
    assert AuditEvent.objects.get(action="clinic_edited").detail["now"]["late_cancel_hours"] == 48
    assert client.post(f"/clinics/{clinic.pk}/", data | {"limit_arrived": "-1"}).status_code == 422


def test_the_clinic_of_the_last_administrator_is_not_closed(client, clinic, admin):
    client.post(f"/clinics/{clinic.pk}/close/")
    assert Clinic.objects.get(pk=clinic.pk).is_active


def test_a_closed_clinic_lets_nobody_in_until_it_is_opened_again(client, admin):
    member = MembershipFactory()
    client.post(f"/clinics/{member.clinic_id}/close/")
    assert User.objects.get(pk=member.user_id).clinic_ids() == []
    client.post(f"/clinics/{member.clinic_id}/reopen/")
    assert User.objects.get(pk=member.user_id).clinic_ids() == [member.clinic_id]


def test_the_stages_and_their_usual_limits_are_those_of_a_visit():
    from consultations.stages import DEFAULT_LIMITS

    usual = {stage: minutes for stage, _label, minutes in LIMITED_STAGES}
    assert usual == {str(stage): minutes for stage, minutes in DEFAULT_LIMITS.items()}


@pytest.mark.parametrize(
    "path", ["/staff/", "/staff/new/", "/staff/teams/", "/clinics/", "/clinics/new/", "/audit/", "/password/"]
)
def test_pages_are_whole_in_both_languages(client, admin, path):
    for language in ("zh-hans", "en"):
        User.objects.filter(pk=admin.pk).update(language=language)
        response = client.get(path)
        assert response.status_code == 200
        assert "<h1" in text(response)


def test_an_administrator_names_the_group(client, clinic, admin):
    response = client.post("/clinics/", {"group_name": " 青禾  口腔集团 "})
    assert response["Location"] == "/clinics/"
    assert Group.objects.get().name == "青禾 口腔集团"
    assert AuditEvent.objects.filter(action="group_named", actor=admin).count() == 1
    client.post("/clinics/", {"group_name": "青禾 口腔集团"})
    assert AuditEvent.objects.filter(action="group_named").count() == 1
    refused = client.post("/clinics/", {"group_name": "甲" * 61})
    assert refused.status_code == 422
    assert "甲" * 61 in text(refused)


def test_a_manager_does_not_name_the_group(client, manager):
    assert client.post("/clinics/", {"group_name": "别的"}).status_code == 403
    assert not Group.objects.exists()


def test_a_team_with_chats_is_not_dissolved_and_the_page_says_why(client, clinic, manager):
    team = TeamFactory(clinic=clinic)
    ConversationFactory(clinic=clinic, team=team)
    answer = client.post(f"/staff/teams/{team.pk}/delete/", follow=True)
    assert "不能解散" in text(answer)
    assert Team.objects.filter(pk=team.pk).exists()
    assert not AuditEvent.objects.filter(action="team_deleted").exists()


def test_a_program_is_told_apart_among_the_staff_and_not_invited(client, clinic, manager):
    create_service_account(clinic=clinic, name="预约小程序", role=Role.NURSE, by=manager)
    page = text(client.get("/staff/"))
    row = page.split("预约小程序")[-1].split("</tr>")[0]
    assert "程序" in row
    assert "/link/" not in row

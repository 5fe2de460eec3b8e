"""Whom one may choose: people who work here; never another program's account."""

from typing import Any

import pytest

from accounts.models import Membership, User
from accounts.permissions import Role
from accounts.services.tokens import create_service_account
from tests.api.asking import problem
from tests.api.programs import Program
from tests.factories import PatientFactory, TaskFactory, UserFactory, VisitFactory
from tests.guards.routes import all_routes, signed_in
from tests.guards.world import World

pytestmark = pytest.mark.django_db
# Pages that are about accounts, programs' among them; nobody is chosen there.
ABOUT_ACCOUNTS = ("staff/", "me/", "audit", "clinics/")


def programs(world: World) -> list[User]:
    """Make an account for a program in every role."""
    return [create_service_account(clinic=world.clinic, name=f"Zprogram{role}", role=role, by=None) for role in Role]


def test_only_people_who_work_here_may_be_chosen() -> None:
    world = World()
    made, gone = programs(world), UserFactory(clinic=world.clinic)
    Membership.objects.filter(user=gone).update(is_active=False)
    people = set(User.objects.working_in(world.clinic))
    assert world.someone in people or world.someone in set(User.objects.working_in(world.clinic))
    assert not people & {*made, gone}
    assert not set(User.objects.working_in(world.clinic, Role.DOCTOR)) & set(made)
    assert not Membership.objects.for_clinic(world.clinic).people().filter(user__in=made).exists()


def test_no_page_offers_an_account_of_a_program() -> None:
    world = World()
    TaskFactory(clinic=world.clinic, patient=world.patient, owner=world.someone)
    assert VisitFactory(clinic=world.clinic, patient=PatientFactory(clinic=world.clinic))
    programs(world)
    client = signed_in(UserFactory(clinic=world.clinic, role=Role.ADMIN, current_clinic=world.clinic))
    offered, opened = [], 0
    for route in all_routes():
        if route.path.startswith(("api/", *ABOUT_ACCOUNTS)) or not route.open_to(Role.ADMIN):
            continue
        answer: Any = client.get(route.url(world))
        if answer.status_code != 200 or answer.streaming:
            continue
        opened += 1
        if b"Zprogram" in answer.content:
            offered.append(route.name)
    assert opened > 60
    assert not offered


def test_the_api_takes_no_program_for_somebody_to_do_a_thing() -> None:
    world = World()
    program = programs(world)[0]
    tc = Program(UserFactory(clinic=world.clinic, role=Role.COORDINATOR))
    answer = tc.patch(f"patients/{world.patient.pk}/", {"owner": program.pk}, if_match="*")
    assert "owner" in problem(answer, 422, "invalid")["errors"]

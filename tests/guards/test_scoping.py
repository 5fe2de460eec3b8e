"""Nothing new escapes being declared; tests/safety/test_matrix.py asks whether what is declared holds."""

import pytest
from django.apps import apps

from accounts.models import Clinic
from accounts.permissions import Permission, Role, permissions_of
from accounts.scoping import ScopedQuerySet
from patients.models import Patient
from tests.factories import MembershipFactory, UserFactory
from tests.guards.routes import ACROSS, UNDECLARED, all_routes, ask, signed_in
from tests.guards.world import World

OURS = {"accounts", "patients", "followups", "consultations", "conversations", "metrics", "workbench", "clinic_crm"}

# Models whose clinic is not one non-null path away, and why that is right.
SPECIAL = {
    "accounts.Clinic": "is the clinic; for_user gives the clinics one works in",
    "accounts.Group": "what all clinics together are called: one row, of no clinic",
    "accounts.User": "belongs to clinics through memberships; for_user asks for one in common",
    "accounts.ApiToken": "a person's; for_user gives one's own, and those of programs whose accounts one manages",
    "accounts.IdempotentRequest": "read only by the service that answers the same person's repeated request",
    "patients.Patient": "one person in the group; for_user asks for a registration in a clinic of the user",
    "consultations.UndecidedMark": "a patient whose board rows are derived anew; read by that service and the board's",
    "followups.JobRun": "the heartbeat of the installation's own jobs; of no clinic",
    "patients.PatientPhone": "read only through its patient",
}


def our_models():
    return [model for model in apps.get_models() if model._meta.app_label in OURS]


def is_history(model):
    """Rows that triggers write, read only through the row whose history they are."""
    return any(base.__module__.startswith("pghistory") for base in model.__mro__)


def path_fault(model, path):
    """Say what is wrong with the way from a model to its clinic; nothing when each step is non-null."""
    step = model
    for name in path.split("__"):
        field = step._meta.get_field(name)
        if field.null:
            return f"{step._meta.label}.{name} may be null"
        step = field.related_model
    return "" if step is Clinic else f"{path} ends at {step}"


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_every_row_has_a_clinic_and_is_read_through_for_user(model):
    if model._meta.label in SPECIAL or is_history(model):
        return
    queryset = model._default_manager.all()
    assert isinstance(queryset, ScopedQuerySet), f"{model._meta.label}: objects = ScopedQuerySet.as_manager()"
    assert path_fault(model, queryset.clinic_path) == ""


def test_the_list_of_special_models_holds_nothing_old():
    assert set(SPECIAL) <= {model._meta.label for model in our_models()}


def test_no_model_of_ours_uses_generic_foreign_keys():
    for model in our_models():
        assert not model._meta.private_fields, model


def test_every_route_is_declared():
    silent = {route.name for route in all_routes() if not route.access}
    assert silent == set(UNDECLARED)


def test_routes_have_names_each_once():
    names = [route.pattern.name for route in all_routes()]
    assert None not in names
    assert sorted(names) == sorted(set(names))


@pytest.fixture
def world(db):
    return World()


# Routes that rightly answer "not found" to an empty request about an own object, and why.
MAY_BE_ABSENT = {
    "session_end": "only one's own sessions",
    "service_account": "the accounts of programs alone",
    "token_revoke": "one's own tokens, and those of programs whose accounts one manages",
    "api_complaint-detail": "shown to those who settle complaints, who took it, and whom it is about",
    "api_complaint-steps": "the same",
    "api_complaint-note": "the same",
    "api_task-detail": "a doctor sees the tasks that name them",
    "api_task-claim": "the same",
    "api_task-release": "the same",
    "api_task-plan": "the same",
    "api_handoff-detail": "a draft is the coordinator's alone",
    "api_handoff-acknowledge": "the same",
    "api_conversation-detail": "an online consultant sees own chats alone",
    "api_conversation-messages": "the same",
    "api_conversation-self-check": "the same",
    "api_conversation-take-over": "the same",
    "api_conversation-take-back": "the same",
    "api_conversation-correct": "the same",
    "api_captured-contact-detail": "the same",
    "api_captured-contact-reveal": "the same",
    "api_finding-detail": "the same",
    "api_finding-appeal": "the same",
    "api_appeal-detail": "the same",
    "api_inspection-detail": "shown to those who inspect and to the person inspected",
    "api_inspection-seen": "the same",
    "complaint": "shown to those who settle complaints, who took it, and whom it is about",
    "complaint_step": "the same",
    "complaint_contact": "the same",
    "task": "a doctor sees the tasks that name them",
    "task_plan": "the same",
    "task_claim": "the same",
    "conversation": "an online consultant sees own chats alone",
    "conversation_lines": "the same",
    "conversation_open": "the same",
    "conversation_self_check": "the same",
    "finding_appeal": "the same",
    "coaching_done": "the same",
    "front": "an online consultant sees the own front alone",
    "chat_rules_preview_step": "a preview is its maker's alone",
    "capture_take_over": "an online consultant sees own chats alone",
    "capture_undo": "the same",
    "capture_correct": "the same",
    "capture_file": "the same",
    "capture_reveal": "the same",
    "etiquette_inspection": "shown to those who inspect and to the person inspected",
    "etiquette_seen": "the same",
    "etiquette_recording": "the same",
    "kpi_panel_records": "without a part there are no records",
    "styleguide": "shown in debug only",
    "switch_clinic": "an empty choice is no clinic",
}


def test_a_role_in_one_clinic_opens_nothing_in_the_other(world):
    """Who may do something here, and works over there in a role that may not, does not do it there."""
    there = World()
    faults = []
    for route in (r for r in all_routes() if r.guarded and r.has_id and r.name not in ACROSS):
        here_role = next(role for role in Role if role != Role.ADMIN and route.open_to(role)) if _fits(route) else None
        there_role = next((role for role in Role if not route.open_to(role)), None)
        if here_role is None or there_role is None:
            continue
        user = UserFactory(role=here_role, clinic=world.clinic, current_clinic=world.clinic)
        MembershipFactory(user=user, clinic=there.clinic, role=there_role)
        status = ask(signed_in(user), route.url(there))
        if status not in {403, 404}:
            faults.append(f"{here_role} here, {there_role} there: {route.name} {status}")
    assert not faults, "\n".join(faults)


def _fits(route):
    return any(route.open_to(role) for role in Role if role != Role.ADMIN)


def test_a_patient_of_another_clinic_is_out_of_reach(world):
    there = World()
    assert there.patient
    user = UserFactory(role=Role.COORDINATOR, clinic=world.clinic)
    assert world.patient in Patient.objects.for_user(user)
    assert there.patient not in Patient.objects.for_user(user)


def test_permissions_of_the_routes_are_all_granted_to_somebody():
    used = {permission for route in all_routes() if route.guarded for permission in route.access}
    assert used <= {permission for role in Role for permission in permissions_of(role)}
    assert Permission.SIGNED_IN in used

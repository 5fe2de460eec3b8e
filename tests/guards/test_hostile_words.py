"""Whatever people type, every page shows it as words: no element, attribute or template tag comes of it.

All texts in the database are made hostile at once, then every address is opened.
"""

import re
from functools import lru_cache
from html.parser import HTMLParser
from typing import Any

import pgtrigger
import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.test import Client
from django.utils import timezone

from accounts.permissions import Role
from consultations.models import Handoff, PlanItem, ToothFinding, Visit
from consultations.stages import Stage
from patients.services import NewPatient, register_patient
from tests.factories import ClassChangeFactory, ConsentFactory, ReferralFactory, UserFactory
from tests.guards.routes import all_routes, signed_in
from tests.guards.test_bad_input import undone
from tests.guards.world import World

WORDS = """'" xss=1 ></a></textarea></script><xss>Q{%now "Y"%}Q`"""
SHORT = """'" xss><xss>"""
OURS = {"accounts", "patients", "followups", "consultations"}
# Texts that the product makes, not people.
MADE = {
    "accounts.User": {"username", "password", "language", "theme", "email", "first_name", "last_name"},
    "accounts.Clinic": {"code", "zone"},
    "accounts.AuditEvent": {"action", "subject"},
    "patients.Patient": {"name_key", "name_pinyin", "name_initials", "class_code"},
    "patients.Registration": {"number", "import_key"},
    "patients.PatientPhone": {"last4"},
    "patients.PublicLink": {"code"},
    "patients.Consent": {"channel", "wording_version"},
    "patients.ClassChange": {"old_class", "new_class", "suggested"},
    "patients.ImportJob": {"status", "today"},
    "consultations.ExamKind": {"code", "one_of"},
    "consultations.ExamFile": {"sha256"},
    "consultations.ConsultationForm": {"link_key"},
    "consultations.Visit": {"treat_today"},
    "consultations.Plan": {"signature"},
}


def hostile(field: "models.Field[Any, Any]") -> Any:
    """Return what a hostile person types into the field; None for one that takes no words."""
    if isinstance(field, ArrayField):
        word = hostile(field.base_field)
        return [word] if word else None
    if not isinstance(field, models.CharField | models.TextField) or field.choices or not field.editable:
        return None
    longest = field.max_length or 1000
    return WORDS if longest >= len(WORDS) else SHORT if longest >= len(SHORT) else None


def poison() -> None:
    """Make every text that people type hostile."""
    with pgtrigger.ignore():
        for model in apps.get_models():
            if model._meta.app_label not in OURS or ("Event" in model.__name__ and model.__name__ != "AuditEvent"):
                continue
            made = MADE.get(model._meta.label, set())
            values = {f.name: hostile(f) for f in model._meta.concrete_fields if f.name not in made}
            values = {name: value for name, value in values.items() if value}
            if values:
                spoil(model, values)


def spoil(model: type[models.Model], values: dict[str, Any]) -> None:
    """Write the words, made different where each row must have its own."""
    once = {name for c in model._meta.constraints if isinstance(c, models.UniqueConstraint) for name in c.fields}
    once |= {field.name for field in model._meta.concrete_fields if field.unique}
    for row in model._default_manager.all():
        own = {
            name: f"{row.pk}{value}"[: 40 if name in once else None] for name, value in values.items() if name in once
        }
        model._default_manager.filter(pk=row.pk).update(**values | own)


class Reader(HTMLParser):
    """Finds what was let in."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.words = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag.startswith("xss"):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if "xss" in name:
                self.found.append(f"<{tag} {name}>")
            self._look(value or "", f"{tag} {name}")

    def handle_data(self, data: str) -> None:
        self._look(data, "text")

    def handle_comment(self, data: str) -> None:
        self._look(data, "comment")

    def _look(self, text: str, where: str) -> None:
        self.words += "xss" in text
        if f"Q{timezone.now().year}Q" in text:
            self.found.append(f"a template tag ran in {where}")
        if "&lt;xss" in text or "&amp;quot;" in text:
            self.found.append(f"escaped twice in {where}: {text[:60]}")


# Written anew into each answer.
FRESH = re.compile(r'(?<=nonce=")[^"]*|(?<=name="csrfmiddlewaretoken" value=")[^"]*|(?<="x-csrftoken": ")[^"]*')


@lru_cache(maxsize=8)
def read(page: str) -> tuple[list[str], int]:
    """Return what was let into a page, and how often the words were shown. The same page is read once."""
    reader = Reader()
    reader.feed(page)
    return sorted(set(reader.found)), reader.words


def let_in(client: Client, url: str, **headers: str) -> tuple[list[str], int]:
    """Open a page; return what was let in, and how often the words were shown."""
    with undone(client):
        response = client.get(url, **headers)
        if response.status_code == 500:
            return [str(response.status_code)], 0
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return [], 0
        return read(FRESH.sub("", response.content.decode()))


@pytest.fixture
def world(db: None) -> World:
    """One of everything, with words in it."""
    world = World()
    by, visit, patient = world.someone, world.visit, world.patient
    brought = register_patient(clinic=world.clinic, details=NewPatient(name="周亦文", tags=["牙套"]), by=by).patient
    ReferralFactory(clinic=world.clinic, referrer=patient, referred=brought)
    change = ClassChangeFactory(clinic=world.clinic, patient=patient, reason="x", by=by)
    ConsentFactory(clinic=world.clinic, patient=patient)
    patient.registrations.update(owner=by, tags=["x"], complaint="x")
    now = timezone.now()
    Handoff.objects.filter(visit=visit).update(sent_at=now, sent_by=by, stress_points=["x"])
    PlanItem.objects.create(option=world.option, name="x", teeth=[11], unit_price=10)
    ToothFinding.objects.create(visit=visit, tooth=11, kind=ToothFinding.Kind.values[0], by=by)
    facts = {
        "handoff_at": now,
        "explaining_started_at": now,
        "doctor": by,
        "room": world.room,
        "classification": change,
    }
    Visit.objects.filter(pk=visit.pk).update(**facts)
    assert all((world.appointment, world.exam_file, world.team, world.import_job))
    return world


def test_no_page_lets_in_what_people_type(world: World) -> None:
    addresses = [route.url(world) for route in all_routes()]
    people = [UserFactory(role=role, clinic=world.clinic) for role in (Role.ADMIN, Role.DOCTOR)]
    poison()
    faults, shown = [], 0
    for person in people:
        client = signed_in(person)
        for url in addresses:
            for headers in ({}, {"HTTP_HX_REQUEST": "true"}):
                found, count = let_in(client, url, **headers)
                shown += count
                faults += [f"{url} {headers}: {one}" for one in found]
    assert not faults, "\n".join(faults)
    assert shown > 300, "the words are hardly shown: what does this test look at?"


def test_no_stage_of_a_visit_lets_in_what_people_type(world: World) -> None:
    coordinator, doctor = (UserFactory(role=role, clinic=world.clinic) for role in (Role.MANAGER, Role.DOCTOR))
    poison()
    faults = []
    for stage in Stage.values:
        Visit.objects.filter(pk=world.visit.pk).update(stage=stage)
        pages = [(coordinator, f"/visits/{world.visit.pk}/"), (doctor, f"/visits/{world.visit.pk}/")]
        pages += [(doctor, f"/doctor/{world.visit.pk}/"), (doctor, "/doctor/"), (coordinator, "/today/")]
        for person, url in pages:
            found, _count = let_in(signed_in(person), url)
            faults += [f"{stage} {url}: {one}" for one in found]
    assert not faults, "\n".join(faults)


def test_the_reader_sees_what_is_let_in() -> None:
    """The control."""
    reader = Reader()
    reader.feed(f'<p title="{WORDS}">{WORDS}</p><a {SHORT}>x</a>')
    assert any(fault.startswith("<xss") for fault in reader.found)
    assert any("xss>" in fault and not fault.startswith("<xss") for fault in reader.found)

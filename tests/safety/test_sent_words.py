"""The corpus, sent as people and programs send it: refused with words, or kept and shown as words ever after."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from accounts.permissions import Role
from conversations.tasks import run_due_chat_imports
from followups.tasks import import_appointments
from patients.models import ImportJob
from patients.tasks import run_due_imports
from tests.factories import UserFactory
from tests.guards.routes import all_routes, signed_in
from tests.guards.world import World
from tests.safety.corpus import PAYLOADS
from tests.safety.filled import forms_of
from tests.safety.marked import everything
from tests.safety.matrix import is_api
from tests.safety.sent import Operation, as_json, operations, places, put
from tests.safety.test_corpus import EXPORTS, alive, ask
from tests.safety.test_sent import Api

pytestmark = pytest.mark.django_db
# Where what was sent is read again.
READ = (
    "patients/", "today/", "visits/<int:pk>/", "doctor/", "tasks/", "complaints/", "appointments/", "waiting/", "care/",
    "conversations/", "etiquette/", "undecided/", "referrals/", "messages/webhooks/", "playbooks/", "staff/", "search/",
)  # fmt: skip
FORMS = (
    "patient_add", "patient_edit", "complaint_new", "contact_add", "task_add", "task_log", "plan_edit", "playbook",
    "waiting_new", "conversation_import", "staff_invite", "handoff_draft", "visit_complaint", "appointment_why",
)  # fmt: skip


def payloads() -> Iterator[str]:
    """Yield the corpus, over and over."""
    return (PAYLOADS[n % len(PAYLOADS)] for n in count())


def words_in(operation: Operation, body: Any) -> list[tuple[Any, ...]]:
    """Return where a body takes words of any kind."""
    return [place for place, value in places(body) if value == "词"]


def faults_shown(client: Client, world: World) -> tuple[list[str], int]:
    """Open every page where the words may stand, and the exports; return what came to life, and how often they stood."""
    faults, shown = [], 0
    pages = [route for route in all_routes() if not is_api(route) and route.path.startswith(READ)]
    for method, url, data in [*(("get", route.url(world), None) for route in pages), *EXPORTS[:2], *EXPORTS[-2:]]:
        found, times = alive(*ask(client, method, url, data))
        faults += [f"{method} {url}: {one}" for one in sorted(found)]
        shown += times
    return faults, shown


def test_what_programs_send_is_kept_as_words_or_refused(settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 10**9
    api, words, kept = Api(), payloads(), 0
    for operation in (one for one in operations() if one.schema):
        body = operation.body(api.known)
        taken = [
            (place, payload)
            for place in words_in(operation, body)
            if api.send(operation, as_json(put(body, place, payload := next(words))), f"{place} {payload}") < 300
        ]
        for place, payload in taken:
            body = put(body, place, payload)
        kept += bool(taken) and api.send(operation, as_json(body), "all of it", keep=True) < 300
    assert not api.faults, "\n".join(api.faults)
    assert kept > 15, "hardly anything is kept: what does this test send?"
    person = UserFactory(role=Role.ADMIN, clinic=api.world.clinic, current_clinic=api.world.clinic)
    faults, shown = faults_shown(signed_in(person), api.world)
    assert not faults, "\n".join(faults)
    assert shown > 50


def say_in(words: Iterator[str], name: str) -> str:
    """Return what is typed into a field: a number where only one can be meant, so that the rest is kept."""
    return "19900003721" if "phone" in name or "number" in name else next(words)


def test_what_people_type_into_forms_is_kept_as_words_or_refused(settings: Any) -> None:
    world, words, faults, kept = everything(World()), payloads(), [], 0
    person = UserFactory(role=Role.ADMIN, clinic=world.clinic, current_clinic=world.clinic)
    client = signed_in(person)
    for route in (one for one in all_routes() if one.name in FORMS):
        url = f"{route.url(world)}?patient={world.patient.pk}"
        for form in forms_of(client.get(url).content.decode()):
            if not form.words or "/me/" in form.action or "sign-out" in form.action:
                continue
            with transaction.atomic():
                answer = client.post(form.action or url, form.filled(lambda name: say_in(words, name)))
            kept += answer.status_code in (200, 204, 302)
            found = (
                set() if answer.status_code >= 500 else alive(answer.headers.get("Content-Type", ""), _body(answer))[0]
            )
            faults += [f"{route.name} {form.action}: {answer.status_code}"] if answer.status_code >= 500 else []
            faults += [f"{route.name} {form.action}: {one}" for one in sorted(found)]
    assert kept > 4
    more, shown = faults_shown(client, world)
    assert not faults + more, "\n".join(faults + more)
    assert shown > 20


def _body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


HEADS = {
    "/patients/import/": "姓名,手机,备注,{0}",
    "/appointments/import/": "患者,电话,预约日期,开始时间,结束时间,状态,备注,{0}",
    "/conversations/import/": "会话ID,时间,发送者,内容,{0}",
}
ROWS = {
    "/patients/import/": '"{0}",19900007{1:03},"{0}","{0}"',
    "/appointments/import/": '沈雨薇,19900001734,2026-03-02,{1:02}:00,{1:02}:30,已到,"{0}","{0}"',
    "/conversations/import/": '"{0}",2026-11-20 10:00:{1:02},"{0}","{0}","{0}"',
}


@pytest.mark.parametrize("url", HEADS)
def test_what_stands_in_a_file_is_kept_as_words_or_refused(url: str) -> None:
    world = World()
    assert world.patient
    client = signed_in(UserFactory(role=Role.ADMIN, clinic=world.clinic, current_clinic=world.clinic))
    cells = [payload.replace('"', '""') for payload in PAYLOADS]
    lines = [HEADS[url].format(PAYLOADS[0]), *(ROWS[url].format(cell, n) for n, cell in enumerate(cells))]
    answer = client.post(url, {"file": SimpleUploadedFile(f"{PAYLOADS[0]}.csv", "\n".join(lines).encode())})
    assert answer.status_code == 302, answer.content.decode()
    job = ImportJob.objects.latest("pk")
    faults = []
    for page in ("columns/", ""):
        found, _shown = alive(*ask(client, "get", f"{url}{job.pk}/{page}"))
        faults += sorted(found)
    form = next(one for one in forms_of(client.get(f"{url}{job.pk}/columns/").content.decode()) if not one.action)
    client.post(f"{url}{job.pk}/columns/", form.filled(lambda name: ""))
    _work()
    client.post(f"{url}{job.pk}/start/")
    _work()
    job.refresh_from_db()
    assert job.status == ImportJob.Status.DONE, (job.status, job.failure)
    told = [f"{url}{job.pk}/", url, f"{url}{job.pk}/{'rows' if 'conv' in url else 'rejected'}.csv"]
    for page in (*told, "/patients/", "/conversations/", "/appointments/", "/patients/export/?format=xlsx"):
        found, _shown = alive(*ask(client, "get", page))
        faults += [f"{page}: {one}" for one in sorted(found)]
    assert not faults, "\n".join(faults)
    assert json.dumps(job.report)


def _work() -> None:
    for run in (run_due_imports, import_appointments, run_due_chat_imports):
        run()

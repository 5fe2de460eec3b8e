"""What the API guide says of tokens, pages, versions, keys and problems is so."""

import json
import uuid
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.api.problems import CONTENT_TYPE, KINDS
from clinic_crm.embedded import BASE_DIR
from patients.models import Patient
from tests.docs.commands import FENCE
from tests.factories import ClinicFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST, GUIDE = "/api/v1/patients/", BASE_DIR / "docs/api.md"


class Program:
    """A program with a token, in the clinic QH."""

    def __init__(self, token: str) -> None:
        self.client = Client(headers={"Authorization": f"Token {token}", "X-Clinic": "QH"})

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(self.client, method)(path, **sent, headers=names)


def token_for(username: str, *options: str) -> str:
    out = StringIO()
    call_command("create_token", username, *options, stdout=out)
    return out.getvalue().strip()


@pytest.fixture
def program() -> Program:
    clinic = ClinicFactory(code="QH")
    UserFactory(username="demo_tc", clinic=clinic)
    for _n in range(3):
        PatientFactory(clinic=clinic)
    return Program(token_for("demo_tc"))


def problem(answer: Any) -> tuple[int, str]:
    assert answer.headers["Content-Type"].startswith(CONTENT_TYPE)
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


def test_a_list_goes_on_where_the_page_before_ended_and_says_the_limits(program: Program) -> None:
    first = program.ask("get", f"{LIST}?limit=2")
    second = program.ask("get", first.json()["next"])
    assert [len(page.json()["results"]) for page in (first, second)] == [2, 1]
    assert second.json()["next"] is None
    assert {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} <= set(first.headers)
    assert problem(program.ask("get", f"{LIST}?nmae=1")) == (400, "bad-request")


def test_a_change_names_the_version_it_starts_from(program: Program) -> None:
    one = f"{LIST}{Patient.objects.latest('pk').pk}/"
    tag = program.ask("get", one).headers["ETag"]
    assert program.ask("get", one, If_None_Match=tag).status_code == 304
    assert problem(program.ask("patch", one, {"notes": "傍晚联系"})) == (428, "precondition-required")
    assert program.ask("patch", one, {"notes": "傍晚联系"}, If_Match=tag).status_code == 200
    assert problem(program.ask("patch", one, {"notes": "上午联系"}, If_Match=tag)) == (412, "precondition-failed")


def test_a_key_makes_a_post_happen_once(program: Program) -> None:
    new = {"name": "沈雨薇", "phones": [{"number": "19900001734"}]}
    key = str(uuid.uuid4())
    made = program.ask("post", LIST, new, Idempotency_Key=key)
    again = program.ask("post", LIST, new, Idempotency_Key=key)
    assert (made.status_code, again.status_code) == (201, 201), made.content
    assert (again.content, again.headers["Idempotent-Replayed"]) == (made.content, "true")
    assert Patient.objects.filter(name="沈雨薇").count() == 1
    other = program.ask("post", LIST, new | {"name": "沈月岚"}, Idempotency_Key=key)
    assert problem(other) == (422, "idempotency-key")


def test_a_token_does_what_its_scope_says_and_strangers_nothing(program: Program) -> None:
    reader = Program(token_for("demo_tc", "--name", "warehouse", "--scope", "read", "--days", "90"))
    assert reader.ask("get", LIST).status_code == 200
    assert problem(reader.ask("post", LIST, {"name": "沈雨薇"})) == (403, "scope")
    assert problem(Program("crm_unknown").ask("get", LIST)) == (401, "unauthenticated")


def test_the_problem_that_the_guide_shows_is_what_is_answered(program: Program) -> None:
    shown = [json.loads(text) for kind, text in FENCE.findall(GUIDE.read_text()) if kind == "json"]
    (told,) = [one for one in shown if "status" in one]
    answer = program.ask("post", LIST, {}, Accept_Language="en").json()
    assert answer == told


def test_every_kind_of_problem_has_its_own_address() -> None:
    stranger = Client()
    assert {stranger.get(f"/api/problems/{slug}").status_code for slug in KINDS} == {200}

"""Nobody ends at an empty page: after signing in anew, or at an address that only takes forms."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views.csrf import csrf_failure

from accounts.permissions import Role
from clinic_crm.errors import server_error
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db


def test_who_was_signed_out_while_writing_comes_back_to_the_page_of_the_form(client: Client) -> None:
    page = "http://testserver/patients/add/?next=/today/"
    answer = client.post(reverse("patient_add"), {"name": "x"}, headers={"referer": page})
    assert answer["Location"] == "/sign-in/?next=/patients/add/%3Fnext%3D/today/"


@pytest.mark.parametrize("page", ["", "https://elsewhere.test/patients/", "http://[", "javascript:alert(1)"])
def test_another_site_is_no_page_to_come_back_to(client: Client, page: str) -> None:
    assert client.post(reverse("patient_add"), {}, headers={"referer": page})["Location"] == "/sign-in/"


def test_an_address_that_only_takes_forms_says_so_to_who_opens_it(client: Client) -> None:
    client.force_login(MembershipFactory(role=Role.COORDINATOR).user)
    answer = client.get(reverse("visit_complaint", args=[1]))
    assert answer.status_code == 405
    assert "这个地址只接收表单提交" in answer.content.decode()
    assert answer["Allow"] == "POST"
    assert client.get(reverse("visit_complaint", args=[1]), headers={"hx-request": "true"}).content == b""


def _shown(answer: HttpResponse) -> str:
    return answer.content.decode()


def test_a_page_that_says_no_leads_back_to_where_one_came_from(client: Client) -> None:
    client.force_login(MembershipFactory(role=Role.COORDINATOR).user)
    page = _shown(client.get("/patients/99999999/", headers={"referer": "http://testserver/patients/?q=1"}))
    assert 'href="/patients/?q=1"' in page
    assert "data-history-back" in page


@pytest.mark.parametrize("page", ["", "https://elsewhere.test/patients/", "http://testserver/patients/99999999/"])
def test_another_site_or_the_same_page_is_no_way_back(client: Client, page: str) -> None:
    client.force_login(MembershipFactory(role=Role.COORDINATOR).user)
    assert "data-history-back" not in _shown(client.get("/patients/99999999/", headers={"referer": page}))


def test_a_form_that_is_not_taken_is_gone_back_to(rf: RequestFactory) -> None:
    request = rf.post("/patients/add/", headers={"referer": "http://testserver/patients/add/"})
    assert 'href="/patients/add/"' in _shown(csrf_failure(request))


@pytest.mark.parametrize(
    ("cookie", "words", "other"), [("", "系统出错了", "broke"), ("en", "broke on our side", "系统")]
)
def test_what_broke_is_said_in_the_language_of_the_browser(
    rf: RequestFactory, django_assert_num_queries: Any, cookie: str, words: str, other: str
) -> None:
    """The database may be what is gone: none is asked."""
    request = rf.get("/today/?team=1")
    request.COOKIES["django_language"] = cookie
    with django_assert_num_queries(0):
        answer = server_error(request)
    assert answer.status_code == 500
    assert words in _shown(answer)
    assert other not in _shown(answer)
    assert 'href="/today/?team=1"' in _shown(answer)

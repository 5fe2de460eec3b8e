"""Nobody ends at an empty page: after signing in anew, or at an address that only takes forms."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.permissions import Role
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

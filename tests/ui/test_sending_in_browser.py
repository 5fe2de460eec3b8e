"""What a form does once it is sent, in a real browser: where its answer stands, and that nothing is sent twice."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import ApiToken, Clinic
from accounts.permissions import Role
from tests.factories import ClinicFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
Opener = Callable[..., Page]


@pytest.fixture
def clinic() -> Clinic:
    return ClinicFactory()


def test_a_form_of_a_panel_opened_as_a_page_stays_one_page(open_page: Opener, clinic: Clinic) -> None:
    patient = PatientFactory(clinic=clinic)
    page = open_page(UserFactory(clinic=clinic, role=Role.COORDINATOR))
    page.goto(reverse("contact_add", args=[patient.pk]))
    page.fill("main [name=note]", "聊了近况")
    page.locator("main form .btn-primary").click()
    expect(page.locator("main .error-summary")).to_be_visible()
    expect(page.locator("main [name=note]")).to_have_value("聊了近况")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_loading_a_page_anew_that_answered_a_form_does_not_send_it_again(open_page: Opener, clinic: Clinic) -> None:
    user = UserFactory(clinic=clinic, role=Role.COORDINATOR)
    page = open_page(user)
    page.goto(reverse("api_access"))
    page.fill("main [name=name]", "对账")
    page.locator("main form:has([name=name]) .btn-primary").click()
    expect(page.locator("body[data-posted]")).to_be_visible()
    page.reload()
    expect(page.locator("body[data-posted]")).to_have_count(0)
    assert ApiToken.objects.filter(user=user).count() == 1

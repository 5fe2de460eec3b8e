"""The page that describes the API works in a browser, under the product's content security policy."""

import pytest
from playwright.sync_api import expect

from accounts.permissions import Role
from accounts.views.api import schema_json
from tests.factories import ClinicFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_description_can_be_read_and_a_request_tried(open_page):
    schema_json()  # worked out before the browser waits for it
    page = open_page(UserFactory(clinic=ClinicFactory(), role=Role.COORDINATOR))
    page.goto("/api/docs/")
    operation = page.locator("#operations-Account-me")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table .response .response-col_status")).to_contain_text("200")

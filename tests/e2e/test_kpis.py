"""In a browser: from the rail to a figure, from its shortfall to the visit; a phone; a window that makes no sense."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import expect

from consultations.models import Visit
from consultations.stages import Stage
from tests.e2e.conftest import PHONE, House, Opener
from tests.factories import PatientFactory, VisitFactory


def ended(house: House, name: str, **facts: Any) -> Visit:
    """A first visit that ended a moment ago, without a next appointment."""
    at = timezone.now() - timedelta(minutes=2)
    patient = PatientFactory(clinic=house.clinic, name=name, reg_owner=house.coordinator)
    return VisitFactory(
        clinic=house.clinic, patient=patient, coordinator=house.coordinator, doctor=house.doctor, stage=Stage.CLOSED,
        arrived_at=at, received_at=at, left_at=at, decision="undecided", decided_at=at, **facts,
    )  # fmt: skip


def test_the_shortfall_leads_to_the_visit(house: House, open_page: Opener) -> None:
    visit = ended(house, "范文博")
    page = open_page(house.manager, viewport={"width": 1440, "height": 900})
    page.goto("/today/")
    page.locator(".rail").get_by_role("link", name="指标").click()
    card = page.locator("#kpi-next_appointment")
    assert "0/1" in card.inner_text()
    card.get_by_role("link", name="1 次到诊未约下次").click()
    page.get_by_role("link", name="范文博").click()
    page.wait_for_url(f"**/visits/{visit.pk}/")


def test_panels_come_by_themselves_and_a_chart_is_drawn(house: House, open_page: Opener) -> None:
    ended(house, "范文博")
    page = open_page(house.manager, viewport={"width": 1440, "height": 900})
    page.goto("/kpis/")
    page.locator(".kpi-matrix").wait_for()
    page.locator("#kpi-compare a", has_text="0/1").first.wait_for()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.goto("/kpis/next_appointment/")
    page.locator(".kpi-chart canvas").wait_for()
    assert page.locator("[data-chart-table]").get_attribute("open") is None
    drawn = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)"
    assert page.locator(".kpi-chart canvas").evaluate(drawn)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")  # drawn anew in the other colours
    assert page.locator(".kpi-chart canvas").evaluate(drawn)


def test_a_phone_shows_no_sideways_scroll(house: House, open_page: Opener) -> None:
    ended(house, "范文博")
    page = open_page(house.manager, viewport=PHONE, has_touch=True)
    for address in ("/kpis/", "/kpis/next_appointment/", "/kpis/targets/"):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address


def test_an_end_before_the_start_is_said_beside_the_filter(house: House, open_page: Opener) -> None:
    page = open_page(house.manager, viewport={"width": 1440, "height": 900})
    page.goto("/kpis/")
    page.locator(".kpi-days summary").click()
    page.locator("#id_from").fill("2026-10-09")
    page.locator("#id_to").fill("2026-10-01")
    page.locator(".kpi-pop-fields button").click()
    page.locator(".kpi-pop-fields .field-note-bad").wait_for()
    assert "结束必须晚于开始" in page.locator(".kpi-pop-fields").inner_text()
    assert page.locator("#id_from").input_value() == "2026-10-09"
    assert page.locator("#id_to").input_value() == "2026-10-01"

"""A manager scores a visit on a phone in a few taps; keys answer on a desktop; the coordinator reads it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from consultations.models import Visit
from metrics import etiquette_rules as rules
from metrics.models import EtiquetteInspection
from tests.e2e.conftest import PHONE, House, Opener
from tests.factories import VisitFactory

pytestmark = pytest.mark.django_db(transaction=True)


def received(house: House) -> Visit:
    now = timezone.now()
    visit: Visit = VisitFactory(
        clinic=house.clinic, stage="received", coordinator=house.coordinator, doctor=house.doctor, received_at=now,
        arrived_at=now - timedelta(minutes=4),
    )  # fmt: skip
    return visit


def test_a_visit_is_scored_on_a_phone_in_a_few_taps(house: House, open_page: Opener) -> None:
    visit = received(house)
    page = open_page(house.manager, viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto("/etiquette/")
    page.locator(f"a[href='/etiquette/visits/{visit.pk}/']").tap()
    items = page.locator("[data-etiquette-item]")
    items.first.wait_for()
    assert items.count() == len(rules.BUILTIN["visit"])
    boxes = [box for box in (choice.bounding_box() for choice in page.locator(".etq .choice").all()) if box]
    assert all(box["height"] >= 44 for box in boxes)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator("label:has(input[name='a-greeting'][value='0.5'])").tap()
    page.locator("label:has(input[name='a-farewell'][value='0'])").tap()
    page.locator("[data-etiquette-rest]").tap()
    assert page.locator("[data-etiquette-count]").inner_text() == "11 / 11"
    assert page.locator("[data-etiquette-score]").inner_text() == "87"
    page.locator(".etq button.btn-primary").tap()
    page.wait_for_url("**/etiquette/*/")
    row = EtiquetteInspection.objects.get()
    assert (row.visit_id, row.staff, row.score) == (visit.pk, house.coordinator, 87)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.goto("/etiquette/")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    own = open_page(house.coordinator)
    own.goto("/etiquette/")
    own.locator(f"a[href='/etiquette/{row.pk}/']").click()
    own.locator(f"form[action='/etiquette/{row.pk}/seen/'] button").click()
    own.locator(f"form[action='/etiquette/{row.pk}/seen/']").wait_for(state="detached")
    row.refresh_from_db()
    assert row.seen_at is not None


def test_keys_answer_one_item_after_the_other(house: House, open_page: Opener) -> None:
    visit = received(house)
    page = open_page(house.manager)
    page.goto(f"/visits/{visit.pk}/")
    page.locator("details[data-menu]:has(a[href*='/etiquette/visits/']) summary").click()
    page.locator(f"a[href='/etiquette/visits/{visit.pk}/']").click()
    page.locator("[data-etiquette-item]").first.wait_for()
    for key in "12301111111":
        page.keyboard.press(key)
    assert page.locator("[data-etiquette-count]").inner_text() == "11 / 11"
    page.locator("#id_note").fill("2 次提到价格")  # typing is no answering
    page.locator(".etq button.btn-primary").click()
    page.wait_for_url("**/etiquette/*/")
    row = EtiquetteInspection.objects.get()
    codes = [item.code for item in rules.BUILTIN["visit"]]
    assert [row.answers[code] for code in codes[:5]] == [1, 0.5, 0, None, 1]
    assert row.note == "2 次提到价格"

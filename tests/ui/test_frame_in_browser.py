"""The bars of the frame stay where they are while a long page is scrolled."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from accounts.permissions import Role
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
EDGES = """() => {
  scrollTo(0, 5000);
  const edges = (what) => { const box = document.querySelector(what).getBoundingClientRect(); return [box.top, box.bottom]; };
  return { scrolled: scrollY > 100, rail: edges(".rail"), top: edges(".topbar"), main: edges(".main")[1] };
}"""


@pytest.mark.parametrize(("width", "rail", "end"), [(1440, [0, 800], 800), (390, [744, 800], 744)])
def test_rail_and_top_bar_stay_and_nothing_ends_below_them(
    open_page: Callable[..., Page], settings: Any, width: int, rail: list[int], end: int
) -> None:
    settings.DEBUG = True
    page = open_page(UserFactory(role=Role.COORDINATOR), viewport={"width": width, "height": 800})
    page.goto("/styleguide/")
    seen = page.evaluate(EDGES)
    assert seen["scrolled"]
    assert (seen["rail"], seen["top"]) == (rail, [0, 52])
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert page.evaluate("Math.round(document.querySelector('.main').getBoundingClientRect().bottom)") <= end

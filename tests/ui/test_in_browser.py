"""The frame and the components as a person uses them: keyboard, dialogs, menus, themes, narrow screens."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
Opener = Callable[..., Page]


@pytest.fixture
def guide(open_page: Opener, settings: Any) -> Callable[..., Page]:
    """Open the styleguide as a coordinator."""
    settings.DEBUG = True

    def opener(**options: Any) -> Page:
        page = open_page(UserFactory(role="coordinator", full_name="曹素铭"), **options)
        page.goto("/styleguide/")
        return page

    return opener


def test_question_mark_lists_the_keys_and_escape_closes_them(guide: Callable[..., Page]) -> None:
    page = guide()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()


def test_menu_is_worked_by_arrow_keys_and_gives_the_focus_back(guide: Callable[..., Page]) -> None:
    page = guide()
    opener = page.locator("#menus summary").first
    opener.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#menus .menu-item").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    expect(page.locator("#menus .menu-pop").first).to_be_hidden()


def test_drawer_opens_copies_and_closes(guide: Callable[..., Page]) -> None:
    page = guide()
    page.locator("[data-dialog-open='#sample-drawer']").click()
    drawer = page.locator("#sample-drawer")
    expect(drawer).to_be_visible()
    drawer.locator("[data-copy]").click()
    expect(drawer.locator("[data-copy]")).to_contain_text("已复制")
    drawer.locator(".dialog-foot [data-dialog-close]").click()
    expect(drawer).to_be_hidden()


def test_toast_shows_text_as_text_and_offers_undo(guide: Callable[..., Page]) -> None:
    page = guide()
    page.evaluate(
        "document.dispatchEvent(new CustomEvent('toast', {detail: {level: 'error', text: '<b>x</b>', undo: '/u/'}}))"
    )
    toast = page.locator("#toasts .toast")
    expect(toast).to_contain_text("<b>x</b>")
    assert toast.locator("form").get_attribute("action") == "/u/"
    toast.locator("[data-toast-close]").click()
    expect(toast).to_have_count(0)


def test_line_of_a_sorted_list_moves_by_keyboard(guide: Callable[..., Page]) -> None:
    page = guide()
    lines = page.locator("#id_points input")
    second = lines.nth(1).input_value()
    lines.nth(1).focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(lines.first).to_have_value(second)
    expect(lines.first).to_be_focused()


def test_link_in_the_error_summary_goes_into_the_field(guide: Callable[..., Page]) -> None:
    page = guide()
    page.locator(".error-summary a").first.click()
    expect(page.locator("#id_phone")).to_be_focused()


def test_components_are_accessible_in_both_themes(guide: Callable[..., Page]) -> None:
    page = guide(color_scheme="light")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.reload()
        found = Axe().run(page).response["violations"]
        assert [fault["id"] for fault in found if fault["impact"] in {"serious", "critical"}] == []


def test_nothing_scrolls_sideways(guide: Callable[..., Page]) -> None:
    page = guide()
    for width in (390, 820, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_touched_controls_are_large_enough(guide: Callable[..., Page]) -> None:
    page = guide(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    small = page.evaluate(
        """() => [...document.querySelectorAll(
            '.btn, .input, .tab, .segment, .choice, .filter-chip, .check, .rail-item')]
            .filter((e) => e.getClientRects().length && e.getBoundingClientRect().height < 44)
            .map((e) => e.className + ' ' + e.textContent.trim())"""
    )
    assert small == []

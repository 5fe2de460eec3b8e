"""What only a browser shows: drafts while typing, teeth by touch, the pen, and no trouble for anybody's senses."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from consultations.models import Handoff
from consultations.services import handoff, plan_terms
from consultations.stages import Stage
from tests.consultations.clinical import Room, note, stored

pytestmark = pytest.mark.django_db(transaction=True)
SOON = 6_000  # milliseconds
SIZES = [(1440, 900), (820, 1180), (390, 844)]


@pytest.fixture
def room(transactional_db):
    return Room()


def fits(page: Page) -> bool:
    return page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found if v["impact"] in {"serious", "critical"}]


def test_a_note_is_kept_while_typing_and_what_is_missing_follows(room, open_page):
    visit = room.visit()
    page = open_page(room.tc)
    page.goto(f"/visits/{visit.pk}/?stage=handoff")
    expect(page.locator("[data-needed-for=opinion]")).to_be_visible()
    page.locator("[name=opinion]").fill("左侧不敢咬")
    expect(page.locator("[data-needed-for=opinion]")).to_be_hidden()
    page.locator("[name=wished_words]").fill("保证治好")
    expect(page.locator("#handoff-words")).to_contain_text("保证")
    page.locator("label:has([name=awareness][value='2'])").click()
    expect(page.locator("#handoff-suggestion")).to_contain_text("C-C")
    page.locator("label:has([name=class_code][value='C-B'])").click()
    expect(page.locator("[name=class_reason]")).to_be_visible()
    expect(page.locator("[data-save-state]")).to_contain_text("已自动保存", timeout=SOON)
    kept = Handoff.objects.get(visit=visit)
    assert (kept.opinion, kept.awareness) == ("左侧不敢咬", 2)
    page.locator("button[data-preview]").click()
    expect(page.locator("#handoff-preview")).to_contain_text("左侧不敢咬")


def test_teeth_are_marked_by_touch(room, open_page):
    visit = room.acknowledged()
    page = open_page(room.doctor, viewport={"width": 820, "height": 1180}, has_touch=True)
    page.goto(f"/doctor/{visit.pk}/")
    caries = page.locator(".teeth-kinds button[value=caries]")
    expect(caries).to_be_disabled()
    page.locator("[data-tooth='46']").tap()
    caries.tap()
    expect(caries).to_have_attribute("aria-pressed", "true")
    page.locator("[data-tooth='45']").tap()
    expect(caries).to_have_attribute("aria-pressed", "false")
    page.locator(".teeth-undo").tap()
    expect(page.locator("[data-tooth='46']")).to_have_attribute("data-kinds", "")
    box = page.locator("[data-tooth='46']").bounding_box()
    assert box
    assert box["width"] >= 44
    assert box["height"] >= 44


def test_the_patient_signs_with_a_finger(room, open_page):
    visit, plan = room.explaining()
    plan_terms.choose_option(visit=visit, option=plan.options.all()[0], by=room.tc)
    page = open_page(room.tc, viewport={"width": 1280, "height": 800})
    page.goto(f"/visits/{visit.pk}/plan/")
    expect(page.locator("#sign-open")).to_be_disabled()
    for point in ("price", "time", "pain", "alternatives"):
        page.locator(f"#tick-{point}").click()
        expect(page.locator(f"#tick-{point}")).to_have_attribute("aria-checked", "true")
    page.locator("#sign-open").click()
    expect(page.locator("[data-signature-send]")).to_be_disabled()
    box = page.locator(".pad").bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    for step in range(20):
        page.mouse.move(box["x"] + 40 + 12 * step, box["y"] + 60 + step % 4 * 9)
    page.mouse.up()
    page.locator("[data-signature-send]").click()
    expect(page.locator(".pp-signed")).to_be_visible()
    assert stored(visit).signature.startswith("M")


def test_a_changed_note_shows_while_the_doctor_looks_at_the_old_one(room, open_page):
    visit = room.acknowledged()
    page = open_page(room.doctor)
    page.goto(f"/doctor/{visit.pk}/")
    handoff.change_sent(visit=visit, content=note(opinion="补充一点"), version=1, by=room.tc)
    expect(page.locator("#news")).to_contain_text("有修改", timeout=SOON)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_pages_fit_and_are_clear_to_everybody(room, open_page, width, height):
    drafting = room.visit()
    handoff.save_draft(visit=drafting, content=note(), version=0, by=room.tc)
    treated, _plan = room.planned()
    explained, _given = room.explaining()
    view = {"viewport": {"width": width, "height": height}}
    tc, doctor = open_page(room.tc, **view), open_page(room.doctor, **view)
    pages = [
        (tc, f"/visits/{drafting.pk}/?stage={Stage.HANDOFF}"),
        (tc, f"/visits/{treated.pk}/"),
        (tc, f"/visits/{explained.pk}/plan/"),
        (tc, f"/visits/{explained.pk}/plan/terms/"),
        (tc, f"/visits/{explained.pk}/plan/print/"),
        (doctor, f"/doctor/{treated.pk}/"),
        (doctor, f"/doctor/{treated.pk}/plan/"),
        (doctor, f"/visits/{treated.pk}/handoff/print/"),
    ]
    for page, path in pages:
        page.goto(path)
        assert fits(page), path
        assert faults(page) == [], path

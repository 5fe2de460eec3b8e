"""One clinic with its people, for tests that walk through it in real browsers."""

from collections.abc import Callable
from functools import cached_property
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page

from accounts.models import Clinic, User
from accounts.permissions import Role
from consultations.models import Visit
from consultations.services.content import ensure_builtin_content
from tests.factories import ClinicFactory, RoomFactory, UserFactory

SOON = 6_000  # milliseconds: what changes elsewhere shows within five seconds, and one for drawing it
TABLET = {"width": 820, "height": 1180}
PHONE = {"width": 390, "height": 844}
Opener = Callable[..., Page]
NAMES = {
    Role.COORDINATOR: "曹素铭",
    Role.DOCTOR: "谢美林",
    Role.FRONT_DESK: "冯小满",
    Role.MANAGER: "何静宜",
    Role.NURSE: "吕青",
    Role.ONLINE_CONSULTANT: "田一诺",
    Role.ADMIN: "任远",
}


class House:
    """A clinic with built-in content; people join when first asked for."""

    def __init__(self) -> None:
        self.clinic: Clinic = ClinicFactory(name="青禾口腔·滨江")
        ensure_builtin_content(self.clinic)
        self.room = RoomFactory(clinic=self.clinic, name="2 诊室")

    def person(self, role: str, name: str = "") -> User:
        user: User = UserFactory(role=role, clinic=self.clinic, full_name=name or NAMES[Role(role)])
        return user

    @cached_property
    def coordinator(self) -> User:
        return self.person(Role.COORDINATOR)

    @cached_property
    def doctor(self) -> User:
        return self.person(Role.DOCTOR)

    @cached_property
    def desk(self) -> User:
        return self.person(Role.FRONT_DESK)

    @cached_property
    def manager(self) -> User:
        return self.person(Role.MANAGER)


@pytest.fixture
def house(transactional_db: Any) -> House:
    """The clinic. Rows are committed, so that the server sees them."""
    return House()


def picture(text: str, size: tuple[int, int] = (640, 400)) -> dict[str, Any]:
    """A small generated photograph, as a file to upload."""
    image = Image.new("RGB", size, (40, 60, 70))
    pen = ImageDraw.Draw(image)
    for step in range(0, size[0], 40):
        pen.ellipse((step, 150, step + 34, 250), fill=(220, 215, 200))
    pen.text((20, 20), text, fill=(255, 255, 255))
    buffer = BytesIO()
    image.save(buffer, "JPEG")
    return {"name": f"{text}.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()}


def act(page: Page, path: str) -> Locator:
    """The buttons of the form that posts to an address ending in `path`."""
    return page.locator(f"form[action$='{path}'] button")


def pick(page: Page, name: str, value: str) -> None:
    """Choose one of a field's options by clicking its label, as a person does."""
    page.locator(f"label:has(input[name='{name}'][value='{value}'])").first.click()


def upload(page: Page, kind: str, files: list[dict[str, Any]]) -> None:
    """Add pictures to an exam and wait until they stand there."""
    card = page.locator(f"#exams section:has(h2:text-is('{kind}'))")
    before = card.locator(".thumb").count()
    card.locator("input[type=file]").set_input_files(files)
    card.locator(".thumb").nth(before + len(files) - 1).wait_for()


def write_handoff(page: Page, *, klass: str, points: list[str]) -> None:
    """Fill in every needed part of the note on the coordinator's page."""
    pick(page, "class_code", klass)
    pick(page, "awareness", "2")
    pick(page, "trust", "3")
    page.locator("[name=opinion]").fill("想尽快解决咀嚼，担心手术疼")
    page.locator("[name=told_patient]").fill("能不能做要等医生看片再定，做的话大致分几次")
    for number, point in enumerate(points):
        page.locator("[name=stress_points]").nth(number).fill(point)
    page.locator("[name=wished_words]").fill("您这边的情况可以处理，具体安排由咨询师陪您说明。")


def stages_of(visit: Visit) -> list[str]:
    return list(visit.stage_changes.order_by("at", "id").values_list("new_stage", flat=True))

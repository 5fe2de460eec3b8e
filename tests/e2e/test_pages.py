"""Every page that a role may open: fits every screen, says nothing to the console, speaks the chosen language, and
leaves axe nothing serious to find. The pages come from the routes, the patients from the demo data."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.core.management import call_command
from playwright.sync_api import ConsoleMessage, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from accounts.models import Clinic, Membership, Team, User
from accounts.permissions import Role
from consultations.models import ExamFile, HandoffQuestion, PlanOption, Visit
from consultations.stages import Stage
from followups.models import Appointment
from metrics.models import EtiquetteInspection
from tests.e2e.conftest import Opener
from tests.guards.routes import all_routes, signed_in
from tests.guards.world import World

pytestmark = pytest.mark.django_db(transaction=True)

PARTS = 2  # of the addresses, to be opened side by side
WIDTHS = {"desktop": (1440, 900), "tablet": (820, 1180), "phone": (390, 844)}
# Names and terms that stay Latin in Chinese; a run of three other Latin words was forgotten.
FOREIGN = re.compile(r"(?:[A-Za-z][A-Za-z'’]*[ ,.:]+){2,}[A-Za-z]{2,}")
ALLOWED = re.compile(r"Alt|Enter|Esc|CSV|XLSX|FDI|CBCT|TBI|VIP|English|UTF|GB18030|C-[A-E]|demo_|Asia/")
TEXT = """() => {
  const said = [...document.querySelectorAll("[placeholder], [aria-label], [title]")].flatMap((e) =>
    ["placeholder", "aria-label", "title"].map((name) => e.getAttribute(name) ?? ""));
  return [document.title, document.body.innerText, ...said].join("\\n");
}"""
FITS = "() => document.scrollingElement.scrollWidth <= innerWidth"
# A rule's impact is that of all it finds; rules whose findings would be left out are not run.
FINDINGS = """async () => {
  const minor = axe._audit.rules.filter((rule) => ["minor", "moderate"].includes(rule.impact));
  const rules = Object.fromEntries(minor.map((rule) => [rule.id, {enabled: false}]));
  const found = await axe.run({resultTypes: ["violations"], rules});
  return found.violations.filter((v) => ["serious", "critical"].includes(v.impact))
    .map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 160)}`);
}"""
SHAPED = re.compile(r'<[a-z-]+|(?:class|role|type)="[^"]*"|aria-[a-z]+')
WIDE = "() => document.scrollingElement.scrollWidth - innerWidth"


class Demo(World):
    """The demo clinic, under the names with which tests/guards/world.py fills addresses; what it lacks is made."""

    def __init__(self) -> None:
        call_command("load_demo", patients=30, months=1, verbosity=0)
        self.clinic = Clinic.objects.get(code="QH")
        self.visits: dict[str, Visit] = {
            visit.stage: visit for visit in Visit.objects.for_clinic(self.clinic).order_by("pk")
        }
        lying_about: dict[str, Any] = {
            "visit": self.visits[Stage.EXPLAINING],
            "patient": self.visits[Stage.EXPLAINING].patient,
            "member": Membership.objects.filter(clinic=self.clinic, role=Role.NURSE).first(),
            "team": Team.objects.filter(clinic=self.clinic).first(),
            "appointment": Appointment.objects.for_clinic(self.clinic).expected().first(),
            "exam_file": ExamFile.objects.filter(exam__visit__clinic=self.clinic).first(),
            "question": HandoffQuestion.objects.create(
                handoff=self.visits[Stage.EXPLAINING].handoff,
                question="她怕疼吗？",
                asked_by=self.visits[Stage.EXPLAINING].doctor,
            ),
            "option": PlanOption.objects.filter(plan__visit=self.visits[Stage.EXPLAINING]).first(),
        }
        scored = EtiquetteInspection.objects.for_clinic(self.clinic).exclude(visit=None).first()
        if scored is not None:  # those of a day that ended a while ago are
            lying_about["inspection"] = scored
        self.__dict__ |= lying_about  # in place of the cached properties

    def person(self, role: str) -> User:
        user: User = User.objects.filter(
            memberships__clinic=self.clinic, memberships__role=role, username__startswith="demo_"
        ).get()
        user.current_clinic = self.clinic
        user.save(update_fields=["current_clinic"])
        return user

    def addresses(self) -> list[str]:
        return list(dict.fromkeys(self._addresses()))

    def _addresses(self) -> Iterator[str]:
        """Every guarded address, and those of the pages that differ by stage, tab or question."""
        for route in all_routes():
            if route.guarded:
                yield route.url(self)
        for visit in self.visits.values():
            yield visit.get_absolute_url()
        for stage in (Stage.INTAKE, Stage.EXAM, Stage.HANDOFF, Stage.DOCTOR, Stage.DECISION):
            yield f"{self.visit.get_absolute_url()}?stage={stage}"
        for stage in (Stage.DOCTOR, Stage.EXPLAINING):
            yield f"/doctor/{self.visits[stage].pk}/"
        yield f"/doctor/{self.visits[Stage.DOCTOR].pk}/plan/"
        for tab in ("visits", "profile", "plans", "images", "forms", "fees"):
            yield f"/patients/{self.patient.pk}/?tab={tab}"
        yield f"/appointments/new/?patient={self.patient.pk}"

    def views_that_differ(self) -> set[str]:
        """Pages whose parts depend on who looks."""
        return {"/today/", f"/patients/{self.patient.pk}/", self.visit.get_absolute_url()}


def shape(page: str) -> str:
    """Return what axe may judge differently in a page's main part: its kinds of elements, whatever they say."""
    main = page.partition("<main")[2].partition("</main>")[0]
    return "\n".join(sorted(set(SHAPED.findall(main))))


class Visitor:
    """Tells which addresses answer a person with a whole page; `nobodys` are those that never do, whoever asks."""

    def __init__(self, user: User, nobodys: set[str]) -> None:
        self.client, self.nobodys = signed_in(user), nobodys
        self.shapes: dict[str, str] = {}  # of the pages that were opened

    def opens(self, url: str) -> bool:
        if url in self.nobodys:
            return False
        answer = self.client.get(url)
        if answer.status_code == 200 and "html" in answer["Content-Type"] and b"<html" in answer.content[:400]:
            self.shapes[url] = shape(answer.content.decode())
            return True
        if answer.status_code in {200, 405}:  # a fragment, data, a file, or something to post to
            self.nobodys.add(url)
        return False


def serious(page: Page) -> list[str]:
    """Return axe's serious and critical findings, each with where."""
    page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(FINDINGS)
    return found


def foreign_words(page: Page) -> list[str]:
    text = page.evaluate(TEXT)
    return sorted({run.group() for run in FOREIGN.finditer(text) if not ALLOWED.search(run.group())})


class Tour:
    """Walks through pages in one browser and keeps what is wrong with them."""

    def __init__(self, page: Page, who: str) -> None:
        self.page, self.who = page, who
        self.faults: list[str] = []
        self.url = ""
        page.on("console", self._said)

    def _said(self, said: ConsoleMessage) -> None:
        held = "409 (Conflict)" in said.text  # somebody who was here before holds the task
        if said.type == "error" and not held:
            self.fault(f"console: {said.text[:200]}")

    def fault(self, what: str) -> None:
        self.faults.append(f"{self.who} {self.url} {what}")

    def open(self, url: str) -> None:
        self.url = url
        self.page.goto(url)

    def check_widths(self) -> None:
        for name, (width, height) in WIDTHS.items():
            self.page.set_viewport_size({"width": width, "height": height})
            try:
                self.page.wait_for_function(FITS, timeout=5000)  # a panel may still slide to its place
            except PlaywrightTimeout:
                self.fault(f"{name}: {self.page.evaluate(WIDE)} px too wide")

    def check_chinese(self) -> None:
        for words in foreign_words(self.page):
            self.fault(f"not translated: {words}")

    def check_axe(self) -> None:
        for what in serious(self.page):
            self.fault(f"axe {what}")


@pytest.fixture
def demo(transactional_db: Any) -> Demo:
    return Demo()


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_fits_speaks_chinese_and_is_accessible(demo: Demo, open_page: Opener, part: int) -> None:
    """In Chinese, light, three widths: each page in the first role that may open it, and each role's own views.

    In every other role axe sees those of its pages that have an element the roles before it were not shown there.
    """
    faults: list[str] = []
    seen: list[str] = []
    addresses, differing, nobodys = demo.addresses()[part::PARTS], demo.views_that_differ(), set[str]()
    shapes: dict[str, set[str]] = {}
    roles = (Role.MANAGER, Role.DOCTOR, Role.ADMIN, Role.NURSE, Role.FRONT_DESK, Role.ONLINE_CONSULTANT)
    for role in (*roles, Role.COORDINATOR):
        user = demo.person(role)
        visitor, tour = Visitor(user, nobodys), Tour(open_page(user, color_scheme="light"), role)
        own = set() if role == Role.ADMIN else differing
        mine = [url for url in addresses if (url in own or url not in seen) and visitor.opens(url)]
        known = [url for url in seen if url not in mine and visitor.opens(url)]
        assert len(mine) + len(known) > 10 // PARTS, role
        for url in mine:
            tour.open(url)
            tour.check_widths()
            tour.check_chinese()
            tour.check_axe()
        for url in (url for url in known if not set(visitor.shapes[url].split("\n")) <= shapes[url]):
            tour.open(url)
            tour.check_axe()
        for url, parts in visitor.shapes.items():
            shapes.setdefault(url, set()).update(parts.split("\n"))
        seen += [url for url in mine if url not in seen]
        faults += tour.faults
    assert faults == [], "\n" + "\n".join(faults)


def test_pages_fit_in_english_and_in_the_dark(demo: Demo, open_page: Opener) -> None:
    """English words are longer, dark colours are other colours."""
    faults: list[str] = []
    addresses, nobodys = demo.addresses(), set[str]()
    for role in (Role.MANAGER, Role.DOCTOR):
        user = demo.person(role)
        user.language = "en"
        user.save(update_fields=["language"])
        tour = Tour(open_page(user, color_scheme="dark", locale="en-GB"), f"{role} en dark")
        visitor = Visitor(user, nobodys)
        if role == Role.DOCTOR:
            mine = [url for url in addresses if url.startswith("/doctor/") and visitor.opens(url)]
        else:
            mine = [url for url in addresses if visitor.opens(url)][::3]
        assert mine, role
        for url in mine:
            tour.open(url)
            assert tour.page.locator("html").get_attribute("lang") == "en"
            tour.check_widths()
            tour.check_axe()
        faults += tour.faults
    assert faults == [], "\n" + "\n".join(faults)

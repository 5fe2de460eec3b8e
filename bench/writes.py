"""Writing: a patient registered, checked in, taken over, a contact logged; and the today board full of them.

Each request writes something new, in a clinic of its own; a fast page is no use when saving is slow.
"""

import uuid
from collections.abc import Iterable

from django.urls import reverse

from accounts.models import Clinic, Membership, User
from accounts.permissions import Role
from bench.measure import WARM, Browser, Timing, timing
from bench.people import signed_in
from consultations.models import Visit
from patients.models import Patient

CARDS = 60 + WARM


def rows(port: int) -> list[tuple[str, Timing]]:
    """Time the four writes, and the board with the patients that came of them."""
    clinic, browser = _new_clinic(port)
    told = [_details(number) for number in range(CARDS)]
    timed = [("create patient", _written(browser, ((reverse("patient_add"), post) for post in told)))]
    people = list(Patient.objects.for_clinic(clinic).order_by("pk").values_list("pk", flat=True))
    timed.append(("check in", _written(browser, ((reverse("check_in_patient", args=[pk]), {}) for pk in people))))
    visits = Visit.objects.for_clinic(clinic).order_by("pk").values_list("pk", flat=True)
    moves: list[tuple[str, dict[str, str]]] = [(reverse("visit_receive", args=[pk]), {}) for pk in visits]
    timed.append(("move a stage", _written(browser, moves)))
    contact = {"channel": "phone", "outcome": "reached", "note": "术后恢复良好"}
    contacts = [(reverse("contact_add", args=[pk]), contact) for pk in people]
    timed.append(("log a contact", _written(browser, contacts)))
    timed.append((f"today board, {len(moves)}", browser.time(reverse("today"))))
    return timed


def _new_clinic(port: int) -> tuple[Clinic, Browser]:
    mark = uuid.uuid4().hex[:5].upper()
    clinic = Clinic.objects.create(code=f"W{mark}", name=f"写入测速 {mark}")
    user = User.objects.create(username=f"bench_writer_{mark}", full_name="林写")
    Membership.objects.create(user=user, clinic=clinic, role=Role.COORDINATOR)
    return clinic, signed_in(user.username, port)


def _details(number: int) -> dict[str, str]:
    return {"name": f"测速{number:03d}", "phone": f"1990000{number:04d}", "sex": "f", "age": "34", "channel": "douyin"}


def _written(browser: Browser, posts: Iterable[tuple[str, dict[str, str]]]) -> Timing:
    """Post each once, without asking for the page that follows; the first few warm up."""
    answers = [browser.ask(path, post, well=(200, 204, 302)) for path, post in posts]
    timed = answers[WARM:]
    return timing([spent for spent, _n, _size in timed], max(n for _t, n, _size in timed), max(a[2] for a in timed))

"""Pages and search, as ratios to the floors."""

from django.urls import reverse

from accounts.models import Clinic
from bench import calendar, timeline, undecided, writes
from bench.measure import Timing, statement_floor
from bench.people import signed_in
from consultations.models import Visit
from patients.models import Patient


def report(scale: int, port: int) -> None:
    """Print one table for this size; the floors are taken before and after."""
    clinic = Clinic.objects.get(code="QH")
    browser = signed_in("demo_tc", port)
    doctor = signed_in("demo_doctor", port)
    floor_path = f"/bench/floor/?clinic={clinic.pk}"
    before, statement = browser.time(floor_path), statement_floor()
    rows = [(name, browser.time(path, posts)) for name, path, posts in _asked(clinic)]
    rows.append(("doctor's queue", doctor.time(reverse("doctor_queue"))))
    rows.extend(calendar.rows(browser, clinic))
    rows.extend(timeline.rows(browser, clinic))
    rows.extend(writes.rows(port))
    after = browser.time(floor_path)
    floor = min(before.p50, after.p50)
    print(
        f"\n{scale:,} patients · F {before.p50:.2f} ms before, {after.p50:.2f} after · S {statement.p50 * 1000:.0f} µs"
    )
    print(f"{'':24}{'p50 ms':>9}{'p95 ms':>9}{'× F':>7}{'× S':>8}{'statements':>12}{'bytes':>9}")
    for name, timing in rows:
        print(_line(name, timing, floor, statement.p50))
    undecided.report(scale, browser, floor)


def _line(name: str, timing: Timing, floor: float, statement: float) -> str:
    ratios = f"{timing.p50 / floor:7.2f}{timing.p50 / statement:8.0f}"
    return f"{name:24}{timing.p50:9.2f}{timing.p95:9.2f}{ratios}{timing.statements:12}{timing.size:9}"


def _asked(clinic: Clinic) -> list[tuple[str, str, list[dict[str, str]] | None]]:
    sample = list(Patient.objects.for_clinic(clinic).order_by("-id")[:400:20])
    visit = Visit.objects.for_clinic(clinic).in_clinic_now().order_by("-id")[0]
    search = reverse("search")
    fragments = [{"q": p.name[-2:]} for p in sample if len(p.name) > 2]
    tails = [{"q": p.phones.all()[0].last4} for p in sample]
    return [
        ("patient list, 50 rows", reverse("patient_list"), None),
        ("today board", reverse("today"), None),
        ("patient page", reverse("patient", args=[visit.patient_id]), None),
        ("visit workspace", reverse("visit", args=[visit.pk]), None),
        ("search: name fragment", search, fragments),
        ("search: initials", search, [{"q": p.name_initials} for p in sample if len(p.name) > 2]),
        ("search: phone tail", search, tails),
    ]

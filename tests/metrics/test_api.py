"""The API gives what the page shows, the command prints and the export holds; it refuses what they refuse."""

import csv
import io
import json
import re

import pytest
import time_machine
from django.core.management import call_command

from accounts.permissions import Role
from metrics.kpis import KPIS
from metrics.record_keys import key_of, keys_of, querysets
from metrics.records import records_of
from metrics.scope import BREAKDOWNS, Scope
from metrics.services.snapshots import window_of
from tests.factories import ClinicFactory, MembershipFactory, UserFactory
from tests.guards.routes import signed_in
from tests.metrics.story import AFTER, MONTH, Story

pytestmark = pytest.mark.django_db
OCTOBER = "window=month&day=2026-10-01"


@pytest.fixture
def story():
    with time_machine.travel(AFTER, tick=False):
        yield Story()


def ask(user, query=OCTOBER):
    return signed_in(user).get(f"/api/v1/kpis/?{query}")


def command(story, *more: str) -> dict:
    out = io.StringIO()
    told = ("--clinic", story.clinic.code, "--from", "2026-10-01", "--to", "2026-10-31", "--json")
    call_command("kpis", *told, *more, stdout=out)
    return json.loads(out.getvalue())


def exported(story, by: str) -> list[list[str]]:
    data = {"what": "figures", "format": "csv", "by": by}
    response = signed_in(story.manager).post(f"/kpis/export/?{OCTOBER}", data)
    text = b"".join(response.streaming_content).decode().removeprefix("\ufeff")
    return list(csv.reader(io.StringIO(text)))[1:]


def numbers(kpis: list[dict]) -> dict[str, tuple]:
    """Value, numerator and denominator of every figure and companion, by slug."""
    found = {}
    for kpi in kpis:
        for slug, one in {kpi["slug"]: kpi, **kpi["companions"]}.items():
            found[slug] = (one["value"], one["numerator"], one["denominator"])
    return found


MARK = re.compile(r'<(?:article|td)[^>]* data-kpi="([^"]+)"[^>]*>')
FACT = re.compile(r'data-(id|numerator|denominator)="([^"]*)"')


def on_page(html: str) -> dict[str, dict[str, tuple[float, float]]]:
    """Numerator and denominator of what a page shows, by group ("" for the whole) and slug."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for mark in MARK.finditer(html):
        facts = dict(FACT.findall(mark[0]))
        pair = (float(facts["numerator"]), float(facts["denominator"]))
        found.setdefault(facts.get("id", ""), {})[mark[1]] = pair
    return found


def test_the_dashboards_cards_say_what_the_api_says(story):
    page = on_page(signed_in(story.manager).get(f"/kpis/?{OCTOBER}").content.decode())[""]
    told = numbers(ask(story.manager).json()["kpis"])
    assert page == {kpi.slug: told[kpi.slug][1:] for kpi in KPIS}


@pytest.mark.parametrize("by", [by for by in BREAKDOWNS if by != "month"])
def test_the_dashboards_comparison_says_what_the_api_says(story, by):
    page = on_page(signed_in(story.manager).get(f"/kpis/compare/?{OCTOBER}&by={by}").content.decode())
    told = ask(story.manager, f"{OCTOBER}&by={by}").json()
    groups = {"": told["kpis"]} | {str(group["id"]): group["kpis"] for group in told["by"][by]}
    assert set(page) == {key for key, kpis in groups.items() if any(kpi["denominator"] for kpi in kpis)}
    for key, shown in page.items():
        given = numbers(groups[key])
        assert shown == {slug: given[slug][1:] for slug in shown}
        assert len(shown) == len(KPIS) + 1  # the accuracy of classes stands beside their completeness


@pytest.mark.parametrize("by", ["", *BREAKDOWNS])
def test_api_command_and_export_say_the_same(story, by):
    api = ask(story.manager, f"{OCTOBER}&by={by}").json()
    if by != "clinic":
        printed = command(story, *(["--by", by] if by else []))
        assert printed["kpis"] == api["kpis"]
        assert printed.get("by") == api.get("by")
    groups = {"": api["kpis"]} | {str(g["id"]): g["kpis"] for g in api.get("by", {}).get(by, [])}
    if by in ("coordinator", "doctor", "team", "clinic", "month"):
        assert len(groups) > 1
    rows = exported(story, by)
    for key, kpis in groups.items():
        in_file = {row[0]: tuple(float(c) if c else None for c in row[4:7]) for row in rows if row[1] == key}
        assert in_file == numbers(kpis), key
    assert len(rows) == sum(len(numbers(kpis)) for kpis in groups.values())


def test_every_figure_of_the_story_is_of_something(story):
    """What is compared above is not nothing compared with nothing."""
    told = ask(story.manager).json()
    assert {kpi["slug"] for kpi in told["kpis"] if kpi["denominator"]} == {kpi.slug for kpi in KPIS}


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.slug)
@pytest.mark.parametrize("part", ["counted", "failing"])
def test_the_records_behind_are_given_page_by_page_each_once(story, kpi, part):
    client = signed_in(story.manager)
    url, keys = f"/api/v1/kpis/{kpi.slug}/records/?{OCTOBER}&part={part}&limit=1", []
    while url:
        told = client.get(url).json()
        assert len(told["records"]) <= 1
        keys += [record["key"] for record in told["records"]]
        url = told["next"]
    assert sorted(keys) == sorted(keys_of(kpi, Scope((story.clinic,)), window_of(MONTH), part))
    assert told["count"] == len(keys)


@pytest.mark.parametrize("companion", [one for kpi in KPIS for one in kpi.companions], ids=lambda one: one.slug)
def test_the_records_of_what_stands_beside_a_figure_are_given_too(story, companion):
    slug, client = companion.slug.partition(".")[0], signed_in(story.manager)
    told = client.get(f"/api/v1/kpis/{slug}/records/?{OCTOBER}&figure={companion.slug}").json()
    assert told["slug"] == companion.slug
    assert {row["key"] for row in told["records"]} == {
        key_of(row)
        for rows in querysets(records_of(companion, Scope((story.clinic,)), window_of(MONTH), "counted"))
        for row in rows
    }


def test_a_figure_that_does_not_stand_beside_is_refused(story):
    found = problem(signed_in(story.manager).get("/api/v1/kpis/closing/records/?figure=form.late"), 400)
    assert set(found["errors"]) == {"figure"}


def test_records_tell_no_numbers_to_call(story):
    told = signed_in(story.manager).get(f"/api/v1/kpis/closing/records/?{OCTOBER}").json()
    assert set(told["records"][0]) == {"id", "key", "clinic", "patient", "at", "staff", "url"}
    assert set(told["records"][0]["patient"]) == {"id", "name"}


def test_a_coordinator_gets_their_own_figures_alone(story):
    own = numbers(ask(story.one).json()["kpis"])
    all_ = ask(story.manager, f"{OCTOBER}&by=coordinator").json()["by"]["coordinator"]
    assert own == numbers(next(group["kpis"] for group in all_ if group["id"] == story.one.pk))
    assert ask(story.one, f"{OCTOBER}&tc={story.two.pk}").status_code == 403


def test_as_of_a_past_moment_it_gives_what_was_known_then(story):
    before = ask(story.manager).json()["kpis"]
    story.late_facts()
    assert ask(story.manager).json()["kpis"] != before
    then = ask(story.manager, f"{OCTOBER}&as_of=2026-10-31T23:59:59").json()
    assert numbers(then["kpis"])["closing"] == numbers(before)["closing"]
    assert then["as_of"].startswith("2026-10-31T23:59:59")


# --- refusals -------------------------------------------------------------------------------------


def problem(response, status: int) -> dict:
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == status
    assert told["title"]
    return told


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("window=free&from=2026-10-02&to=2026-10-01", "window"),
        ("window=eon", "window"),
        ("day=never", "window"),
        ("tc=x", "tc"),
        ("by=star", "by"),
        ("as_of=never", "as_of"),
        ("as_of=2999-01-01T00:00:00Z", "as_of"),
        ("clinic=x", "clinic"),
    ],
)
def test_what_makes_no_sense_is_named(story, query, name):
    assert name in problem(ask(story.manager, query), 400)["errors"]


@pytest.mark.parametrize("query", ["part=all", "after=x", "after=9:1", "limit=0", "limit=501", "after=-1:0"])
def test_a_bad_place_in_the_records_is_refused(story, query):
    problem(signed_in(story.manager).get(f"/api/v1/kpis/closing/records/?{OCTOBER}&{query}"), 400)


def test_strangers_get_401_other_roles_403_unknown_things_404(story, client):
    problem(client.get("/api/v1/kpis/"), 401)
    problem(ask(UserFactory(clinic=story.clinic, role=Role.NURSE)), 403)
    problem(ask(story.manager, f"clinic={ClinicFactory().pk}"), 404)
    problem(signed_in(story.manager).get("/api/v1/kpis/happiness/records/"), 404)


def test_a_clinic_where_one_may_see_only_own_figures_is_refused_among_others(story):
    there = ClinicFactory()
    MembershipFactory(user=story.manager, clinic=there, role=Role.NURSE)
    problem(ask(story.manager, f"clinic={there.pk}"), 403)


def test_it_only_reads(story):
    problem(signed_in(story.manager).post("/api/v1/kpis/", {}), 405)

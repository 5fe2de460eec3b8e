"""The monthly score of a consultant's WeChat and QQ front."""

import pytest

from conversations.models import FrontScore, Rubric
from conversations.rubric_sets import FRONT
from tests.conversations.reading_helpers import client_of, consultant_of, manager_of
from tests.factories import ClinicFactory

pytestmark = pytest.mark.django_db
FULL = {item["code"]: str(item["points"]) for item in FRONT}
MONTH = "?month=2026-10"


@pytest.fixture
def clinic():
    return ClinicFactory()


@pytest.fixture(autouse=True)
def _november(time_machine):
    time_machine.move_to("2026-11-22T02:00:00+00:00", tick=True)


def test_the_built_in_items_add_up():
    assert sum(item["points"] for item in FRONT) == 100
    assert len({item["code"] for item in FRONT}) == len(FRONT)


def test_a_manager_scores_a_month_and_again(clinic):
    manager, who = manager_of(clinic), consultant_of(clinic)
    client, url = client_of(manager), f"/conversations/fronts/{who.pk}/{MONTH}"
    client.post(url, FULL | {"remarks": "5", "note": "没备注"})
    row = FrontScore.objects.get()
    assert (row.score, row.month.isoformat(), row.consultant, row.rubric.version) == (85, "2026-10-01", who, 1)
    client.post(url, FULL)
    row.refresh_from_db()
    assert (row.score, FrontScore.objects.count()) == (100, 1)
    page = client.get(f"/conversations/fronts/{MONTH}")
    assert [r["score"].score for r in page.context["rows"]] == [100]
    assert client.get("/conversations/fronts/").context["rows"][0]["score"] is None


@pytest.mark.parametrize("points", ["21", "-1", "x", ""])
def test_points_that_an_item_does_not_have_are_refused(clinic, points):
    url = f"/conversations/fronts/{consultant_of(clinic).pk}/{MONTH}"
    answer = client_of(manager_of(clinic)).post(url, FULL | {"groups": points})
    assert answer.status_code == 422
    assert "groups" in answer.context["form"].errors
    assert not FrontScore.objects.exists()


def test_a_month_to_come_is_refused_and_a_broken_one_is_this(clinic):
    client, who = client_of(manager_of(clinic)), consultant_of(clinic)
    assert client.post(f"/conversations/fronts/{who.pk}/?month=2026-12", FULL).status_code == 422
    assert client.get(f"/conversations/fronts/{who.pk}/?month=abc").context["month"].isoformat() == "2026-11-01"


def test_a_consultant_sees_the_own_score_and_gives_none(clinic):
    manager, who, other = manager_of(clinic), consultant_of(clinic), consultant_of(clinic)
    for person in (who, other):
        client_of(manager).post(f"/conversations/fronts/{person.pk}/{MONTH}", FULL)
    client = client_of(who)
    assert [r["person"] for r in client.get(f"/conversations/fronts/{MONTH}").context["rows"]] == [who]
    assert client.get(f"/conversations/fronts/{who.pk}/{MONTH}").status_code == 200
    assert client.get(f"/conversations/fronts/{other.pk}/{MONTH}").status_code == 404
    client.post(f"/conversations/fronts/{who.pk}/{MONTH}", FULL | {"groups": "0"})
    assert set(FrontScore.objects.values_list("score", flat=True)) == {100}


def test_another_clinics_consultant_is_not_found(clinic):
    stranger = consultant_of(ClinicFactory())
    assert client_of(manager_of(clinic)).get(f"/conversations/fronts/{stranger.pk}/").status_code == 404


def test_the_front_rubric_adds_up_to_a_hundred_and_keeps_former_scores(clinic):
    client, who = client_of(manager_of(clinic)), consultant_of(clinic)
    client.post(f"/conversations/fronts/{who.pk}/{MONTH}", FULL)
    data = {"kind": "front", "seen": "1", "items-TOTAL_FORMS": "3", "items-INITIAL_FORMS": "0"}
    one = {"items-0-label": "分组", "items-0-points": "60", "items-1-label": "备注", "items-1-points": "30"}
    assert client.post("/conversations/rubrics/", data | one).status_code == 422
    client.post("/conversations/rubrics/", data | one | {"items-1-points": "40"})
    rubric = Rubric.objects.for_clinic(clinic).get(kind="front", is_active=True)
    assert (rubric.version, [item["points"] for item in rubric.data]) == (2, [60, 40])
    assert FrontScore.objects.get().rubric.version == 1
    assert client.get(f"/conversations/fronts/{who.pk}/{MONTH}").status_code == 200

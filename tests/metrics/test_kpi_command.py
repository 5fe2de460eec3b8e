"""`manage.py kpis`: what it prints, and what it refuses."""

import json
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.windows import Window
from metrics.counting import figures
from metrics.figures import as_json
from metrics.kpis import KPIS
from metrics.scope import BREAKDOWNS, Scope
from tests.factories import ClinicFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db
MAY = ("--from", "2026-05-01", "--to", "2026-05-31")


@pytest.fixture
def clinic() -> Any:
    clinic = ClinicFactory(code="QH")
    at = datetime(2026, 5, 31, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
    tc = UserFactory(clinic=clinic)
    VisitFactory(clinic=clinic, arrived_at=at, received_at=at, coordinator=tc, form_completed_at=at)
    return clinic


def told(*args: str) -> str:
    out = StringIO()
    call_command("kpis", *args, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("by", [None, *BREAKDOWNS])
def test_prints_the_figures_as_counted(clinic: Any, by: Any) -> None:
    args = ("--clinic", "qh", *MAY, "--json", *(("--by", by) if by else ()))
    answer = json.loads(told(*args))
    counted = figures(Scope((clinic,)), Window(date(2026, 5, 1), date(2026, 6, 1)), by=by)
    assert answer["kpis"] == [json.loads(json.dumps(as_json(figure))) for figure in counted[None]]
    assert [kpi["slug"] for kpi in answer["kpis"]] == [kpi.slug for kpi in KPIS]
    assert (answer["clinics"], answer["from"], answer["to"]) == (["QH"], "2026-05-01", "2026-05-31")
    assert [kpi["denominator"] for kpi in answer["kpis"] if kpi["slug"] == "form"] == [1]
    if by:
        groups = {str(group["id"]): group["kpis"] for group in answer["by"][by]}
        assert groups == {
            str(key): [json.loads(json.dumps(as_json(one))) for one in row]
            for key, row in counted.items()
            if key is not None
        }


def test_the_last_day_is_counted(clinic: Any) -> None:
    last = told("--clinic", "QH", "--from", "2026-05-31", "--to", "2026-05-31", "--json")
    assert json.loads(last)["kpis"][3]["denominator"] == 1


def test_as_of_leaves_out_what_came_later(clinic: Any) -> None:
    before = told("--clinic", "QH", *MAY, "--as-of", "2026-05-31T12:00", "--json")
    answer = json.loads(before)
    assert answer["as_of"] == "2026-05-31T12:00:00+08:00"
    assert answer["kpis"][3] | {"companions": 0} == {
        "slug": "form", "number": 4, "value": None, "numerator": 0, "denominator": 0, "target": 100, "status": "none",
        "shortfall": 0, "companions": 0,
    }  # fmt: skip


def test_without_json_prints_a_table(clinic: Any) -> None:
    lines = told("--clinic", "QH", *MAY).splitlines()
    assert lines[0].split()[:2] == ["classification", "—"]
    assert len(lines) == sum(1 + len(kpi.companions) for kpi in KPIS)


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("--clinic", "NO", *MAY), "no clinic NO"),
        (("--clinic", " , ", *MAY), "Name a clinic"),
        (("--clinic", "QH", "--from", "2026-05-02", "--to", "2026-05-01"), "is before"),
        (("--clinic", "QH", "--from", "2026-02-30", "--to", "2026-05-01"), "--from: '2026-02-30' is not a day"),
        (("--clinic", "QH", "--from", "2026-05-01", "--to", "soon"), "--to: 'soon' is not a day"),
        (("--clinic", "QH", "--from", "1999-05-01", "--to", "1999-05-02"), "between 2000 and 2099"),
        (("--clinic", "QH", "--from", "2026-05-01", "--to", "9999-12-31"), "2099"),
        (("--clinic", "QH", "--from", "2001-05-01", "--to", "2026-12-31"), "three years"),
        (("--clinic", "QH", *MAY, "--as-of", "2026-13-01"), "is not a moment"),
        (("--clinic", "QH", *MAY, "--as-of", "2098-01-01T00:00"), "lies in the future"),
        (("--clinic", "QH", *MAY, "--by", "patient"), "invalid choice"),
        (("--clinic", "QH"), "required"),
    ],
)
def test_refuses_what_makes_no_sense(clinic: Any, args: tuple[str, ...], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        told(*args)

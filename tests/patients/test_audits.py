"""Class audits: a repeatable blind sample, a second opinion, the agreement."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Clinic, User
from accounts.permissions import Role
from consultations.models import Handoff
from patients.errors import Refused
from patients.models import ClassAudit, ClassAuditItem
from patients.services.audits import RatedAlready, blind, candidates, draw, rate, result_of, unrate
from tests.factories import ClassChangeFactory, ClinicFactory, PatientFactory, UserFactory, VisitFactory

pytestmark = pytest.mark.django_db


class House:
    def __init__(self, changes: int = 6) -> None:
        self.clinic: Clinic = ClinicFactory()
        self.tc, self.other = UserFactory(clinic=self.clinic), UserFactory(clinic=self.clinic)
        self.manager: User = UserFactory(clinic=self.clinic, role=Role.MANAGER)
        self.month = self.clinic.today().replace(day=1)
        self.changes = [self.change() for _n in range(changes)]

    def change(self, **facts: Any) -> Any:
        patient = PatientFactory(clinic=self.clinic)
        return ClassChangeFactory(clinic=self.clinic, patient=patient, by=self.tc, **facts)

    def draw(self, size: int = 4, **more: Any) -> ClassAudit:
        return draw(clinic=self.clinic, coordinator=self.tc, month=self.month, size=size, by=self.manager, **more)


@pytest.fixture
def house() -> House:
    return House()


def drawn(audit: ClassAudit) -> list[int]:
    return list(audit.items.values_list("class_change_id", flat=True))


def test_the_same_seed_draws_the_same_sample(house: House) -> None:
    first = house.draw()
    again = house.draw(seed=first.seed)
    assert drawn(first) == drawn(again)
    assert len(drawn(first)) == 4


def test_only_the_persons_classifications_of_that_month_are_drawn(house: House) -> None:
    start = datetime.combine(house.month, datetime.min.time(), house.clinic.tz)
    house.change(at=start - timedelta(seconds=1))
    on_time = house.change(at=start)
    ClassChangeFactory(clinic=house.clinic, by=house.other)
    ids = candidates(clinic=house.clinic, coordinator=house.tc, month=house.month)
    assert ids == [*(c.pk for c in house.changes), on_time.pk]


@pytest.mark.parametrize("size", [0, 101])
def test_a_size_out_of_bounds_is_refused(house: House, size: int) -> None:
    with pytest.raises(Refused):
        house.draw(size=size)


def test_nothing_to_draw_is_refused(house: House) -> None:
    with pytest.raises(Refused):
        draw(clinic=house.clinic, coordinator=house.other, month=house.month, size=5, by=house.manager)


def test_the_facts_hide_class_and_scores(house: House) -> None:
    change = house.changes[0]
    now = timezone.now()
    facts = {"classification": change, "classified_at": now, "obstacle": "觉得贵，先按 C-D 跟", "arrived_at": change.at}
    visit = VisitFactory(clinic=house.clinic, patient=change.patient, **facts)
    Handoff.objects.create(visit=visit, opinion="意识2，信任度 3，怕疼，属于 c-e")
    item = house.draw(size=6).items.get(class_change=change)
    told = str(item.facts)
    assert "怕疼" in told
    assert "觉得贵" in told
    for hidden in ("C-D", "c-e", "意识2", "信任度 3"):
        assert hidden not in told


def test_blinding_leaves_other_words() -> None:
    assert blind("C 类 CD 光盘 C-A级 36 牙") == "C 类 … 光盘 …级 36 牙"
    assert blind("Cats and CEO") == "Cats and CEO"


def test_nobody_rates_their_own(house: House) -> None:
    item = house.draw().items.first()
    assert item is not None
    with pytest.raises(Refused):
        rate(item=item, rated_class="C-E", by=house.tc)


def test_a_second_rater_who_comes_late_is_told(house: House) -> None:
    item = house.draw().items.first()
    assert item is not None
    rate(item=item, rated_class="C-E", by=house.other)
    with pytest.raises(RatedAlready):
        rate(item=item, rated_class="C-D", by=house.manager)
    item.refresh_from_db()
    assert item.rated_class == "C-E"


def test_the_last_rating_can_be_taken_back(house: House) -> None:
    audit = house.draw()
    for item in audit.items.all()[:2]:
        rate(item=item, rated_class="C-E", by=house.other, awareness=3)
    back = unrate(audit=audit, by=house.other)
    assert back.position == 2
    assert audit.items.filter(rated_at=None).count() == 3
    with pytest.raises(Refused):
        unrate(audit=audit, by=house.manager)


def test_the_agreement_counts_what_was_rated(house: House) -> None:
    audit = house.draw()
    for item, code in zip(audit.items.all(), ["C-E", "C-E", "C-D"], strict=False):
        rate(item=item, rated_class=code, by=house.other)
    found = result_of(ClassAuditItem.objects.filter(audit=audit))
    assert (found.n, found.agreed, found.percent) == (3, 2, 67)


def test_a_walk_through_the_pages(house: House, client: Client) -> None:
    client.force_login(house.manager)
    facts = {"coordinator": house.tc.pk, "month": house.month.isoformat(), "size": 2}
    assert client.post(reverse("class_audit_draw"), facts | {"size": 0}).status_code == 422
    client.post(reverse("class_audit_draw"), facts)
    audit = ClassAudit.objects.get()
    empty = client.get(reverse("class_audit", args=[audit.pk])).content.decode()
    assert "—" in empty
    for item in audit.items.all():
        assert item.class_change.patient.name not in empty
    client.force_login(house.other)
    rate_url = reverse("class_audit_rate", args=[audit.pk])
    assert client.post(rate_url, {"position": 1, "rated_class": "C-Z"}).status_code == 422
    for position in (1, 2):
        page = client.get(rate_url)
        assert page.status_code == 200
        assert client.post(rate_url, {"position": position, "rated_class": "C-E", "note": "同意"}).status_code == 302
    assert client.get(reverse("class_audit", args=[audit.pk])).status_code == 403
    client.force_login(house.manager)
    result = client.get(reverse("class_audit", args=[audit.pk])).content.decode()
    assert "100%" in result
    assert client.get(reverse("class_audits")).status_code == 200


def test_the_audited_person_may_not_rate(house: House, client: Client) -> None:
    audit = house.draw()
    client.force_login(house.tc)
    assert client.get(reverse("class_audit_rate", args=[audit.pk])).status_code == 403

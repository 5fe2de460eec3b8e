"""Campaigns: who is in, who is left out and why, approval, spreading, stopping, results."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.permissions import Role
from followups.campaign_rules import due_times, forbidden_classes
from followups.errors import Outdated, Refused
from followups.message_rules import Hours
from followups.models import Campaign, Contact, Message, MessageEvent, Task
from followups.services import campaigns
from patients.models import Consent
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
NOW = datetime.fromisoformat("2026-11-18T10:42:00+08:00")
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture(autouse=True)
def at_work():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


class Desk:
    def __init__(self) -> None:
        self.clinic = ClinicFactory()
        self.by = UserFactory(clinic=self.clinic, role=Role.COORDINATOR)
        self.manager = UserFactory(clinic=self.clinic, role=Role.MANAGER)
        self.count = 0

    def patient(self, *, agreed=True, code="C-E", phone=True, **facts):
        self.count += 1
        number = f"199{self.count:08d}" if phone else None
        patient = PatientFactory(clinic=self.clinic, class_code=code, phone=number, **facts)
        if agreed is not None:
            for purpose in ("contact", "marketing"):
                Consent.objects.create(patient=patient, clinic=self.clinic, purpose=purpose, given=agreed)
        return patient

    def draft(self, **over):
        usual = {
            "name": "洁牙周", "text": "本周洁牙可预约。", "channel": "sms", "starts_at": NOW + timedelta(hours=1),
            "per_hour": 60, "filters": {},
        }  # fmt: skip
        return campaigns.save_campaign(clinic=self.clinic, by=self.by, **(usual | over))

    def submitted(self, **over):
        return campaigns.submit(campaign=self.draft(**over), by=self.by)

    def running(self, **over):
        row = self.submitted(**over)
        return campaigns.approve(campaign=row, version=row.version, by=self.manager)


@pytest.fixture
def desk():
    return Desk()


def reasons(row):
    return dict(row.members.values_list("patient", "left_out"))


def test_each_is_left_out_for_the_first_reason_that_holds(desk):
    fine, loyal = desk.patient(), desk.patient(code="C-A")
    never_asked, refused = desk.patient(agreed=None), desk.patient(agreed=False)
    half = desk.patient(agreed=None)
    Consent.objects.create(patient=half, clinic=desk.clinic, purpose="marketing", given=True)
    unreachable, lately = desk.patient(phone=False), desk.patient()
    Contact.objects.create(
        clinic=desk.clinic, patient=lately, channel="phone", outcome="reached", at=NOW - timedelta(days=2)
    )
    PatientFactory(clinic=ClinicFactory())
    row = desk.submitted()
    assert reasons(row) == {
        fine.pk: "", loyal.pk: "class", never_asked.pk: "consent", refused.pk: "consent", half.pk: "consent",
        unreachable.pk: "no_address", lately.pk: "lately",
    }  # fmt: skip
    counts = campaigns.preview(clinic=desk.clinic, user=desk.by, filters={}, channel="sms")
    assert counts == campaigns.members_by_reason(row) == {"": 1, "class": 1, "consent": 3, "no_address": 1, "lately": 1}


def test_the_filters_of_the_patient_list_choose_and_mine_means_the_writers(desk):
    mine, other = desk.patient(reg_owner=desk.by), desk.patient(code="C-D")
    row = desk.submitted(filters={"owner": ["me"]})
    assert reasons(row) == {mine.pk: ""}
    assert row.filters == {"owner": [str(desk.by.pk)]}
    assert reasons(desk.submitted(filters={"klass": ["C-D"]})) == {other.pk: ""}


def test_who_was_asked_by_another_campaign_lately_is_left_out(desk):
    patient = desk.patient()
    desk.running()
    later = desk.draft(starts_at=NOW + timedelta(days=1))
    with pytest.raises(Refused):
        campaigns.submit(campaign=later, by=desk.by)
    assert campaigns.preview(clinic=desk.clinic, user=desk.by, filters={}, channel="sms") == {"lately": 1}
    assert patient.messages.count() == 1


def test_the_words_of_the_list_are_refused(desk):
    with pytest.raises(Refused):
        desk.draft(text="全市第一，保证治愈")
    assert not Campaign.objects.exists()


def test_approval_queues_each_once_spread_over_time(desk):
    patients = {desk.patient().pk for _n in range(5)}
    desk.patient(code="C-A")
    row = desk.running(per_hour=2)
    queued = Message.objects.filter(campaign=row).order_by("due_at")
    assert {message.patient_id for message in queued} == patients
    start = NOW + timedelta(hours=1)
    assert [message.due_at for message in queued] == [start + timedelta(minutes=30) * n for n in range(5)]
    assert {(m.purpose, m.nature, m.state, m.variables["text"]) for m in queued} == {
        ("campaign", "marketing", "queued", "本周洁牙可预约。")
    }
    assert MessageEvent.objects.filter(message__campaign=row, new_state="queued").count() == 5
    assert (row.status, row.decided_by) == ("running", desk.manager)
    with pytest.raises(Outdated):
        campaigns.approve(campaign=row, version=row.version, by=desk.manager)
    assert queued.count() == 5


def test_who_lost_the_right_to_get_it_before_the_approval_is_left_out(desk):
    keeps, loses, rises = desk.patient(), desk.patient(), desk.patient()
    row = desk.submitted()
    Consent.objects.create(patient=loses, clinic=desk.clinic, purpose="marketing", given=False)
    type(rises).objects.filter(pk=rises.pk).update(class_code="C-A")
    campaigns.approve(campaign=row, version=row.version, by=desk.manager)
    assert reasons(row) == {keeps.pk: "", loses.pk: "consent", rises.pk: "class"}
    assert list(Message.objects.values_list("patient", flat=True)) == [keeps.pk]


def test_what_was_changed_since_it_was_read_is_not_approved(desk):
    desk.patient()
    row = desk.submitted()
    seen = row.version
    campaigns.save_campaign(
        clinic=desk.clinic, by=desk.by, campaign=row, filters={}, name="改", text="改", channel="sms",
        starts_at=NOW + timedelta(hours=1), per_hour=1,
    )  # fmt: skip
    campaigns.submit(campaign=row, by=desk.by)
    with pytest.raises(Outdated):
        campaigns.approve(campaign=row, version=seen, by=desk.manager)
    assert not Message.objects.exists()


def test_by_wechat_it_becomes_tasks_of_the_patients_coordinators(desk):
    owned, free = desk.patient(reg_owner=desk.by, wechat_id="a"), desk.patient(wechat_id="b")
    desk.patient(wechat_id="")
    row = desk.running(channel="wechat")
    tasks = Task.objects.filter(campaign=row)
    assert {(t.patient_id, t.owner_id) for t in tasks} == {(owned.pk, desk.by.pk), (free.pk, None)}
    assert {(t.kind, t.channel, t.nature, t.script) for t in tasks} == {
        ("send", "wechat", "marketing", "本周洁牙可预约。")
    }
    assert all(task.events.count() == 1 for task in tasks)
    assert not Message.objects.exists()
    campaigns.stop(campaign=row, by=desk.manager)
    assert set(Task.objects.values_list("status", flat=True)) == {"closed"}


def test_stopping_drops_what_has_not_left(desk):
    left, waiting = desk.patient(), desk.patient()
    row = desk.running()
    Message.objects.filter(patient=left).update(state="accepted")
    row = campaigns.stop(campaign=row, by=desk.manager)
    states = dict(Message.objects.values_list("patient", "state"))
    assert states == {left.pk: "accepted", waiting.pk: "suppressed"}
    found = campaigns.results(row)
    assert (row.status, found["sent"], found["suppressed"]) == ("stopped", 1, {"ended": 1})


def test_results_count_who_booked_after_their_turn(desk, at_work):
    came, before, _none = desk.patient(), desk.patient(), desk.patient()
    AppointmentFactory(clinic=desk.clinic, patient=before)
    row = desk.running()
    at_work.shift(timedelta(hours=5))
    for _twice in range(2):
        AppointmentFactory(clinic=desk.clinic, patient=came, created_at=timezone.now())
    assert campaigns.results(row)["booked"] == 1


def test_a_campaign_of_which_nothing_waits_is_done(desk):
    desk.patient()
    row = desk.running()
    later = NOW + timedelta(days=1)
    assert campaigns.finish_done(now=later) == 0
    Message.objects.update(state="accepted")
    assert [campaigns.finish_done(now=later) for _twice in range(2)] == [1, 0]
    row.refresh_from_db()
    assert row.status == "done"


def test_submitting_and_approving_cost_the_same_for_ten_and_for_two_hundred(desk):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            desk.running(filters={"klass": [code]})
        return len(captured)

    code = "C-E"
    for _n in range(10):
        desk.patient(code=code)
    few = cost()
    code = "C-D"
    for _n in range(200):
        desk.patient(code=code)
    assert cost() == few


def test_times_keep_out_of_quiet_hours_and_within_the_pace():
    hours = Hours(time(21), time(9), ZONE)
    start = datetime(2026, 11, 18, 20, 30, tzinfo=ZONE)
    times = list(due_times(start=start, count=5, per_hour=3, hours=hours))
    assert [t.astimezone(ZONE).strftime("%d %H:%M") for t in times] == [
        "18 20:30", "18 20:50", "19 09:00", "19 09:20", "19 09:40",
    ]  # fmt: skip
    assert list(due_times(start=start, count=0, per_hour=3, hours=hours)) == []
    assert forbidden_classes("marketing") == ["C-A"]


def test_a_coordinator_writes_and_a_manager_approves(client, desk):
    desk.patient()
    client.force_login(desk.by, backend=BACKEND)
    fields = {
        "name": "洁牙周", "text": "本周洁牙可预约。", "by_channel": "sms", "day": "2026-11-19", "at": "10:00",
        "per_hour": "60", "klass": ["C-E"],
    }  # fmt: skip
    assert client.get(reverse("campaign_new"), {"klass": "C-E"}).context["count_in"] == 1
    counted = client.post(
        reverse("campaign_new"), fields | {"count": "1", "name": "", "klass": ["C-D"], "text": "留着"}
    )
    assert (counted.status_code, counted.context["count_in"]) == (200, 0)
    assert "留着" in counted.content.decode()
    bad = client.post(reverse("campaign_new"), fields | {"per_hour": "0", "text": "保证治愈"})
    assert bad.status_code == 422
    assert "保证治愈" in bad.content.decode()
    client.post(reverse("campaign_new"), fields)
    row = Campaign.objects.get()
    assert row.filters == {"klass": ["C-E"]}
    url = reverse("campaign", args=[row.pk])
    assert client.get(url).status_code == 200
    client.post(reverse("campaign_submit", args=[row.pk]))
    approve = reverse("campaign_approve", args=[row.pk])
    assert client.post(approve, {"version": "1"}).status_code == 403
    client.force_login(desk.manager, backend=BACKEND)
    assert client.post(approve, {"version": "9"}).status_code == 409
    client.post(approve, {"version": "1"})
    row.refresh_from_db()
    assert row.status == "running"
    page = client.get(url)
    assert page.context["results"]["waiting"] == 1
    assert client.get(url, {"out": "class"}).status_code == 200
    client.post(reverse("campaign_stop", args=[row.pk]))
    assert client.get(reverse("campaign_list")).status_code == 200


@pytest.mark.parametrize(
    "bad", [{"day": "x"}, {"day": "2026-11-01"}, {"at": "25:00"}, {"by_channel": "phone"}, {"name": ""}]
)
def test_nonsense_is_told_beside_its_field(client, desk, bad):
    client.force_login(desk.by, backend=BACKEND)
    fields = {"name": "A", "text": "B", "by_channel": "sms", "day": "2026-11-19", "at": "10:00", "per_hour": "60"}
    response = client.post(reverse("campaign_new"), fields | bad)
    assert response.status_code == 422
    assert set(response.context["form"].errors) == set(bad)


def test_other_clinics_campaigns_are_not_there(client, desk):
    desk.patient()
    row = desk.submitted()
    client.force_login(UserFactory(clinic=ClinicFactory(), role=Role.MANAGER), backend=BACKEND)
    assert client.get(reverse("campaign", args=[row.pk])).status_code == 404
    for name in ("campaign_submit", "campaign_approve", "campaign_stop", "campaign_send_back"):
        assert client.post(reverse(name, args=[row.pk])).status_code == 404

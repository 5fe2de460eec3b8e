"""What happens by itself, how often, and when each last did (DESIGN §4).

Each job is idempotent, bounded, and catches up by running again. One that must not run twice at the same time
holds an advisory lock of PostgreSQL's, which dies with whoever held it.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from django.utils.functional import Promise

from accounts.models import Clinic
from followups.importing.jobs import appointment_jobs
from followups.models import JobRun
from followups.services import (
    campaigns,
    digest,
    generation,
    hook_sending,
    outcomes,
    reconciling,
    retention,
    sending,
    suggesting,
    wechat,
)

log = logging.getLogger(__name__)
PULSE_KEY = "followups:jobs"  # when each job last ended, for the banner: no statement on every page
DAILY_GRACE = timedelta(hours=3)
PERIODS_ALLOWED = 5


@dataclass(frozen=True)
class Job:
    """A periodic job: every so many minutes, or once a day from an hour on, in the installation's zone."""

    name: str
    act: Callable[[datetime], int]
    minutes: int = 0
    hour: int = 0
    alone: bool = True  # false: it claims its rows, and gains from several workers
    own_beat: bool = False  # true: beat calls it by itself, at its own pace
    label: str | Promise = ""  # for the page of jobs

    @property
    def daily(self) -> bool:
        return not self.minutes

    def is_late(self, ended: datetime | None, done_for: object, now: datetime) -> bool:
        """Tell whether it should have run by now. A job that never ran is late too; whoever asks allows for a start."""
        if self.daily:
            local = now.astimezone(ZoneInfo(settings.TIME_ZONE))
            begins = local.replace(hour=self.hour, minute=0, second=0, microsecond=0)
            wanted = local.date() if local >= begins + DAILY_GRACE else local.date() - timedelta(days=1)
            return done_for is None or str(done_for) < str(wanted)
        return ended is None or now - ended > timedelta(minutes=self.minutes * PERIODS_ALLOWED)

    def is_due(self, run: JobRun | None, now: datetime) -> bool:
        """Tell whether it is time to run it."""
        if self.daily:
            local = now.astimezone(ZoneInfo(settings.TIME_ZONE))
            return local.hour >= self.hour and (run is None or run.done_for is None or run.done_for < local.date())
        spare = timedelta(seconds=10)  # beat is not exact
        return run is None or run.started_at is None or now - run.started_at >= timedelta(minutes=self.minutes) - spare


def _digest(now: datetime) -> int:
    return sum(digest.send_digest(clinic=clinic, now=now) for clinic in Clinic.objects.active())


def _sweep_playbooks(now: datetime) -> int:
    return generation.sweep_playbooks(now=now, limit=5000) + wechat.close_asking(now=now, limit=5000)


JOBS: dict[str, Job] = {
    job.name: job
    for job in (
        Job("send_due", lambda now: sending.send_due(now=now), minutes=1, alone=False, own_beat=True),
        Job("reconcile", lambda now: reconciling.reconcile(now=now), minutes=1, alone=False, own_beat=True),
        Job("send_hooks", lambda now: hook_sending.send_due(now=now), minutes=1, alone=False, own_beat=True),
        Job("generate_due", lambda now: generation.generate_due(now=now, limit=2000), minutes=1),
        Job("sweep_playbooks", _sweep_playbooks, minutes=60),
        Job("suggest_classes", lambda now: suggesting.suggest_everywhere(now=now), hour=4),
        Job("mark_no_shows", lambda now: outcomes.mark_no_shows(now=now, limit=5000), hour=2),
        Job("finish_campaigns", lambda now: campaigns.finish_done(now=now), minutes=60),
        Job("overdue_digest", _digest, hour=9),
        Job("appointment_imports", lambda now: appointment_jobs.run_due(), minutes=2, alone=False, own_beat=True),
        Job("retention", lambda now: retention.forget_old_files(now=now, limit=500), hour=3),
    )
}
SENDING = ("reconcile", "send_due", "send_hooks")
POLL_KEPT = 30.0  # seconds between two heartbeats of something that looks for work every few seconds
_polled: dict[str, float] = {}


def add(*more: Job) -> None:
    """Have jobs of an app above this one run, and their lateness noticed, as those here; called once it is loaded."""
    JOBS.update({job.name: job for job in more})


def poll(name: str) -> int | None:
    """Run a job that looks for work every few seconds; its heartbeat is kept when it found some, and twice a minute."""
    job = JOBS[name]
    if time.monotonic() - _polled.get(name, -1e9) > POLL_KEPT:
        _polled[name] = time.monotonic()
        return run(name)
    handled = job.act(timezone.now())
    if handled:
        JobRun.objects.filter(name=name).update(finished_at=timezone.now(), handled=handled, failure="")
    return handled


def run(name: str, *, now: datetime | None = None) -> int | None:
    """Run a job now and keep its heartbeat; None when another worker is at it. Raises what the job raises."""
    job = JOBS[name]
    if not job.alone:
        return _run(job, now or timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('followups.job'), hashtext(%s))", [name])
        if not cursor.fetchone()[0]:
            return None
        try:
            return _run(job, now or timezone.now())
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('followups.job'), hashtext(%s))", [name])


def run_due(*, now: datetime | None = None) -> dict[str, int | None]:
    """Run every job whose time has come, but for those with a beat of their own; one failing stops no other."""
    done: dict[str, int | None] = {}
    runs = {run.name: run for run in JobRun.objects.all()}
    for name, job in JOBS.items():
        if job.own_beat or not job.is_due(runs.get(name), now or timezone.now()):
            continue
        try:
            done[name] = run(name, now=now)
        except Exception:
            log.exception("The job %s failed", name)
    return done


def _run(job: Job, now: datetime) -> int:
    JobRun.objects.update_or_create(name=job.name, defaults={"started_at": now})
    try:
        handled = job.act(now)
    except Exception as error:
        JobRun.objects.filter(name=job.name).update(failure=f"{type(error).__name__}: {error}"[:300])
        raise
    ended: dict[str, object] = {"finished_at": timezone.now(), "handled": handled, "failure": ""}
    if job.daily:
        ended["done_for"] = now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    JobRun.objects.filter(name=job.name).update(**ended)
    _pulse()
    return handled


def _pulse() -> None:
    """Tell the pages when each job last ended. Redis may be away: the database knows it too."""
    rows = JobRun.objects.values_list("name", "finished_at", "done_for")
    told = {name: (ended and ended.timestamp(), day and day.isoformat()) for name, ended, day in rows}
    try:
        cache.set(PULSE_KEY, told, timeout=None)
    except Exception:
        log.warning("The jobs' pulse could not be written", exc_info=True)


def late_jobs(*, now: datetime | None = None) -> list[str]:
    """Return the names of jobs that should have run by now, as the database knows it."""
    moment = now or timezone.now()
    runs = {run.name: run for run in JobRun.objects.all()}
    return [name for name, job in JOBS.items() if _late(job, runs.get(name), moment)]


def _late(job: Job, run: JobRun | None, now: datetime) -> bool:
    return job.is_late(run.finished_at if run else None, run.done_for if run else None, now)


_pulse_read: tuple[float, dict[str, tuple[float | None, str | None]]] = (-1e9, {})


def late_by_pulse() -> list[str]:
    """Return the names of late jobs as a page may ask for them: without the database, and seldom Redis.

    Nothing is known, and nothing called late, before a job has ended for the first time.
    """
    global _pulse_read  # noqa: PLW0603
    read_at, told = _pulse_read
    if time.monotonic() - read_at > 60:
        try:
            told = cache.get(PULSE_KEY) or {}
        except Exception:  # a page is shown without Redis too
            told = {}
        _pulse_read = (time.monotonic(), told)
    now = timezone.now()
    late = []
    for name, (ended, day) in told.items():
        job = JOBS.get(name)
        if job and job.is_late(ended and datetime.fromtimestamp(ended, tz=now.tzinfo), day, now):  # type: ignore[arg-type]
            late.append(name)
    return late

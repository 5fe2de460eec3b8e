"""`manage.py kpis`: the ten key figures of some clinics on the command line, the same as page, API and exports."""

import json
from argparse import ArgumentParser
from datetime import date, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime

from accounts.models import Clinic
from accounts.windows import LATEST, BadWindow, Window
from metrics.figures import Figure, number
from metrics.reports import Report, as_answer, gather
from metrics.scope import BREAKDOWNS, Scope


class Command(BaseCommand):
    help = (
        "Count the ten key figures of one or several clinics, in each clinic's own time zone. "
        "--from and --to are the first and the last day, both counted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--clinic", required=True, metavar="CODE[,CODE]", help="codes of the clinics")
        parser.add_argument("--from", required=True, dest="start", metavar="DATE", help="the first day, 2026-03-01")
        parser.add_argument("--to", required=True, dest="last", metavar="DATE", help="the last day, itself counted")
        parser.add_argument("--by", choices=BREAKDOWNS, help="also count each of these by itself")
        parser.add_argument(
            "--as-of",
            metavar="DATETIME",
            help="leave out what was recorded later, 2026-04-01T00:00:00+08:00; without a zone the first clinic's",
        )
        parser.add_argument("--json", action="store_true", help="print JSON, and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        clinics = _clinics(options["clinic"])
        scope = Scope(clinics, as_of=_moment(options["as_of"], clinics[0]))
        with translation.override("en"):
            window = _window(_day(options["start"], "--from"), _day(options["last"], "--to"))
            report = gather(scope, window, by=options["by"])
            if options["json"]:
                self.stdout.write(json.dumps(as_answer(report), ensure_ascii=False, indent=2))
            else:
                self.stdout.write("\n".join(_table(report)))


def _clinics(codes: str) -> tuple[Clinic, ...]:
    wanted = list(dict.fromkeys(code.strip().upper() for code in codes.split(",") if code.strip()))
    known = {clinic.code: clinic for clinic in Clinic.objects.filter(code__in=wanted)}
    missing = [code for code in wanted if code not in known]
    if missing or not wanted:
        raise CommandError(f"There is no clinic {', '.join(missing)}." if missing else "Name a clinic: --clinic CODE.")
    return tuple(known[code] for code in wanted)


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{option}: {text!r} is not a day; write it as 2026-03-31.") from None


def _window(start: date, last: date) -> Window:
    if last < start:
        raise CommandError(f"--to ({last}) is before --from ({start}).")
    if last > LATEST:
        raise CommandError("The window must lie between 2000 and 2099.")
    try:
        return Window(start, last + timedelta(days=1))
    except BadWindow as error:
        raise CommandError(str(error)) from None


def _moment(text: str | None, clinic: Clinic) -> datetime | None:
    if text is None:
        return None
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(f"--as-of: {text!r} is not a moment; write it as 2026-04-01T00:00:00+08:00.")
    moment = moment if timezone.is_aware(moment) else moment.replace(tzinfo=clinic.tz)
    if moment > timezone.now():
        raise CommandError(f"--as-of: {text!r} lies in the future.")
    return moment


def _table(report: Report) -> list[str]:
    lines = _rows(report.whole)
    for group in report.groups:
        lines += ["", f"{group.name} ({group.id})", *_rows(group.figures)]
    return lines


def _rows(figures: list[Figure]) -> list[str]:
    every = [one for figure in figures for one in (figure, *figure.companions.values())]
    return [
        f"{one.of.slug:<28}{_said(one.value):>9}{number(one.numerator):>12} / {number(one.denominator):<10}"
        f"{'' if one.target is None else f'target {number(one.target)} · {one.status}'}".rstrip()
        for one in every
    ]


def _said(value: Any) -> str:
    return "—" if value is None else f"{number(value)}"

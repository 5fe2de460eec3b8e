"""The records behind a figure: counted, failing, excluded and why. The rows that the figure adds up."""

import re
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.windows import Window
from consultations.models import Consultation, Visit
from conversations.models import ScoreCard
from followups.models import Appointment
from metrics.counting import SOURCES
from metrics.kpis import BY_SLUG, Companion, Kpi
from metrics.models import EtiquetteInspection
from metrics.scope import Scope
from metrics.sql.ground import Ground
from metrics.sql.source import Source
from metrics.targets import target_of
from patients.models import ClassAuditItem, ComplaintCase, Patient

NAMED = re.compile(r"%\((\w+)\)s")
MODELS: dict[str, tuple[type[Model], tuple[str, ...]]] = {
    "visit": (Visit, ("clinic", "patient", "coordinator", "doctor", "consultation")),
    "consultation": (Consultation, ("clinic", "patient", "coordinator")),
    "patient": (Patient, ()),
    "appointment": (Appointment, ("clinic", "patient", "doctor", "created_by")),
    "complaint": (ComplaintCase, ("clinic", "patient", "about")),
    "inspection": (EtiquetteInspection, ("clinic", "staff", "patient", "visit__patient", "contact__patient")),
    "score_card": (ScoreCard, ("conversation__clinic", "conversation__patient", "consultant")),
    "rating": (ClassAuditItem, ("audit__clinic", "class_change__patient", "audit__coordinator")),
}
OTHERS = {"etiquette.chat": "score_card", "classification.accuracy": "rating", "referral.new_patients": "patient"}
REASONS: dict[str, Promise] = {
    "error": _("entered in error"),
    "decided": _("did not leave undecided or refused"),
    "not_received": _("left before being received"),
    "return": _("return visit"),
    "no_treatment": _("no treatment indicated"),
    "not_presented": _("no plan was presented"),
    "accepted": _("accepted before"),
    "clinic": _("cancelled by the clinic"),
    "repeat": _("repeat of another complaint"),
    "replaced": _("replaced or taken back"),
    "known": _("came before"),
}


def records_of(kpi: Kpi | Companion, scope: Scope, window: Window, part: str) -> QuerySet[Any]:
    """Return the records of `part` of a figure: "counted", "failing" or "excluded:<reason>".

    Of a KPI: visits, consultations, patients, appointments, complaint cases or inspections, as `Kpi.records` says,
    with patient, clinic and staff selected. Of a companion: those its own figure is made of; of scores in chats
    score cards, of audited classifications their ratings. Of etiquette, itself inspections without chats, those
    that reach the target are counted and the others failing. Of complaints all cases are counted, none is failing.
    """
    model, related = MODELS[_kind(kpi)]
    if not scope.clinics:
        return model._default_manager.none()
    sql, values = _listing(kpi, scope, window, "SELECT s.{id} FROM ({rows}) s WHERE ({part}) = %(part)s{whole}")
    ids = RawSQL(*_positional(sql, values | {"part": part}))  # noqa: S611 - own fragments; values are parameters
    rows = model._default_manager.filter(pk__in=ids)
    return rows.select_related(*related) if related else rows


def exclusions_of(kpi: Kpi | Companion, scope: Scope, window: Window) -> list[tuple[str, Promise | str, int]]:
    """Return what was left out and why: (reason code, words, how many), the most first."""
    if not scope.clinics:
        return []
    sql, values = _listing(
        kpi,
        scope,
        window,
        "SELECT split_part({part}, ':', 2), count(*) FROM ({rows}) s WHERE ({part}) LIKE %(like)s{whole}"
        " GROUP BY 1 ORDER BY 2 DESC, 1",
        slug="etiquette.any" if kpi.slug == "etiquette" else "",
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, values | {"like": "excluded:%"})
        return [(code, REASONS.get(code, code), count) for code, count in cursor.fetchall()]


def _kind(kpi: Kpi | Companion) -> str:
    return OTHERS.get(kpi.slug) or BY_SLUG[kpi.slug.split(".")[0]].records


def _source(slug: str) -> tuple[Source, str, str]:
    """Return where a figure's records come from, the expression of their part, and their id."""
    for source in SOURCES:
        if slug in source.parts:
            part, pk = source.parts[slug]
            return source, f"s.{part}" if part.isidentifier() else part, pk
    raise KeyError(slug)


def _listing(
    kpi: Kpi | Companion, scope: Scope, window: Window, template: str, slug: str = ""
) -> tuple[str, dict[str, Any]]:
    source, part, pk = _source(slug or kpi.slug)
    ground = Ground(scope, (window,), listed=True)
    whole = " AND s.is_whole" if source.grouped else ""
    sql = template.format(id=pk, rows=source.rows(ground), part=part, whole=whole)
    reached = target_of(scope.clinics, "etiquette", window.last_day) if "etiquette" in (slug or kpi.slug) else None
    return f"{ground.head()} {sql}", ground.params | {"etiquette_target": reached}


def _positional(sql: str, values: dict[str, Any]) -> tuple[str, list[Any]]:
    """Return the statement with its named parameters in order, as Django's expressions take them."""
    order: list[Any] = []

    def place(match: re.Match[str]) -> str:
        order.append(values[match.group(1)])
        return "%s"

    return NAMED.sub(place, sql), order

"""Going back to the built-in settings, for pages whose settings are changed one by one."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from accounts.services.clinics import edit_clinic
from consultations.exam_sets import BUILTIN_EXAMS
from consultations.form_sets import BUILTIN_SETS
from consultations.models import ExamKind, FormTemplate
from consultations.services.content import save_exam_kind, save_question_set
from conversations.models import Rubric
from conversations.rubric_sets import builtin
from conversations.services.rubrics import active_rubric, save_rubric
from conversations.services.rule_sets import active_rules, save_rules
from followups.ad_words import words_of
from followups.models import CalendarSettings, MessagingSettings
from followups.services import messaging, schedule


def _clinic(clinic: Clinic, by: User) -> None:
    hours = Clinic._meta.get_field("late_cancel_hours").default
    edit_clinic(clinic=clinic, late_cancel_hours=hours, stage_limits={}, by=by)


def _calendar(clinic: Clinic, by: User) -> None:
    usual = CalendarSettings(clinic=clinic)
    names = ("grid_minutes", "lengths", "closed_on_holidays", "open_on_makeup_days", "open_anyway")
    facts: dict[str, Any] = {name: getattr(usual, name) for name in names}
    schedule.save_settings(clinic=clinic, by=by, **facts)


def _messages(clinic: Clinic, by: User) -> None:
    usual, words = MessagingSettings(clinic=clinic), words_of(None)
    values = {name: getattr(usual, name) for name in messaging.CHOICES}
    lists = {"refused": words.refused, "flagged": words.flagged}
    messaging.save_settings(clinic=clinic, by=by, words=lists, **values)


def _forms(clinic: Clinic, by: User) -> None:
    for template in FormTemplate.objects.for_clinic(clinic).filter(is_active=True, kind__in=BUILTIN_SETS):
        save_question_set(template=template, groups=BUILTIN_SETS[template.kind], by=by)


def _exams(clinic: Clinic, by: User) -> None:
    kept = {kind.code: kind for kind in ExamKind.objects.for_clinic(clinic)}
    for exam in BUILTIN_EXAMS:
        save_exam_kind(clinic=clinic, by=by, kind=kept.get(exam.code), is_active=True, **asdict(exam))


def _chat_rules(clinic: Clinic, by: User) -> None:
    seen = active_rules(clinic).version
    save_rules(clinic=clinic, data={}, note=_("Back to the built-in rules"), seen=seen, by=by)


def _chat_rubrics(clinic: Clinic, by: User) -> None:
    for kind in Rubric.Kind.values:
        save_rubric(clinic=clinic, kind=kind, data=builtin(kind), seen=active_rubric(clinic, kind).version, by=by)


# By the route of the page that changes them.
RESTORERS: Mapping[str, Callable[[Clinic, User], None]] = {
    "clinic_list": _clinic,
    "schedule_settings": _calendar,
    "message_settings": _messages,
    "form_template_list": _forms,
    "exam_kinds": _exams,
    "chat_rules": _chat_rules,
    "chat_rubrics": _chat_rubrics,
}


@transaction.atomic
def restore_defaults(*, clinic: Clinic, what: str, by: User) -> None:
    """Put a clinic's settings back to the built-in ones; what the clinic added of its own stays.

    Args: what: a key of RESTORERS. Raises: what the services of those settings raise when somebody is quicker.
    """
    RESTORERS[what](clinic, by)

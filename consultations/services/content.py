"""What a clinic decides itself: scripts, kinds of exam, question sets."""

from collections.abc import Iterable
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from consultations.errors import Refused
from consultations.exam_sets import BUILTIN_EXAMS
from consultations.form_sets import BUILTIN_SETS
from consultations.models import ConsultationForm, ExamKind, FormTemplate, Script
from consultations.script_sets import BUILTIN_SCRIPTS


@transaction.atomic
def ensure_builtin_content(clinic: Clinic) -> None:
    """Give a clinic the built-in question sets, kinds of exam and scripts it has none of yet.

    Safe to run any number of times: what a clinic has of a kind, changed or not, is left alone.
    """
    Clinic.objects.select_for_update().get(pk=clinic.pk)
    have = set(FormTemplate.objects.for_clinic(clinic).values_list("kind", flat=True))
    FormTemplate.objects.bulk_create(
        FormTemplate(clinic=clinic, kind=kind, version=1, groups=groups)
        for kind, groups in BUILTIN_SETS.items()
        if kind not in have
    )
    if not ExamKind.objects.for_clinic(clinic).exists():
        ExamKind.objects.bulk_create(
            ExamKind(clinic=clinic, position=place, **asdict(exam)) for place, exam in enumerate(BUILTIN_EXAMS)
        )
    if not Script.objects.for_clinic(clinic).exists():
        Script.objects.bulk_create(_builtin_scripts(clinic, BUILTIN_SCRIPTS))


def ensure_content(clinic: Clinic) -> None:
    """Give a clinic that has no question set yet the built-in content; for a clinic that has, one query."""
    if not FormTemplate.objects.for_clinic(clinic).exists():
        ensure_builtin_content(clinic)


def _builtin_scripts(clinic: Clinic, stages: Iterable[str]) -> list[Script]:
    return [
        Script(clinic=clinic, stage=stage, title=title, body=body, position=place, is_builtin=True)
        for stage in stages
        for place, (title, body) in enumerate(BUILTIN_SCRIPTS.get(stage, ()))
    ]


@transaction.atomic
def save_script(*, clinic: Clinic, stage: str, title: str, body: str, by: User, script: Script | None = None) -> Script:
    """Change a script, or add one at the end of its stage."""
    if script is None:
        last = Script.objects.for_clinic(clinic).filter(stage=stage).aggregate(last=Max("position"))["last"]
        script = Script(clinic=clinic, stage=stage, position=0 if last is None else last + 1)
    script.title, script.body = title, body
    script.save()
    record(action="script_saved", clinic=clinic, by=by, subject=script, stage=stage, title=title)
    return script


@transaction.atomic
def delete_script(*, script: Script, by: User) -> None:
    """Take a script away."""
    record(action="script_deleted", clinic=script.clinic, by=by, subject=script, title=script.title, body=script.body)
    script.delete()


@transaction.atomic
def reset_scripts(*, clinic: Clinic, stage: str, by: User) -> None:
    """Put a stage's built-in scripts back as they were; the clinic's own ones stay, after them."""
    scripts = Script.objects.for_clinic(clinic).filter(stage=stage)
    scripts.filter(is_builtin=True).delete()
    fresh = _builtin_scripts(clinic, [stage])
    for place, own in enumerate(scripts.order_by("position", "id"), start=len(fresh)):
        Script.objects.filter(pk=own.pk).update(position=place)
    Script.objects.bulk_create(fresh)
    record(action="scripts_reset", clinic=clinic, by=by, stage=stage)


@transaction.atomic
def save_exam_kind(*, clinic: Clinic, by: User, kind: ExamKind | None = None, **values: Any) -> ExamKind:
    """Change a kind of exam, or add one; what was charged before stays as it was.

    Args: values: name, price (yuan), is_basic, is_required, needs_files, is_active.
    """
    if kind is None:
        kinds = ExamKind.objects.for_clinic(clinic)
        place = (kinds.aggregate(last=Max("position"))["last"] or 0) + 1
        kind = ExamKind(clinic=clinic, code=_free_code(clinic), position=place)
    before = kind.price
    for name, value in values.items():
        setattr(kind, name, value)
    kind.save()
    record(
        action="exam_kind_saved",
        clinic=clinic,
        by=by,
        subject=kind,
        name=kind.name,
        price=[str(before), str(Decimal(kind.price))],
    )
    return kind


def _free_code(clinic: Clinic) -> str:
    taken = set(ExamKind.objects.for_clinic(clinic).values_list("code", flat=True))
    return next(code for code in (f"own-{n}" for n in range(1, len(taken) + 2)) if code not in taken)


@transaction.atomic
def save_question_set(
    *, template: FormTemplate, groups: list[dict[str, Any]], by: User, expected: int | None = None
) -> FormTemplate:
    """Keep a changed question set: under a new version number, and apart from the one people answered.

    Args: expected: the version the person edited.
    Raises: Refused when somebody else saved a newer version meanwhile.
    """
    current = (
        FormTemplate.objects.select_for_update().for_clinic(template.clinic_id).get(kind=template.kind, is_active=True)
    )
    if expected is not None and current.version != expected:
        raise Refused(_("Somebody else changed this question set meanwhile. Reload it first."))
    if current.groups == groups:
        return current
    version = current.version + 1
    if ConsultationForm.objects.filter(template=current).exists():
        FormTemplate.objects.filter(pk=current.pk).update(is_active=False)
        current = FormTemplate(clinic=current.clinic, kind=current.kind)
    current.version, current.groups = version, groups
    current.save()
    record(action="question_set_saved", clinic=current.clinic, by=by, subject=current, version=current.version)
    return current

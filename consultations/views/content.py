"""Pages where a clinic changes its scripts, kinds of exam and question sets."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from consultations import form_edit
from consultations.content_forms import SPOKEN, ExamKindForm, ScriptForm
from consultations.errors import Refused
from consultations.form_rules import PICKED, said
from consultations.models import ExamKind, FormTemplate, Script
from consultations.services import content
from followups import ad_words
from followups.services.templates import ad_list

TYPE_LABELS = {
    "text": lambda: _("Short text"),
    "long": lambda: _("Long text"),
    "single": lambda: _("One of several"),
    "multi": lambda: _("Several of many"),
    "yes_no": lambda: _("Yes or no"),
    "number": lambda: _("Number"),
    "date": lambda: _("Date"),
    "scale": lambda: _("Scale 0 to 10"),
    "month": lambda: _("Month"),
}


def _scripts_url(stage: str) -> str:
    return f"{reverse('script_list')}?stage={stage}"


@requires(Permission.EDIT_CONTENT)
@require_GET
def script_list(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The scripts of one stage."""
    stages = dict(SPOKEN)
    stage = request.GET.get("stage", "")
    stage = stage if stage in stages else SPOKEN[0][0]
    scripts = Script.objects.for_clinic(clinic)
    counts: dict[str, int] = {}
    for name in scripts.values_list("stage", flat=True):
        counts[name] = counts.get(name, 0) + 1
    context = {
        "tabs": [{"value": value, "label": label, "count": counts.get(value, 0)} for value, label in SPOKEN],
        "stage": stage,
        "stage_label": stages[stage],
        "scripts": scripts.filter(stage=stage),
    }
    return render(request, "consultations/content/scripts.html", context)


@requires(Permission.EDIT_CONTENT)
@require_http_methods(["GET", "POST"])
def script_edit(request: StaffRequest, clinic: Clinic, pk: int | None = None) -> HttpResponse:
    """Change a script, or add one."""
    script = get_object_or_404(Script.objects.for_clinic(clinic), pk=pk) if pk else None
    initial = {"stage": request.GET.get("stage", SPOKEN[0][0])}
    form = ScriptForm(request.POST or None, instance=script, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        content.save_script(clinic=clinic, script=script, by=request.user, **data)
        messages.success(request, _("Script saved"))
        used = ad_words.check(data["body"], marketing=False, words=ad_list(clinic)).flagged
        if used:  # said, not refused: "最好" is also how one says "you had better"
            messages.warning(request, _("It uses words of medical advertising: %(words)s") % {"words": "、".join(used)})
        return redirect(_scripts_url(data["stage"]))
    status = 422 if form.errors else 200
    return render(request, "consultations/content/script_edit.html", {"form": form, "script": script}, status=status)


@requires(Permission.EDIT_CONTENT)
@require_POST
def script_delete(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Take a script away."""
    script = get_object_or_404(Script.objects.for_clinic(clinic), pk=pk)
    stage = script.stage
    content.delete_script(script=script, by=request.user)
    messages.success(request, _("Script deleted"))
    return redirect(_scripts_url(stage))


@requires(Permission.EDIT_CONTENT)
@require_POST
def scripts_reset(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Put the built-in scripts of a stage back."""
    stage = request.POST.get("stage", "")
    if stage in dict(SPOKEN):
        content.reset_scripts(clinic=clinic, stage=stage, by=request.user)
        messages.success(request, _("The built-in scripts of this stage are back"))
    return redirect(_scripts_url(stage))


@requires(Permission.EDIT_CONTENT)
@require_POST
def content_load(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Give the clinic the built-in content it has none of."""
    content.ensure_builtin_content(clinic)
    messages.success(request, _("The built-in content is here"))
    target = request.POST.get("next", "")
    return redirect(target if target in {"script_list", "exam_kinds", "form_template_list"} else "script_list")


@requires(Permission.EDIT_CONTENT)
@require_GET
def exam_kinds(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The clinic's kinds of exam with prices."""
    return render(request, "consultations/content/exam_kinds.html", {"kinds": ExamKind.objects.for_clinic(clinic)})


@requires(Permission.EDIT_CONTENT)
@require_http_methods(["GET", "POST"])
def exam_kind_edit(request: StaffRequest, clinic: Clinic, pk: int | None = None) -> HttpResponse:
    """Change a kind of exam, or add one; what was charged before stays as it was."""
    kind = get_object_or_404(ExamKind.objects.for_clinic(clinic), pk=pk) if pk else None
    form = ExamKindForm(request.POST or None, instance=kind)
    if request.method == "POST" and form.is_valid():
        fresh = get_object_or_404(ExamKind.objects.for_clinic(clinic), pk=pk) if pk else None
        content.save_exam_kind(clinic=clinic, kind=fresh, by=request.user, **form.cleaned_data)
        messages.success(request, _("Exam saved"))
        return redirect("exam_kinds")
    status = 422 if form.errors else 200
    return render(request, "consultations/content/exam_kind_edit.html", {"form": form, "kind": kind}, status=status)


@requires(Permission.EDIT_CONTENT)
@require_GET
def form_template_list(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """The question sets in use."""
    active = FormTemplate.objects.for_clinic(clinic).filter(is_active=True)
    rows = [
        {
            "template": template,
            "questions": sum(not q.get("off") for g in template.groups for q in g["questions"]),
            "required": sum(
                bool(q.get("required") and not q.get("off")) for g in template.groups for q in g["questions"]
            ),
            "groups": len(template.groups),
        }
        for template in active
    ]
    return render(request, "consultations/content/form_templates.html", {"rows": rows})


@requires(Permission.EDIT_CONTENT)
@require_http_methods(["GET", "POST"])
def form_template_edit(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Change a question set: names, order, what is required, what is asked; saving makes a new version."""
    rows = FormTemplate.objects.for_clinic(clinic)
    asked = get_object_or_404(rows, pk=pk)
    template = rows.get(kind=asked.kind, is_active=True)
    if request.method != "POST":
        return _editor(request, template, template.groups)
    groups = form_edit.edited(template.groups, request.POST)
    try:
        groups = _operated(groups, request)
        words = form_edit.too_few() if form_edit.lacks_answers(groups, request.POST) else form_edit.problem(groups)
        if words:
            raise ValueError(words)
        expected = int(request.POST.get("version") or 0)
        saved = content.save_question_set(template=template, groups=groups, by=request.user, expected=expected)
    except (ValueError, Refused) as error:
        return _editor(request, template, groups, error=str(error))
    messages.success(
        request, _("Version %(number)d saved; it is used from the next form on.") % {"number": saved.version}
    )
    worked_on = _group_worked_on(groups, request)
    place = f"?open={worked_on}#group-{worked_on}" if worked_on else ""
    return redirect(reverse("form_template_edit", args=[saved.pk]) + place)


def _operated(groups: form_edit.Groups, request: HttpRequest) -> form_edit.Groups:
    """Apply the button that was pressed: up, down, remove or add."""
    name, _colon, code = request.POST.get("op", "").partition(":")
    if name in {"up", "down"}:
        return form_edit.moved(groups, code, -1 if name == "up" else 1)
    if name == "remove":
        return form_edit.removed(groups, code)
    return form_edit.added(groups, code, request.POST) if name == "add" else groups


def _group_worked_on(groups: form_edit.Groups, request: HttpRequest) -> str:
    """Return the code of the group that the pressed button belongs to."""
    code = request.POST.get("op", "").partition(":")[2]
    found = (g["code"] for g in groups if g["code"] == code or any(q["code"] == code for q in g["questions"]))
    return next(found, "")


def _group_shown(group: dict[str, Any], types: dict[str, str], data: QueryDict) -> dict[str, Any]:
    """Return a group as the editor shows it, with what was typed for a new question."""
    language = get_language() or ""
    code, asked = group["code"], [question for question in group["questions"] if not question.get("off")]
    return {
        "code": code,
        "title": group["title"],
        "asked": len(asked),
        "required": sum(bool(question.get("required")) for question in asked),
        "new_zh": data.get(f"new-zh-{code}", ""),
        "new_en": data.get(f"new-en-{code}", ""),
        "new_type": data.get(f"new-type-{code}", "text"),
        "new_options": data.get(f"new-options-{code}", ""),
        "questions": [
            question
            | {
                "kind": types.get(question["type"], ""),
                "own": question["code"].startswith(form_edit.OWN),
                "answers": " · ".join(said(o["label"], language) for o in question.get("options", ())),
                "picked": question["type"] in PICKED,
                "answers_text": data.get(f"answers-{question['code']}", form_edit.answers_text(question)),
            }
            for question in group["questions"]
        ],
    }


def _editor(request: HttpRequest, template: FormTemplate, groups: form_edit.Groups, error: str = "") -> HttpResponse:
    types = {code: words() for code, words in TYPE_LABELS.items()}
    every = [group["code"] for group in groups]
    added_to = request.POST.get("op", "").removeprefix("add:")
    context: dict[str, Any] = {
        "template": template,
        "version": request.POST.get("version", template.version),
        "groups": [_group_shown(group, types, request.POST) for group in groups],
        "opened": every if error else [request.GET.get("open", every[0] if every else "")],
        "adding": [added_to] if error else [],
        "types": list(types.items()),
        "error": error,
    }
    return render(request, "consultations/content/form_template_edit.html", context, status=422 if error else 200)

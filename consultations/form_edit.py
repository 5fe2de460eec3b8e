"""Changing a question set: what an editor's form says, applied to the stored groups. No database here."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from django.utils.translation import gettext as _

from consultations.form_rules import PICKED, TYPES

OWN = "own_"  # codes of questions a clinic added itself; only these can be deleted
LONGEST_LABEL = 120
MOST_OPTIONS = 20
LEAST_OPTIONS = 2
MOST_QUESTIONS = 80

Groups = list[dict[str, Any]]


def edited(groups: Groups, data: Mapping[str, str]) -> Groups:
    """Return the groups with the names, answers, required marks and switches of an editor's form; order and codes stay.

    Fields: zh-CODE, en-CODE, answers-CODE, required-CODE, on-CODE per question; title-zh-CODE, title-en-CODE per
    group. A question whose zh-CODE is not among the fields stays as it is, and so do answers fewer than two.
    """
    result = deepcopy(groups)
    for group in result:
        code = group["code"]
        if f"title-zh-{code}" in data:
            group["title"] = _words(data, f"title-zh-{code}", f"title-en-{code}")
        for question in group["questions"]:
            _edit(question, data)
    return result


def _words(data: Mapping[str, str], zh: str, en: str) -> dict[str, str]:
    return {"zh": data.get(zh, "").strip()[:LONGEST_LABEL], "en": data.get(en, "").strip()[:LONGEST_LABEL]}


def _edit(question: dict[str, Any], data: Mapping[str, str]) -> None:
    code = question["code"]
    if f"zh-{code}" not in data:
        return
    question["label"] = _words(data, f"zh-{code}", f"en-{code}")
    labels = _labels(data.get(f"answers-{code}", ""))
    if len(labels) >= LEAST_OPTIONS and "options" in question:
        question["options"] = _changed(question["options"], labels)
    for key, wanted in (("required", f"required-{code}" in data), ("off", f"on-{code}" not in data)):
        if wanted:
            question[key] = True
        else:
            question.pop(key, None)


def moved(groups: Groups, code: str, step: int) -> Groups:
    """Return the groups with one question moved within its group: step -1 up, 1 down; at the edge it stays."""
    result = deepcopy(groups)
    for group in result:
        rows = group["questions"]
        here = next((place for place, question in enumerate(rows) if question["code"] == code), None)
        if here is not None and 0 <= here + step < len(rows):
            rows[here], rows[here + step] = rows[here + step], rows[here]
    return result


def removed(groups: Groups, code: str) -> Groups:
    """Return the groups without a question the clinic added; built-in ones are switched off, not removed."""
    if not code.startswith(OWN):
        return groups
    result = deepcopy(groups)
    for group in result:
        group["questions"] = [question for question in group["questions"] if question["code"] != code]
    return result


def added(groups: Groups, group_code: str, data: Mapping[str, str]) -> Groups:
    """Return the groups with a new question at the end of one, from the fields new-zh-, new-en-, new-type- and
    new-options-GROUP (a choice a line, "中文 | English").

    Raises: ValueError with words for the person.
    """
    words = _words(data, f"new-zh-{group_code}", f"new-en-{group_code}")
    kind = data.get(f"new-type-{group_code}", "text")
    if not words["zh"] and not words["en"]:
        raise ValueError(_("Write the question first."))
    if kind not in TYPES:
        raise ValueError(_("Choose what kind of answer it takes."))
    every = {question["code"] for group in groups for question in group["questions"]}
    if len(every) >= MOST_QUESTIONS:
        raise ValueError(_("A question set has at most %(count)d questions.") % {"count": MOST_QUESTIONS})
    code = next(name for name in (f"{OWN}{n}" for n in range(1, len(every) + 2)) if name not in every)
    question: dict[str, Any] = {"code": code, "type": kind, "label": words}
    if kind in PICKED:
        question["options"] = _options(data.get(f"new-options-{group_code}", ""))
    result = deepcopy(groups)
    for group in result:
        if group["code"] == group_code:
            group["questions"].append(question)
    return result


def _labels(text: str) -> list[dict[str, str]]:
    """Return the answers of an editor's text, a line each, "中文 | English"."""
    lines = [line.strip() for line in text.splitlines() if line.strip()][:MOST_OPTIONS]
    pairs = [line.partition("|") for line in lines]
    return [{"zh": zh.strip()[:LONGEST_LABEL], "en": en.strip()[:LONGEST_LABEL]} for zh, _bar, en in pairs]


def _options(text: str) -> list[dict[str, Any]]:
    labels = _labels(text)
    if len(labels) < LEAST_OPTIONS:
        raise ValueError(too_few())
    return [{"code": f"a{number}", "label": label} for number, label in enumerate(labels, start=1)]


def too_few() -> str:
    return _("Write at least two answers to choose from, one a line.")


def lacks_answers(groups: Groups, data: Mapping[str, str]) -> bool:
    """Tell whether an editor's form leaves a question fewer than two answers to choose from."""
    picked = [q["code"] for group in groups for q in group["questions"] if q["type"] in PICKED]
    return any(f"answers-{code}" in data and len(_labels(data[f"answers-{code}"])) < LEAST_OPTIONS for code in picked)


def answers_text(question: Mapping[str, Any]) -> str:
    """Return the answers to choose from as the editor shows them, a line each."""
    labels = [option["label"] for option in question.get("options", ())]
    return "\n".join(f"{label['zh']} | {label['en']}" if label["en"] else label["zh"] for label in labels)


def _changed(options: list[dict[str, Any]], labels: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Return the answers as written anew. One whose words stayed keeps its code wherever it stands; one that was
    reworded in its place keeps it too, since given answers and conditions name the code; others get a new one."""
    stayed = {_same(option["label"]): option for option in options}
    kept = [stayed.pop(_same(label), None) for label in labels]
    left = {id(option) for option in stayed.values()}
    for place, option in enumerate(options[: len(labels)]):
        if kept[place] is None and id(option) in left:
            kept[place] = option
    used = {option["code"] for option in options}
    fresh = (code for code in (f"a{n}" for n in range(1, len(used) + MOST_OPTIONS + 1)) if code not in used)
    return [
        {**option, "label": label} if option else {"code": next(fresh), "label": label}
        for option, label in zip(kept, labels, strict=True)
    ]


def _same(label: Mapping[str, str]) -> tuple[str, str]:
    return label["zh"], label["en"]


def problem(groups: Groups) -> str:
    """Return what is wrong with a question set, in words; empty when all is well."""
    for group in groups:
        if not any(group["title"].values()):
            return _("Every group needs a title.")
        if any(not any(question["label"].values()) for question in group["questions"]):
            return _("A question in “%(group)s” has no words.") % {
                "group": group["title"]["zh"] or group["title"]["en"]
            }
    if not any(not question.get("off") for group in groups for question in group["questions"]):
        return _("At least one question must stay on.")
    return ""

"""The consultation form: started, filled in by the coordinator and the patient at once, completed (stage 3)."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from consultations import form_rules
from consultations.errors import Refused, VisitError
from consultations.form_links import new_key
from consultations.form_rules import Group, Person, Progress, Question
from consultations.models import ConsultationForm, FormTemplate, Visit
from consultations.services.content import ensure_builtin_content
from consultations.services.form_facts import fill_patient
from consultations.services.moves import locked, move
from consultations.stages import Stage
from patients.classification import Complaint


class FormIncomplete(VisitError):
    """Required questions are open: `missing` says which (HTTP 422)."""

    def __init__(self, missing: tuple[Question, ...]) -> None:
        self.missing: tuple[Question, ...] = missing
        labels = pgettext("list", ", ").join(question.label for question in missing)
        super().__init__(_("Still to be answered: %(what)s") % {"what": labels})


class FormClosed(VisitError):
    """The patient's form can no longer be filled in (HTTP 410)."""

    def __init__(self) -> None:
        super().__init__(_("This form is closed."))


@dataclass(frozen=True)
class Sheet:
    """A form with its questions read for one person in one language."""

    form: ConsultationForm
    groups: tuple[Group, ...]
    person: Person

    @property
    def progress(self) -> Progress:
        return form_rules.progress(self.groups, self.form.answers, self.person)

    def asked(self, group: Group) -> tuple[Question, ...]:
        return form_rules.asked(group, self.form.answers, self.person)

    @property
    def asked_questions(self) -> list[Question]:
        return [question for group in self.groups for question in self.asked(group)]


def sheet_of(form: ConsultationForm, language: str = "") -> Sheet:
    """Return the form's questions as they are asked of its patient, in `language` or the current one."""
    patient = form.visit.patient
    person = Person(patient.sex, patient.age_on(form.visit.clinic.today()))
    groups = form_rules.read(form.template.groups, language or get_language() or "zh-hans", person)
    return Sheet(form, groups, person)


def _template(clinic: Clinic, kind: str) -> FormTemplate:
    active = FormTemplate.objects.for_clinic(clinic).filter(is_active=True, kind=kind)
    found = active.first()
    if found is None:
        ensure_builtin_content(clinic)
        found = active.get()
    return found


def usual_kind(visit: Visit) -> str:
    """Return which question set a visit asks for, going by its complaint."""
    aesthetic = visit.consultation.complaint == Complaint.MEDICAL_AESTHETIC
    return FormTemplate.Kind.AESTHETIC if aesthetic else FormTemplate.Kind.DENTAL


@transaction.atomic
def start_form(*, visit: Visit, by: User, kind: str = "") -> ConsultationForm:
    """Begin the form of a visit, with a link for the patient; a visit at reception goes on to the form stage.

    Args: kind: which question set, by default the one the complaint asks for. Starting twice keeps the first.
    Raises: Refused before the patient was received and after the visit ended.
    """
    fresh = locked(visit)
    if fresh.stage == Stage.ARRIVED or not fresh.is_open:
        raise Refused(_("The form begins once the patient was received."))
    form = ConsultationForm.objects.filter(visit=fresh).first()
    if form is None:
        chosen = kind if kind in FormTemplate.Kind.values else usual_kind(fresh)
        form = ConsultationForm.objects.create(
            visit=fresh, template=_template(fresh.clinic, chosen), link_key=new_key()
        )
    if fresh.stage == Stage.RECEIVED:
        move(visit=fresh, to=Stage.INTAKE, by=by)
    return form


@transaction.atomic
def use_other_questions(*, form: ConsultationForm, kind: str, by: User) -> ConsultationForm:
    """The wrong question set was begun: ask the other, until the form is completed. Answers to both sets are kept.

    Raises: Refused for an unknown set, or once the form is completed or the visit has ended.
    """
    if kind not in FormTemplate.Kind.values:
        raise Refused(_("There is no such question set."))
    fresh = _locked_form(form)
    if fresh.completed_at or not fresh.visit.is_open:
        raise Refused(_("This form is closed."))
    if fresh.template.kind != kind:
        fresh.template = _template(fresh.visit.clinic, kind)
        fresh.version += 1
        fresh.save(update_fields=["template", "version", "updated_at"])
    return fresh


def _locked_form(form: ConsultationForm) -> ConsultationForm:
    rows = ConsultationForm.objects.select_for_update(of=("self",))
    fresh: ConsultationForm = rows.select_related("visit__patient", "visit__clinic", "template").get(pk=form.pk)
    return fresh


@transaction.atomic
def save_answers(
    *, form: ConsultationForm, sent: dict[str, Any], seen: dict[str, Any], by: User | None
) -> ConsultationForm:
    """Keep what one writer changed, leaving what another answered meanwhile.

    Args: sent: cleaned answers by question code, None for emptied; seen: the answers that writer's page was
    built from; by: None when it is the patient.
    Raises: FormClosed when the patient writes to a form that was completed, or whose visit has ended.
    """
    fresh = _locked_form(form)
    if by is None and (fresh.completed_at or not fresh.visit.is_open):
        raise FormClosed
    merged = form_rules.merge(fresh.answers, seen, sent)
    if merged != fresh.answers:
        fresh.answers = merged
        fresh.version += 1
        fresh.save(update_fields=["answers", "version", "updated_at"])
    return fresh


@transaction.atomic
def complete_form(*, form: ConsultationForm, by: User, fill: bool = True) -> list[str]:
    """Close the form: nothing required is open, the patient's link dies, the visit goes on to the complaint.

    Sets `Visit.form_completed_at` once (KPI 4). With `fill`, what the patient's record lacks is taken over
    from the answers; returns the names of what was.
    Raises: FormIncomplete, Refused.
    Source: DOMAIN §2.3, [S1].
    """
    visit = locked(form.visit)
    if visit.stage == Stage.ARRIVED or not visit.is_open:
        raise Refused(_("The form is completed between reception and the end of the visit."))
    fresh = _locked_form(form)
    sheet = sheet_of(fresh)
    if not sheet.progress.complete:
        raise FormIncomplete(sheet.progress.missing)
    now = timezone.now()
    if fresh.completed_at is None:
        fresh.completed_at, fresh.completed_by, fresh.link_key = now, by, ""
        fresh.version += 1
        fresh.save(update_fields=["completed_at", "completed_by", "link_key", "version", "updated_at"])
    Visit.objects.filter(pk=visit.pk, form_completed_at=None).update(
        form_completed_at=now, version=F("version") + 1, updated_at=now
    )
    filled = fill_patient(sheet=sheet, by=by) if fill else []
    for here, following in ((Stage.RECEIVED, Stage.INTAKE), (Stage.INTAKE, Stage.COMPLAINT)):
        if visit.stage == here:
            visit = move(visit=visit, to=following, by=by)
    return filled


@transaction.atomic
def renew_link(*, form: ConsultationForm, by: User, revoke: bool = False) -> ConsultationForm:
    """Make a new link for the patient, or none; every earlier link is dead.

    Raises: Refused when the form is completed.
    """
    fresh = _locked_form(form)
    if fresh.completed_at:
        raise Refused(_("The form is completed; the patient's link is closed."))
    fresh.link_key = "" if revoke else new_key()
    fresh.save(update_fields=["link_key", "updated_at"])
    action = "form_link_revoked" if revoke else "form_link_made"
    record(action=action, clinic=fresh.visit.clinic, by=by, subject=fresh.visit)
    return fresh


def highlights(form: ConsultationForm) -> list[tuple[str, str]]:
    """Return what the doctor and the coordinator look for first: worries, who decides, budget, nervousness."""
    wanted = ("worries", "worries_note", "decide_with", "budget", "fear")
    questions = {question.code: question for question in sheet_of(form).asked_questions}
    rows = ((questions[code], form.answers.get(code)) for code in wanted if code in questions)
    return [(question.label, form_rules.spoken(question, value)) for question, value in rows if value]

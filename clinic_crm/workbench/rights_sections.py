"""The sections of a patient's own report: each kind of data in rows of words, bounded."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from accounts.audit_words import action_name
from accounts.models import AuditEvent
from consultations.models import ConsultationForm, Exam, Plan, Visit
from followups.models import Appointment, Contact, MaterialUse, Message, Task
from patients.models import (
    CareAction,
    ClassChange,
    ComplaintCase,
    Consent,
    Patient,
    PatientPhone,
    Referral,
    Registration,
    WordOfMouth,
)
from patients.rights_report import Section
from patients.services.merging import identities

MOST = 1000  # rows of a section; a note says when there are more
Clinics = Sequence[int]


def _time(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""


def _day(day: date | None) -> str:
    return f"{day:%Y-%m-%d}" if day else ""


def _section(title: str, heads: list[str], rows: Any, told: Any, note: str = "") -> Section:
    """Return a section of at most MOST rows of a queryset, each told by `told`."""
    found = list(rows[: MOST + 1])
    if len(found) > MOST:
        note = _("The newest %(count)d are printed.") % {"count": MOST}
    return Section(title, heads, [[str(cell) for cell in told(row)] for row in found[:MOST]], note)


def sections_of(patient: Patient, clinics: Clinics) -> list[Section]:
    """Return what is held of a patient in these clinics, who saw it, and where it went."""
    ids = identities(patient.pk)
    return [
        _person(patient),
        _registrations(patient, clinics),
        *_clinical(patient, clinics),
        *_care(patient, clinics),
        *_contacts(patient, clinics),
        _consents(patient, clinics),
        _seen_by(ids, clinics),
        _went_to(patient, clinics),
    ]


def _person(patient: Patient) -> Section:
    said: Iterable[tuple[str, object]] = (
        (_("Name"), patient.name),
        (_("Sex"), patient.get_sex_display()),
        (
            _("Birth date"),
            _day(patient.birth_date) if patient.birth_day_known else (patient.birth_date or date.min).year,
        ),
        (_("Phone"), "、".join(row.number for row in PatientPhone.objects.filter(patient=patient))),
        (_("WeChat id"), patient.wechat_id),
        ("QQ", patient.qq),
        (_("Identity number"), _("held, encrypted") if patient.identity_number else ""),
        (_("Allergies"), patient.allergies),
        (_("Medical history"), patient.medical_notes),
        (_("Occupation"), patient.occupation),
        (_("Daily rhythm"), patient.daily_rhythm),
        (_("Region or address"), patient.region),
        (_("Family"), patient.family),
        (_("Guardian"), f"{patient.guardian_name} {patient.guardian_relation}".strip()),
        (_("Call hours and tone"), f"{_hours(patient)} {patient.call_tone}".strip()),
        (_("Notes"), patient.notes),
        (_("Class"), patient.class_code),
    )
    return Section(_("Person"), [], [[label, str(value)] for label, value in said if value])


def _hours(patient: Patient) -> str:
    return f"{patient.call_from:%H:%M}–{patient.call_to:%H:%M}" if patient.call_from and patient.call_to else ""


def _registrations(patient: Patient, clinics: Clinics) -> Section:
    rows = Registration.objects.filter(patient=patient, clinic__in=clinics).select_related("clinic", "owner", "doctor")
    heads = [_("Clinic"), _("Patient number"), _("Coordinator"), _("Channel"), _("Tags"), _("First visit")]
    return _section(_("Registrations"), heads, rows.order_by("pk"), lambda r: [
        r.clinic.name, r.number, r.owner or "", r.get_channel_display(), "、".join(r.tags), _day(r.first_visit_on)
    ])  # fmt: skip


def _clinical(patient: Patient, clinics: Clinics) -> list[Section]:
    visits = Visit.objects.filter(patient=patient, clinic__in=clinics, is_error=False).select_related(
        "clinic", "doctor", "coordinator", "consultation"
    )
    exams = Exam.objects.filter(visit__patient=patient, visit__clinic__in=clinics, done_at__isnull=False)
    plans = Plan.objects.filter(visit__patient=patient, visit__clinic__in=clinics, finished_at__isnull=False)
    forms = ConsultationForm.objects.filter(visit__patient=patient, visit__clinic__in=clinics)
    coming = Appointment.objects.filter(patient=patient, clinic__in=clinics).select_related("clinic", "doctor")
    return [
        _section(_("Visits"), [_("When"), _("Clinic"), _("Doctor"), _("Coordinator"), _("For"), _("Decision")],
            visits.order_by("-arrived_at"), lambda v: [_time(v.arrived_at), v.clinic.name, v.doctor or "",
            v.coordinator or "", v.consultation, v.get_decision_display()]),
        _section(_("Examinations"), [_("When"), pgettext("task", "What")], exams.select_related("kind").order_by("-done_at"),
            lambda e: [_time(e.done_at), e.kind.name]),
        _section(_("Treatment plans"), [_("When"), _("Findings"), _("Principles")], plans.order_by("-finished_at"),
            lambda p: [_time(p.finished_at), p.findings, p.principles]),
        _section(_("Forms"), [_("When"), _("Answers")], forms.select_related("template", "visit__patient").order_by("-created_at"),
            lambda f: [_time(f.created_at), _answers(f)]),
        _section(_("Appointments"), [_("When"), _("Clinic"), _("Doctor"), _("Kind"), _("State")],
            coming.order_by("-starts_at"), lambda a: [_time(a.starts_at), a.clinic.name, a.doctor or "",
            a.get_kind_display(), a.get_status_display()]),
    ]  # fmt: skip


def _answers(form: ConsultationForm) -> str:
    """Return what was asked and answered, a line each, in the words of the form."""
    codes = [question["code"] for group in form.template.groups for question in group["questions"]]
    return "\n".join(f"{asked}: {words}" for asked, words in form.told(codes, get_language() or "zh-hans"))


def _care(patient: Patient, clinics: Clinics) -> list[Section]:
    mine = {"patient": patient, "clinic__in": clinics}
    classes = ClassChange.objects.filter(**mine).select_related("by").order_by("-at")
    care = CareAction.objects.filter(**mine).select_related("by").order_by("-at")
    said = WordOfMouth.objects.filter(**mine).order_by("-asked_at")
    complaints = ComplaintCase.objects.filter(**mine).order_by("-received_at")
    brought = Referral.objects.filter(referrer=patient, clinic__in=clinics).count()
    by = Referral.objects.filter(referred=patient, clinic__in=clinics).exists()
    referrals = [[_("Came on somebody's recommendation"), _("yes") if by else _("no")]]
    referrals.append([_("People who came on the patient's recommendation"), str(brought)])
    return [
        _section(_("Classes"), [_("When"), _("Class"), _("Reason"), pgettext("by whom", "By")], classes,
            lambda c: [_time(c.at), f"{c.old_class or '—'} → {c.new_class or '—'}", c.reason, c.by or ""]),
        _section(_("Done for the patient"), [_("When"), _("What"), _("Note")], care,
            lambda c: [_time(c.at), c.get_kind_display(), c.note]),
        _section(_("Word of mouth"), [_("When"), _("Where"), _("State")], said,
            lambda w: [_time(w.asked_at), w.get_platform_display(), w.get_state_display()]),
        _section(_("Complaints"), [_("When"), pgettext("complaint", "What"), _("Outcome")], complaints,
            lambda c: [_time(c.received_at), c.what, c.get_outcome_display()]),
        Section(_("Referrals"), [], referrals, _("The names of others are theirs and are not printed.")),
    ]  # fmt: skip


def _contacts(patient: Patient, clinics: Clinics) -> list[Section]:
    mine = {"patient": patient, "clinic__in": clinics}
    contacts = Contact.objects.filter(**mine).select_related("by").order_by("-at")
    tasks = Task.objects.filter(**mine).select_related("owner").order_by("-created_at")
    read = MaterialUse.objects.filter(**mine).select_related("material").order_by("-at")
    return [
        _section(_("Contacts"), [_("When"), _("How"), _("How it went"), _("Note"), pgettext("by whom", "By")], contacts,
            lambda c: [_time(c.at), c.get_channel_display(), c.get_outcome_display(), c.note, c.by or ""]),
        _section(_("Tasks"), [pgettext("task", "Due"), pgettext("task", "What"), _("Who"), _("State")], tasks,
            lambda t: [_time(t.due_at), t.title, t.owner or "", t.get_status_display()]),
        _section(_("Reading"), [_("When"), pgettext("reading", "What")], read, lambda m: [_time(m.at), m.material]),
    ]  # fmt: skip


CHANNELS = {
    "desk": lambda: _("at the desk"),
    "api": lambda: _("by another program"),
    "patient_form": lambda: _("in the patient's own form"),
    "import": lambda: _("imported"),
    "contact": lambda: _("said in a contact"),
    "reply": lambda: _("by reply to a message"),
    "undo": lambda: _("undone"),
    "merge": lambda: _("records merged"),
    "erasure": lambda: _("erasure"),
}


def _consents(patient: Patient, clinics: Clinics) -> Section:
    rows = Consent.objects.filter(patient=patient, clinic__in=clinics).select_related("by").order_by("-at", "-id")
    heads = [_("When"), _("Purpose"), _("Word"), _("Wording"), _("Channel"), pgettext("by whom", "By")]
    return _section(_("Consents"), heads, rows, lambda c: [
        _time(c.at), c.get_purpose_display(), _("agreed") if c.given else _("not agreed"), c.wording_version,
        CHANNELS[c.channel]() if c.channel in CHANNELS else c.channel, c.guardian or c.by or "",
    ])  # fmt: skip


def _seen_by(ids: list[int], clinics: Clinics) -> Section:
    """Each logged access: contact opened, record changed, exported, reported."""
    rows = AuditEvent.objects.filter(subject="patient", subject_id__in=ids, clinic__in=clinics)
    heads = [_("When"), _("Who"), _("What"), _("Clinic")]
    return _section(_("Who opened or changed it"), heads, rows.select_related("actor", "clinic").order_by("-at"),
        lambda e: [_time(e.at), e.actor or _("the patient"), action_name(e.action), e.clinic.name])  # fmt: skip


def _went_to(patient: Patient, clinics: Clinics) -> Section:
    """What left the house: messages over a provider; and the exports of the clinic's list."""
    left = Message.objects.filter(patient=patient, clinic__in=clinics, accepted_at__isnull=False)
    rows = [
        [_time(m.accepted_at), f"{m.get_channel_display()} · {m.get_provider_display()}", m.get_purpose_display()]
        for m in left.order_by("-accepted_at")[:MOST]
    ]
    first = Registration.objects.filter(patient=patient, clinic__in=clinics).order_by("created_at").first()
    exports = AuditEvent.objects.filter(action="patients_exported", clinic__in=clinics).select_related("actor")
    since = exports.filter(at__gte=first.created_at) if first else exports.none()
    exported = _("Export of a patient list")
    rows += [
        [_time(e.at), str(e.actor or ""), f"{exported}: {e.detail.get('reason', '')}"]
        for e in since.order_by("-at")[:MOST]
    ]
    heads = [_("When"), _("To whom"), pgettext("complaint", "What")]
    note = _("Of an export of the list it is known who made it and why, not whether this patient was on it.")
    return Section(_("To whom it went"), heads, rows, note)

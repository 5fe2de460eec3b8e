"""A patient's rights in their data: what is held of them, who saw it and where it went; and erasure."""

from datetime import date
from typing import Any

import pgtrigger
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Clinic, User
from accounts.permissions import Permission
from clinic_crm.workbench.rights_sections import sections_of
from consultations.models import Visit
from followups.models import CampaignMember, Contact, Message, Nature, Task, WaitingEntry
from followups.services.classes import set_class
from followups.services.consents_said import consents_said
from metrics.services.etiquette_recordings import erase_of_patients as erase_recordings
from patients.errors import Refused
from patients.models import ConsentPurpose, Patient, Registration, RightsRequest
from patients.rights_report import Report
from patients.services.merging import identities
from patients.services.rights import KEEP_YEARS, erase_person, keep_until

SAID = (ConsentPurpose.CONTACT, ConsentPurpose.MARKETING, ConsentPurpose.WECHAT_ARCHIVE)
ADVERTISING = (Nature.MARKETING, Nature.CLOSING)


@transaction.atomic
def report_of(*, patient: Patient, clinic: Clinic, by: User) -> Report:
    """Gather what is held of a patient in the clinics where `by` may answer for it; logged, with a request's row.

    Returns sections of plain words. Clinics elsewhere in the group are named, so that they can be asked.
    """
    now = timezone.now()
    clinics = by.clinic_ids(Permission.ANSWER_RIGHTS)
    elsewhere = Registration.objects.filter(patient=patient).exclude(clinic__in=clinics)
    report = Report(
        title=_("What we hold about %(patient)s") % {"patient": patient.name},
        made=now,
        made_by=str(by),
        clinic=clinic.name,
        contact=clinic.contact_line,
        sections=sections_of(patient, clinics),
        elsewhere=list(elsewhere.values_list("clinic__name", flat=True).order_by("clinic__name")),
    )
    RightsRequest.objects.create(
        clinic=clinic, patient=patient, kind=RightsRequest.Kind.REPORT, taken_by=by, done_at=now, done_by=by
    )
    record(action="rights_report", clinic=clinic, by=by, subject=patient)
    return report


def last_visit(patient: Patient) -> date | None:
    """Return the day of the patient's last visit in the group, which starts the legal time of the record."""
    rows = Visit.objects.filter(patient__in=identities(patient.pk), is_error=False)
    last = rows.aggregate(last=Max("arrived_at"))["last"]
    days = list(Registration.objects.filter(patient=patient).values_list("last_visit_on", flat=True))
    known = [day for day in [*days, timezone.localtime(last).date() if last else None] if day is not None]
    return max(known) if known else None


def legal_time(patient: Patient) -> date | None:
    """Return until when the clinical record stays; None when there is none."""
    return keep_until(last_visit(patient))


@transaction.atomic
def erase_patient(*, patient: Patient, clinic: Clinic, reason: str, by: User) -> RightsRequest:
    """Erase what the law does not want kept, and close the rest to all but those who treat or answer for it.

    Gone: numbers, messenger ids, tags, notes, preferences, class, campaigns, texts of advertising. Nothing is sent or
    called about any more. Kept with the clinical record for 15 years from the last visit: what its first page must
    say, and what was found and done. Cannot be undone.
    Raises: Refused during a visit, twice, for a merged record, or without the right in every clinic of the patient.
    """
    fresh = Patient.objects.select_for_update().get(pk=patient.pk)
    _check(fresh, by)
    ids, until = identities(fresh.pk), legal_time(fresh)
    for purpose in SAID:
        consents_said(patient=fresh, clinic=clinic, purpose=purpose, given=False, by=by, channel="erasure")
    if fresh.class_code:
        why = _("erased on request")
        set_class(patient=fresh, clinic=clinic, code="", awareness=None, trust=None, by=by, reason=why)
    counts = _erase_followups(ids) | erase_person(ids=ids, has_record=until is not None)
    now = timezone.now()
    done: RightsRequest = RightsRequest.objects.create(
        clinic=clinic, patient=fresh, kind=RightsRequest.Kind.ERASURE, reason=reason.strip()[:300], taken_by=by,
        done_at=now, done_by=by, keep_until=until, erased=_told(counts, until),
    )  # fmt: skip
    record(action="patient_erased", clinic=clinic, by=by, subject=fresh)
    return done


def _check(patient: Patient, by: User) -> None:
    if patient.merged_into_id is not None or patient.restricted_at is not None:
        raise Refused(_("This was done already."))
    if Visit.objects.in_clinic_now().filter(patient=patient).exists():
        raise Refused(_("The patient is in the clinic now. End the visit first."))
    rows = Registration.objects.filter(patient=patient).select_related("clinic")
    closed = sorted(row.clinic.name for row in rows if not by.may(Permission.ANSWER_RIGHTS, row.clinic))
    if closed:
        raise Refused(_("The patient is registered in %(clinics)s too; somebody who answers for it must erase.") % {
            "clinics": "、".join(closed)
        })  # fmt: skip


def _erase_followups(ids: list[int]) -> dict[str, int]:
    """Take the patient out of campaigns and waiting lists, and empty the texts of advertising and of calls."""
    messages = Message.objects.filter(patient__in=ids, nature__in=ADVERTISING)
    tasks = Task.objects.filter(patient__in=ids, nature__in=ADVERTISING)
    waiting = WaitingEntry.objects.filter(patient__in=ids, status=WaitingEntry.Status.WAITING)
    counts = {
        "campaigns": CampaignMember.objects.filter(patient__in=ids).delete()[0],
        "messages": messages.update(body="", variables={}),
        "tasks": tasks.update(script=""),
        "waiting": waiting.update(status=WaitingEntry.Status.WITHDRAWN, closed_at=timezone.now()),
        "recordings": erase_recordings(ids),
    }
    with pgtrigger.ignore("followups.Contact:append_only"):
        counts["contacts"] = Contact.objects.filter(patient__in=ids).exclude(note="").update(note="")
    return counts


def _told(counts: dict[str, int], until: date | None) -> dict[str, Any]:
    kept = {"law": "outpatient_15_years", "years": KEEP_YEARS} if until else {}
    return {"gone": counts, "kept": kept}

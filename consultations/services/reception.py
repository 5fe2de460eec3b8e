"""Arriving and being received (stages 1 and 2)."""

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Clinic, User
from consultations.errors import AlreadyHere, Refused
from consultations.models import Consultation, StageChange, Visit
from consultations.services.content import ensure_content
from consultations.services.moves import locked, move
from consultations.stages import Stage, route_for
from followups.models import Appointment, AppointmentChange
from followups.services import after
from followups.services.referral_tasks import thank_referrer
from patients.models import Patient, Registration
from patients.services import mark_referral_effective


@transaction.atomic
def check_in(
    *,
    clinic: Clinic,
    patient: Patient,
    by: User,
    appointment: Appointment | None = None,
    complaint_text: str = "",
    consultation: Consultation | None = None,
    doctor: User | None = None,
) -> Visit:
    """Record that a patient has arrived, from an appointment or as a walk-in.

    A recheck joins the consultation it rechecks (the one given, else the patient's latest open one when
    the appointment is a recheck or return); anything else opens a new consultation.
    Raises: AlreadyHere when the patient has an open visit; Refused when not registered in the clinic or
    when the appointment is another day's or no longer expected.
    """
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    registration = Registration.objects.for_clinic(clinic).filter(patient=patient).first()
    if registration is None:
        raise Refused(_("%(patient)s is not registered in this clinic.") % {"patient": patient})
    here = Visit.objects.for_clinic(clinic).filter(patient=patient).in_clinic_now().first()
    if here:
        raise AlreadyHere(here)
    case = consultation or _case_of(clinic, patient, appointment)
    if case is None:
        text = complaint_text or (appointment.purpose if appointment else "")
        case = Consultation.objects.create(clinic=clinic, patient=patient, complaint_text=text)
    ensure_content(clinic)
    if appointment is not None:
        _keep(appointment, by)  # before the visit: one appointment brings one visit
    visit = _insert(clinic=clinic, patient=patient, case=case, appointment=appointment, doctor=doctor)
    StageChange.objects.create(visit=visit, new_stage=Stage.ARRIVED, at=visit.arrived_at, by=by)
    Registration.objects.filter(pk=registration.pk).update(active_at=visit.arrived_at, last_visit_on=clinic.today())
    return visit


def _case_of(clinic: Clinic, patient: Patient, appointment: Appointment | None) -> Consultation | None:
    rejoining = {Appointment.Kind.RECHECK, Appointment.Kind.RETURN, Appointment.Kind.TREATMENT}
    if appointment is None or appointment.kind not in rejoining:
        return None
    cases = Consultation.objects.for_clinic(clinic).filter(patient=patient)
    visits = Visit.objects.filter(consultation=OuterRef("pk"))
    never_was = Exists(visits.filter(is_error=True)) & ~Exists(visits.filter(is_error=False))
    return cases.exclude(status__in=["lost", "no_treatment"]).exclude(never_was).order_by("-opened_at").first()


def _insert(
    *, clinic: Clinic, patient: Patient, case: Consultation, appointment: Appointment | None, doctor: User | None
) -> Visit:
    received = patient.visits.filter(received_at__isnull=False, is_error=False).count()
    now = timezone.now()
    try:
        with transaction.atomic():
            return Visit.objects.create(
                clinic=clinic,
                patient=patient,
                consultation=case,
                appointment=appointment,
                doctor=doctor or (appointment.doctor if appointment else None),
                room=appointment.room if appointment else None,
                coordinator=None,
                is_first=received == 0,
                number=received + 1,
                route=route_for(case.complaint),
                arrived_at=now,
                stage_since=now,
            )
    except IntegrityError as error:  # checked in at the same moment by somebody else
        here = Visit.objects.for_clinic(clinic).filter(patient=patient).in_clinic_now().first()
        if here is None:
            raise
        raise AlreadyHere(here) from error


def _keep(appointment: Appointment, by: User) -> None:
    expected = (Appointment.Status.BOOKED, Appointment.Status.CONFIRMED)
    old = appointment.status
    start, end = appointment.clinic.day_bounds(appointment.clinic.today())
    if not start <= appointment.starts_at < end:
        raise Refused(_("This appointment is not for today."))
    kept = Appointment.objects.filter(pk=appointment.pk, status__in=expected).update(status=Appointment.Status.KEPT)
    if not kept:
        raise Refused(
            _("This appointment is no longer expected: %(status)s.") % {"status": appointment.get_status_display()}
        )
    AppointmentChange.objects.create(appointment=appointment, old_status=old, new_status=Appointment.Status.KEPT, by=by)
    appointment.status = Appointment.Status.KEPT
    after.kept(appointment, by=by)


@transaction.atomic
def receive(*, visit: Visit, by: User, doctor: User | None = None, expected: str | None = Stage.ARRIVED) -> Visit:
    """The coordinator takes the patient over; the visit counts as received from here on.

    Sets the visit's and the case's coordinator, whether it is a first visit (first *received* one in the
    group), and makes a referral effective. Raises: StageConflict, MoveRefused.
    """
    fresh = locked(visit, expected=expected)
    Patient.objects.select_for_update(no_key=True).get(
        pk=visit.patient_id
    )  # after the visit, as everywhere: no deadlock
    now = timezone.now()
    earlier = fresh.patient.visits.filter(received_at__isnull=False, is_error=False).exclude(pk=fresh.pk).count()
    moved = move(
        visit=fresh,
        to=Stage.RECEIVED,
        by=by,
        coordinator=by,
        doctor=doctor or fresh.doctor,
        received_at=now,
        is_first=earlier == 0,
        number=earlier + 1,
    )
    Consultation.objects.filter(pk=fresh.consultation_id, first_received_at=None).update(
        first_received_at=now, coordinator=by
    )
    Registration.objects.for_clinic(fresh.clinic_id).filter(patient=fresh.patient_id, owner=None).update(owner=by)
    if earlier == 0:
        thank_referrer(mark_referral_effective(patient=fresh.patient, by=by), by=by)
    return moved

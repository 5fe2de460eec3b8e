"""What is counted over a patient's visits and kept beside them: their numbers, the first one, the last day."""

from datetime import date, datetime, timedelta

from django.apps import apps

from consultations.models import Visit
from patients.models import Registration

SAME_ACT = timedelta(minutes=1)  # the database tells the time at which its transaction began


def recount_visits(patient_id: int) -> None:
    """Number a patient's visits again in the order in which they were received; the first is the first visit."""
    rows = Visit.objects.filter(patient=patient_id, is_error=False).order_by("arrived_at", "pk")
    received = 0
    for visit in rows.only("pk", "number", "is_first", "received_at"):
        if (visit.number, visit.is_first) != (received + 1, received == 0):
            Visit.objects.filter(pk=visit.pk).update(number=received + 1, is_first=received == 0)
        received += visit.received_at is not None


def forget_last_day(visit: Visit) -> None:
    """The day of a visit that never was is not the patient's last one here: the day before it holds again."""
    day = visit.arrived_at.astimezone(visit.clinic.tz).date()
    rows = Registration.objects.for_clinic(visit.clinic_id).filter(patient=visit.patient_id, last_visit_on=day)
    registration = rows.select_for_update(of=("self",), no_key=True).first()
    if registration is None:
        return
    standing = Visit.objects.for_clinic(visit.clinic_id).filter(patient=visit.patient_id, is_error=False)
    last = standing.order_by("-arrived_at").values_list("arrived_at", flat=True).first()
    known = last.astimezone(visit.clinic.tz).date() if last else _told_before(registration, day)
    Registration.objects.filter(pk=registration.pk).update(last_visit_on=known)


def _told_before(registration: Registration, day: date) -> date | None:
    """Return the last visit that was known of before that day's, as the history of the registration has it."""
    events = apps.get_model("patients", "RegistrationEvent")._default_manager.filter(pgh_obj=registration.pk)
    known: date | None = (
        events.exclude(last_visit_on=day).order_by("-pgh_id").values_list("last_visit_on", flat=True).first()
    )
    return known


def forget_owner(visit: Visit, *, owner: int | None, since: datetime | None) -> None:
    """The patient was nobody's before a reception that is taken back: they are nobody's again."""
    rows = Registration.objects.for_clinic(visit.clinic_id).filter(patient=visit.patient_id, owner=owner)
    registration = rows.select_for_update(of=("self",), no_key=True).first()
    if registration is None or owner is None or since is None:
        return
    told = apps.get_model("patients", "RegistrationEvent")._default_manager.filter(pgh_obj=registration.pk)
    theirs = told.filter(owner=owner).order_by("pgh_id").values_list("pgh_created_at", flat=True).first()
    if theirs is not None and theirs >= since - SAME_ACT:  # the first that is known of this owner is the reception
        Registration.objects.filter(pk=registration.pk).update(owner=None)

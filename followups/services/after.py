"""What follows from an appointment: tasks and reminders. Called inside the transaction that books or ends it."""

from accounts.models import User
from followups.models import Appointment, HookEvent
from followups.services import appointment_tasks, hooks, reminders


def booked(appointment: Appointment, *, by: User | None) -> None:
    """A new appointment stands: what was to bring it about is done, and it is to be reminded of."""
    appointment_tasks.booked(appointment, by=by)
    reminders.plan(appointment)
    _tell(appointment)


def confirmed(appointment: Appointment, *, by: User | None) -> None:
    """The patient said they will come: nobody needs to ask any more."""
    appointment_tasks.confirmed(appointment, by=by)
    _tell(appointment)


def freed(appointment: Appointment, *, by: User | None) -> None:
    """It was cancelled, moved or entered in error: nothing that leads up to it is of use any more."""
    appointment_tasks.freed(appointment, by=by)
    reminders.drop(appointment)
    _tell(appointment)


def missed(appointment: Appointment, *, by: User | None) -> None:
    """The patient did not come."""
    appointment_tasks.missed(appointment, by=by)
    reminders.drop(appointment)
    _tell(appointment)


def fell_through_otherwise(appointment: Appointment, *, old: str, by: User | None) -> None:
    """It fell through otherwise than was noted: what followed from the one follows from the other."""
    status = Appointment.Status
    if appointment.status in (status.NO_SHOW, status.ERROR):
        appointment_tasks.never_cancelled(appointment, by=by)
    if appointment.status == status.NO_SHOW:
        missed(appointment, by=by)
    elif old == status.NO_SHOW or appointment.status == status.ERROR:
        freed(appointment, by=by)
    else:  # by the patient or by the clinic: the same is to be done
        _tell(appointment)


def kept(appointment: Appointment, *, by: User | None) -> None:
    """The patient came."""
    appointment_tasks.kept(appointment, by=by)
    reminders.drop(appointment)
    _tell(appointment)


def not_kept(appointment: Appointment, *, by: User | None) -> None:
    """Somebody else had come: the patient is still expected."""
    appointment_tasks.not_kept(appointment, by=by)
    reminders.plan(appointment)
    _tell(appointment)


def _tell(appointment: Appointment) -> None:
    hooks.emit(
        clinic_id=appointment.clinic_id,
        event=HookEvent.APPOINTMENT_CHANGED,
        data={
            "appointment": appointment.pk,
            "patient": appointment.patient_id,
            "doctor": appointment.doctor_id,
            "kind": str(appointment.kind),
            "status": str(appointment.status),
            "starts_at": appointment.starts_at.isoformat(),
            "moved_from": appointment.moved_from_id,
        },
    )

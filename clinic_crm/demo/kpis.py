"""What the key figures live on: why patients did not come, classes that moved, and targets that changed."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from accounts.windows import plus_months
from clinic_crm.demo.staff import DemoClinic
from followups.models import Appointment, AppointmentChange
from metrics.models import KpiTarget
from patients.classification import PatientClass
from patients.models import ClassChange, Patient

# Reasons as they come, with the side each usually lies on; None: nobody asked.
REASONS: tuple[tuple[str, str] | None, ...] = (
    ("weather", "chance"), ("income", "patient"), ("forced", "ours"), ("call_time", "ours"), ("other", "patient"),
    ("income", "patient"), ("reputation", "ours"), None, ("weather", "chance"), ("fake", "patient"),
    ("call_tone", "ours"), ("other", "chance"), ("insincere", "ours"),
)  # fmt: skip
LADDER = tuple(PatientClass.values)
SETTLED = timedelta(days=9)  # how long a patient stands in a class before moving on
# (figure, target, months ago it began)
TARGETS = (("closing", 70, 9), ("closing", 75, 4), ("next_appointment", 95, 9), ("next_appointment", 100, 2))


def tell_kpis(group: DemoClinic) -> None:
    """Fill in, for one clinic, what its dashboard shows. Told once, after history and today are written."""
    _say_why(group)
    _move_classes(group)
    _set_targets(group)


def _say_why(group: DemoClinic) -> None:
    missed = (Appointment.Status.NO_SHOW, Appointment.Status.CANCELLED_PATIENT)
    found = Appointment.objects.for_clinic(group.clinic).filter(status__in=missed, absence_reason="").order_by("pk")
    asked, changes = [], []
    for number, row in enumerate(found):
        said = REASONS[number % len(REASONS)]
        if said is None:
            continue
        row.absence_reason, row.absence_side = said
        asked.append(row)
        at = min((row.ended_at or row.starts_at) + timedelta(hours=2), timezone.now())
        changes.append(
            AppointmentChange(
                appointment=row, old_status=row.status, new_status=row.status, absence_reason=said[0],
                absence_side=said[1], is_late=row.is_late, at=at, by=row.created_by,
            )
        )  # fmt: skip
    Appointment.objects.bulk_update(asked, ["absence_reason", "absence_side"], batch_size=500)
    AppointmentChange.objects.bulk_create(changes, batch_size=500)


def _move_classes(group: DemoClinic) -> None:
    """Move every fourth patient that stood long enough one class up, every nineteenth down."""
    now = timezone.now()
    standing = Patient.objects.filter(
        registrations__clinic=group.clinic, class_code__in=LADDER[:-1], class_set_at__lt=now - SETTLED * 2
    ).order_by("pk")
    owners = dict(group.clinic.registrations.exclude(owner=None).values_list("patient", "owner"))
    moved, changes = [], []
    for number, patient in enumerate(standing):
        place = LADDER.index(patient.class_code)
        step = -1 if number % 19 == 7 and place else 1 if number % 4 == 1 else 0
        if not step or patient.class_set_at is None:
            continue
        old, new = patient.class_code, LADDER[place + step]
        at = min(patient.class_set_at + SETTLED * (1 + number % 5), now - timedelta(hours=3))
        trust = max(1, min(5, (patient.trust or 3) + step))
        changes.append(
            ClassChange(
                clinic=group.clinic, patient=patient, old_class=old, new_class=new, awareness=patient.awareness,
                trust=trust, suggested=new if step > 0 else old, at=at, by_id=owners.get(patient.pk),
                reason="复诊沟通后，信任提高" if step > 0 else "对价格有顾虑，暂缓",
            )
        )  # fmt: skip
        patient.class_code, patient.class_set_at, patient.trust = new, at, trust
        moved.append(patient)
    ClassChange.objects.bulk_create(changes, batch_size=500)
    Patient.objects.bulk_update(moved, ["class_code", "class_set_at", "trust"], batch_size=500)


def _set_targets(group: DemoClinic) -> None:
    today = group.clinic.today().replace(day=1)
    manager = User.objects.filter(memberships__clinic=group.clinic, memberships__role="manager").first()
    KpiTarget.objects.bulk_create(
        KpiTarget(
            clinic=group.clinic, slug=slug, value=value, valid_from=plus_months(today, -months), created_by=manager,
            created_at=timezone.now() - timedelta(days=30 * months),
        )
        for slug, value, months in TARGETS
    )  # fmt: skip

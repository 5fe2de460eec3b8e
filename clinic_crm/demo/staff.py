"""The demo group: two clinics, their rooms and a full staff."""

from dataclasses import dataclass, field

from django.contrib.auth.hashers import make_password

from accounts.models import Clinic, Membership, Team, User
from accounts.permissions import Role
from consultations.services.content import ensure_builtin_content
from followups.models import Room
from followups.services.builtin import ensure_builtin_playbooks
from followups.services.materials import ensure_builtin_materials

PASSWORD = "qinghe-demo-1"  # noqa: S105 - printed for everyone; demo data only
CLINICS = (("QH", "青禾口腔·云岭门诊"), ("QS", "青禾口腔·松浦门诊"))
# username, name, role, in the first clinic; the second clinic's people follow.
ACCOUNTS = (
    ("tc", "曹素铭", Role.COORDINATOR),
    ("online", "郑佳宁", Role.ONLINE_CONSULTANT),
    ("doctor", "谢美林", Role.DOCTOR),
    ("desk", "何晓棠", Role.FRONT_DESK),
    ("nurse", "罗依依", Role.NURSE),
    ("manager", "高静", Role.MANAGER),
    ("admin", "秦管理", Role.ADMIN),
)
MORE = {
    "QH": {
        Role.DOCTOR: ("徐梦琪", "梁素森", "程素彤", "孙淑霖"),
        Role.COORDINATOR: ("石瑞彤", "陆乐福", "万欣安"),
        Role.NURSE: ("魏暖暖",),
    },
    "QS": {
        Role.DOCTOR: ("周景瑶", "王若福", "陶承涵"),
        Role.COORDINATOR: ("叶秀娟", "贾红禾"),
        Role.FRONT_DESK: ("苗青青",),
        Role.NURSE: ("安然然",),
        Role.MANAGER: ("柳如烟",),
    },
}


@dataclass
class DemoClinic:
    """A clinic with its people and rooms at hand."""

    clinic: Clinic
    doctors: list[User] = field(default_factory=list)
    coordinators: list[User] = field(default_factory=list)
    desk: list[User] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)


def _person(username: str, name: str, password: str) -> User:
    user, _created = User.objects.get_or_create(username=username, defaults={"full_name": name, "password": password})
    return user


def _staff_of(clinic: Clinic, first: bool, password: str) -> DemoClinic:
    group = DemoClinic(clinic=clinic)
    teams = [Team.objects.get_or_create(clinic=clinic, name=name)[0] for name in ("咨询一组", "咨询二组")]
    people = [(f"demo_{u}", n, r) for u, n, r in ACCOUNTS] if first else []
    for role, more in MORE[clinic.code].items():
        people += [(f"{clinic.code.lower()}_{role}_{i}", name, role) for i, name in enumerate(more, 1)]
    for index, (username, name, role) in enumerate(people):
        user = _person(username, name, password)
        team = teams[index % 2] if role in {Role.COORDINATOR, Role.ONLINE_CONSULTANT} else None
        Membership.objects.get_or_create(user=user, clinic=clinic, defaults={"role": role, "team": team})
        {Role.DOCTOR: group.doctors, Role.COORDINATOR: group.coordinators}.get(Role(role), group.desk).append(user)
    names = [f"{n} 号诊室" for n in range(1, len(group.doctors) + 1)]
    group.rooms = [Room.objects.get_or_create(clinic=clinic, name=name)[0] for name in names]
    return group


def build_group() -> list[DemoClinic]:
    """Make the two clinics, their staff, rooms and content; running it again changes nothing."""
    password = make_password(PASSWORD)
    groups = []
    for index, (code, name) in enumerate(CLINICS):
        clinic, _created = Clinic.objects.get_or_create(code=code, defaults={"name": name})
        ensure_builtin_content(clinic)
        ensure_builtin_playbooks(clinic)
        ensure_builtin_materials(clinic)
        groups.append(_staff_of(clinic, index == 0, password))
    return groups

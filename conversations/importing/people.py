"""Who is meant by the names in chats: staff by alias or full name, teams by name."""

from dataclasses import dataclass

from accounts.models import Clinic, Membership, Team
from conversations.importing.senders import plain
from conversations.models import ConsultantName


@dataclass(frozen=True)
class People:
    """Names of a clinic, as senders.plain has them. A full name that two people bear is nobody's."""

    users: dict[str, int]
    teams: dict[str, int]
    aliases: frozenset[str]  # of them the names in chats, which may be anybody's pen name

    @classmethod
    def of(cls, clinic: Clinic) -> "People":
        """Read the names of a clinic (three queries)."""
        rows = Membership.objects.for_clinic(clinic).values_list("user", "user__full_name", "user__username").distinct()
        found: dict[str, set[int]] = {}
        for pk, *names in rows:
            for name in names:
                if name:
                    found.setdefault(plain(name), set()).add(pk)
        users = {name: min(pks) for name, pks in found.items() if len(pks) == 1}
        aliases = {plain(n): pk for n, pk in ConsultantName.objects.for_clinic(clinic).values_list("name", "user")}
        teams = {plain(name): pk for pk, name in Team.objects.for_clinic(clinic).values_list("pk", "name")}
        return cls(users | aliases, teams, frozenset(aliases))

    @property
    def staff(self) -> frozenset[str]:
        """Every name that is somebody's of the staff."""
        return frozenset(self.users)

    def user(self, name: str) -> int | None:
        """Return whose name it is; None when nobody's, or not for sure."""
        return self.users.get(plain(name)) if name else None

    def team(self, name: str) -> int | None:
        """Return which team is called so."""
        return self.teams.get(plain(name)) if name else None

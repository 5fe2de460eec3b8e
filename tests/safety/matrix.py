"""The permission matrix: every route × method × role × clinic, and what is wrong with an answer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from django.db import transaction
from django.test import Client

from accounts.permissions import Permission, Role, permissions_of
from tests.api.asking import program
from tests.factories import UserFactory
from tests.guards.routes import ACROSS, Route, signed_in
from tests.guards.test_scoping import MAY_BE_ABSENT
from tests.guards.world import World
from tests.safety.marked import MARK, SOUGHT, everything, mark_all, texts_of

METHODS = ("get", "post", "put", "patch", "delete")
ANONYMOUS = "nobody"
# The rest of the group is an administrator's too: nothing there is another clinic's on the pages. In the API a
# request is about one clinic, and what is another's is not found for anybody.
WHOLE_GROUP = {"api_me", "api_clinic-list", "api_clinic-detail"}  # the clinics that an administrator works in: all
INSIDE = [role for role in Role if role != Role.ADMIN]


def is_api(route: Route) -> bool:
    return route.path.startswith("api/v1/")


def access_of(route: Route, method: str) -> tuple[Permission, ...]:
    """Return the permissions of which one is needed; all of a route's for a method that it does not take."""
    by_method = getattr(route.pattern.callback, "access_by_method", None)
    if by_method is None:
        return tuple(route.access or ())
    return tuple(by_method.get(method) or {one for some in by_method.values() for one in some})


@dataclass
class Matrix:
    """Two clinics, somebody of every role in the first, and all that was found wrong."""

    routes: list[Route]
    faults: list[str] = field(default_factory=list)
    asked: int = 0

    def __post_init__(self) -> None:
        there = everything(World())
        self.foreign = {route.name: route.url(there) for route in self.routes}
        self.there, self.marks = there, mark_all()
        self.here = everything(World())
        self.own = {route.name: route.url(self.here) for route in self.routes}
        works = {"clinic": self.here.clinic, "current_clinic": self.here.clinic}
        people = {role: UserFactory(role=role, **works) for role in Role}
        self.sessions = {role: signed_in(person) for role, person in people.items()}
        self.programs = {role: program(person) for role, person in people.items()}

    def client(self, route: Route, who: str) -> Client:
        if who == ANONYMOUS:
            return Client(raise_request_exception=False)
        return (self.programs if is_api(route) else self.sessions)[Role(who)]

    # --- asking -------------------------------------------------------------------------------------

    def send(self, route: Route, method: str, who: str, url: str, **more: Any) -> tuple[int, str, dict[str, str]]:
        """Send an empty request, of which nothing is kept; returns status, all that is said, headers."""
        client = self.client(route, who)
        cookies = client.cookies.output(header="", sep=";")
        self.asked += 1
        with transaction.atomic():
            body = {"content_type": "application/json", "data": "{}"} if is_api(route) and method != "get" else {}
            response = getattr(client, method)(url, headers={"If-Match": "*"} | more.pop("headers", {}), **body | more)
            said = texts_of(response)
            transaction.set_rollback(True)
        client.cookies = SimpleCookie(cookies)
        return response.status_code, said, dict(response.items())

    def check(self, route: Route, method: str, who: str, where: str, *, taken: bool = True) -> None:
        """Ask once, and note what is wrong."""
        url = (self.own if where == "here" else self.foreign)[route.name]
        status, said, headers = self.send(route, method, who, url)
        wrong = self.judge(route, method, who, where, status, headers, taken)
        if MARK in said and not (who == Role.ADMIN and (not is_api(route) or route.name in WHOLE_GROUP)):
            wrong += " shows the other clinic"
        if wrong:
            self.faults.append(f"{method.upper()} {route.name} as {who} {where}: {status}{wrong}")

    def judge(
        self, route: Route, method: str, who: str, where: str, status: int, headers: dict[str, str], taken: bool
    ) -> str:
        """Say what is wrong with a status; nothing when it is as declared."""
        if who == ANONYMOUS:
            sent_away = status == 302 and headers.get("Location", "").startswith("/sign-in/")
            return "" if (status == 401 if is_api(route) else sent_away) else " let a stranger in"
        if not set(access_of(route, method)) & permissions_of(who):
            return "" if status == 403 or (not taken and status == 405) else " instead of 403"
        if not taken:
            return "" if status == 405 else " instead of 405"
        if where == "there" and route.has_id and route.name not in ACROSS:
            return "" if status == 404 or (who == Role.ADMIN and route.name in WHOLE_GROUP) else " instead of 404"
        absent = status == 404 and (route.name in MAY_BE_ABSENT or (route.name, method) in ABSENT_WHEN_EMPTY)
        bad = status in {401, 403, 404, 405} or status >= 500
        return "" if absent or not bad else " for somebody who may"

    # --- all of it ----------------------------------------------------------------------------------

    def takes(self, route: Route, method: str) -> bool:
        """Tell whether a route takes a method: as declared, or, for a page, as it answers to one who may."""
        by_method = getattr(route.pattern.callback, "access_by_method", None)
        if by_method is not None:
            return method in by_method
        who = next(role for role in (*INSIDE, Role.ADMIN) if route.open_to(role))
        return self.send(route, method, who, self.own[route.name])[0] != 405

    def cells(self, routes: Iterable[Route]) -> Iterator[tuple[Route, str, str, str, bool]]:
        """Yield everything to ask; of a method that a route does not take, by one who may, and by nobody."""
        for route in routes:
            for method in METHODS:
                taken = self.takes(route, method)
                may = [who for who in Role if set(access_of(route, method)) & permissions_of(who)]
                for who in [*Role, ANONYMOUS] if taken else [may[-1], ANONYMOUS]:
                    yield route, method, who, "here", taken
                    if taken and route.has_id and (who != Role.ADMIN or is_api(route)):
                        yield route, method, who, "there", taken

    def run(self, routes: Iterable[Route]) -> None:
        """Ask everything of some routes."""
        for route, method, who, where, taken in self.cells(routes):
            self.check(route, method, who, where, taken=taken)

    def name_the_other_clinic(self, routes: Iterable[Route]) -> None:
        """Ask the API for the other clinic by its code, by header and in the address: to its strangers it is not there."""
        code = self.there.clinic.code
        for route in routes:
            if not route.pattern.callback.cls.one_clinic:
                continue
            method = next(iter(route.pattern.callback.access_by_method))
            may = [role for role in INSIDE if set(access_of(route, method)) & permissions_of(role)]
            by_header, by_address = {"headers": {"X-Clinic": code}}, {"QUERY_STRING": f"clinic={code}"}
            for role in may:
                for more in (by_header, by_address) if role == may[-1] else (by_header,):
                    status, said, _ = self.send(route, method, role, self.own[route.name], **more)
                    if status != 404 or MARK in said:
                        self.faults.append(f"{method.upper()} {route.name} as {role} with {more}: {status}")

    def look_for_the_other(self, routes: Iterable[Route]) -> None:
        """Search every page and fragment for the other clinic's words, as one who may see all of the own clinic."""
        for route in routes:
            if not route.open_to(Role.MANAGER):
                continue
            url, headers = self.own[route.name], {"HX-Request": "true"}
            status, said, _ = self.send(route, "get", Role.MANAGER, f"{url}?q={SOUGHT}", headers=headers)
            if MARK in said or status >= 500:
                self.faults.append(f"GET {route.name}?q= as a fragment: {status}")


# An empty request names nothing that could be found.
ABSENT_WHEN_EMPTY = {("class_audit_rate", "post"): "names which of the sampled changes is rated"}

"""What a request may do: the token's scopes, the clinic it is about, the role's permissions there."""

from typing import TYPE_CHECKING, Any, cast

from django.utils.translation import gettext as _
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.api.problems import Problem
from accounts.models import ApiToken, Clinic, User
from accounts.scopes import READ, WRITE, allows

if TYPE_CHECKING:
    from accounts.api.views import ApiMixin


class Declared(BasePermission):
    """The permissions that the view declares, in the clinic that is asked about."""

    def has_permission(self, request: Request, view: Any) -> bool:
        asked = cast("ApiMixin", view)
        user = request.user
        if not isinstance(user, User):
            return False
        asked.clinic = clinic_of(request, user) if asked.one_clinic else home_of(user)
        _check_scope(request, asked)
        return any(user.may(permission, asked.clinic) for permission in asked.accepted())


def _check_scope(request: Request, view: "ApiMixin") -> None:
    token = request.auth
    if not isinstance(token, ApiToken):
        return
    act = READ if request.method in SAFE_METHODS or getattr(view, "action", "") in view.only_read else WRITE
    if not allows(token.scopes, view.scope, act):
        raise Problem("scope", _("This token lacks the scope %(scope)s.") % {"scope": f"{view.scope}:{act}"})


def home_of(user: User) -> Clinic:
    """Return where the person works now. Raises Problem for somebody who works nowhere."""
    clinic = user.working_in
    if clinic is None:
        raise Problem("forbidden")
    return clinic


def clinic_of(request: Request, user: User) -> Clinic:
    """Return the clinic that header or parameter name by its code, else where the person works now.

    Raises Problem: 404 for a clinic that is not theirs.
    """
    code = request.headers.get("X-Clinic") or request.query_params.get("clinic") or ""
    if not code:
        return home_of(user)
    found = next((clinic for clinic in user.clinics() if clinic.code == code), None)
    if found is None:
        raise Problem("not-found", _("There is no such clinic here."))
    return found

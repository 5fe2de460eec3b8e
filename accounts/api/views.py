"""What every view of the API has in common; the package's docstring shows how one is written."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, ListSerializer, Serializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.api import idempotency
from accounts.api.etags import check_if_match, etag_of, unchanged, version_of
from accounts.api.filters import check_names, names_of, repeatable_of
from accounts.api.retrying import retried
from accounts.middleware import LANGUAGE_CODES
from accounts.models import ApiToken, Clinic, User
from accounts.permissions import Permission

Access = tuple[Permission, ...]
CHANGES = frozenset({"update", "partial_update", "destroy"})
PAGED = frozenset({"cursor", "limit"})


class ApiMixin(APIView):
    """One request: who asks, for which clinic, in which zone and language; errors as problems; writes all or nothing."""

    tag: ClassVar[str] = ""
    scope: ClassVar[str] = "account"  # accounts.scopes.GROUPS
    access: ClassVar[Access | Mapping[str, Access]] = {}
    one_clinic: ClassVar[bool] = True  # False: ?clinic= means something else here, or nothing
    only_read: ClassVar[tuple[str, ...]] = ()  # POST actions for which a scope to read is enough
    field_names: ClassVar[Mapping[str, str]] = {}  # of what services name in refusals: as it is called here
    query_names: ClassVar[frozenset[str] | None] = frozenset()  # further parameters; None: the view reads them itself
    http_method_names = ["get", "head", "post", "patch", "put", "delete"]
    clinic: Clinic

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    @property
    def role(self) -> str | None:
        return self.user.role_in(self.clinic)

    def may(self, permission: Permission) -> bool:
        """Tell whether the role in the clinic grants `permission`."""
        return self.user.may(permission, self.clinic)

    def accepted(self) -> Access:
        """Return the permissions of which one is needed; all that are declared, where the method has no action."""
        if isinstance(self.access, tuple):
            return self.access
        own = self.access.get(getattr(self, "action", None) or "")
        return own or tuple({permission for some in self.access.values() for permission in some})

    # --- one request -------------------------------------------------------------------------------

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer a request; returned rendered, so that nothing is worked out in another zone or language."""
        self.args, self.kwargs = args, kwargs
        self.request = asked = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        with timezone.override(timezone.get_current_timezone()), translation.override(translation.get_language()):
            if "Authorization" in asked.headers:  # refusals before it is known who asks are told in words too
                translation.activate(asked_language(request) or translation.get_language())
            try:
                self.initial(asked, *args, **kwargs)
                response = self._run(asked)
            except Exception as error:
                response = self.handle_exception(error)
            return self.finished(asked, response)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        timezone.activate(self.clinic.tz)
        if self.query_names is not None:
            check_names(request, self.known_names(), self.repeatable_names())

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        if isinstance(request.auth, ApiToken):
            translation.activate(_language(request))

    def known_names(self) -> set[str]:
        """Return the parameters that mean something to this action."""
        return {*(self.query_names or ()), *(["clinic"] if self.one_clinic else [])}

    def repeatable_names(self) -> set[str]:
        """Return those of them that may be given several times."""
        return repeatable_of(getattr(self, "filterset_class", None))

    def _run(self, request: Request) -> HttpResponseBase:
        method = (request.method or "").lower()
        known = method in self.http_method_names
        handler = getattr(self, method, self.http_method_not_allowed) if known else self.http_method_not_allowed

        def act() -> HttpResponseBase:
            return handler(request, *self.args, **self.kwargs)

        if request.method in SAFE_METHODS:
            return act()
        if key := idempotency.key_of(request):
            return retried(request, lambda: idempotency.answered(self, request, key, act))
        return retried(request, transaction.atomic(act))

    def finished(self, request: Request, response: Any) -> Any:
        """Return the response with every header, rendered; finishing twice changes nothing."""
        if not getattr(response, "is_finished", False):
            response = self.finalize_response(request, response, *self.args, **self.kwargs)
            response.headers.setdefault("Cache-Control", "private, no-store")
            response.headers.setdefault("Content-Language", translation.get_language())
            response.headers["Vary"] = "Authorization, Cookie, X-Clinic, Accept-Language"
            for name, value in getattr(request._request, "api_limits", {}).items():
                response.headers[name] = value
            if isinstance(response, Response):
                response.render()
            response.is_finished = True
        if unchanged(request, response):
            response.status_code, response.content = 304, b""
        return response

    # --- reading and answering ----------------------------------------------------------------------

    def read(self, kind: type[BaseSerializer], **options: Any) -> dict[str, Any]:
        """Return the body, validated. Raises ValidationError (422) by field, for unknown fields too."""
        self._check_media_type()
        data = self.request.data
        serializer = kind(data=data, context=self.serializer_context(), **options)
        if isinstance(data, Mapping):
            strange = unknown_fields(serializer, data)
            if strange:
                raise exceptions.ValidationError({name: [_("Unknown field.")] for name in strange})
        serializer.is_valid(raise_exception=True)
        return cast(dict[str, Any], serializer.validated_data)

    def _check_media_type(self) -> None:
        """Raise UnsupportedMediaType (415) for a form where JSON is read; its fields would be passed over in silence."""
        request = self.request
        negotiator = self.get_content_negotiator()
        sent = request.META.get("CONTENT_LENGTH") not in (None, "", "0")
        if sent and negotiator.select_parser(request, request.parsers or []) is None:
            raise exceptions.UnsupportedMediaType(request.content_type)

    def serializer_context(self) -> dict[str, Any]:
        """Return what serializers may ask of the request: `context["view"].clinic`, `.user`, `.may(…)`."""
        return {"request": self.request, "view": self, "format": None}

    def answer(self, data: Any = None, status: int = 200, **headers: str) -> Response:
        """Return an answer; `data` ready for JSON. Headers with _ for -."""
        return Response(data, status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})


def asked_language(request: HttpRequest) -> str:
    """Return the language that a program asks for by Accept-Language; "" for none of ours."""
    said = request.headers.get("Accept-Language", "")
    wanted = translation.get_language_from_request(request) if said else ""
    return wanted if wanted in LANGUAGE_CODES else ""


def _language(request: Request) -> str:
    """Return the language a program asks for, else that of its account, else the installation's."""
    own = getattr(request.user, "language", "")
    return asked_language(request._request) or (own if own in LANGUAGE_CODES else "zh-hans")


def unknown_fields(serializer: Any, data: Any, place: str = "") -> list[str]:
    """Return the names that a body has and its serializer has not, those of inner objects with their place."""
    if isinstance(serializer, ListSerializer):
        rows = enumerate(data) if isinstance(data, list) else ()
        return [name for at, row in rows for name in unknown_fields(serializer.child, row, f"{place}{at}.")]
    if not isinstance(serializer, Serializer) or not isinstance(data, Mapping):
        return []
    strange = [f"{place}{name}" for name in data if name not in serializer.fields]
    for name, field in serializer.fields.items():
        if name in data:
            strange += unknown_fields(field, data[name], f"{place}{name}.")
    return strange


class ApiView(ApiMixin):
    """A view that is no list of rows: `access` is a tuple, and holds for every method."""


class Resource(ApiMixin, GenericViewSet):
    """Rows of one model in one clinic. Mix in Lists and Reads; write what changes rows by calling services."""

    model: type[Any]
    serializers: ClassVar[Mapping[str, type[BaseSerializer]]] = {}  # what comes in, by action
    order: ClassVar[tuple[str, ...]] = ("id",)
    lists: ClassVar[tuple[str, ...]] = ("list",)  # actions that answer with a page
    if_match: ClassVar[tuple[str, ...]] = ()  # further actions that change the row, which If-Match has to name
    # By action: what is locked before the version is compared, where the service itself compares none.
    held: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    filterset_class: ClassVar[Any] = None
    lookup_value_converter = "int"
    lookup: ClassVar[str] = "pk"  # what the id in the address is of a row
    detail_name: ClassVar[str] = ""  # route of one row, for Location; by default of this resource

    def rows(self) -> Any:
        """Return the rows that may be seen here; override to narrow, and to fetch what is told with them."""
        return self.model.objects.for_user(self.user).for_clinic(self.clinic)

    def get_queryset(self) -> Any:
        return self.model._default_manager.none() if getattr(self, "swagger_fake_view", False) else self.rows()

    def get_serializer_class(self) -> Any:
        return self.serializer_class

    def known_names(self) -> set[str]:
        more = names_of(self.filterset_class) | PAGED if self.action in self.lists else set()
        return super().known_names() | more

    def guards_version(self) -> bool:
        """Tell whether this action changes a row that has to be named in the version as it stands."""
        return self.action in CHANGES or self.action in self.if_match

    def version_of(self, row: Any) -> str:
        """Return what changes with each change of the row; "" for rows that have no version."""
        return version_of(row)

    def found(self) -> Any:
        """Return the row that the address names, 404 elsewhere; an action that changes it needs If-Match."""
        rows = self.rows()
        if tables := self.held.get(self.action):
            rows = rows.select_for_update(of=tables)
        row = get_object_or_404(rows, **{self.lookup: self.kwargs["pk"]})
        if self.guards_version():
            version = self.version_of(row)
            check_if_match(self.request, version, lambda: self.etag(row, self.shown(row)))
            self.expected_version = int(version) if version.isdecimal() else version
        return row

    def etag(self, row: Any, told: Mapping[str, Any]) -> str:
        """Return the ETag of a row as it goes out."""
        return etag_of(self.version_of(row), JSONRenderer().render(told))

    def shown(self, row: Any) -> dict[str, Any]:
        """Return a row as it goes out."""
        return dict(self.get_serializer_class()(row, context=self.serializer_context()).data)

    def told(self, row: Model, status: int = 200, **headers: str) -> Response:
        """Answer with a row, read anew, and its ETag."""
        fresh = self.rows().filter(pk=row.pk).first() or row
        data = self.shown(fresh)
        return self.answer(data, status, **headers, ETag=self.etag(fresh, data))

    def made(self, row: Model) -> Response:
        """Answer with a row just made: 201, and where it is."""
        name = self.detail_name or f"{self.basename}-detail"
        kwargs = {**self.kwargs, "pk": getattr(row, self.lookup)}
        return self.told(row, 201, Location=reverse(name, kwargs=kwargs))

    def page(self, rows: Any) -> Response:
        """Answer with a page of rows, filtered as the address says."""
        some = self.paginate_queryset(self.filter_queryset(rows)) or []
        return self.get_paginated_response(self.shown_many(some))

    def shown_many(self, rows: Iterable[Any]) -> list[Any]:
        """Return rows as they go out."""
        return list(self.get_serializer_class()(rows, many=True, context=self.serializer_context()).data)

    def current_state(self) -> dict[str, Any] | None:
        """Return the row of the address as it stands, for a conflict; None where there is none."""
        row = self.rows().filter(**{self.lookup: self.kwargs["pk"]}).first() if "pk" in self.kwargs else None
        return self.shown(row) if row is not None else None


class Lists:
    """GET on the list."""

    def list(self: Any, request: Request, **kwargs: Any) -> Response:
        return cast(Response, self.page(self.rows()))


class Reads:
    """GET on one row."""

    def retrieve(self: Any, request: Request, **kwargs: Any) -> Response:
        return cast(Response, self.told(self.found()))

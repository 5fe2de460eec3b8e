"""The description of the API (OpenAPI 3.1), made from its views: headers, errors and examples come in here."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from accounts.api.examples import add_examples
from accounts.api.filter_words import words_of
from accounts.api.problems import CONTENT_TYPE, KINDS, PLACE
from accounts.api.views import CHANGES, ApiMixin, Reads, Resource

READING = (
    "bad-request",
    "unauthenticated",
    "forbidden",
    "not-found",
    "method-not-allowed",
    "not-acceptable",
    "too-many-requests",
)
WRITING = (*READING, "conflict", "too-large", "unsupported-media-type", "invalid", "busy")
VERSIONED = (*WRITING, "precondition-failed", "precondition-required")


NAMED: dict[str, type] = {}  # by name in the description: whose it is
USUAL = frozenset({"list", "retrieve", "create", "update", "partial_update", "destroy"})


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.api.authentication.Token"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        words = "`Token crm_…`, made on the page “API access” or with `manage.py create_token USERNAME`."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": words}


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.api.authentication.Session"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        words = "A person's own session in the browser; changes need the header X-CSRFToken."
        return {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": words}


def _header(name: str, words: str, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, "header", required=required, description=words)


class Schema(AutoSchema):
    """Adds what every operation has in common."""

    def get_tags(self) -> list[str]:
        return [getattr(self.view, "tag", "")] if getattr(self.view, "tag", "") else super().get_tags()

    def get_override_parameters(self) -> list[Any]:
        found: list[Any] = []
        if getattr(self.view, "one_clinic", False):
            found.append(
                _header("X-Clinic", "Code of the clinic that is meant; without it, where the account works now.")
            )
        if self.method == "POST":
            words = "Any text of one's own. Repeated with the same key within 24 hours, the request is answered as before and does nothing."
            found.append(_header("Idempotency-Key", words))
        if self._guards_version():
            found.append(_header("If-Match", "ETag of the version the change starts from, or *."))
        elif self.method == "GET" and getattr(self.view, "action", "") == "retrieve":
            found.append(_header("If-None-Match", "An ETag: 304 if it is still the same."))
        return found

    def get_summary(self) -> str:
        """Return what stands beside the address, before it is opened."""
        if getattr(self.view, "action", "") == "retrieve":
            return "One of them, by its id"
        first_line: str = self.get_description().strip().partition("\n")[0]
        return first_line.partition(". ")[0].rstrip(".")

    def _guards_version(self) -> bool:
        view = self.view
        return isinstance(view, Resource) and (view.action in CHANGES or view.action in view.if_match)

    def get_request_serializer(self) -> Any:
        known = getattr(self.view, "serializers", {})
        return known.get(getattr(self.view, "action", ""), super().get_request_serializer() if not known else None)

    def get_serializer_name(self, serializer: Any, direction: str) -> str:
        """Return the class's name; the second of one name has its app's before it."""
        kind = serializer if isinstance(serializer, type) else type(serializer)
        name: str = kind.__name__
        if NAMED.setdefault(name, kind) is not kind:
            name = kind.__module__.partition(".")[0].title().replace("_", "") + name
        return name

    def get_operation_id(self) -> str:
        """Return e.g. patients_list, patients_retrieve, visits_receive."""
        found = super().get_operation_id().removeprefix("v1_")
        action = getattr(self.view, "action", None) or ""
        if action in USUAL or not hasattr(self.view, "action_map"):
            return found
        own = found.removesuffix(f"_{self.method_mapping[self.method.lower()]}").removesuffix("_list")
        return f"{own}_{self.method.lower()}" if len(self.view.action_map) > 1 else own

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        found = super().get_operation(*args, **kwargs)
        if found is not None and isinstance(self.view, ApiMixin):
            found["x-problems"] = [*self._problems()]
            reads = self.method == "GET" or getattr(self.view, "action", "") in self.view.only_read
            found["x-scope"] = f"{self.view.scope}:{'read' if reads else 'write'}"
            found["description"] = f"{found.get('description', '')}\n\nScope of the token: `{found['x-scope']}`."
            found["x-permissions"] = sorted(str(permission) for permission in self.view.accepted())
            found["x-etag"] = isinstance(self.view, Reads) and self.method == "GET" and self.view.action == "retrieve"  # type: ignore[attr-defined]
        return found

    def get_filter_backends(self) -> list[Any]:
        """Return what filters: the actions that answer with pages, and no write."""
        if self.method != "GET" or (isinstance(self.view, Resource) and self.view.action not in self.view.lists):
            return []
        found: list[Any] = super().get_filter_backends()
        return found

    def _get_paginator(self) -> Any:
        """Return what pages: for the actions that answer with pages, not for all that answer with several rows."""
        if isinstance(self.view, Resource) and self.view.action not in self.view.lists:
            return None
        return super()._get_paginator()

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        found = super()._map_serializer_field(field, direction, bypass_extensions)
        if direction == "response" and "" not in (found or {}).get("enum", [""]) and _may_be_empty(field):
            found["enum"] = [*found["enum"], ""]
        return found

    def _insert_field_validators(self, field: Any, schema: Any) -> None:
        super()._insert_field_validators(field, schema)
        if field.read_only and _may_be_empty(field):
            schema.pop("pattern", None)

    def _problems(self) -> Iterable[str]:
        if self.method == "GET":
            return READING
        return VERSIONED if self._guards_version() else WRITING


def _may_be_empty(field: Any) -> bool:
    """Tell whether a field's text may be "" in an answer: its column may; a serializer knows that of writable ones alone."""
    model = getattr(getattr(field.parent, "Meta", None), "model", None)
    for name in (field.source or "").split("."):
        if model is None:
            return False
        try:
            column = model._meta.get_field(name)
        except FieldDoesNotExist:
            return False
        model = column.related_model
    return bool(getattr(column, "blank", False)) and column.get_internal_type() in (
        "CharField",
        "TextField",
        "SlugField",
    )


def only_v1(endpoints: list[Any], **kwargs: Any) -> list[Any]:
    """Keep the routes of the API alone."""
    return [one for one in endpoints if one[0].startswith("/api/v1/")]


PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "Which kind of problem; the address describes it."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What went wrong here, in the account's language."},
        "errors": {
            "type": "object",
            "description": "By field or parameter: what is wrong with it.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "current": {"description": "409: how it stands now. 412: its ETag now."},
        "yours": {"description": "409: what was sent."},
        "nearest": {
            "type": "array",
            "items": {"type": "object"},
            "description": "409 of a booking: free times close by.",
        },
        "may_insist": {
            "type": "boolean",
            "description": "409 of a booking outside the hours: whether it is taken with `insist`.",
        },
        "missing": {
            "type": "array",
            "items": {"type": "string"},
            "description": "422 of a step: codes of what it lacks; `detail` says the same in words.",
        },
        "next_stage": {"type": "string", "description": "422 of a step before its turn: the stage that comes next."},
        "duplicates": {
            "type": "array",
            "items": {"type": "object"},
            "description": "409 of a new patient: who has this name and number already.",
        },
        "merged_into": {"type": ["integer", "null"], "description": "409: the record this one was merged into."},
    },
}


def with_problems(result: dict[str, Any], generator: Any, **kwargs: Any) -> dict[str, Any]:
    """Say of every operation how it refuses; requests take no fields but those described."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["responses"] = {_response_name(status): _response(slugs) for status, slugs in _by_status(KINDS).items()}
    for operation in _operations(result):
        for parameter in operation.get("parameters", ()):
            if not parameter.get("description"):
                parameter["description"] = words_of(parameter["name"])
        slugs = operation.pop("x-problems", READING)
        for status in _by_status(slugs):
            operation["responses"].setdefault(str(status), {"$ref": f"#/components/responses/{_response_name(status)}"})
        if operation.pop("x-etag", False):
            answer = operation["responses"].get("200", {})
            answer["headers"] = {
                "ETag": {"schema": {"type": "string"}, "description": "For If-Match and If-None-Match."}
            }
            operation["responses"]["304"] = {"description": "Still the same."}
        _close_body(operation, components["schemas"])
    add_examples(result)
    return result


def _operations(result: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for methods in result["paths"].values():
        for method, operation in methods.items():
            if method in ("get", "post", "patch", "put", "delete"):
                yield operation


def _by_status(slugs: Iterable[str]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for slug in slugs:
        found.setdefault(KINDS[slug].status, []).append(slug)
    return dict(sorted(found.items()))


def _response_name(status: int) -> str:
    return f"Problem{status}"


def _response(slugs: list[str]) -> dict[str, Any]:
    examples = {}
    for slug in slugs:
        kind = KINDS[slug]
        told: dict[str, Any] = {
            "type": PLACE + slug,
            "title": str(kind.title),
            "status": kind.status,
            "detail": str(kind.meaning),
        }
        if slug in ("invalid", "bad-request"):
            told["errors"] = {"name" if slug == "invalid" else "limit": ["…"]}
        examples[slug] = {"value": told}
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}}
    return {"description": " / ".join(str(KINDS[slug].title) for slug in slugs), "content": content}


def _close_body(operation: Mapping[str, Any], schemas: dict[str, Any]) -> None:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if schemas.get(name, {}).get("type") == "object":
            schemas[name].setdefault("additionalProperties", False)

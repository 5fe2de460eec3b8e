"""Routes of resources: plain paths, and on every view what the guards read."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern
from rest_framework.routers import SimpleRouter

from accounts.scopes import GROUPS


class Router(SimpleRouter):
    """Gives the routes "api_<basename>-list", "-detail" and "-<action>"; each view says who may use it, by method."""

    def __init__(self) -> None:
        super().__init__(use_regex_path=False)

    def register(self, prefix: str, viewset: Any, basename: str) -> None:  # type: ignore[override]
        super().register(prefix, viewset, f"api_{basename}")

    def get_urls(self) -> list[Any]:
        urls = super().get_urls()
        for url in urls:
            declare(url)
        return urls


def declare(url: Any) -> URLPattern:
    """Write on a route's view `access` (of GET, else of its first method) and `access_by_method`.

    Raises ImproperlyConfigured for an action without permissions, or a view without a known scope.
    """
    view: Any = url.callback
    if view.cls.scope not in GROUPS or not view.cls.tag:
        raise ImproperlyConfigured(f"{view.cls.__name__}: tag, and a scope of accounts.scopes.GROUPS")
    by_method = _by_method(view)
    if not by_method or not all(by_method.values()):
        raise ImproperlyConfigured(
            f"{view.cls.__name__}: access for {sorted(m for m, a in by_method.items() if not a)}"
        )
    view.access_by_method = by_method
    view.access = by_method.get("get") or next(iter(by_method.values()))
    return url


def _by_method(view: Any) -> dict[str, Any]:
    access = view.cls.access
    actions: Mapping[str, str] | None = getattr(view, "actions", None)
    if actions is None:
        return {m: access for m in view.cls.http_method_names if m != "head" and hasattr(view.cls, m)}
    return {method: access.get(name, ()) for method, name in actions.items() if method != "head"}

"""Asking the API as another program does."""

from typing import Any

from django.test import Client

from accounts.models import User
from accounts.services.tokens import create_token

PROBLEM = "application/problem+json"


def program(user: User, *, scopes: tuple[str, ...] = ("*",), **headers: str) -> Client:
    """A client with a token of `user`; a fault of ours answers 500, like in the product."""
    _row, secret = create_token(user=user, name="test", scopes=scopes, by=user)
    told = {"authorization": f"Token {secret}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Client(headers=told, raise_request_exception=False)


def send(client: Client, method: str, url: str, data: Any = None, **headers: str) -> Any:
    """Send JSON; headers with _ for -."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.generic(method, url, *_body(data), headers=told)


def _body(data: Any) -> tuple[str, str]:
    import json

    return ("" if data is None else json.dumps(data)), "application/json"


def problem(response: Any, status: int, slug: str = "") -> dict[str, Any]:
    """Check that an answer is a problem of the kind; return its members."""
    assert response.status_code == status, response.content.decode()
    assert response["Content-Type"] == PROBLEM
    told = response.json()
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    assert not slug or told["type"] == f"/api/problems/{slug}"
    return told

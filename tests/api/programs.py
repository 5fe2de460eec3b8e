"""A person's program: asks under /api/v1/ with a token of theirs."""

from typing import Any

from accounts.models import User
from tests.api.asking import program, send

PLACE = "/api/v1/"


class Program:
    def __init__(self, user: User, **options: Any) -> None:
        self.user = user
        self.client = program(user, **options)

    def get(self, address: str) -> Any:
        return self.client.get(PLACE + address)

    def post(self, address: str, body: dict[str, Any], **headers: str) -> Any:
        return send(self.client, "POST", PLACE + address, body, **headers)

    def patch(self, address: str, body: dict[str, Any], **headers: str) -> Any:
        return send(self.client, "PATCH", PLACE + address, body, **headers)

    def put(self, address: str, body: dict[str, Any], **headers: str) -> Any:
        return send(self.client, "PUT", PLACE + address, body, **headers)

    def delete(self, address: str, **headers: str) -> Any:
        return send(self.client, "DELETE", PLACE + address, **headers)

    def upload(self, address: str, **fields: Any) -> Any:
        return self.client.post(PLACE + address, fields)

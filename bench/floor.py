"""F, the floor: a bare view with session, user and one indexed query, rendering 50 rows by a template."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template import engines

from patients.models import Registration

ROWS = engines["django"].from_string(
    "<table>{% for row in rows %}<tr><td>{{ row.number }}</td><td>{{ row.complaint }}</td>"
    "<td>{{ row.active_at }}</td></tr>{% endfor %}</table>"
)


@login_required
def floor(request: HttpRequest) -> HttpResponse:
    """Three statements: session, user, 50 rows."""
    rows = Registration.objects.filter(clinic=int(request.GET["clinic"])).order_by("-active_at", "-id")[:50]
    return HttpResponse(ROWS.render({"rows": rows}))


class CountStatements:
    """Says in a header how many statements a response took."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        count = 0

        def counted(execute: Callable[..., Any], *args: Any) -> Any:
            nonlocal count
            count += 1
            return execute(*args)

        with connection.execute_wrapper(counted):
            response = self.get_response(request)
        response["X-Statements"] = str(count)
        return response

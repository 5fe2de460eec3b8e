"""A local HTTP server that answers as providers do: right, late, twice, wrongly, with 500, or not at all."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ABORT = object()


class Provider:
    """What was asked, and what to answer. `answers` are used up in turn; then `usual` holds."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answers: list[Any] = []
        self.usual: Any = None
        self.calls: Counter[str] = Counter()  # arrivals by idempotency id
        self.effects: Counter[str] = Counter()  # what a person would have got
        self.lock = threading.Lock()
        self.url = ""

    def take(self, request: dict[str, Any]) -> Any:
        with self.lock:
            self.requests.append(request)
            answer = self.answers.pop(0) if self.answers else self.usual
        return answer(request) if callable(answer) else answer

    def as_gateway(self, request: dict[str, Any]) -> Any:
        """Answer as a webhook gateway does that drops what it has had already."""
        if request["method"] == "GET":
            uid = request["path"].rpartition("/")[2]
            if not self.effects[uid]:
                return 404, {"error": "unknown"}
            return 200, {"id": uid, "status": "delivered", "reference": f"ref-{uid}"}
        uid = request["json"]["id"]
        with self.lock:
            self.calls[uid] += 1
            self.effects[uid] = 1
        return 200, {"id": uid, "reference": f"ref-{uid}"}


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            try:
                said = json.loads(body) if body else None
            except ValueError:
                said = None
            request = {
                "method": self.command, "path": parts.path, "body": body, "json": said,
                "query": {k: v[0] for k, v in parse_qs(parts.query).items()}, "headers": dict(self.headers),
            }  # fmt: skip
            answer = provider.take(request)
            if answer is ABORT or answer is None:
                self.close_connection = True
                return
            status, content, *late = answer
            if late:
                time.sleep(late[0])
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)
            except OSError:
                self.close_connection = True

        do_GET = do_POST = _serve  # noqa: N815

        def log_message(self, *args: Any) -> None: ...

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is nothing to report."""


@contextmanager
def running(port: int = 0) -> Iterator[Provider]:
    """Serve on loopback for as long as the block runs."""
    provider = Provider()
    server = _Server(("127.0.0.1", port), _handler(provider))
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()

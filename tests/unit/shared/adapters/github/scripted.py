"""A server on a free port of 127.0.0.1 that answers as it is told and keeps what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.fakes.serving import forget_address


class Asked(NamedTuple):
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any


class Answer(NamedTuple):
    status: int = 200
    body: Any = None
    headers: dict[str, str] = {}
    content_type: str = "application/json; charset=utf-8"
    cut: bool = False
    """Promise more bytes than are sent."""


class Scripted:
    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.url = ""
        self._answers: dict[tuple[str, str], list[Answer | Callable[[Asked], Answer]]] = {}

    def on(self, method: str, path: str, *answers: Answer | Callable[[Asked], Answer]) -> None:
        """Give these answers one after the other; the last one stays."""
        self._answers[method, path.lower()] = list(answers)

    def calls(self, method: str, path: str) -> list[Asked]:
        return [asked for asked in self.asked if (asked.method, asked.path.lower()) == (method, path.lower())]

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        waiting = self._answers.get((asked.method, asked.path.lower()))
        if not waiting:
            return Answer(404, {"message": "Not Found"})
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return answer(asked) if callable(answer) else answer


@contextmanager
def scripted() -> Iterator[Scripted]:
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            url = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = script.answer(Asked(self.command, url.path, url.query, headers, json.loads(raw) if raw else None))
            text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            content = b"" if answer.body is None else text.encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(content) + (50 if answer.cut else 0)))
            self.end_headers()
            self.wfile.write(content)
            if answer.cut:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any  # noqa: N815 - the base class names them

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    forget_address(script.url)
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

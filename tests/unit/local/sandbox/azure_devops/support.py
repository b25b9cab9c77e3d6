"""Runs a simulator on a real socket, talks to it with and without the official client, and receives its hooks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from local.sandbox.azure_devops.app import build_azure_devops
from local.sandbox.azure_devops.seed import apply
from local.sandbox.faults import FaultRules
from local.sandbox.state import State
from tests.fakes.serving import served

ORGANIZATION = "fabrikam"
ZERO = "0" * 40
AGILE = "adcc42ab-9882-485e-a3ed-7678f01f66bc"
TOKENS = {
    "admin": "admin-token",
    "lead": "lead-token",
    "dev": "dev-token",
    "reader": "reader-token",
}
SEED: dict[str, Any] = {
    "organizations": [
        {
            "name": ORGANIZATION,
            "extensions": ["ms.vss-governance-hub"],
            "users": [
                {
                    "name": "Ada Admin",
                    "mail": "ada@fabrikam.example",
                    "token": TOKENS["admin"],
                    "permissions": ["collection_administrator"],
                    "tokens": [
                        {"token": "entra-good", "expires_at": "2999-01-01T00:00:00Z"},
                        {"token": "entra-old", "expires_at": "2001-01-01T00:00:00Z"},
                    ],
                },
                {
                    "name": "Lea Lead",
                    "mail": "lea@fabrikam.example",
                    "token": TOKENS["lead"],
                    "permissions": ["project_administrator"],
                },
                {
                    "name": "Dev Dana",
                    "mail": "dana@fabrikam.example",
                    "token": TOKENS["dev"],
                    "permissions": ["contributor"],
                },
                {
                    "name": "Rea Reader",
                    "mail": "rea@fabrikam.example",
                    "token": TOKENS["reader"],
                    "permissions": ["reader"],
                },
                {
                    "name": "Old Otto",
                    "mail": "otto@fabrikam.example",
                    "token": "expired-token",
                    "token_expires_at": "2001-01-01T00:00:00Z",
                },
            ],
            "projects": [
                {"name": "Shop", "process": "Agile", "description": "The web shop."},
                {"name": "Formal", "process": "CMMI"},
                {"name": "Sprint", "process": "Scrum"},
                {"name": "Simple", "process": "Basic"},
            ],
        }
    ]
}


class Simulator:
    """A running simulator: its address, state and app."""

    def __init__(self, **options: Any) -> None:
        self.state: State = options.pop("state", None) or State()
        apply(self.state, SEED)
        self.faults = FaultRules()
        self.options = {"min_project_seconds": 0.15, "max_project_seconds": 0.2, "build_seconds": 0.2} | options
        self._serving = ExitStack()

    def start(self) -> Simulator:
        self.url, self.app = self._serving.enter_context(
            served(
                lambda url: build_azure_devops(self.state, base_url=url, faults=self.faults, **self.options),
                log_level="warning",
            )
        )
        self.organization_url = f"{self.url}/{ORGANIZATION}"
        return self

    def stop(self) -> None:
        self._serving.close()

    @property
    def org(self) -> dict[str, Any]:
        return self.state.data["azure_devops"]["organizations"][ORGANIZATION]


def wait_until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """The first true answer of `condition`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def connector(simulator: Simulator) -> Callable[..., Any]:
    def make(who: str = "admin") -> Any:
        from azure.devops.connection import Connection
        from msrest.authentication import BasicAuthentication

        return Connection(base_url=simulator.organization_url, creds=BasicAuthentication("", TOKENS.get(who, who)))

    return make


def refused(action: Callable[[], Any], words: str) -> Any:
    """The refusal of `action`, whose message holds `words`."""
    from azure.devops.exceptions import AzureDevOpsServiceError

    with pytest.raises(AzureDevOpsServiceError) as caught:
        action()
    assert words in caught.value.message
    return caught.value


class Raw:
    """Calls the package has no method for: plain HTTP as one of the seeded people."""

    def __init__(self, simulator: Simulator) -> None:
        self.base = simulator.organization_url
        self.client = httpx.Client(timeout=10)

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        /,
        *,
        who: str = "admin",
        version: str = "7.1-preview",
        **query: Any,
    ) -> httpx.Response:
        return self.client.request(
            method,
            self.base + path,
            json=body,
            params={k.replace("__", "."): v for k, v in query.items()} | {"api-version": version},
            auth=("", TOKENS.get(who, who)),
        )

    def ok(self, method: str, path: str, body: Any = None, /, **options: Any) -> Any:
        """The JSON of an answer that must succeed."""
        answer = self(method, path, body, **options)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def no(self, status: int, words: str, method: str, path: str, body: Any = None, /, **options: Any) -> None:
        """The call must be refused with that status and those words."""
        answer = self(method, path, body, **options)
        assert (answer.status_code, words in answer.text) == (status, True), f"{answer.status_code} {answer.text[:500]}"


class Receiver:
    """Keeps what it is sent and answers what it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.answers: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append(({k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
                self.send_response(outer.answers.pop(0) if outer.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                del arguments

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        return [body for _, body in self.got if kind in {"", body["eventType"]}]


def change(kind: str, path: str, content: str | None = None, encoding: str = "rawtext") -> dict[str, Any]:
    given: dict[str, Any] = {"changeType": kind, "item": {"path": path}}
    return given if content is None else given | {"newContent": {"content": content, "contentType": encoding}}


def push(git: Any, repository: Any, branch: str, old: str, *changes: dict[str, Any], project: str = "Shop") -> str:
    body = {
        "refUpdates": [{"name": f"refs/heads/{branch}", "oldObjectId": old}],
        "commits": [{"comment": "work", "changes": list(changes)}],
    }
    return git.create_push(body, repository.id, project).ref_updates[0].new_object_id


def fields(**values: Any) -> list[dict[str, Any]]:
    """A JSON patch that sets fields; underscores in names stand for dots."""
    return [{"op": "add", "path": f"/fields/{k.replace('_', '.')}", "value": v} for k, v in values.items()]

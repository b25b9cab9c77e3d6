"""HTTP functions called as the worker calls them, over composed fakes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import grpc
import pytest
from durabletask.client import OrchestrationStatus

from tests.fakes.app import App


class Taken(grpc.RpcError):
    """The engine has an instance of that id."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.ALREADY_EXISTS

    def details(self) -> str:
        return "exists"


class Unanswered(grpc.RpcError):
    """The engine is away."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        return "no engine"


class Unknown(grpc.RpcError):
    """The engine knows no instance of that id."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.NOT_FOUND

    def details(self) -> str:
        return "no such instance"


@dataclass
class DurableClient:
    """Starts runs and remembers them; an id can be taken once."""

    started: dict[str, Any] = field(default_factory=dict)
    ends: dict[str, OrchestrationStatus] = field(default_factory=dict)
    """By instance: how it ended, for those that have."""
    away: bool = False
    """Whether the engine does not answer."""

    def get_orchestration_state(self, instance_id: str, *, fetch_payloads: bool) -> SimpleNamespace | None:
        self._answer()
        if instance_id not in self.started and instance_id not in self.ends:
            return None
        return SimpleNamespace(runtime_status=self.ends.get(instance_id, OrchestrationStatus.RUNNING))

    raised: list[tuple[str, str]] = field(default_factory=list)
    lost: bool = False
    """Whether the engine has lost its instances."""

    def raise_orchestration_event(self, instance_id: str, event_name: str, *, data: Any) -> None:
        self._answer()
        if self.lost:
            raise Unknown
        assert data == {}
        self.raised.append((instance_id, event_name))

    def _answer(self) -> None:
        if self.away:
            raise Unanswered

    def schedule_new_orchestration(self, name: str, *, input: Any, instance_id: str) -> str:
        self._answer()
        if instance_id in self.started:
            raise Taken
        self.started[instance_id] = (name, json.loads(json.dumps(input)))
        return instance_id


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> App:
    app = App()
    services = app.services()
    for module in (
        "adoptions",
        "agents",
        "audit",
        "backlogs",
        "connections",
        "decisions",
        "evidence",
        "deliveries",
        "intake",
        "policies",
        "portfolios",
        "projects",
        "reviews",
        "stale",
        "sweep",
        "updates",
    ):
        monkeypatch.setattr(f"functions.{module}.services", lambda: services)
    monkeypatch.setattr("functions.intake.settings", lambda: services.settings)
    return app


@pytest.fixture
def client() -> DurableClient:
    return DurableClient()


@pytest.fixture
def call():
    """Call a registered function by its Python name with an HTTP request; its answer, JSON decoded."""
    return _call


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    body: Any
    headers: dict[str, str]
    type: str


def request(
    method: str = "GET", body: Any = b"", *, route: dict[str, str] | None = None, headers: Any = None, **params: str
) -> func.HttpRequest:
    """A request; bodies other than bytes are sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return func.HttpRequest(
        method, "https://doneright.example/api", headers=headers or {}, params=params, route_params=route, body=content
    )


def _call(function: Any, *given: Any, **params: Any) -> Answer:
    bindings = {name: params.pop(name) for name in ("client", "message") if name in params}
    response = user_function(function)(request(*given, **params), **bindings)
    return answered(response)


def user_function(builder: Any) -> Any:
    """The function as it was written, without the binding of the durable client."""
    function = builder._function.get_user_function()
    return getattr(function, "client_function", function)


def answered(response: func.HttpResponse) -> Answer:
    """A response with its JSON decoded."""
    text = response.get_body().decode()
    body = json.loads(text) if "json" in response.mimetype else text
    return Answer(response.status_code, body, dict(response.headers), response.mimetype)

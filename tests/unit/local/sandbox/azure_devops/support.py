"""Runs a simulator on a real socket and waits for what it does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn

from local.sandbox.azure_devops.app import build_azure_devops
from local.sandbox.azure_devops.seed import apply
from local.sandbox.faults import FaultRules
from local.sandbox.state import State

ORGANIZATION = "fabrikam"
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
        self.state = State()
        apply(self.state, SEED)
        self.faults = FaultRules()
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.organization_url = f"{self.url}/{ORGANIZATION}"
        options = {"min_project_seconds": 0.15, "max_project_seconds": 0.2, "build_seconds": 0.2} | options
        self.app = build_azure_devops(self.state, base_url=self.url, faults=self.faults, **options)
        config = uvicorn.Config(self.app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listener]}, daemon=True)

    def start(self) -> Simulator:
        self.thread.start()
        deadline = time.monotonic() + 10
        while not self.server.started:
            assert time.monotonic() < deadline, "the simulator did not start"
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)

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

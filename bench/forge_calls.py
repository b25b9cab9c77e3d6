"""Records what one bootstrap really sends: the real adapters before both simulators, a request at a time."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from pydantic import SecretStr

from bench.bootstraps import World, play
from bench.result import BenchError
from local.sandbox.azure_devops.app import build_azure_devops
from local.sandbox.github.app import build_github
from local.sandbox.seed import apply_seed
from local.sandbox.state import State
from shared.adapters.azure_devops import AzureDevOpsForge
from shared.adapters.azure_devops import PersonalAccessToken as AzureDevOpsToken
from shared.adapters.github import GitHubForge, PersonalAccessToken
from shared.adapters.pacing import Call, Costs
from shared.domain.forge import ForgeName
from shared.projects.ports import ConnectedForges
from tests.fakes.storage import MemoryClock
from tests.integration.adapters.serving import served

SCOPES = ["repo", "workflow", "admin:repo_hook", "read:org", "delete_repo"]
SEED: dict[str, Any] = {
    "github": {
        "users": [{"login": "casey", "token": "token", "scopes": SCOPES}],
        "organizations": [
            {
                "login": "acme",
                "plan": "team",
                "members": {"casey": "admin"},
                "teams": [{"slug": "leads", "members": ["casey"]}],
                "repositories": [{"name": "requests", "private": True, "labels": ["new-project"]}],
            }
        ],
    },
    "azure_devops": {
        "organizations": [
            {
                "name": "acme",
                "users": [
                    {
                        "name": "casey",
                        "mail": "casey@acme.example",
                        "token": "token",
                        "permissions": ["collection_administrator"],
                    }
                ],
                "projects": [],
            }
        ]
    },
}


class Request(NamedTuple):
    """One request as it is paid for; ``together`` numbers the batch it belongs to, 0 being none."""

    costs: Costs
    resource: str
    together: int


type Recorded = dict[tuple[ForgeName, str], list[Request]]
"""The most requests that a call of a port made, by forge and name."""


class Recorder:
    """Stands where a client has its pace."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.batches: dict[int, Costs] = {}
        self._together = 0
        self._lock = threading.Lock()

    @contextmanager
    def call(self, host: str, costs: Costs, resource: str = "core") -> Iterator[Call]:
        """As ``Pace.call``."""
        del host
        with self._lock:
            self.requests.append(Request(costs, resource, self._together))
        yield Call()

    @contextmanager
    def batch(self, costs: Costs) -> Iterator[None]:
        """As ``Pace.batch``."""
        self.batches[number := len(self.batches) + 1] = costs
        self._together = number
        try:
            yield
        finally:
            self._together = 0


class Watched:
    """A forge whose calls are written down with what they sent."""

    def __init__(self, forge: Any, name: ForgeName, recorder: Recorder, recorded: Recorded) -> None:
        self._forge = forge
        self._name = name
        self._recorder = recorder
        self._recorded = recorded

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._forge, method)
        if not callable(found):
            return found

        def call(*args: Any, **options: Any) -> Any:
            self._recorder.requests = []
            try:
                return found(*args, **options)
            finally:
                most = self._recorded.setdefault((self._name, method), [])
                if len(self._recorder.requests) > len(most):
                    most[:] = self._recorder.requests

        return call


def record() -> tuple[Recorded, dict[int, Costs]]:
    """The requests of each port call of one bootstrap on both forges, and the batches among them.

    Raises:
        BenchError: the bootstrap did not complete.
    """
    state = State()
    apply_seed(state, SEED)
    recorded: Recorded = defaultdict(list)
    recorder: Any = Recorder()
    clock = MemoryClock()
    with (
        served(lambda url: build_github(state, base_url=url)) as (github_url, _),
        served(
            lambda url: build_azure_devops(state, base_url=url, min_project_seconds=0.0, max_project_seconds=0.0)
        ) as (azure_url, _),
    ):
        github = GitHubForge(
            PersonalAccessToken(token=SecretStr("token")), clock=clock, base_url=github_url, pace=recorder
        )
        azure = AzureDevOpsForge(
            f"{azure_url}/acme", AzureDevOpsToken(token=SecretStr("token")), clock=clock, pace=recorder
        )
        _open_issue(github)
        on_github: Any = Watched(github, ForgeName.GITHUB, recorder, recorded)
        on_azure: Any = Watched(azure, ForgeName.AZURE_DEVOPS, recorder, recorded)
        forges = ConnectedForges(
            forges={ForgeName.GITHUB: on_github, ForgeName.AZURE_DEVOPS: on_azure},
            issues=on_github,
            tracker=on_azure,
            settings=on_github,
        )
        # The first asks once what the service offers; a process that serves a hundred knows. The second is kept.
        for first in (1, 2):
            recorded.clear()
            world = World(1, clock, forges, first=first)
            play(world)
            if world.states() != ["completed"]:
                raise BenchError(f"the recorded bootstrap ended {world.states()}: {world.failures()}")
    return recorded, recorder.batches


def _open_issue(github: GitHubForge) -> None:
    github._client.request("POST", "/repos/acme/requests/issues", {"title": "New project", "labels": ["new-project"]})

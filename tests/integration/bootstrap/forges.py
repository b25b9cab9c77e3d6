"""Both simulators on sockets of this process, on a virtual clock, with faults that hit the requests of one step alone.

The runbooks, activities and adapters are the real ones. What is virtual is time: nothing waits but for sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import SecretStr

from local.sandbox.azure_devops.app import build_azure_devops
from local.sandbox.fault_rule import FaultRule
from local.sandbox.faults import FaultRules
from local.sandbox.github.app import build_github
from local.sandbox.hooks import HookSender
from local.sandbox.seed import apply_seed
from local.sandbox.state import State
from shared.adapters import looks
from shared.adapters.azure_devops import AzureDevOpsForge
from shared.adapters.azure_devops import PersonalAccessToken as AzureDevOpsToken
from shared.adapters.azure_devops.limits import pace_of as azure_pace_of
from shared.adapters.github import GitHubForge
from shared.adapters.github import PersonalAccessToken as GitHubToken
from shared.adapters.github.limits import pace_of as github_pace_of
from shared.adapters.pacing import Call, Costs, Pace, Pacing
from shared.domain.forge import ForgeName
from shared.projects.ports import ConnectedForges
from tests.integration.adapters.serving import served

SCOPES = ["repo", "workflow", "admin:repo_hook", "read:org", "delete_repo"]
PEOPLE = ("casey", "robin")
SEED: dict[str, Any] = {
    "github": {
        # All cases of a session share one credential; an hour of GitHub's would not last for them.
        "calls_an_hour": 1_000_000,
        "users": [{"login": name, "token": f"{name}-token", "scopes": SCOPES} for name in PEOPLE],
        "organizations": [
            {
                "login": "acme",
                "plan": "enterprise",
                "members": dict.fromkeys(PEOPLE, "admin"),
                "teams": [{"slug": "leads", "members": ["casey"]}],
                "repositories": [
                    {"name": "requests", "private": True, "labels": ["new-project"]},
                    {"name": "theirs", "private": True},
                ],
            }
        ],
    },
    "azure_devops": {
        "organizations": [
            {
                "name": "acme",
                "users": [
                    {
                        "name": name,
                        "mail": f"{name}@acme.example",
                        "token": f"{name}-token",
                        "permissions": ["collection_administrator"],
                    }
                    for name in PEOPLE
                ],
                "projects": [{"name": "Theirs", "process": "Agile", "description": "Somebody else's"}],
            }
        ]
    },
}
TOKEN = SecretStr(f"{PEOPLE[0]}-token")
REAL_SECONDS = 1
"""How long a client waits for an answer, of the one clock that sockets know."""


class VirtualClock:
    """Moves when it is told. It begins at the time of day, since the simulators word some answers by that."""

    def __init__(self) -> None:
        self._began = self._now = datetime.now(UTC)

    def now(self) -> datetime:
        """The time."""
        return self._now

    def reach(self, at: datetime) -> None:
        """It is ``at`` now, unless it is later."""
        self._now = max(self._now, at)

    def begin_again(self) -> None:
        """It is as early as it was at first: templates know the year, and a long matrix would reach the next."""
        self._now = self._began


class Killed(BaseException):
    """The process died between the forge's answer and anything it would have done with it."""


@dataclass(frozen=True)
class Sent:
    """One request as a forge saw it, and what was at work meanwhile."""

    work: str
    forge: ForgeName
    method: str
    path: str


class AimedFaults(FaultRules):
    """Fault rules that see the requests of one piece of work alone: the tries of a step, or of its reversal."""

    def __init__(self, forge: ForgeName, sandboxes: Sandboxes) -> None:
        super().__init__()
        self._forge = forge
        self._sandboxes = sandboxes
        self.aims: list[tuple[str, FaultRules]] = []

    def aim(self, work: str, *rules: dict[str, Any]) -> FaultRules:
        """Let ``rules`` meet the requests of ``work``."""
        aimed = FaultRules()
        aimed.add(*rules)
        self.aims.append((work, aimed))
        return aimed

    def clear(self) -> None:
        """Let all requests pass from now on; what fired stays counted in what ``aim`` answered."""
        self.aims = []
        super().clear()

    def for_request(self, method: str, path: str) -> list[FaultRule]:
        """Those of the aimed rules that fire on this request; every request is remembered."""
        work = self._sandboxes.work
        self._sandboxes.sent.append(Sent(work, self._forge, method, path))
        hit = super().for_request(method, path)
        for aimed_at, rules in self.aims:
            if aimed_at == work:
                hit += rules.for_request(method, path)
        return hit


class Mortal:
    """Stands where a client has its pace, and kills the process once an answer came that was not to be acted on."""

    def __init__(self, pace: Pace, sandboxes: Sandboxes) -> None:
        self._pace = pace
        self._sandboxes = sandboxes

    @contextmanager
    def call(self, host: str, costs: Costs, resource: str = "core") -> Iterator[Call]:
        """As ``Pace.call``."""
        with self._pace.call(host, costs, resource) as call:
            yield call
        self._sandboxes.live_or_die()

    def batch(self, costs: Costs) -> AbstractContextManager[None]:
        """As ``Pace.batch``."""
        return self._pace.batch(costs)


class Sandboxes:
    """Both forges, and the adapters that reach them as one process would."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.state = State()
        self.work = ""
        """What is at work: a step's id, or ``reverse `` and its id; empty between activities."""
        self.sent: list[Sent] = []
        self.deaths: dict[str, int] = {}
        """By work: the number of the request after whose answer the process dies, once."""
        self.faults = {name: AimedFaults(name, self) for name in ForgeName}
        self.urls: dict[ForgeName, str] = {}
        self.reset()

    def reset(self) -> None:
        """The forges as they were at first, with nothing remembered."""
        self.clock.begin_again()
        self.state.data.clear()
        apply_seed(self.state, SEED)
        self.sent = []
        self.deaths = {}
        self.work = ""
        for faults in self.faults.values():
            faults.clear()
        if self.urls:
            self.restart()

    def restart(self) -> None:
        """Reach the forges as a fresh process does: new clients, new budgets and circuits, nothing kept."""
        pacing = Pacing(self.clock)
        github, azure = self.urls[ForgeName.GITHUB], self.urls[ForgeName.AZURE_DEVOPS]
        github_pace: Any = Mortal(github_pace_of(pacing, github, "tests"), self)
        azure_pace: Any = Mortal(azure_pace_of(pacing, f"{azure}/acme", "tests"), self)
        on_github = GitHubForge(
            GitHubToken(token=TOKEN),
            clock=self.clock,
            base_url=github,
            web_url=github,
            timeout=REAL_SECONDS,
            pace=github_pace,
        )
        on_azure = AzureDevOpsForge(
            f"{azure}/acme",
            AzureDevOpsToken(token=TOKEN),
            clock=self.clock,
            timeout=REAL_SECONDS,
            pace=azure_pace,
        )
        self.connected = ConnectedForges(
            forges={ForgeName.GITHUB: on_github, ForgeName.AZURE_DEVOPS: on_azure},
            issues=on_github,
            tracker=on_azure,
            settings=on_github,
        )

    def connect(self) -> ConnectedForges:
        """The forges, as the composition root hands them to a use case."""
        looks.begin()
        return self.connected

    def live_or_die(self) -> None:
        """Raises ``Killed`` when the work has now had the answer that it dies after."""
        last = self.deaths.get(self.work)
        if last is not None and sum(sent.work == self.work for sent in self.sent) > last:
            del self.deaths[self.work]
            raise Killed

    def open_issue(self) -> int:
        """The number of a new issue of the first of the people."""
        answer = httpx.post(
            f"{self.urls[ForgeName.GITHUB]}/repos/acme/requests/issues",
            json={"title": "New project", "labels": ["new-project"]},
            headers={"Authorization": f"token {TOKEN.get_secret_value()}"},
            timeout=30,
        )
        assert answer.status_code == 201, answer.text
        number: int = answer.json()["number"]
        return number


def _deaf() -> httpx.AsyncClient:
    """Takes every webhook, and brings it nowhere."""
    return httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(202)))


@contextmanager
def both_forges(*, project_seconds: tuple[float, float] = (2.0, 4.0)) -> Iterator[Sandboxes]:
    """Serve both; creating an Azure DevOps project takes ``project_seconds`` of the virtual clock."""
    made = Sandboxes()
    github, azure = (made.faults[name] for name in (ForgeName.GITHUB, ForgeName.AZURE_DEVOPS))

    def on_github(url: str) -> Any:
        return build_github(made.state, base_url=url, faults=github, hook_client=_deaf())

    def on_azure(url: str) -> Any:
        return build_azure_devops(
            made.state,
            base_url=url,
            faults=azure,
            clock=made.clock.now,
            sender=HookSender(made.state, azure, _deaf()),
            min_project_seconds=project_seconds[0],
            max_project_seconds=project_seconds[1],
        )

    with _served(on_github) as github_url, _served(on_azure) as azure_url:
        made.urls = {ForgeName.GITHUB: github_url, ForgeName.AZURE_DEVOPS: azure_url}
        made.restart()
        yield made


@contextmanager
def _served(build: Callable[[str], Any]) -> Iterator[str]:
    with served(build) as (url, _):
        yield url

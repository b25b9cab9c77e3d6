"""A stack with one project on both forges, pull requests opened in it, and reviews waited for; nothing here measures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from bench.pull_events import opened
from bench.result import BenchError
from local.stack import Configuration, Ports, Ready, Stack
from local.story.changes import AzureTeam, GitHubTeam, Opened, Team
from shared.domain.change import ChangeRef
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.project import slug_of
from shared.reviews.recording import review_id

NAME = "Review Desk"
PROJECT = slug_of(NAME)
PATIENCE = 120.0
LOOK = 0.02
_FOREVER = 1_000_000
_CHANGED = 10
"""Files of the scaffold that a large change touches; all others are new."""


class Seen(NamedTuple):
    """One request that a simulator answered."""

    method: str
    path: str
    seconds: float


class World:
    """What the rows about reviews do and see."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.ready: Ready = stack.ready()
        self.api = httpx.Client(
            base_url=self.ready.host,
            headers={"x-functions-key": self.ready.function_key, "accept": "application/json"},
            timeout=PATIENCE,
        )
        self.urls: Mapping[ForgeName, str] = {
            ForgeName.GITHUB: self.ready.github,
            ForgeName.AZURE_DEVOPS: self.ready.azure_devops,
        }
        self._make_project()
        self.teams: Mapping[ForgeName, Team] = {
            ForgeName.GITHUB: GitHubTeam(self.ready, PROJECT),
            ForgeName.AZURE_DEVOPS: AzureTeam(self.ready, NAME),
        }

    def _make_project(self) -> None:
        request = {"connection": self.ready.connection, "name": NAME, "owner": "casey", "stack": "fastapi"}
        answer = self.api.post("/api/projects", json=request)
        if answer.status_code != 202:
            raise BenchError(f"{NAME} was not taken: {answer.status_code} {answer.text[:300]}")

        def ended() -> dict[str, Any] | None:
            found = self.api.get(f"/api/projects/{PROJECT}")
            view: dict[str, Any] = found.json() if found.status_code == 200 else {"state": "running"}
            return None if view["state"] == "running" else view

        view = until(f"{NAME} to be made", ended)
        if view["state"] != "completed":
            raise BenchError(f"{NAME} ended {view['state']}: {str(view)[:1000]}")

    def silence(self) -> None:
        """From here on the forges tell nobody what happens, so that a review begins only when it is asked for."""
        for url in self.urls.values():
            self._fault(url, kind="webhook_dropped", count=_FOREVER)

    @contextmanager
    def slower(self, seconds: float) -> Iterator[None]:
        """Within, each call to either forge takes that much longer."""
        for url in self.urls.values():
            self._fault(url, kind="latency", seconds=seconds, count=_FOREVER)
        try:
            yield
        finally:
            for url in self.urls.values():
                httpx.delete(f"{url}/_faults", timeout=30).raise_for_status()
            self.silence()

    def _fault(self, url: str, **rule: Any) -> None:
        httpx.post(f"{url}/_faults", json=rule, timeout=30).raise_for_status()

    def forget(self, forge: ForgeName) -> None:
        """Let the simulator forget what it was asked so far."""
        httpx.delete(f"{self.urls[forge]}/_requests", timeout=30).raise_for_status()

    def requests(self, forge: ForgeName) -> list[Seen]:
        """What the simulator was asked since then, in the order of arrival."""
        found = httpx.get(f"{self.urls[forge]}/_requests", timeout=30).raise_for_status().json()
        return [Seen(one["method"], one["path"], (one["ms"] or 0.0) / 1000) for one in found]

    def open_large(self, forge: ForgeName, name: str, files: int) -> Opened:
        """A pull request of that many files: some of the scaffold's changed, all others new."""
        team = self.teams[forge]
        item = team.item(f"Prices of {name}", "Prices are told in cents.\n\n## Acceptance criteria\n\n- In cents\n")
        changed = {path: team.text(path) + f"\n<!-- {name} -->\n" for path in self._scaffolded()[:_CHANGED]}
        made = changed | {f"src/prices/{name}/{path}": text for path, text in new_files(files - len(changed)).items()}
        return team.open(
            f"feature/{item}-{name}",
            made,
            f"feat: prices of {name} (#{item})",
            title=f"feat: prices of {name}",
            body="## What changes, and why\n\nPrices are told in cents.\n",
            item=item,
        )

    def _scaffolded(self) -> list[str]:
        """Prose of the scaffold, which takes another line wherever it is put."""
        token = self.ready.github_tokens["mona"]
        tree = httpx.get(
            f"{self.ready.github}/repos/acme/{PROJECT}/git/trees/main",
            params={"recursive": "1"},
            headers={"Authorization": f"token {token}"},
            timeout=30,
        ).raise_for_status()
        return sorted(
            one["path"]
            for one in tree.json()["tree"]
            if one["type"] == "blob" and one["path"].endswith(".md") and not one["path"].startswith(".")
        )

    def ref(self, forge: ForgeName, number: int) -> ChangeRef:
        """A pull request of the project."""
        owner, name = ("acme", PROJECT) if forge is ForgeName.GITHUB else (NAME, NAME)
        return ChangeRef(forge=forge, repository=RepositoryRef(owner=owner, name=name), number=number)

    def tell(self, forge: ForgeName, change: Opened) -> str:
        """Let the forge tell that it was opened, which begins a review; the review's id."""
        ref = self.ref(forge, change.number)
        event = opened(self.ready, ref, change.head)
        answer = self.api.post(event.url, content=event.body, headers=event.headers)
        if answer.status_code != 202:
            raise BenchError(f"the event of {ref.key} was not taken: {answer.status_code} {answer.text[:300]}")
        return review_id(ref, change.head)

    def verdict(self, review: str) -> dict[str, Any]:
        """The review's record once its run has ended.

        Raises:
            BenchError: it ended otherwise than with a verdict.
        """

        def ended() -> dict[str, Any] | None:
            answer = self.api.get(f"/api/reviews/{review}")
            if answer.status_code == 404:
                return None  # the event still waits on its queue
            record: dict[str, Any] = answer.json()["record"]
            return None if record["state"] == "running" else record

        record = until(f"review {review} to end", ended)
        if record["state"] != "completed" or not record["ruling"]:
            raise BenchError(f"review {review} ended {record['state']}: {record['reason']}")
        return record


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """The stack with the project, for as long as is measured."""
    configuration = Configuration(
        ports=Ports.free(),
        state=folder / "state",
        project_seconds=(0.0, 0.0),
        github_calls_an_hour=_FOREVER,
        settings={"DONERIGHT_SWEEP_SCHEDULE": "0 0 0 1 1 *"},
    )
    with Stack(configuration) as stack:
        found = World(stack)
        try:
            yield found
        finally:
            found.api.close()


def until[F](what: str, look: Callable[[], F | None], seconds: float = PATIENCE) -> F:
    """What ``look`` finds, as soon as it finds something. Raises ``BenchError`` when that takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(LOOK)
    raise BenchError(f"waited {seconds:.0f} s for {what}")


def new_files(count: int) -> dict[str, str]:
    """Files as a feature brings them: of ten, seven modules, two of tests and one of prose."""
    return dict(_new_file(number) for number in range(count))


def _new_file(number: int) -> tuple[str, str]:
    match number % 10:
        case 0:
            return f"docs/price_{number}.md", f"# Price {number}\n\n" + "It is told in cents, rounded down.\n" * 12
        case 1 | 2:
            cases = "\n\n".join(
                f"def test_price_{case}():\n    assert price_{case}({case}, 10) == {case * 9 // 10}"
                for case in range(6)
            )
            return f"tests/test_price_{number}.py", f'"""Prices are whole cents."""\n\n\n{cases}\n'
    functions = "\n\n\n".join(
        f"def price_{case}(cents: int, percent: int) -> int:\n"
        f'    """What is left of ``cents`` after ``percent`` off."""\n'
        f"    if not 0 <= percent <= 100:\n"
        f'        raise ValueError(f"{{percent}} is no percentage")\n'
        f"    return cents - cents * percent // 100"
        for case in range(6)
    )
    return f"module_{number}.py", f'"""Prices in whole cents."""\n\n\n{functions}\n'

"""The stage of the story: the people, the forges as they see them, and what the acts tell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import httpx
from rich.console import Console

from local.stack import Ready
from local.stack.seed import REQUESTS

PATIENCE = 60.0


class StoryError(Exception):
    """A step of the story did not come true; the message says which, the remedy what to do."""

    def __init__(self, step: str, what: str, remedy: str) -> None:
        super().__init__(what)
        self.step = step
        self.remedy = remedy


class Stage:
    """Where the acts are played; each is checked against what the forges themselves say."""

    def __init__(self, ready: Ready, console: Console) -> None:
        self.ready = ready
        self.console = console
        self._act = ""
        self.api = httpx.Client(base_url=ready.host, headers={"x-functions-key": ready.function_key}, timeout=30)
        self.facts: list[tuple[str, str]] = []

    def close(self) -> None:
        """Close the connections."""
        self.api.close()

    @contextmanager
    def act(self, title: str) -> Iterator[None]:
        """One act of the story, told when it begins and timed when it ends."""
        self._act = title
        started = time.monotonic()
        self.console.print(f"[bold]▸ {title}[/bold]")
        yield
        self.console.print(f"  [green]✔[/green] [dim]{time.monotonic() - started:.1f} s[/dim]")

    def fail(self, what: str, remedy: str = "") -> NoReturn:
        """End the story here."""
        raise StoryError(self._act, what, remedy or f"The logs in {self.ready.logs} say more.")

    def until(self, what: str, look: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """What ``look`` finds, as soon as it finds something."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            time.sleep(0.1)
        return self.fail(f"{what} did not happen within {seconds:.0f} s")

    def say(self, text: str) -> None:
        """One fact, on a line of its own."""
        self.console.print(f"    {text}", highlight=False)

    def github(self, login: str) -> httpx.Client:
        """GitHub, as ``login`` sees it."""
        token = self.ready.github_tokens[login]
        return httpx.Client(base_url=self.ready.github, headers={"Authorization": f"token {token}"}, timeout=30)

    def get(self, path: str) -> dict[str, Any]:
        """JSON of our own API."""
        answer = self.api.get(path, headers={"accept": "application/json"})
        if answer.status_code != 200:
            self.fail(f"GET {path} answered {answer.status_code}: {answer.text[:300]}")
        found: dict[str, Any] = answer.json()
        return found

    def open_issue(self, login: str, title: str, body: str) -> int:
        """The number of a new issue labelled as a request."""
        with self.github(login) as github:
            answer = github.post(
                f"/repos/{REQUESTS}/issues", json={"title": title, "body": body, "labels": ["new-project"]}
            )
            if answer.status_code != 201:
                self.fail(f"GitHub did not take the issue: {answer.status_code} {answer.text[:300]}")
            number: int = answer.json()["number"]
            return number

    def answers(self, number: int) -> list[str]:
        """What Doneright wrote on an issue."""
        with self.github("mona") as github:
            comments = github.get(f"/repos/{REQUESTS}/issues/{number}/comments").json()
        return [c["body"] for c in comments if c["user"]["login"].startswith("doneright")]

    def answer(self, number: int, words: str) -> str:
        """The answer on an issue that holds ``words``, as soon as it is there."""
        found: str = self.until(
            f"the answer that says “{words}”",
            lambda: next((body for body in self.answers(number) if words in body), None),
        )
        return found

    def comment(self, login: str, number: int, body: str) -> None:
        """Say something on an issue."""
        with self.github(login) as github:
            said = github.post(f"/repos/{REQUESTS}/issues/{number}/comments", json={"body": body})
            if said.status_code != 201:
                self.fail(f"GitHub did not take {login}'s comment: {said.status_code} {said.text[:300]}")

    def calls(self) -> tuple[list[str], int]:
        """(writes, number of reads) the forges have seen since they were last asked to forget."""
        writes, reads = [], 0
        for base in (self.ready.github, self.ready.azure_devops):
            for request in httpx.get(f"{base}/_requests").json():
                # Queries are posts on Azure DevOps, and OPTIONS is how its clients learn the addresses.
                asking = request["method"] in {"GET", "HEAD", "OPTIONS"} or "wiql" in request["path"].lower()
                if asking or "workitemsbatch" in request["path"].lower():
                    reads += 1
                else:
                    writes.append(f"{request['method']} {request['path']}")
        return writes, reads

"""`make demo`: plays the story on a fresh stack, from a signed issue webhook to two forges and a proven record."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import httpx
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from local.stack import Configuration, Ports, PortTakenError, Ready, Stack, StackError
from local.stack.configuration import STATE
from local.stack.seed import REQUESTS

PROJECT = "Payments API"
PROJECT_ID = "payments-api"
PATIENCE = 60.0

COMPLETE = f"""### Project name

{PROJECT}

### Description

Takes card payments for the shop.

### Owner

casey

### Process

Scrum

### Stack

FastAPI

### Visibility

Private

### Repositories on

Azure DevOps and GitHub

### Minimum reviewers

2

### Backlog seeds

- Take a card payment
- Refund a payment
"""
INCOMPLETE = COMPLETE.replace("\ncasey\n", "\n_No response_\n").replace(PROJECT, "Payments/API")

LOOKS = {
    "pending": ("·", "dim"),
    "running": ("▶", "cyan"),
    "waiting": ("…", "yellow"),
    "applied": ("✔", "green"),
    "confirmed": ("✔", "green"),
    "unsupported": ("-", "dim"),
    "failed": ("✘", "bold red"),
    "skipped": ("»", "dim"),
}


class StoryError(Exception):
    """A step of the story did not come true; the message says which, the remedy what to do."""

    def __init__(self, step: str, what: str, remedy: str) -> None:
        super().__init__(what)
        self.step = step
        self.remedy = remedy


class Story:
    """The acts, each checked against what the forges themselves say."""

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

    def check_connection(self) -> None:
        """Act 1."""
        with self.act("The connection is checked, permission by permission"):
            check = self.get(f"/api/connections/{self.ready.connection}/check")
            for forge in check["forges"]:
                if not forge["reachable"]:
                    self.fail(f"{forge['forge']}: {forge['reason']}", forge["remedy"])
                missing = [p for p in forge["permissions"] if p["present"] is False]
                have = sum(p["present"] is True for p in forge["permissions"])
                self.say(f"{forge['forge']}: {have} of {len(forge['permissions'])} permissions present")
                for permission in missing:
                    self.say(f"[yellow]missing: {permission['permission']}[/yellow] — {permission['remedy']}")

    def refuse_stranger(self) -> None:
        """Act 2."""
        with self.act("A stranger asks for a project and is refused politely"):
            number = self.open_issue("stranger", "Please make me a project", COMPLETE.replace(PROJECT, "Not Mine"))
            answer = self.until("the refusal", lambda: self.answers(number))[0]
            if "not on the list" not in answer:
                self.fail(f"the stranger was answered: {answer[:200]}")
            self.say("“" + next(line for line in answer.splitlines() if line.startswith("Nothing")) + "”")

    def answer_incomplete(self) -> int:
        """Act 3."""
        with self.act("Casey asks, with two fields wrong, and is told which"):
            number = self.open_issue("casey", f"New project: {PROJECT}", INCOMPLETE)
            answer = self.until("the answer", lambda: self.answers(number))[0]
            rows = [line for line in answer.splitlines() if line.startswith("| ") and "What is wrong" not in line]
            if len(rows) != 2:
                self.fail(f"two fields were wrong, {len(rows)} were named: {answer[:400]}")
            for row in rows:
                field, problem, example = (cell.strip().replace("\\", "") for cell in row.strip("|").split("|"))
                self.say(f"{field}: {problem} [dim](for example {example})[/dim]")
        return number

    def create(self, number: int) -> dict[str, Any]:
        """Act 4."""
        with self.act("Casey edits the issue; the project is made on both forges at once"):
            with self.github("casey") as github:
                github.patch(f"/repos/{REQUESTS}/issues/{number}", json={"body": COMPLETE}).raise_for_status()
            view = self.watch()
            self.until("the last answer", lambda: any("is ready" in a for a in self.answers(number)))
            self.facts.append(("Issue", f"{self.ready.github}/{REQUESTS}/issues/{number}"))
        return view

    def watch(self) -> dict[str, Any]:
        """The project once it has ended, drawn while it has not."""
        deadline = time.monotonic() + PATIENCE
        with Live(console=self.console, refresh_per_second=8, transient=False) as live:
            while time.monotonic() < deadline:
                answer = self.api.get(f"/api/projects/{PROJECT_ID}", headers={"accept": "application/json"})
                if answer.status_code == 200:
                    view: dict[str, Any] = answer.json()
                    live.update(drawn(view))
                    if view["state"] != "running":
                        break
                time.sleep(0.1)
            else:
                self.fail(f"the project was not done within {PATIENCE:.0f} s")
        if view["state"] != "completed":
            lost = [step for step in view["steps"] if step["state"] == "failed"]
            reason = "; ".join(f"{step['title']}: {step['reason']}" for step in lost) or view["reason"]
            self.fail(reason, " ".join(step["remedy"] for step in lost))
        return view

    def run_again(self, request: dict[str, Any]) -> None:
        """Act 5."""
        with self.act("The same request again changes nothing"):
            for base in (self.ready.github, self.ready.azure_devops):
                httpx.delete(f"{base}/_requests").raise_for_status()
            answer = self.api.post("/api/projects", json=request | {"connection": self.ready.connection})
            if answer.status_code != 202:
                self.fail(f"POST /api/projects answered {answer.status_code}: {answer.text[:300]}")
            instance = answer.json()["instance"]
            self.until(
                "the second run",
                lambda: (
                    (v := self.get(f"/api/projects/{PROJECT_ID}"))["instance"] == instance and v["state"] != "running"
                ),
            )
            view = self.get(f"/api/projects/{PROJECT_ID}")
            states = {step["state"] for step in view["steps"]}
            if view["state"] != "completed" or states - {"confirmed", "unsupported"}:
                self.fail(f"the second run ended {view['state']} with steps {sorted(states)}")
            writes, reads = self.calls()
            if writes:
                self.fail(f"the second run wrote: {writes[:3]}")
            self.say(f"{len(view['steps'])} steps confirmed with {reads} reads and no write on either forge")

    def heal(self) -> None:
        """Act 6."""
        with self.act("Mona removes the webhook; the drift is found and healed"):
            hooks = f"/repos/acme/{PROJECT_ID}/hooks"
            with self.github("mona") as github:
                for hook in github.get(hooks).json():
                    github.delete(f"{hooks}/{hook['id']}").raise_for_status()
            found = self.api.post(f"/api/projects/{PROJECT_ID}/reconcile?dry_run=true")
            if found.status_code != 200:
                self.fail(f"the look for drift answered {found.status_code}: {found.text[:300]}")
            drifted = [s for s in found.json()["steps"] if s["change"] not in {"none", "not_supported"}]
            if [step["id"] for step in drifted] != ["github.hook"]:
                self.fail(f"one step had drifted, these were found: {[step['id'] for step in drifted]}")
            self.say(f"drifted: {drifted[0]['title']}; it would {drifted[0]['first_call'].replace('_', ' ')}")
            healed = self.api.post(f"/api/projects/{PROJECT_ID}/reconcile")
            instance = healed.json()["instance"]
            self.until(
                "the reconciliation",
                lambda: (
                    (v := self.get(f"/api/projects/{PROJECT_ID}"))["instance"] == instance and v["state"] != "running"
                ),
            )
            with self.github("mona") as github:
                back = len(github.get(hooks).json())
            if back != 1:
                self.fail(f"there are {back} webhooks after the reconciliation")
            self.say("reconciled: the webhook is back")

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

    def prove(self) -> dict[str, Any]:
        """Act 7."""
        with self.act("The record is proven"):
            proof = self.get(f"/api/audit/{PROJECT_ID}/verify")
            if not proof["ok"]:
                self.fail(f"the record does not verify: {proof['first_fault']}")
            self.say(f"{proof['size']} events verified; Merkle root [bold]{proof['root'][:16]}…[/bold]")
        return proof

    def summary(self, view: dict[str, Any], proof: dict[str, Any]) -> None:
        """Say what there is now, with links that stay whole however narrow the window is."""
        unsupported = sum(step["state"] == "unsupported" for step in view["steps"])
        beside = f", {unsupported} not supported" if unsupported else ""
        rows = [
            *self.facts,
            ("GitHub repository", view["links"].get("github", "")),
            ("Azure DevOps project", view["links"].get("azure_devops", "")),
            ("Status page", view["view_url"]),
            ("Steps", f"{view['done'] - unsupported} of {view['total']}, each read back{beside}"),
            ("Record", f"{proof['size']} events, verified"),
            ("Log root", proof["root"]),
        ]
        self.console.rule(f"[bold]{PROJECT} is there, and on record", align="left")
        for name, value in rows:
            self.console.print(f"[bold]{name:<21}[/bold] {value}", soft_wrap=True, highlight=False)


def drawn(view: dict[str, Any]) -> Group:
    """The steps of a project as they stand."""
    bar = Progress(TextColumn("    {task.completed:.0f} of {task.total:.0f}"), BarColumn(40), transient=True)
    bar.add_task("", total=view["total"] or 1, completed=view["done"])
    table = Table(box=None, padding=(0, 1, 0, 4), show_header=False)
    for step in view["steps"]:
        sign, style = LOOKS[step["state"]]
        seconds = f"{step['seconds']:.1f} s" if step["seconds"] is not None else ""
        forge = "Azure DevOps" if step["forge"] == "azure_devops" else "GitHub"
        table.add_row(Text(f"{sign} {step['title']}", style), forge, seconds, Text(step["state"], style))
    return Group(table, bar)


def play(console: Console, stack: Stack) -> int:
    """Start the stack and play every act."""
    started = time.monotonic()
    with Progress(
        TextColumn("[bold]▸ Starting the {task.description}[/bold]"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task("stack")
        ready = stack.start(lambda part: progress.update(task, description=part))
    console.print(f"[bold]▸ The stack is up[/bold] [dim]{time.monotonic() - started:.1f} s[/dim]")
    story = Story(ready, console)
    try:
        story.check_connection()
        story.refuse_stranger()
        number = story.answer_incomplete()
        view = story.create(number)
        story.run_again(view["request"])
        story.heal()
        proof = story.prove()
    finally:
        story.close()
    story.summary(view, proof)
    console.print(f"[dim]The whole story took {time.monotonic() - started:.1f} s.[/dim]")
    return 0


def main(arguments: list[str]) -> int:
    """0 when every act came true, 1 when one did not, 2 when the stack did not start."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--stay", action="store_true", help="keep the stack up afterwards, until Ctrl-C")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    console = Console()
    state = STATE / "demo"
    shutil.rmtree(state, ignore_errors=True)
    try:
        with_stack = Stack(Configuration(ports=Ports.free(), state=state, project_seconds=(2.0, 3.0)))
    except PortTakenError as error:
        console.print(f"[bold red]✘[/bold red] {error}")
        return 2
    try:
        code = play(console, with_stack)
        if options.stay:
            console.print("The links stay up until Ctrl-C.")
            signal.pause()
        else:
            console.print(
                "[dim]`make demo STAY=1` keeps the pages up to look around; `make serve` starts afresh.[/dim]"
            )
        return code
    except StackError as error:
        console.print(f"[bold red]✘ The stack did not start[/bold red]\n{error}", highlight=False)
        return 2
    except StoryError as error:
        console.print(
            f"[bold red]✘ {error.step}[/bold red]\n  what: {error}\n  remedy: {error.remedy}", highlight=False
        )
        return 1
    except httpx.HTTPError as error:
        console.print(f"[bold red]✘ A part of the stack stopped answering:[/bold red] {error!r}", highlight=False)
        return 1
    except KeyboardInterrupt:
        return 0 if options.stay else 130
    finally:
        with_stack.stop()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

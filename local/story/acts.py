"""The acts of the story, in their order, each checked against what the forges themselves say."""

from __future__ import annotations

import time
from typing import Any

import httpx
from rich.live import Live

from local.stack.seed import REQUESTS
from local.story.drawing import drawn
from local.story.request import COMPLETE, INCOMPLETE, PROJECT, PROJECT_ID
from local.story.reviewing import ReviewActs
from local.story.stage import PATIENCE


class Story(ReviewActs):
    """What happens, act by act."""

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

    def create(self, number: int) -> None:
        """Act 4."""
        with self.act("Casey edits the issue; both forges are at work at once, and one step fails"):
            with self.github("mona") as github:
                taken = {"name": PROJECT_ID, "description": "Mona's own experiment"}
                github.post("/orgs/acme/repos", json=taken).raise_for_status()
            self.say(f"Mona has a repository {PROJECT_ID} of her own; it must not be touched")
            with self.github("casey") as github:
                github.patch(f"/repos/{REQUESTS}/issues/{number}", json={"body": COMPLETE}).raise_for_status()
            view = self.watch()
            failed = [step["id"] for step in view["steps"] if step["state"] == "failed"]
            if (view["state"], failed) != ("awaiting_decision", ["github.repository"]):
                self.fail(f"the project stands at {view['state']} and these steps failed: {failed}")
            question = self.answer(number, "cannot be completed as it stands")
            self.say("“" + question.splitlines()[1].replace("**", "") + "”")

    def recover(self, number: int) -> dict[str, Any]:
        """Act 5."""
        with self.act("Mona renames hers; Casey comments /doneright retry, and the run goes on where it stopped"):
            with self.github("mona") as github:
                github.patch(f"/repos/acme/{PROJECT_ID}", json={"name": "monas-experiment"}).raise_for_status()
            self.comment("casey", number, "Mona made room.\n\n/doneright retry")
            self.answer(number, "Decided: Doneright will")
            view = self.watch()
            if view["state"] != "completed":
                lost = [step for step in view["steps"] if step["state"] == "failed"]
                reason = "; ".join(f"{step['title']}: {step['reason']}" for step in lost) or view["reason"]
                self.fail(reason, " ".join(step["remedy"] for step in lost))
            self.answer(number, "is ready")
            self.facts.append(("Issue", f"{self.ready.github}/{REQUESTS}/issues/{number}"))
        return view

    def watch(self) -> dict[str, Any]:
        """The project once it has ended or waits for people, drawn while it is under way."""
        deadline = time.monotonic() + PATIENCE
        # A terminal gets a line break from the live picture itself.
        end = "" if self.console.is_terminal else "\n"
        with Live(console=self.console, refresh_per_second=8, transient=False) as live:
            while time.monotonic() < deadline:
                answer = self.api.get(f"/api/projects/{PROJECT_ID}", headers={"accept": "application/json"})
                if answer.status_code == 200:
                    view: dict[str, Any] = answer.json()
                    live.update(drawn(view))
                    if view["state"] != "running" and not self.decided(view):
                        break
                time.sleep(0.1)
            else:
                self.fail(f"the project was not done within {PATIENCE:.0f} s")
        self.console.print(end, end="")
        return view

    def decided(self, view: dict[str, Any]) -> bool:
        """Whether the run was decided about and has not gone on yet."""
        question = view["question"] or {}
        return view["state"] == "awaiting_decision" and question.get("decision") is not None

    def run_again(self, request: dict[str, Any]) -> None:
        """Act 6."""
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
        """Act 7."""
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

    def prove(self) -> dict[str, Any]:
        """Act 8."""
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

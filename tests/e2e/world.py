"""What users of a running stack do and see: issues, webhooks, the API, and the forges' own state."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from local.stack import Ready, Stack
from local.stack.seed import REQUESTS

PATIENCE = 90.0


def form(name: str, **answers: str) -> str:
    """A request as GitHub renders the issue form; an empty answer is left out as GitHub leaves it out."""
    fields = {
        "Project name": name,
        "Description": "Made by a test.",
        "Owner": "casey",
        "Process": "Agile",
        "Stack": "FastAPI",
        "Visibility": "Private",
        "Repositories on": "Azure DevOps and GitHub",
        "Minimum reviewers": "1",
        "Backlog seeds": "",
    } | {label.replace("_", " "): text for label, text in answers.items()}
    return "\n\n".join(f"### {label}\n\n{text or '_No response_'}" for label, text in fields.items())


class World:
    """Everything a test does goes through here, over real sockets."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.ready: Ready = stack.ready()
        self.api = httpx.Client(
            base_url=self.ready.host, headers={"x-functions-key": self.ready.function_key}, timeout=60
        )
        self._github = {
            login: httpx.Client(base_url=self.ready.github, headers={"Authorization": f"token {token}"}, timeout=60)
            for login, token in self.ready.github_tokens.items()
        }
        self.azure = httpx.Client(
            base_url=f"{self.ready.azure_devops}/acme",
            auth=("", self.ready.azure_devops_token),
            params={"api-version": "7.1"},
            timeout=60,
        )

    def close(self) -> None:
        """Close every connection."""
        for client in (self.api, self.azure, *self._github.values()):
            client.close()

    # the sandbox

    def forget(self) -> None:
        """Make both sandboxes forget requests, faults and violations seen so far."""
        for base in (self.ready.github, self.ready.azure_devops):
            for path in ("/_requests", "/_violations", "/_faults"):
                httpx.delete(base + path, timeout=30)

    def assert_contracts_kept(self) -> None:
        """No call of the product was unknown to the official contracts."""
        for base in (self.ready.github, self.ready.azure_devops):
            violations = httpx.get(f"{base}/_violations", timeout=30).json()
            assert violations == [], json.dumps(violations, indent=1)[:3000]

    def fault(self, forge: str, **rule: Any) -> None:
        """Switch a fault on at one forge."""
        base = self.ready.github if forge == "github" else self.ready.azure_devops
        answer = httpx.post(f"{base}/_faults", json=rule, timeout=30)
        assert answer.status_code < 300, answer.text

    def requests(self, forge: str) -> list[dict[str, Any]]:
        """The calls a forge has seen since ``forget``."""
        base = self.ready.github if forge == "github" else self.ready.azure_devops
        seen: list[dict[str, Any]] = httpx.get(f"{base}/_requests", timeout=30).json()
        return seen

    # people

    def github(self, login: str) -> httpx.Client:
        """GitHub as ``login`` sees it."""
        return self._github[login]

    def open_issue(
        self, login: str, body: str, title: str = "New project", labels: tuple[str, ...] = ("new-project",)
    ) -> int:
        """The number of a new issue."""
        answer = self.github(login).post(
            f"/repos/{REQUESTS}/issues", json={"title": title, "body": body, "labels": list(labels)}
        )
        assert answer.status_code == 201, answer.text
        number: int = answer.json()["number"]
        return number

    def answers(self, number: int) -> list[str]:
        """What Doneright wrote on an issue."""
        comments = self.github("mona").get(f"/repos/{REQUESTS}/issues/{number}/comments").json()
        return [comment["body"] for comment in comments if comment["user"]["login"] == "doneright"]

    def until[R](self, what: str, look: Callable[[], R], seconds: float = PATIENCE) -> R:
        """What ``look`` finds, as soon as it is something."""
        deadline = time.monotonic() + seconds
        while True:
            found = look()
            if found:
                return found
            assert time.monotonic() < deadline, f"{what} did not happen within {seconds:.0f} s; logs: {self.ready.logs}"
            time.sleep(0.1)

    # the product

    def project(self, project: str) -> dict[str, Any] | None:
        """The project as scripts see it."""
        try:
            answer = self.api.get(f"/api/projects/{project}", headers={"accept": "application/json"})
        except httpx.TransportError:
            return None  # the host was killed and is coming back
        return answer.json() if answer.status_code == 200 else None

    def ended(self, project: str, seconds: float = PATIENCE, run: int | None = None) -> dict[str, Any]:
        """The project once its run has ended."""

        def look() -> dict[str, Any] | None:
            view = self.project(project)
            over = view is not None and view["state"] != "running" and (run is None or view["run"] == run)
            return view if over else None

        found = self.until(f"the end of {project}", look, seconds)
        assert found is not None
        return found

    def deliver(self, payload: bytes | Mapping[str, Any], event: str, **headers: str) -> httpx.Response:
        """A signed GitHub webhook, as GitHub sends it."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        signature = hmac.digest(self.ready.github_webhook_secret.encode(), body, hashlib.sha256).hex()
        sent = {
            "content-type": "application/json",
            "x-github-event": event,
            "x-github-delivery": str(uuid.uuid4()),
            "x-hub-signature-256": f"sha256={signature}",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.post(f"{self.ready.host}/api/webhooks/github", content=body, headers=sent, timeout=60)

    def delivery(self, ident: str) -> dict[str, Any] | None:
        """A delivery on record."""
        answer = self.api.get(f"/api/deliveries/{quote(ident, safe='')}")
        return answer.json() if answer.status_code == 200 else None

    # what is there in the end

    def state_of(self, name: str, slug: str) -> dict[str, Any]:
        """How many there are of everything a bootstrap makes; each must be exactly one project's worth."""
        github, azure = self.github("mona"), self.azure
        projects = [p for p in azure.get("/_apis/projects").json()["value"] if p["name"] == name]
        quoted = quote(name)
        repositories = azure.get(f"/{quoted}/_apis/git/repositories").json()["value"]
        commits = azure.get(f"/{quoted}/_apis/git/repositories/{quoted}/commits").json()["value"]
        policies = azure.get(f"/{quoted}/_apis/policy/configurations").json()["value"]
        pipelines = azure.get(f"/{quoted}/_apis/build/definitions").json()["value"]
        hooks = [
            s
            for s in azure.get("/_apis/hooks/subscriptions").json()["value"]
            if projects and s["publisherInputs"].get("projectId") == projects[0]["id"]
        ]
        preview = {"api-version": "7.1-preview.1"}
        environments = azure.get(f"/{quoted}/_apis/distributedtask/environments", params=preview).json()["value"]
        groups = azure.get(f"/{quoted}/_apis/distributedtask/variablegroups", params=preview).json()["value"]
        wikis = azure.get(f"/{quoted}/_apis/wiki/wikis").json()["value"]
        pages = [
            page["path"]
            for wiki in wikis
            for page in azure.post(
                f"/{quoted}/_apis/wiki/wikis/{wiki['id']}/pagesBatch", params=preview, json={"top": 100}
            ).json()["value"]
        ]
        found = azure.post(
            f"/{quoted}/_apis/wit/wiql",
            json={"query": "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project"},
        ).json()
        on_github = [r for r in github.get("/orgs/acme/repos?per_page=100").json() if r["name"] == slug]
        labels = github.get(f"/repos/acme/{slug}/labels?per_page=100").json()
        return {
            "projects": len(projects),
            "azure repositories": len(repositories),
            "azure commits": len(commits),
            "policies": sorted(p["type"]["displayName"] for p in policies),
            "pipelines": len(pipelines),
            "subscriptions": sorted(h["eventType"] for h in hooks),
            "work items": len(found.get("workItems", [])),
            "wikis": len(wikis),
            "variable groups": len(groups),
            "wiki pages": sorted(pages),
            "environments": sorted(e["name"] for e in environments),
            "github repositories": len(on_github),
            "github commits": len(github.get(f"/repos/acme/{slug}/commits").json()),
            "protected": github.get(f"/repos/acme/{slug}/branches/main").json().get("protected"),
            "webhooks": len(github.get(f"/repos/acme/{slug}/hooks").json()),
            "labels": sorted(label["name"] for label in labels) if isinstance(labels, list) else labels,
            "topics": github.get(f"/repos/acme/{slug}/topics").json().get("names"),
            "vulnerability alerts": github.get(f"/repos/acme/{slug}/vulnerability-alerts").status_code == 204,
            "github environments": sorted(
                e["name"] for e in github.get(f"/repos/acme/{slug}/environments").json().get("environments", ())
            ),
        }

    def host_errors(self) -> list[str]:
        """Error lines of the host's log."""
        log = (self.stack.configuration.state / "logs" / "host.log").read_text(encoding="utf-8")
        errors = []
        for line in log.splitlines():
            if not line.startswith("{"):
                continue
            entry = json.loads(line)
            if entry["level"] in {"error", "critical"}:
                errors.append(f"{entry['logger']}: {entry['message']} {entry.get('trace', '')[-600:]}")
        return errors

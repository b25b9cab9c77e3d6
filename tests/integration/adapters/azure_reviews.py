"""A repository on the simulator of Azure Repos with people who push, vote, comment and run builds."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from shared.domain.blobs import blob_sha
from shared.domain.change import ChangeRef, Looked
from shared.domain.forge import ForgeName, RepositoryRef
from tests.integration.adapters.azure_sandbox import SEED, sandbox_with_contract

REPOSITORY = RepositoryRef(owner="Shop", name="Shop")
BASE = {"README.md": b"# Shop\n", "src/app.py": b"def one():\n    return 1\n", "old.txt": b"old\n"}
PIPELINE = b"""trigger: none
stages:
- stage: Build
  jobs:
  - job: Compile
    steps: [{script: make}]
- stage: Test
  jobs:
  - job: Unit
    steps: [{script: make test}]
"""


def _seed() -> dict[str, Any]:
    seed: dict[str, Any] = copy.deepcopy(SEED)
    organization = seed["azure_devops"]["organizations"][0]
    for user in organization["users"][1:]:
        user["permissions"] = ["contributor"]
    organization["users"].append(
        {"name": "Rea", "mail": "rea@acme.example", "token": "rea-pat", "permissions": ["reader"]}
    )
    organization["projects"].append({"name": "Store", "process": "Basic"})
    return seed


class Desk:
    """The repository, and what people do in it."""

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        self.forge = sandbox.forge()
        self.http = httpx.Client(base_url=f"{sandbox.url}/acme", timeout=20)
        self.main = self.forge.commit_files(REPOSITORY, "main", {**BASE, "azure-pipelines.yml": PIPELINE}, message="1")
        self.repository_id = self.forge.repository(REPOSITORY).id

    def ask(self, method: str, path: str, body: Any = None, who: str = "ada", **query: Any) -> Any:
        """What the service answers to somebody; fails on a refusal."""
        answer = self.http.request(
            method,
            path,
            json=body,
            auth=("", f"{who}-pat"),
            params={"api-version": "7.1-preview", **query},
            headers={"Content-Type": "application/json-patch+json"} if "/wit/workitems" in path.lower() else None,
        )
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text[:400]}"
        return answer.json() if answer.content else None

    def git(self, method: str, path: str, body: Any = None, who: str = "ada", **query: Any) -> Any:
        return self.ask(method, f"/Shop/_apis/git/repositories/Shop/{path}", body, who, **query)

    def head(self, branch: str) -> str | None:
        return self.sandbox.forge().branch_head(REPOSITORY, branch)

    def push(
        self,
        branch: str,
        changes: dict[str, bytes | tuple[str, bytes | None] | None],
        *,
        message: str = "Work",
        who: str = "ada",
        onto: str = "",
        repository: str = "Shop",
    ) -> str:
        """One commit: bytes add or edit, ``None`` deletes, a pair renames from its first to the key."""
        from base64 import b64encode

        base = f"/Shop/_apis/git/repositories/{repository}"
        refs = self.ask("GET", f"{base}/refs", filter=f"heads/{branch}")["value"]
        tip = next((one["objectId"] for one in refs if one["name"] == f"refs/heads/{branch}"), None)
        start = tip or onto or self.main
        if tip is None:
            update = [{"name": f"refs/heads/{branch}", "oldObjectId": "0" * 40, "newObjectId": start}]
            self.ask("POST", f"{base}/refs", update, who)
        query = {"versionDescriptor.version": start, "versionDescriptor.versionType": "commit"}
        listed = self.ask("GET", f"{base}/items", recursionLevel="full", scopePath="/", **query)["value"]
        there = {item["path"] for item in listed}
        made: list[dict[str, Any]] = []
        for path, change in changes.items():
            content = change[1] if isinstance(change, tuple) else change
            one: dict[str, Any] = {"item": {"path": f"/{path}"}}
            if isinstance(change, tuple):
                one |= {"changeType": "rename", "sourceServerItem": f"/{change[0]}"}
            else:
                one["changeType"] = "delete" if content is None else "edit" if f"/{path}" in there else "add"
            if content is not None:
                one["newContent"] = {"content": b64encode(content).decode(), "contentType": "base64encoded"}
                if isinstance(change, tuple):
                    one["changeType"] = "edit, rename"
            made.append(one)
        body = {
            "refUpdates": [{"name": f"refs/heads/{branch}", "oldObjectId": start}],
            "commits": [{"comment": message, "changes": made}],
        }
        return self.ask("POST", f"{base}/pushes", body, who)["refUpdates"][0]["newObjectId"]

    def force(self, branch: str, to: str) -> None:
        """Let the branch show another commit; the empty text deletes it."""
        update = {"name": f"refs/heads/{branch}", "oldObjectId": self.head(branch), "newObjectId": to or "0" * 40}
        assert self.git("POST", "refs", [update])["value"][0]["success"]

    def open(self, branch: str = "feature/x", target: str = "main", who: str = "ada", **rest: Any) -> ChangeRef:
        body = {
            "sourceRefName": f"refs/heads/{branch}",
            "targetRefName": f"refs/heads/{target}",
            "title": "Sell more",
            "description": "Because it pays",
            **rest,
        }
        number = self.git("POST", "pullRequests", body, who)["pullRequestId"]
        return ref(number)

    def vote(self, change: ChangeRef, vote: int, who: str = "bo") -> None:
        me = self.ask("GET", "/_apis/connectionData", who=who)["authenticatedUser"]["id"]
        self.git("PUT", f"pullRequests/{change.number}/reviewers/{me}", {"vote": vote}, who)

    def comment(self, change: ChangeRef, text: str, who: str = "bo", **rest: Any) -> int:
        body = {"comments": [{"content": text, "commentType": "text"}], **rest}
        return self.git("POST", f"pullRequests/{change.number}/threads", body, who)["id"]

    def threads(self, change: ChangeRef) -> list[dict[str, Any]]:
        """Those that people and we wrote."""
        found = self.git("GET", f"pullRequests/{change.number}/threads")["value"]
        return [one for one in found if not one["isDeleted"] and one["comments"][0]["commentType"] != "system"]

    def item(self, kind: str, title: str, parent: int | None = None, project: str = "Shop", **fields: str) -> int:
        patch = [{"op": "add", "path": "/fields/System.Title", "value": title}]
        patch += [{"op": "add", "path": f"/fields/{name}", "value": value} for name, value in fields.items()]
        if parent:
            link = {"rel": "System.LinkTypes.Hierarchy-Reverse", "url": f"{self.sandbox.url}/x/workItems/{parent}"}
            patch.append({"op": "add", "path": "/relations/-", "value": link})
        return self.ask("POST", f"/{project}/_apis/wit/workitems/${kind}", patch)["id"]

    def policy(self, kind: str, settings: dict[str, Any], *, blocking: bool = True, branch: str = "main") -> int:
        scope = [{"repositoryId": self.repository_id, "refName": f"refs/heads/{branch}", "matchKind": "Exact"}]
        body = {
            "isEnabled": True,
            "isBlocking": blocking,
            "type": {"id": kind},
            "settings": {**settings, "scope": scope},
        }
        return self.ask("POST", "/Shop/_apis/policy/configurations", body, "admin")["id"]

    def pipeline(self, name: str = "CI") -> int:
        from shared.domain.forge import PipelineDefinition

        wanted = PipelineDefinition(name=name, repository=REPOSITORY, yaml_path="azure-pipelines.yml", branch="main")
        return int(self.forge.create_pipeline("Shop", wanted).id)

    def finish(self, result: str = "succeeded") -> None:
        """Let every build under way come to an end."""
        for build in self.sandbox.project()["builds"].values():
            if build["status"] != "completed":
                answer = httpx.post(f"{self.sandbox.url}/_builds/{build['id']}", json={"result": result})
                assert answer.status_code == 200, answer.text
        builds = self.sandbox.project()["builds"]
        self.until(lambda: all(build["status"] == "completed" for build in builds.values()))

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for it; the service goes on by itself, and a question now and then wakes it."""
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, "it never came true"
            self.ask("GET", "/_apis/projects")
            time.sleep(0.05)

    def look(self, change: ChangeRef) -> Looked:
        found = self.forge.look_at(change)
        assert found is not None
        return found


def ref(number: int, name: str = "Shop") -> ChangeRef:
    return ChangeRef(forge=ForgeName.AZURE_DEVOPS, repository=RepositoryRef(owner="Shop", name=name), number=number)


def blob(text: bytes) -> str:
    return blob_sha(text)


@contextmanager
def desk() -> Iterator[Desk]:
    """One repository, held to the vendor's contract."""
    with sandbox_with_contract(_seed()) as sandbox:
        made = Desk(sandbox)
        try:
            yield made
            assert sandbox.violations() == []
        finally:
            made.http.close()

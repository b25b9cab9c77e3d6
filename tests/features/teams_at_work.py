"""What a team does to its repository on either forge, by pull requests of its own, as protected branches ask."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from itertools import count
from typing import Any
from urllib.parse import quote

from shared.domain.project import slug_of
from tests.e2e.world import World

NONE = "0" * 40
_numbers = count(1)


class GitHubTeam:
    """Mona's team on GitHub."""

    def __init__(self, world: World, name: str) -> None:
        self.client = world.github("mona")
        self.path = f"/repos/acme/{slug_of(name)}"

    def content(self, path: str, branch: str = "main") -> bytes | None:
        answer = self.client.get(f"{self.path}/contents/{path}", params={"ref": branch})
        return None if answer.status_code == 404 else base64.b64decode(answer.json()["content"])

    def head(self, branch: str = "main") -> str:
        sha: str = self.client.get(f"{self.path}/git/ref/heads/{branch}").json()["object"]["sha"]
        return sha

    def parents(self, commit: str) -> list[str]:
        return [p["sha"] for p in self.client.get(f"{self.path}/git/commits/{commit}").json()["parents"]]

    def change(self, files: Mapping[str, bytes | None]) -> None:
        branch = f"work-{next(_numbers)}"
        self._ok(self.client.post(f"{self.path}/git/refs", json={"ref": f"refs/heads/{branch}", "sha": self.head()}))
        for path, content in files.items():
            there = self.client.get(f"{self.path}/contents/{path}", params={"ref": branch})
            body: dict[str, Any] = {"message": f"Work on {path}", "branch": branch}
            if there.status_code == 200:
                body["sha"] = there.json()["sha"]
            if content is None:
                self._ok(self.client.request("DELETE", f"{self.path}/contents/{path}", json=body))
            else:
                body["content"] = base64.b64encode(content).decode()
                self._ok(self.client.put(f"{self.path}/contents/{path}", json=body))
        made = self.client.post(f"{self.path}/pulls", json={"title": "Work", "head": branch, "base": "main"})
        self._ok(made)
        self.merge(made.json()["number"])

    def merge(self, number: int) -> None:
        """Merge it once its workflow ran: what it would report is said here, since nothing runs workflows."""
        pull = self.client.get(f"{self.path}/pulls/{number}").json()
        protection = self.client.get(f"{self.path}/branches/{pull['base']['ref']}").json()["protection"]
        for context in protection["required_status_checks"]["contexts"]:
            body = {"state": "success", "context": context}
            self._ok(self.client.post(f"{self.path}/statuses/{pull['head']['sha']}", json=body))
        self._ok(self.client.put(f"{self.path}/pulls/{number}/merge", json={"merge_method": "squash"}))

    def close(self, number: int) -> None:
        self._ok(self.client.patch(f"{self.path}/pulls/{number}", json={"state": "closed"}))

    def offers(self) -> list[dict[str, Any]]:
        """Pull requests of ours, oldest first."""
        found = self.client.get(f"{self.path}/pulls", params={"state": "all", "per_page": 100}).json()
        offers = [
            {
                "number": pull["number"],
                "open": pull["state"] == "open",
                "draft": pull["draft"],
                "title": pull["title"],
                "body": pull["body"],
                "branch": pull["head"]["ref"],
            }
            for pull in found
            if pull["head"]["ref"].startswith("doneright/")
        ]
        return sorted(offers, key=lambda offer: offer["number"])

    @staticmethod
    def _ok(answer: Any) -> None:
        assert answer.status_code < 300, answer.text


class AzureTeam:
    """A team on Azure DevOps."""

    def __init__(self, world: World, name: str) -> None:
        self.client = world.azure
        self.project = f"/{quote(name)}"
        self.path = f"/{quote(name)}/_apis/git/repositories/{quote(name)}"

    def content(self, path: str, branch: str = "main") -> bytes | None:
        answer = self.client.get(
            f"{self.path}/items",
            params={"path": path, "versionDescriptor.version": branch, "versionDescriptor.versionType": "branch"},
            headers={"accept": "application/octet-stream"},
        )
        return None if answer.status_code == 404 else answer.content

    def head(self, branch: str = "main") -> str:
        refs = self.client.get(f"{self.path}/refs", params={"filter": f"heads/{branch}"}).json()["value"]
        return next(ref["objectId"] for ref in refs if ref["name"] == f"refs/heads/{branch}")

    def parents(self, commit: str) -> list[str]:
        return list(self.client.get(f"{self.path}/commits/{commit}").json()["parents"])

    def change(self, files: Mapping[str, bytes | None]) -> None:
        branch = f"refs/heads/work-{next(_numbers)}"
        moved = self.client.post(
            f"{self.path}/refs", json=[{"name": branch, "oldObjectId": NONE, "newObjectId": self.head()}]
        )
        self._ok(moved)
        changes = []
        for path, content in files.items():
            kind = "delete" if content is None else "add" if self.content(path) is None else "edit"
            change: dict[str, Any] = {"changeType": kind, "item": {"path": f"/{path}"}}
            if content is not None:
                text = base64.b64encode(content).decode()
                change["newContent"] = {"content": text, "contentType": "base64encoded"}
            changes.append(change)
        push = {
            "refUpdates": [{"name": branch, "oldObjectId": self.head()}],
            "commits": [{"comment": "Work", "changes": changes}],
        }
        self._ok(self.client.post(f"{self.path}/pushes", json=push))
        opened = {"sourceRefName": branch, "targetRefName": "refs/heads/main", "title": "Work"}
        made = self.client.post(f"{self.path}/pullrequests", json=opened)
        self._ok(made)
        self.merge(made.json()["pullRequestId"])

    def merge(self, number: int) -> None:
        """Complete it once the build of its policy is green."""
        self._until_built(number)
        pull = self.client.get(f"{self.path}/pullrequests/{number}").json()
        body = {
            "status": "completed",
            "lastMergeSourceCommit": pull["lastMergeSourceCommit"],
            "completionOptions": {"mergeStrategy": "squash"},
        }
        done = self.client.patch(f"{self.path}/pullrequests/{number}", json=body)
        self._ok(done)
        assert done.json()["status"] == "completed", done.text

    def _until_built(self, number: int) -> None:
        ended = time.monotonic() + 60
        while time.monotonic() < ended:
            asked = {"branchName": f"refs/pull/{number}/merge"}
            builds = self.client.get(f"{self.project}/_apis/build/builds", params=asked).json()["value"]
            if builds and all(build["status"] == "completed" for build in builds):
                return
            time.sleep(0.1)
        raise AssertionError(f"pull request {number} was not built")

    def close(self, number: int) -> None:
        self._ok(self.client.patch(f"{self.path}/pullrequests/{number}", json={"status": "abandoned"}))

    def offers(self) -> list[dict[str, Any]]:
        """Pull requests of ours, oldest first."""
        found = self.client.get(f"{self.path}/pullrequests", params={"searchCriteria.status": "all"}).json()["value"]
        offers = [
            {
                "number": pull["pullRequestId"],
                "open": pull["status"] == "active",
                "draft": pull["isDraft"],
                "title": pull["title"],
                "body": pull["description"],
                "branch": pull["sourceRefName"].removeprefix("refs/heads/"),
            }
            for pull in found
            if pull["sourceRefName"].startswith("refs/heads/doneright/")
        ]
        return sorted(offers, key=lambda offer: offer["number"])

    @staticmethod
    def _ok(answer: Any) -> None:
        assert answer.status_code < 300, answer.text

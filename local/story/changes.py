"""A pull request as people make, read and approve it on either forge: the same words for both, over their own REST."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import httpx

from local.stack import Ready
from local.stack.seed import ORGANIZATION

NOTHING = "0" * 40
SUMMARY = "doneright:summary"
REMARK = "doneright:remark:"


class ForgeRefusedError(Exception):
    """A forge did not take what a person of the story did."""


@dataclass(frozen=True)
class Opened:
    """A pull request that was opened."""

    number: int
    url: str
    head: str


@dataclass(frozen=True)
class OwnCheck:
    """Doneright's check as the forge shows it."""

    state: str
    """``success``, ``failure`` or ``pending``, whatever the forge calls it."""
    title: str


class Team(Protocol):
    """People at work in one repository."""

    forge: str

    def item(self, title: str, body: str) -> int:
        """A bug of the backlog that a change is for; its number."""
        ...

    def open(self, branch: str, files: Mapping[str, str], message: str, *, title: str, body: str, item: int) -> Opened:
        """Casey pushes a branch and opens a pull request."""
        ...

    def push(self, branch: str, files: Mapping[str, str], message: str) -> str:
        """Casey pushes another commit; the new head."""
        ...

    def run_checks(self, head: str, number: int) -> None:
        """What the workflow or pipeline reports about the head, all green."""
        ...

    def approve(self, number: int, words: str) -> None:
        """Mona reads it, says something, and approves."""
        ...

    def say(self, number: int, words: str, *, by: str = "casey") -> None:
        """Somebody comments."""
        ...

    def comments(self, number: int) -> list[str]:
        """Every comment, also those in the code, oldest first."""
        ...

    def own_check(self, number: int, head: str) -> OwnCheck | None:
        """Doneright's check on the head."""
        ...

    def state(self, number: int) -> str:
        """``open``, ``merged`` or ``closed``."""
        ...

    def base(self) -> str:
        """The head of main."""
        ...

    def text(self, path: str) -> str:
        """A file of main."""
        ...


def _taken(answer: httpx.Response) -> Any:
    if answer.status_code >= 300:
        request = answer.request
        raise ForgeRefusedError(f"{request.method} {request.url.path}: {answer.status_code} {answer.text[:400]}")
    return answer.json() if answer.content else None


class GitHubTeam:
    """Mona and Casey on GitHub."""

    forge = "github"

    def __init__(self, ready: Ready, repository: str) -> None:
        self._clients = {
            login: httpx.Client(base_url=ready.github, headers={"Authorization": f"token {token}"}, timeout=30)
            for login, token in ready.github_tokens.items()
        }
        self._path = f"/repos/{ORGANIZATION}/{repository}"
        self._page = f"{ready.github}/{ORGANIZATION}/{repository}"
        _taken(self._clients["mona"].put(f"{self._path}/collaborators/casey", json={"permission": "push"}))

    def item(self, title: str, body: str) -> int:
        made = _taken(
            self._clients["casey"].post(f"{self._path}/issues", json={"title": title, "body": body, "labels": ["bug"]})
        )
        return int(made["number"])

    def open(self, branch: str, files: Mapping[str, str], message: str, *, title: str, body: str, item: int) -> Opened:
        casey = self._clients["casey"]
        _taken(casey.post(f"{self._path}/git/refs", json={"ref": f"refs/heads/{branch}", "sha": self.base()}))
        head = self.push(branch, files, message)
        text = {"title": title, "body": f"{body}\n\nCloses #{item}\n", "head": branch, "base": "main"}
        made = _taken(casey.post(f"{self._path}/pulls", json=text))
        return Opened(number=made["number"], url=made["html_url"], head=head)

    def push(self, branch: str, files: Mapping[str, str], message: str) -> str:
        casey, git = self._clients["casey"], f"{self._path}/git"
        below = _taken(casey.get(f"{git}/ref/heads/{branch}"))["object"]["sha"]
        tree = _taken(casey.get(f"{git}/commits/{below}"))["tree"]["sha"]
        entries = [{"path": path, "mode": "100644", "type": "blob", "content": text} for path, text in files.items()]
        tree = _taken(casey.post(f"{git}/trees", json={"base_tree": tree, "tree": entries}))["sha"]
        commit = _taken(casey.post(f"{git}/commits", json={"message": message, "tree": tree, "parents": [below]}))
        _taken(casey.patch(f"{git}/refs/heads/{branch}", json={"sha": commit["sha"]}))
        return str(commit["sha"])

    def run_checks(self, head: str, number: int) -> None:
        mona = self._clients["mona"]
        rules = _taken(mona.get(f"{self._path}/branches/main"))["protection"]["required_status_checks"]["contexts"]
        for context in rules or ["build"]:
            if not context.startswith("doneright"):
                body = {"state": "success", "context": context}
                _taken(mona.post(f"{self._path}/statuses/{head}", json=body))

    def approve(self, number: int, words: str) -> None:
        review = {"event": "APPROVE", "body": words}
        _taken(self._clients["mona"].post(f"{self._path}/pulls/{number}/reviews", json=review))

    def say(self, number: int, words: str, *, by: str = "casey") -> None:
        _taken(self._clients[by].post(f"{self._path}/issues/{number}/comments", json={"body": words}))

    def comments(self, number: int) -> list[str]:
        mona, found = self._clients["mona"], []
        for place in (f"issues/{number}/comments", f"pulls/{number}/comments"):
            found += [one["body"] for one in _taken(mona.get(f"{self._path}/{place}", params={"per_page": 100}))]
        return found

    def own_check(self, number: int, head: str) -> OwnCheck | None:
        mona = self._clients["mona"]
        runs = _taken(mona.get(f"{self._path}/commits/{head}/check-runs"))["check_runs"]
        for run in runs:
            if run["name"].startswith("doneright"):
                state = {"success": "success", None: "pending"}.get(run["conclusion"], "failure")
                return OwnCheck(state=state, title=run["output"]["title"] or "")
        for status in _taken(mona.get(f"{self._path}/commits/{head}/status"))["statuses"]:
            if status["context"].startswith("doneright"):
                state = {"success": "success", "pending": "pending"}.get(status["state"], "failure")
                return OwnCheck(state=state, title=status["description"] or "")
        return None

    def state(self, number: int) -> str:
        pull = _taken(self._clients["mona"].get(f"{self._path}/pulls/{number}"))
        return "merged" if pull["merged"] else str(pull["state"])

    def base(self) -> str:
        return str(_taken(self._clients["mona"].get(f"{self._path}/git/ref/heads/main"))["object"]["sha"])

    def text(self, path: str) -> str:
        found = _taken(self._clients["mona"].get(f"{self._path}/contents/{quote(path)}"))
        return base64.b64decode(found["content"]).decode()


class AzureTeam:
    """Mona and Casey on Azure DevOps."""

    forge = "azure_devops"

    def __init__(self, ready: Ready, project: str) -> None:
        base = f"{ready.azure_devops}/{ORGANIZATION}"
        self._clients = {
            name: httpx.Client(base_url=base, auth=("", token), timeout=30, params={"api-version": "7.1"})
            for name, token in ready.azure_devops_tokens.items()
        }
        self._project = f"/{quote(project)}"
        self._path = f"{self._project}/_apis/git/repositories/{quote(project)}"
        self._page = f"{base}/{quote(project)}/_git/{quote(project)}/pullrequest"

    def item(self, title: str, body: str) -> int:
        fields = {"/fields/System.Title": title, "/fields/System.Description": body}
        patch: list[dict[str, Any]] = [{"op": "add", "path": path, "value": value} for path, value in fields.items()]
        if features := self._features():
            url = f"{self._clients['casey'].base_url}_apis/wit/workItems/{features[0]}"
            relation = {"rel": "System.LinkTypes.Hierarchy-Reverse", "url": url}
            patch.append({"op": "add", "path": "/relations/-", "value": relation})
        made = self._clients["casey"].post(
            f"{self._project}/_apis/wit/workitems/$Bug",
            json=patch,
            headers={"content-type": "application/json-patch+json"},
        )
        return int(_taken(made)["id"])

    def _features(self) -> list[int]:
        query = "SELECT [System.Id] FROM WorkItems WHERE [System.WorkItemType] = 'Feature'"
        found = _taken(self._clients["casey"].post(f"{self._project}/_apis/wit/wiql", json={"query": query}))
        return [one["id"] for one in found["workItems"]]

    def open(self, branch: str, files: Mapping[str, str], message: str, *, title: str, body: str, item: int) -> Opened:
        casey, ref = self._clients["casey"], f"refs/heads/{branch}"
        moved = [{"name": ref, "oldObjectId": NOTHING, "newObjectId": self.base()}]
        _taken(casey.post(f"{self._path}/refs", json=moved))
        head = self.push(branch, files, message)
        text = {
            "sourceRefName": ref,
            "targetRefName": "refs/heads/main",
            "title": title,
            "description": body,
            "workItemRefs": [{"id": str(item)}],
        }
        made = _taken(casey.post(f"{self._path}/pullrequests", json=text))
        number = int(made["pullRequestId"])
        return Opened(number=number, url=f"{self._page}/{number}", head=head)

    def push(self, branch: str, files: Mapping[str, str], message: str) -> str:
        casey, ref = self._clients["casey"], f"refs/heads/{branch}"
        old = self._head(branch)
        changes = [
            {
                "changeType": "edit" if self._has(path, branch) else "add",
                "item": {"path": f"/{path}"},
                "newContent": {"content": text, "contentType": "rawtext"},
            }
            for path, text in files.items()
        ]
        pushed = {
            "refUpdates": [{"name": ref, "oldObjectId": old}],
            "commits": [{"comment": message, "changes": changes}],
        }
        _taken(casey.post(f"{self._path}/pushes", json=pushed))
        return self._head(branch)

    def run_checks(self, head: str, number: int) -> None:
        """The build that the branch policy queued runs by itself; it is waited for."""
        ended = time.monotonic() + 60
        while time.monotonic() < ended:
            asked = {"branchName": f"refs/pull/{number}/merge"}
            builds = _taken(self._clients["casey"].get(f"{self._project}/_apis/build/builds", params=asked))["value"]
            if builds and all(build["status"] == "completed" for build in builds):
                return
            time.sleep(0.2)
        raise ForgeRefusedError(f"pull request {number} was not built within a minute")

    def approve(self, number: int, words: str) -> None:
        self.say(number, words, by="mona")
        mona = self._clients["mona"]
        me = _taken(mona.get("/_apis/connectionData", params={"api-version": "7.1-preview"}))["authenticatedUser"]["id"]
        _taken(mona.put(f"{self._path}/pullRequests/{number}/reviewers/{me}", json={"vote": 10, "id": me}))

    def say(self, number: int, words: str, *, by: str = "casey") -> None:
        comment = {"parentCommentId": 0, "content": words, "commentType": "text"}
        thread = {"comments": [comment], "status": "closed" if by == "mona" else "active"}
        _taken(self._clients[by].post(f"{self._path}/pullRequests/{number}/threads", json=thread))

    def comments(self, number: int) -> list[str]:
        threads = _taken(self._clients["casey"].get(f"{self._path}/pullRequests/{number}/threads"))["value"]
        return [
            one["content"]
            for thread in threads
            for one in thread["comments"]
            if one.get("content") and one["commentType"] == "text"
        ]

    def own_check(self, number: int, head: str) -> OwnCheck | None:
        found = _taken(self._clients["casey"].get(f"{self._path}/pullRequests/{number}/statuses"))["value"]
        ours = [one for one in found if one["context"].get("genre") == "doneright"]
        if not ours:
            return None
        latest = max(ours, key=lambda one: (one.get("iterationId") or 0, one["id"]))
        state = {"succeeded": "success", "pending": "pending"}.get(latest["state"], "failure")
        return OwnCheck(state=state, title=latest.get("description") or "")

    def state(self, number: int) -> str:
        pull = _taken(self._clients["casey"].get(f"{self._path}/pullrequests/{number}"))
        return {"active": "open", "completed": "merged"}.get(pull["status"], "closed")

    def base(self) -> str:
        return self._head("main")

    def text(self, path: str) -> str:
        return self._item(path, "main").text

    def _head(self, branch: str) -> str:
        refs = _taken(self._clients["casey"].get(f"{self._path}/refs", params={"filter": f"heads/{branch}"}))["value"]
        return next(str(ref["objectId"]) for ref in refs if ref["name"] == f"refs/heads/{branch}")

    def _has(self, path: str, branch: str) -> bool:
        return self._item(path, branch).status_code == 200

    def _item(self, path: str, branch: str) -> httpx.Response:
        asked = {"path": path, "versionDescriptor.version": branch, "versionDescriptor.versionType": "branch"}
        return self._clients["casey"].get(
            f"{self._path}/items", params=asked, headers={"accept": "application/octet-stream"}
        )

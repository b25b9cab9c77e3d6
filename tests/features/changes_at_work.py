"""A change under review on the running stack: what people do with it, and what the product and the forges show of it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from local.story import discount
from local.story.changes import REMARK, SUMMARY, AzureTeam, GitHubTeam, Opened, Team
from shared.domain.change import ChangeRef
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.project import slug_of
from shared.reviews import recording
from tests.e2e.world import World

NONE = "0" * 40
FORGES = {"GitHub": ForgeName.GITHUB, "Azure DevOps": ForgeName.AZURE_DEVOPS}


@dataclass
class Offered:
    """A pull request that Casey opened, and everything that is asked about it."""

    world: World
    project: str
    forge: ForgeName
    team: Team
    branch: str = ""
    item: int = 0
    opened: Opened | None = None
    heads: list[str] = field(default_factory=list)

    @classmethod
    def on(cls, world: World, project: str, forge: str) -> Offered:
        """Nothing yet; people of ``project`` at work on ``forge``."""
        name = FORGES[forge]
        team: Team = (
            GitHubTeam(world.ready, slug_of(project)) if name is ForgeName.GITHUB else AzureTeam(world.ready, project)
        )
        return cls(world, project, name, team)

    def open(self, files: Mapping[str, str]) -> None:
        """Casey opens it, linked to a bug of its own."""
        self.item = self.team.item(discount.BUG, discount.BUG_BODY)
        self.branch = discount.BRANCH.format(item=self.item)
        self.opened = self.team.open(
            self.branch,
            files,
            f"{discount.TITLE} (#{self.item})",
            title=discount.TITLE,
            body=discount.BODY,
            item=self.item,
        )
        self.heads.append(self.opened.head)

    def push(self, files: Mapping[str, str], message: str) -> None:
        """Casey pushes again."""
        self.heads.append(self.team.push(self.branch, files, f"{message} (#{self.item})"))

    @property
    def number(self) -> int:
        """Of the pull request."""
        assert self.opened is not None
        return self.opened.number

    @property
    def head(self) -> str:
        """The newest."""
        return self.heads[-1]

    @property
    def ref(self) -> ChangeRef:
        """As records name it."""
        slug = slug_of(self.project)
        where = ("acme", slug) if self.forge is ForgeName.GITHUB else (self.project, self.project)
        return ChangeRef(forge=self.forge, repository=RepositoryRef(owner=where[0], name=where[1]), number=self.number)

    def review(self, head: str = "") -> dict[str, Any] | None:
        """The review of ``head``, or of the newest, as scripts see it."""
        ident = recording.review_id(self.ref, head or self.head)
        answer = self.world.api.get(f"/api/reviews/{ident}", headers={"accept": "application/json"})
        return answer.json() if answer.status_code == 200 else None

    def verdict(self, what: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The verdict about the newest head, once ``holds`` says that it is the one waited for."""

        def look() -> dict[str, Any] | None:
            shown = self.review()
            found = shown["verdict"] if shown else None
            return found if found and holds(found) else None

        found = self.world.until(what, look)
        assert found is not None
        return found

    def at_rest(self, head: str = "") -> dict[str, Any]:
        """The record of the review once nothing is under way and nothing more was asked for."""

        def look() -> dict[str, Any] | None:
            shown = self.review(head)
            record = shown["record"] if shown else None
            return record if record and record["state"] != "running" else None

        found = self.world.until(f"the end of the review of {head or self.head}", look)
        assert found is not None
        return found

    def check(self, state: str) -> str:
        """The title of our check on the newest head, once it stands at ``state``."""

        def look() -> str | None:
            found = self.team.own_check(self.number, self.head)
            return found.title or "untitled" if found and found.state == state else None

        found = self.world.until(f"the check that is {state}", look)
        assert found is not None
        return found

    # what the stories have no words for

    def client(self, who: str = "casey") -> httpx.Client:
        """The forge as ``who`` sees it, below the repository."""
        if self.forge is ForgeName.GITHUB:
            base = f"{self.world.ready.github}/repos/acme/{slug_of(self.project)}"
            headers = {"Authorization": f"token {self.world.ready.github_tokens[who]}"}
            return httpx.Client(base_url=base, headers=headers, timeout=30)
        name = quote(self.project)
        base = f"{self.world.ready.azure_devops}/acme/{name}/_apis/git/repositories/{name}"
        token = self.world.ready.azure_devops_tokens[who]
        return httpx.Client(base_url=base, auth=("", token), params={"api-version": "7.1"}, timeout=30)

    def point(self, branch: str, at: str, before: str = NONE) -> None:
        """Let ``branch`` show the commit ``at``, whatever it shows; nothing deletes it, and makes it from nothing."""
        with self.client() as client:
            if self.forge is ForgeName.AZURE_DEVOPS:
                moved = [{"name": f"refs/heads/{branch}", "oldObjectId": before, "newObjectId": at}]
                answer = client.post("/refs", json=moved)
                assert answer.json()["value"][0]["success"], answer.text
                return
            if before == NONE:
                answer = client.post("/git/refs", json={"ref": f"refs/heads/{branch}", "sha": at})
            elif at == NONE:
                answer = client.delete(f"/git/refs/heads/{branch}")
            else:
                answer = client.patch(f"/git/refs/heads/{branch}", json={"sha": at, "force": True})
            assert answer.status_code < 300, answer.text

    def branch_with(self, branch: str, files: Mapping[str, str]) -> str:
        """A branch made from main with one commit more; its head."""
        self.point(branch, self.team.base())
        return self.team.push(branch, files, "chore: begin")

    def rewrite(self, files: Mapping[str, str]) -> None:
        """Casey puts another commit in place of what the branch brought."""
        aside = f"{self.branch}-anew"
        made = self.branch_with(aside, files)
        self.point(self.branch, made, self.head)
        self.heads.append(made)

    def push_aside(self, branch: str, added: Mapping[str, bytes], renamed: Mapping[str, str]) -> None:
        """A branch made from main with one commit more, of anything that git takes: also bytes, and files that moved."""
        base = self.team.base()
        self.point(branch, base)
        with self.client() as client:
            if self.forge is ForgeName.GITHUB:
                self._commit_to_github(client, branch, base, added, renamed)
                return
            changes: list[dict[str, Any]] = [
                {
                    "changeType": "add",
                    "item": {"path": f"/{path}"},
                    "newContent": {"content": base64.b64encode(content).decode(), "contentType": "base64encoded"},
                }
                for path, content in added.items()
            ]
            changes += [
                {"changeType": "rename", "sourceServerItem": f"/{old}", "item": {"path": f"/{new}"}}
                for old, new in renamed.items()
            ]
            update = {"name": f"refs/heads/{branch}", "oldObjectId": base}
            commit = {"comment": f"{discount.TITLE}", "changes": changes}
            made = client.post("/pushes", json={"refUpdates": [update], "commits": [commit]}, timeout=120)
            assert made.status_code < 300, made.text[:500]

    def _commit_to_github(
        self, client: httpx.Client, branch: str, base: str, added: Mapping[str, bytes], renamed: Mapping[str, str]
    ) -> None:
        def taken(answer: httpx.Response) -> Any:
            assert answer.status_code < 300, answer.text[:500]
            return answer.json()

        entries: list[dict[str, Any]] = []
        for path, content in added.items():
            entry: dict[str, Any] = {"path": path, "mode": "100644", "type": "blob"}
            try:
                entries.append({**entry, "content": content.decode()})
            except UnicodeDecodeError:
                body = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
                entries.append({**entry, "sha": taken(client.post("/git/blobs", json=body))["sha"]})
        there = {one["path"]: one for one in taken(client.get(f"/git/trees/{base}", params={"recursive": "1"}))["tree"]}
        for old, new in renamed.items():
            moved = {"mode": "100644", "type": "blob"}
            entries += [{**moved, "path": old, "sha": None}, {**moved, "path": new, "sha": there[old]["sha"]}]
        tree = taken(client.get(f"/git/commits/{base}"))["tree"]["sha"]
        made = taken(client.post("/git/trees", json={"base_tree": tree, "tree": entries}, timeout=120))
        body = {"message": discount.TITLE, "tree": made["sha"], "parents": [base]}
        commit = taken(client.post("/git/commits", json=body))
        taken(client.patch(f"/git/refs/heads/{branch}", json={"sha": commit["sha"]}))

    def open_between(self, source: str, target: str) -> None:
        """Casey opens a pull request from one branch to another."""
        with self.client() as client:
            if self.forge is ForgeName.GITHUB:
                body = {"title": discount.TITLE, "body": discount.BODY, "head": source, "base": target}
                made = client.post("/pulls", json=body)
                number, url, head = "number", "html_url", made.json()["head"]["sha"]
            else:
                refs = {"sourceRefName": f"refs/heads/{source}", "targetRefName": f"refs/heads/{target}"}
                made = client.post(
                    "/pullrequests", json={**refs, "title": discount.TITLE, "description": discount.BODY}
                )
                number, url, head = "pullRequestId", "url", made.json()["lastMergeSourceCommit"]["commitId"]
            assert made.status_code < 300, made.text
        self.branch = source
        self.opened = Opened(number=made.json()[number], url=made.json()[url], head=head)
        self.heads.append(head)

    def ask_beside(self, path: str, line: int, words: str) -> str:
        """Casey writes beside a line of the change; the discussion's id."""
        with self.client() as client:
            if self.forge is ForgeName.GITHUB:
                place = {"commit_id": self.head, "path": path, "line": line, "side": "RIGHT"}
                made = client.post(f"/pulls/{self.number}/comments", json={"body": words, **place})
            else:
                at = {"line": line, "offset": 1}
                context = {"filePath": f"/{path}", "rightFileStart": at, "rightFileEnd": at}
                comments = [{"parentCommentId": 0, "content": words, "commentType": "text"}]
                thread = {"comments": comments, "status": "active", "threadContext": context}
                made = client.post(f"/pullRequests/{self.number}/threads", json=thread)
            assert made.status_code < 300, made.text
            return str(made.json()["id"])

    def discussion(self, ident: str) -> list[str]:
        """What was said there, its first words included."""
        with self.client() as client:
            if self.forge is ForgeName.GITHUB:
                found = client.get(f"/pulls/{self.number}/comments", params={"per_page": 100}).json()
                return [one["body"] for one in found if ident in {str(one["id"]), str(one.get("in_reply_to_id"))}]
            thread = client.get(f"/pullRequests/{self.number}/threads/{ident}").json()
            return [one["content"] for one in thread["comments"]]

    def merge_by_hand(self) -> None:
        """Mona presses the button."""
        with self.client("mona") as client:
            if self.forge is ForgeName.GITHUB:
                done = client.put(f"/pulls/{self.number}/merge", json={"merge_method": "squash", "sha": self.head})
            else:
                body = {
                    "status": "completed",
                    "lastMergeSourceCommit": {"commitId": self.head},
                    "completionOptions": {"mergeStrategy": "squash"},
                }
                done = client.patch(f"/pullrequests/{self.number}", json=body)
            assert done.status_code < 300, done.text

    def run_checks(self) -> None:
        """The workflow or pipeline ends, all green."""
        self.team.run_checks(self.head, self.number)

    def report(self, commit: str, *, with_change: bool) -> None:
        """What the pipeline sends about a commit."""
        sent = [(discount.cobertura(with_change=with_change), flag) for flag in ("", "unit", "critical")]
        if with_change:
            sent.append((discount.junit(), "unit"))
        for report, flag in sent:
            answer = self.world.api.post(
                f"/api/evidence/{slug_of(self.project)}/{commit}",
                params={"flag": flag} if flag else {},
                content=report.encode(),
            )
            assert answer.status_code in {200, 201}, answer.text

    def comments(self) -> list[str]:
        """Every comment there is."""
        return self.team.comments(self.number)

    def summaries(self) -> list[str]:
        """The summary comments there are."""
        return [one for one in self.comments() if SUMMARY in one]

    def assert_said_once(self) -> None:
        """One summary, about the newest head, and no remark a second time."""
        comments = self.comments()
        summaries = [one for one in comments if SUMMARY in one]
        assert len(summaries) == 1, comments
        assert self.head[:7] in summaries[0], summaries[0]
        marks = [one.partition("-->")[0] for one in comments if REMARK in one]
        assert len(marks) == len(set(marks)), marks


def blocking(verdict: Mapping[str, Any]) -> set[str]:
    """Criteria that stand in the way of the merge."""
    return {
        one["criterion"]
        for one in verdict["findings"]
        if one["enforcement"] == "enforced" and one["outcome"] == "unmet" and not one["waiver"]
    }

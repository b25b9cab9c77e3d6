"""Guarantees that a change offered on GitHub is one commit on the branch it is meant for, and one pull request."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.github.client import path
from shared.adapters.github.commits import CommitCalls
from shared.adapters.github.errors import AlreadyThereError, UnprocessableError
from shared.adapters.github.graph import ask
from shared.adapters.github.repositories import branch_segments, repository_path
from shared.domain.blobs import blob_sha
from shared.domain.forge import RepositoryRef
from shared.domain.pull_request import (
    EXECUTABLE,
    BranchChange,
    Commit,
    PullRequest,
    PullRequestState,
    PullRequestText,
    TreeFile,
)
from shared.errors import ConflictError, NotSupportedError, RefusedError

# REST can open a draft and not turn a pull request into one or back.
_DRAFTS = {
    True: "mutation($id: ID!) { convertPullRequestToDraft(input: {pullRequestId: $id}) { pullRequest { isDraft } } }",
    False: "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft } } }",
}


class PullRequestCalls(CommitCalls):
    """The pull request part of ``GitHubForge``."""

    takes_modes = True
    body_limit = 65_536

    def tree(self, ref: RepositoryRef, commit: str) -> Mapping[str, TreeFile]:
        """Path → file, for every file at ``commit``. Raises ``RefusedError`` for an unknown commit."""
        return {name: TreeFile(digest=sha, mode=mode) for name, (sha, mode) in self._files(ref, commit).items()}

    def file_content(self, ref: RepositoryRef, digest: str) -> bytes:
        """The bytes git names ``digest``. Raises ``RefusedError`` when the repository has none of that name."""
        data = self._client.request("GET", repository_path(ref) + path("/git/blobs/{}", digest))[1]
        return base64.b64decode(data["content"])

    def commit(self, ref: RepositoryRef, commit: str) -> Commit:
        """The commit of that SHA. Raises ``RefusedError`` when it is not there."""
        data = self._commit_data(ref, commit)
        return Commit(id=data["sha"], parents=tuple(p["sha"] for p in data["parents"]), message=data["message"])

    def write_branch(
        self,
        ref: RepositoryRef,
        branch: str,
        change: BranchChange,
        *,
        onto: str,
        replacing: str | None,
        message: str,
    ) -> str:
        """Let ``branch`` be one new commit on top of ``onto``; returns its SHA. Raises ``ConflictError`` when the
        branch does not show ``replacing``."""
        git = repository_path(ref) + "/git"
        files = {**change.added, **change.edited}
        modes = {name: EXECUTABLE if name in change.executable else "100644" for name in files}
        # Removals first: a file may have become the folder of others.
        entries: list[dict[str, Any]] = [
            {"path": name, "mode": "100644", "type": "blob", "sha": None} for name in sorted(change.removed)
        ]
        entries += [self._entry(ref, name, files[name], (blob_sha(files[name]), modes[name])) for name in sorted(files)]
        below = self._commit_data(ref, onto)["tree"]["sha"]
        tree = self._client.request("POST", git + "/trees", {"base_tree": below, "tree": entries})[1]["sha"]
        body = {"message": message, "tree": tree, "parents": [onto]}
        commit = str(self._client.request("POST", git + "/commits", body)[1]["sha"])
        if replacing is None:
            try:
                self._client.request("POST", git + "/refs", {"ref": f"refs/heads/{branch}", "sha": commit})
            except AlreadyThereError as error:
                raise ConflictError(error.reason) from None
            return commit
        # GitHub's call has no "only if unchanged", so the branch is read once more just before it is moved.
        if self._head(ref, branch) != replacing:
            raise ConflictError(f"{ref}: {branch} moved while it was being written")
        self._client.request("PATCH", git + "/refs/heads/" + branch_segments(branch), {"sha": commit, "force": True})
        return commit

    def pull_requests(self, ref: RepositoryRef, source: str) -> Sequence[PullRequest]:
        """Every pull request that was opened from the branch ``source`` of the repository itself, newest first."""
        listed = self._client.pages(
            repository_path(ref) + "/pulls",
            state="all",
            head=f"{ref.owner}:{source}",
            sort="created",
            direction="desc",
        )
        return sorted((_shown(data) for data in listed), key=lambda pull: -pull.number)

    def create_pull_request(self, ref: RepositoryRef, source: str, target: str, text: PullRequestText) -> PullRequest:
        """Open one, ready where the plan has no drafts, or return the open one from ``source`` to ``target``."""
        url = repository_path(ref) + "/pulls"
        body = {"title": text.title, "body": text.body, "head": source, "base": target, "draft": text.draft}
        try:
            return _shown(self._client.request("POST", url, body)[1])
        except AlreadyThereError as error:
            for found in self.pull_requests(ref, source):
                if found.state is PullRequestState.OPEN and found.target == target:
                    return found
            raise ConflictError(error.reason) from None
        except (UnprocessableError, NotSupportedError) as error:
            # https://docs.github.com/pull-requests: drafts of private repositories are part of some plans only.
            if not text.draft or "draft" not in error.reason.lower():
                raise
            return self.create_pull_request(ref, source, target, text.model_copy(update={"draft": False}))

    def edit_pull_request(
        self, ref: RepositoryRef, number: int, text: PullRequestText, *, closed: bool = False
    ) -> None:
        """Give it this text, draft or ready as the text says where the plan has drafts, and close it if asked."""
        url = repository_path(ref) + path("/pulls/{}", number)
        body = {"title": text.title, "body": text.body} | ({"state": "closed"} if closed else {})
        data = self._client.request("PATCH", url, body)[1]
        if bool(data.get("draft")) == text.draft or data["state"] != "open":
            return
        try:
            self._change_draft(data["node_id"], draft=text.draft)
        except NotSupportedError:
            return  # the title says as well that it is not ready

    def _commit_data(self, ref: RepositoryRef, commit: str) -> Any:
        return self._client.request("GET", repository_path(ref) + path("/git/commits/{}", commit))[1]

    def _change_draft(self, node: str, *, draft: bool) -> None:
        faults = ask(self._client, _DRAFTS[draft], {"id": node}, changes=True).faults
        if not faults:
            return
        words = "; ".join(fault.message for fault in faults)
        if any("draft" in fault.message.lower() for fault in faults):
            raise NotSupportedError(f"GitHub refused: {words}", "Take a plan that has draft pull requests")
        raise RefusedError(f"GitHub refused: {words}", "Grant the App the permission pull_requests=write")


def _shown(data: Mapping[str, Any]) -> PullRequest:
    state = PullRequestState.OPEN if data["state"] == "open" else PullRequestState.CLOSED
    return PullRequest(
        number=data["number"],
        url=data["html_url"],
        state=PullRequestState.MERGED if data.get("merged_at") else state,
        source=data["head"]["ref"],
        target=data["base"]["ref"],
        title=data["title"],
        body=data.get("body") or "",
        draft=bool(data.get("draft")),
    )

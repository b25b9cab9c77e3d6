"""Guarantees that a change offered on Azure Repos is one commit on the branch it is meant for, and one pull request.

A push here adds to a branch and cannot replace it, so the commit is made on a branch beside it, which the real one is
then moved to in one update that names what it replaces. People thus never see the branch, or its pull request, without
the change. A try that was cut short leaves the branch beside it; the next one begins it anew.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.azure_devops.repositories import NO_COMMIT, RepositoryCalls
from shared.domain.forge import RepositoryRef
from shared.domain.pull_request import (
    BranchChange,
    Commit,
    PullRequest,
    PullRequestState,
    PullRequestText,
    TreeFile,
)
from shared.errors import ConflictError, RefusedError

_STATES = {"completed": PullRequestState.MERGED, "abandoned": PullRequestState.CLOSED}
_PAGE = 100


class PullRequestCalls(RepositoryCalls):
    """The pull request part of ``AzureDevOpsForge``."""

    takes_modes = False
    body_limit = 4_000

    def tree(self, ref: RepositoryRef, commit: str) -> Mapping[str, TreeFile]:
        """Path → file, for every file at ``commit``. Raises ``RefusedError`` for an unknown commit."""
        git = self._client.area("git")
        root = git.get_commit(commit, ref.name, project=ref.owner).tree_id
        entries = git.get_tree(ref.name, root, project=ref.owner, recursive=True).tree_entries or []
        return {
            entry.relative_path: TreeFile(digest=entry.object_id, mode=str(entry.mode))
            for entry in entries
            if str(entry.git_object_type).lower() == "blob"
        }

    def file_content(self, ref: RepositoryRef, digest: str) -> bytes:
        """The bytes git names ``digest``. Raises ``RefusedError`` when the repository has none of that name."""
        return b"".join(self._client.area("git").get_blob_content(ref.name, digest, project=ref.owner))

    def commit(self, ref: RepositoryRef, commit: str) -> Commit:
        """The commit of that SHA. Raises ``RefusedError`` when it is not there."""
        found = self._client.area("git").get_commit(commit, ref.name, project=ref.owner)
        return Commit(id=found.commit_id, parents=tuple(found.parents or ()), message=found.comment or "")

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
        branch does not show ``replacing``. Which files may be run is not written: the service's push takes no modes."""
        beside = f"{branch}-next"
        self._move(ref, beside, self.branch_head(ref, beside), onto)
        git = self._client.models("git")
        # Removals first: a file may have become the folder of others.
        changes: list[dict[str, Any]] = [
            {"changeType": "delete", "item": {"path": f"/{name}"}} for name in sorted(change.removed)
        ]
        changes += [
            {
                "changeType": kind,
                "item": {"path": f"/{name}"},
                # base64 throughout: as text the service may change line ends and byte order marks.
                "newContent": {"content": base64.b64encode(content).decode(), "contentType": "base64encoded"},
            }
            for kind, files in (("add", change.added), ("edit", change.edited))
            for name, content in sorted(files.items())
        ]
        push = git.GitPush(
            ref_updates=[git.GitRefUpdate(name=f"refs/heads/{beside}", old_object_id=onto)],
            commits=[git.GitCommitRef(comment=message, changes=changes)],
        )
        pushed = self._client.area("git").create_push(push, ref.name, project=ref.owner)
        commit = str(pushed.ref_updates[0].new_object_id)
        self._move(ref, branch, replacing, commit)
        self._move(ref, beside, commit, None)
        return commit

    def pull_requests(self, ref: RepositoryRef, source: str) -> Sequence[PullRequest]:
        """Every pull request that was opened from the branch ``source`` of the repository itself, newest first."""
        repository = self._required(ref)
        wanted = self._client.models("git").GitPullRequestSearchCriteria(
            source_ref_name=f"refs/heads/{source}", source_repository_id=repository.id, status="all"
        )
        found: list[Any] = []
        while True:
            page = self._client.area("git").get_pull_requests(
                ref.name, wanted, project=ref.owner, skip=len(found), top=_PAGE
            )
            found += page
            if len(page) < _PAGE:
                break
        return sorted((self._pull(ref, repository, pull) for pull in found), key=lambda pull: -pull.number)

    def create_pull_request(self, ref: RepositoryRef, source: str, target: str, text: PullRequestText) -> PullRequest:
        """Open one, or return the open one from ``source`` to ``target`` as it is."""
        wanted = self._client.models("git").GitPullRequest(
            source_ref_name=f"refs/heads/{source}",
            target_ref_name=f"refs/heads/{target}",
            title=text.title,
            description=text.body,
            is_draft=text.draft,
        )
        try:
            made = self._client.area("git").create_pull_request(wanted, ref.name, project=ref.owner)
        except ConflictError:
            for found in self.pull_requests(ref, source):
                if found.state is PullRequestState.OPEN and found.target == target:
                    return found
            raise
        return self._pull(ref, self._required(ref), made)

    def edit_pull_request(
        self, ref: RepositoryRef, number: int, text: PullRequestText, *, closed: bool = False
    ) -> None:
        """Give it this text, draft or ready as the text says, and abandon it if asked."""
        wanted = self._client.models("git").GitPullRequest(
            title=text.title,
            description=text.body,
            is_draft=text.draft,
            status="abandoned" if closed else None,
        )
        self._client.area("git").update_pull_request(wanted, ref.name, number, project=ref.owner)

    def _move(self, ref: RepositoryRef, branch: str, old: str | None, new: str | None) -> None:
        if old == new:
            # The same files on the same commit within a second are the same commit: nothing moves, which must be true.
            if self.branch_head(ref, branch) != new:
                raise ConflictError(f"{ref}: {branch} moved while it was being written")
            return
        update = self._client.models("git").GitRefUpdate(
            name=f"refs/heads/{branch}", old_object_id=old or NO_COMMIT, new_object_id=new or NO_COMMIT
        )
        (result,) = self._client.area("git").update_refs([update], ref.name, project=ref.owner)
        # The service answers 200 and tells each ref's fate in the body.
        status = str(result.update_status)
        if status.lower() == "staleoldobjectid":
            raise ConflictError(f"{ref}: {branch} moved while it was being written")
        if not result.success:
            raise RefusedError(
                f"Azure DevOps refused to move {branch} of {ref}: {status}",
                "Allow the identity to create branches and to force push to those it made",
            )

    def _pull(self, ref: RepositoryRef, repository: Any, found: Any) -> PullRequest:
        return PullRequest(
            number=found.pull_request_id,
            url=f"{repository.web_url or repository.remote_url}/pullrequest/{found.pull_request_id}",
            state=_STATES.get(str(found.status), PullRequestState.OPEN),
            source=str(found.source_ref_name).removeprefix("refs/heads/"),
            target=str(found.target_ref_name).removeprefix("refs/heads/"),
            title=found.title or "",
            body=found.description or "",
            draft=bool(found.is_draft),
        )

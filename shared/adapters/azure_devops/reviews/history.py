"""Commits that a pull request on Azure Repos brings, and how its head stands to the branch it goes to."""

from __future__ import annotations

from typing import Any

from shared.adapters.azure_devops.reviews.asking import AskingCalls, utc
from shared.domain.change import ChangeCommit, ChangeRef
from shared.errors import RefusedError

# What the pull request itself brings along; more are asked for in pages.
_COMMITS = 100
_COMMIT_LIST = "52823034-34a8-4576-922c-8d8b77e9e4c4"
# Messages that a list cuts short, each a question of its own.
_MOST_MESSAGES = 100


class HistoryCalls(AskingCalls):
    """The part of ``AzureDevOpsForge`` that reads the history of a change."""

    def _commits(self, ref: ChangeRef, pull: Any, head: str) -> tuple[ChangeCommit, ...]:
        """Oldest first. The list cuts long messages short, so those are asked for one by one."""
        found = list(pull.commits or [])
        if len(found) >= _COMMITS or (not found and head):
            found = self._all_commits(ref)
        git = self._client.area("git")
        if (cut := sum(bool(one.comment_truncated) for one in found)) > _MOST_MESSAGES:
            raise RefusedError(f"The messages of {cut} commits are told only in part", "Bring fewer commits at once")
        whole = {
            one.commit_id: git.get_commit(one.commit_id, ref.repository.name, project=ref.repository.owner).comment
            for one in found
            if one.comment_truncated
        }
        return tuple(
            ChangeCommit(
                id=str(one.commit_id).lower(),
                message=str(whole.get(one.commit_id) or one.comment or ""),
                author=str(one.author.email or "") if one.author else "",
                at=utc(one.author.date) if one.author else None,
            )
            for one in reversed(found)
        )

    def _all_commits(self, ref: ChangeRef) -> list[Any]:
        found: list[Any] = []
        git, token = self._client.area("git"), ""
        route = {
            "project": ref.repository.owner,
            "repositoryId": ref.repository.name,
            "pullRequestId": str(ref.number),
        }
        while True:
            # The package's call drops the mark of the next page.
            query = {"$top": _COMMITS} | ({"continuationToken": token} if token else {})
            answer = git._send(
                http_method="GET",
                location_id=_COMMIT_LIST,
                version="7.1-preview.1",
                route_values=route,
                query_parameters=query,
            )
            found += git._deserialize("[GitCommitRef]", git._unwrap_collection(answer))
            token = answer.headers.get("x-ms-continuationtoken", "")
            if not token:
                return found

    def _position(self, ref: ChangeRef, target: str, head: str) -> Any:
        """How the head stands to the target branch; ``None`` where one of them is gone."""
        models = self._client.models("git")
        try:
            with self._client.anew():
                return self._client.area("git").get_commit_diffs(
                    ref.repository.name,
                    project=ref.repository.owner,
                    diff_common_commit=True,
                    top=1,
                    base_version_descriptor=models.GitBaseVersionDescriptor(
                        base_version=target, base_version_type="branch"
                    ),
                    target_version_descriptor=models.GitTargetVersionDescriptor(
                        target_version=head, target_version_type="commit"
                    ),
                )
        except RefusedError:
            return None

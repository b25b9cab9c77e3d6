"""What becomes of a review on Azure Repos: the status of its head, labels, the merge, the end of the branch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.reviews.asking import sha, statuses_of
from shared.adapters.azure_devops.reviews.checks import CheckCalls
from shared.adapters.azure_devops.reviews.looking import LookingCalls
from shared.domain.change import Change, ChangeRef
from shared.domain.forge import MergeKind, RepositoryRef
from shared.domain.publication import BegunRun, CheckConclusion, MergeOutcome, OwnCheck
from shared.errors import ConflictError, NotSupportedError, RefusedError

_LONGEST = 250
# An inconclusive review is an error: it blocks as a failure does, and says that nobody could tell.
_CONCLUSIONS = {
    CheckConclusion.PENDING: "pending",
    CheckConclusion.PASSED: "succeeded",
    CheckConclusion.FAILED: "failed",
    CheckConclusion.INCONCLUSIVE: "error",
    CheckConclusion.ADVISORY: "succeeded",
}
_STRATEGIES = {MergeKind.MERGE: "noFastForward", MergeKind.SQUASH: "squash", MergeKind.REBASE: "rebase"}
PAUSES = (0.2, 0.4, 0.8)
"""Seconds between the looks at a merge under way."""
UNDER_WAY = "The merge is under way"
_NOT_MERGED = {
    "conflicts": "it conflicts with its target",
    "failure": "the service could not merge it",
    "rejectedbypolicy": "a policy of the target branch does not allow it",
}


class OutcomeCalls(LookingCalls, CheckCalls):
    """The part of ``AzureDevOpsForge`` that acts on a review's outcome."""

    def set_check(self, ref: ChangeRef, check: OwnCheck) -> str:
        """Make our status of the push that brought the check's head; returns a link.

        A status holds one line of text and a link, so summary and annotations are not shown here: the annotations stand
        as remarks beside their lines. The same status again changes nothing. Raises ``ConflictError`` when that head is
        of no push, as after a force-push or before the service saw it.
        """
        known: list[Any] | None = self._client.looks.remembered(statuses_of(ref))
        asked_statuses = self._later(lambda: self._statuses(ref) if known is None else known)
        pushes = self._pushes_of(ref, check.head)
        there = asked_statuses.result()
        link = check.details_url or self._web_page(ref)
        if not pushes:
            raise ConflictError(f"{check.head} is the head of no push of {ref.key}")
        genre, _, name = check.name.rpartition("/")
        models = self._client.models("git")
        advice = "Advice only: " if check.conclusion is CheckConclusion.ADVISORY else ""
        wanted = models.GitPullRequestStatus(
            context=models.GitStatusContext(genre=genre or None, name=name),
            state=_CONCLUSIONS[check.conclusion],
            description=(advice + check.title)[:_LONGEST],
            target_url=link,
            iteration_id=int(pushes[-1].id),
        )
        own = self.own_identity().id
        same = [one for one in there if _is_same_check(one, wanted)]
        # A policy may count ours alone, so what somebody else posted does not stand in for it.
        if same and _author(same[-1]) == own and _told(same[-1]) == _told(wanted):
            return link
        self._client.area("git").create_pull_request_status(
            wanted, ref.repository.name, ref.number, project=ref.repository.owner
        )
        return link

    def upload_sarif(self, change: Change, sarif: bytes) -> str:
        """Not to be had: code scanning is Advanced Security, a product of its own. Raises ``NotSupportedError``."""
        raise NotSupportedError(
            f"Azure DevOps takes no {len(sarif)} bytes of SARIF about {change.ref.key}: Advanced Security is not connected",
            "Read the findings in the review itself",
        )

    def set_labels(self, ref: ChangeRef, add: Sequence[str], remove: Sequence[str]) -> None:
        """Labels of the pull request; those there already, or not there, change nothing."""
        git, models = self._client.area("git"), self._client.models("git")
        with self._client.anew():
            found = git.get_pull_request_labels(ref.repository.name, ref.number, project=ref.repository.owner)
        there = {str(one.name).lower() for one in found or [] if one.active is not False}
        for name in dict.fromkeys(add):
            if name.lower() not in there:
                label = models.WebApiCreateTagRequestData(name=name)
                git.create_pull_request_label(label, ref.repository.name, ref.number, project=ref.repository.owner)
        for name in dict.fromkeys(remove):
            if name.lower() in there and name.lower() not in {one.lower() for one in add}:
                try:
                    git.delete_pull_request_labels(ref.repository.name, ref.number, name, project=ref.repository.owner)
                except NotFoundError:
                    continue  # somebody else took it off between the two calls

    def merge(self, ref: ChangeRef, head: str, kind: MergeKind, message: str) -> MergeOutcome:
        """Complete exactly ``head``; looks three times, for a second and a half at most, whether that is done.

        Raises ``ConflictError`` when the head is another by now. The source branch and work items stay as they are.
        """
        before = self._pull_request(ref)
        if (done := _outcome(before, head)) is not None:
            return done
        models = self._client.models("git")
        wanted = models.GitPullRequest(
            status="completed",
            last_merge_source_commit=models.GitCommitRef(commit_id=head),
            completion_options=models.GitPullRequestCompletionOptions(
                merge_strategy=_STRATEGIES[kind],
                merge_commit_message=message or None,
                delete_source_branch=False,
                transition_work_items=False,
            ),
        )
        try:
            found = self._client.area("git").update_pull_request(
                wanted, ref.repository.name, ref.number, project=ref.repository.owner
            )
        except ConflictError as error:
            # Worded alike: the head moved, it conflicts, it is a draft, or it is being merged already.
            found = self._pull_request(ref)
            queued = str(found.merge_status).lower() == "queued"
            reason = UNDER_WAY if queued else error.reason
            return _outcome(found, head) or MergeOutcome(merged=False, reason=reason, under_way=queued)
        except RefusedError as error:
            return _outcome(self._pull_request(ref), head) or MergeOutcome(merged=False, reason=error.reason)
        for pause in PAUSES:
            if (done := _outcome(found, head, asked=True)) is not None:
                return done
            time.sleep(pause)
            found = self._pull_request(ref)
        return _outcome(found, head, asked=True) or MergeOutcome(merged=False, reason=UNDER_WAY, under_way=True)

    def begun_runs(self, repository: RepositoryRef, branch: str, commit: str) -> Sequence[BegunRun]:
        """The pipeline runs that the arrival of exactly ``commit`` on ``branch`` began, asked anew."""
        found = self._standing(repository)
        builds = [] if found is None else self._branch_builds(repository.owner, found.id, branch, commit)
        page = self._client.page(repository.owner, "_build", "results")
        return tuple(
            BegunRun(name=f"{one.definition.name} {one.build_number}", url=f"{page}?buildId={one.id}") for one in builds
        )

    def delete_branch(self, repository: RepositoryRef, branch: str, head: str) -> None:
        """Delete the branch if it still shows ``head``; without effect when it is gone, or shows something else.

        Raises ``RefusedError`` where the identity may not, or a policy keeps it.
        """
        with self._client.anew():
            if self.branch_head(repository, branch) != head:
                return
        update = self._client.models("git").GitRefUpdate(
            name=f"refs/heads/{branch}", old_object_id=head, new_object_id="0" * 40
        )
        (result,) = self._client.area("git").update_refs([update], repository.name, project=repository.owner)
        status = str(result.update_status)
        if not result.success and status.lower() != "staleoldobjectid":
            raise RefusedError(
                f"Azure DevOps refused to delete {branch} of {repository}: {status}",
                "Allow the identity to force push to it, which deleting takes, or delete it by hand",
            )


def _outcome(found: Any, head: str, *, asked: bool = False) -> MergeOutcome | None:
    """What is certain by now; ``None`` while it could still be merged, or is being merged."""
    status, merging = str(found.status).lower(), str(found.merge_status or "").lower()
    if sha(found.last_merge_source_commit) not in {"", head}:
        raise ConflictError(f"The head is {sha(found.last_merge_source_commit)} by now, and not {head}")
    if status == "completed":
        return MergeOutcome(merged=True, commit=sha(found.last_merge_commit))
    if status == "abandoned":
        return MergeOutcome(merged=False, reason="The pull request is abandoned")
    if asked and merging in _NOT_MERGED:
        words = found.merge_failure_message or _NOT_MERGED[merging]
        return MergeOutcome(merged=False, reason=f"Azure DevOps did not merge: {words}")
    return None


def _author(status: Any) -> str:
    return "" if status.created_by is None else str(status.created_by.id).lower()


def _is_same_check(one: Any, wanted: Any) -> bool:
    return one.context is not None and (one.context.genre or None, one.context.name) == (
        wanted.context.genre,
        wanted.context.name,
    )


def _told(status: Any) -> tuple[Any, ...]:
    return (
        str(status.state).lower(),
        status.description or "",
        status.target_url or "",
        int(status.iteration_id or 0),
    )

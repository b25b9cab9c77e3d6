"""Guarantees that exactly the reviewed commit is merged or its branch deleted, however often it is asked."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence

from shared.adapters.github.client import path
from shared.adapters.github.errors import NotFoundError, UnprocessableError
from shared.adapters.github.labels import LabelCalls
from shared.adapters.github.repositories import branch_segments, repository_path
from shared.adapters.github.reviews.standing import StandingCalls, issue_path, pull_path
from shared.domain.change import Change, ChangeRef
from shared.domain.forge import Label, MergeKind, RepositoryRef
from shared.domain.publication import BegunRun, MergeOutcome
from shared.errors import ConflictError, NotSupportedError, RefusedError, TransientError

LABEL_COLOUR = "5319e7"


class MergeCalls(StandingCalls, LabelCalls):
    """The part of ``GitHubForge`` that acts on what a review came to."""

    def merge(self, ref: ChangeRef, head: str, kind: MergeKind, message: str) -> MergeOutcome:
        """Merge exactly ``head``. Raises ``ConflictError`` when the head is another by now.

        The first line of ``message`` is the title of the commit; a rebase keeps the commits' own messages. What the
        branch's rules, conflicts or a closed pull request forbid is an outcome with GitHub's words.
        """
        title, _, text = message.strip().partition("\n")
        body = {"sha": head, "merge_method": kind.value}
        if kind is not MergeKind.REBASE and title:
            body |= {"commit_title": title, "commit_message": text.strip()}
        try:
            data = self._client.request("PUT", pull_path(ref) + "/merge", body)[1]
        except (UnprocessableError, TransientError, NotFoundError) as error:
            return self._not_merged(ref, head, error)
        return MergeOutcome(merged=True, commit=data.get("sha") or "")

    def _not_merged(self, ref: ChangeRef, head: str, error: RefusedError | TransientError) -> MergeOutcome:
        """What a refused or unanswered merge came to: its answer may have been lost after the effect."""
        if isinstance(error, TransientError) and error.retry_after is not None:
            raise error
        data = self._pull_now(ref)
        if data is None:
            raise RefusedError(f"GitHub does not show {ref.key}", "Check that it is there") from error
        if data["head"]["sha"] != head:
            raise ConflictError(f"{ref.key} shows {data['head']['sha'][:12]} by now, not {head[:12]}") from error
        if data.get("merged_at"):
            return MergeOutcome(merged=True, commit=data.get("merge_commit_sha") or "")
        if isinstance(error, TransientError):
            raise error
        if data["state"] != "open":
            return MergeOutcome(merged=False, reason="The pull request is closed")
        if isinstance(error, NotFoundError):
            raise RefusedError(error.reason, "Grant the App the permission contents=write") from error
        return MergeOutcome(merged=False, reason=error.reason)

    def begun_runs(self, repository: RepositoryRef, branch: str, commit: str) -> Sequence[BegunRun]:
        """The workflow runs that the push of exactly ``commit`` to ``branch`` began, asked anew."""
        url = repository_path(repository) + "/actions/runs"
        query = {"head_sha": commit, "branch": branch, "event": "push", "per_page": 30}
        found = self._client.get_anew(url, **query) or {}
        return tuple(
            BegunRun(name=one.get("name") or "a workflow", url=one["html_url"])
            for one in found.get("workflow_runs", ())
        )

    def delete_branch(self, repository: RepositoryRef, branch: str, head: str) -> None:
        """Delete the branch if it still shows ``head``; without effect when it is gone. GitHub has no such condition,
        so it is read right before. Raises ``RefusedError`` where rules keep it."""
        git = repository_path(repository) + "/git"
        found = self._client.get_anew(f"{git}/ref/heads/{branch_segments(branch)}")
        if found is None or found["object"]["sha"] != head:
            return
        url = f"{git}/refs/heads/{branch_segments(branch)}"
        try:
            self._client.request("DELETE", url)
        except (NotFoundError, UnprocessableError):
            if self._client.get_anew(f"{git}/ref/heads/{branch_segments(branch)}") is not None:
                raise

    def set_labels(self, ref: ChangeRef, add: Sequence[str], remove: Sequence[str]) -> None:
        """Labels of the pull request; those there already, or not there, change nothing.

        A label that the repository does not have yet is made.
        """
        if not add and not remove:
            return
        listed = [label["name"] for label in self._client.pages(issue_path(ref) + "/labels")]
        there = {name.casefold() for name in listed}
        wanted = [name for name in dict.fromkeys(add) if name.casefold() not in there]
        for name in wanted:
            if self._client.get(repository_path(ref.repository) + path("/labels/{}", name)) is None:
                self.create_label(ref.repository, Label(name=name, color=LABEL_COLOUR, description="Set by Doneright"))
        if wanted:
            self._client.request("POST", issue_path(ref) + "/labels", {"labels": wanted})
        for name in dict.fromkeys(remove):
            if name.casefold() in there:
                try:
                    self._client.request("DELETE", issue_path(ref) + path("/labels/{}", name))
                except NotFoundError:
                    continue

    def upload_sarif(self, change: Change, sarif: bytes) -> str:
        """Hand findings to code scanning; returns the upload's id. Raises ``NotSupportedError`` where there is none.

        The analysis stands at the pull request's own ref, which the base repository has for forks as well.
        https://docs.github.com/rest/code-scanning/code-scanning#upload-an-analysis-as-sarif-data
        """
        repository = change.ref.repository
        body = {
            "commit_sha": change.head,
            "ref": f"refs/pull/{change.ref.number}/head",
            # Without the time of day in it, the same findings are the same bytes.
            "sarif": base64.b64encode(gzip.compress(sarif, mtime=0)).decode(),
            "tool_name": "Doneright",
        }
        try:
            data = self._client.request("POST", repository_path(repository) + "/code-scanning/sarifs", body)[1]
        except NotFoundError as error:
            raise NotSupportedError(
                f"GitHub takes no findings for {repository}: {error.reason}",
                "Switch code scanning on, or grant the App the permission security_events=write",
            ) from None
        except RefusedError as error:
            if "not enabled" in error.reason.lower() or "disabled" in error.reason.lower():
                raise NotSupportedError(error.reason, "Switch code scanning on for the repository") from None
            raise
        return str(data["id"])

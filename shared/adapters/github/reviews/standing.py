"""Reads how pull requests stand now, and single files; asks anew whatever was told a moment ago where that matters."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.ahead import file_there
from shared.adapters.github.client import GitHubClient, path
from shared.adapters.github.errors import NotFoundError
from shared.adapters.github.repositories import branch_segments, repository_path
from shared.adapters.github.reviews.people import account, moment
from shared.domain.change import Change, ChangeRef
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.pull_request import PullRequestState


class StandingCalls:
    """The part of ``GitHubForge`` that asks how things stand."""

    _client: GitHubClient

    def head_of(self, ref: ChangeRef) -> tuple[str, PullRequestState] | None:
        """Only the head and state as they are now: one question, never remembered. ``None`` when it is not there."""
        data = self._pull_now(ref)
        return None if data is None else (str(data["head"]["sha"]), _state(data))

    def file_at(self, repository: RepositoryRef, path: str, commit: str) -> bytes | None:
        """A file at a commit or branch; ``None`` when it is not there, or is a folder, submodule or link to none.

        A link to a file is that file, as GitHub tells it.
        """
        told: tuple[bytes | None] | None = self._client.looks.entered(file_there(repository, path, commit))
        if told is not None:
            return told[0]
        # Within a path slashes stay, as in a branch's name.
        url = repository_path(repository) + "/contents/" + branch_segments(path)
        try:
            data = self._client.request("GET", url, parameters={"ref": commit})[1]
        except NotFoundError:
            return None
        if isinstance(data, list) or data.get("type") != "file":
            return None
        if data.get("encoding") != "base64":
            # Beyond 1 MB the content is left out: https://docs.github.com/rest/repos/contents#get-repository-content
            data = self._client.request("GET", repository_path(repository) + f"/git/blobs/{data['sha']}")[1]
        return base64.b64decode(data["content"])

    def changes(self, repository: RepositoryRef, *, open_only: bool, limit: int) -> Sequence[Change]:
        """The latest pull requests, newest first; one question for each hundred."""
        if limit <= 0:
            return ()
        listed = self._client.pages(
            repository_path(repository) + "/pulls",
            state="open" if open_only else "all",
            sort="created",
            direction="desc",
        )
        return tuple(_change(repository, data) for data in itertools.islice(listed, limit))

    def _pull_now(self, ref: ChangeRef) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self._client.get_anew(pull_path(ref))
        return found


def pull_path(ref: ChangeRef) -> str:
    """``/repos/owner/name/pulls/7``."""
    return repository_path(ref.repository) + path("/pulls/{}", ref.number)


def issue_path(ref: ChangeRef) -> str:
    """``/repos/owner/name/issues/7``: what a pull request shares with issues."""
    return repository_path(ref.repository) + path("/issues/{}", ref.number)


def _state(data: Mapping[str, Any]) -> PullRequestState:
    if data.get("merged_at"):
        return PullRequestState.MERGED
    return PullRequestState.OPEN if data["state"] == "open" else PullRequestState.CLOSED


def _change(repository: RepositoryRef, data: Mapping[str, Any]) -> Change:
    head, base = data["head"], data["base"]
    # A fork that was deleted leaves no repository behind.
    home = (head.get("repo") or {}).get("id")
    return Change(
        ref=ChangeRef(forge=ForgeName.GITHUB, repository=repository, number=data["number"]),
        title=data["title"],
        body=data.get("body") or "",
        url=data["html_url"],
        state=_state(data),
        draft=bool(data.get("draft")),
        author=account(data.get("user")),
        source=head["ref"],
        target=base["ref"],
        head=head["sha"],
        base=base["sha"],
        fork=home != base["repo"]["id"],
        labels=tuple(label["name"] for label in data.get("labels") or ()),
        created_at=data["created_at"],
        updated_at=moment(data.get("updated_at")),
        merge_commit=data.get("merge_commit_sha") or "",
        auto_merge=data.get("auto_merge") is not None,
    )

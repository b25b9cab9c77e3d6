"""Offers proposed tests as a branch with a draft pull request into the change's own branch, so that its pipeline proves them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

from shared.domain.blobs import blob_sha
from shared.domain.change import Change
from shared.domain.forge import Frozen, RepositoryRef
from shared.domain.pull_request import BranchChange, PullRequestState, PullRequestText
from shared.domain.review import Opinion, OpinionKind
from shared.errors import RefusedError
from shared.ports import PullRequests

SIGN = "Proposed-by: doneright"
"""Last line of our commits: a branch whose newest commit lacks it is somebody's work."""
_OURS = re.compile(r"tests/(?:[A-Za-z0-9_]+/)*[A-Za-z0-9_]+_proposed\.(?:py|feature)")


class OfferingForge(PullRequests, Protocol):
    """What offering needs of a forge."""

    def branch_head(self, ref: RepositoryRef, branch: str) -> str | None:
        """The commit SHA at the head of ``branch``; ``None`` for a missing branch."""
        ...


class Offered(Frozen):
    """A branch with proposed tests."""

    branch: str
    commit: str
    pull_request: int
    url: str
    files: tuple[str, ...]


def proposed(opinions: Iterable[Opinion]) -> dict[str, str]:
    """Path → text of the files that analysis proposed; a model's files are never written anywhere."""
    return {
        path: text
        for one in opinions
        if one.source == "analysis" and one.kind in {OpinionKind.TEST, OpinionKind.ACCEPTANCE}
        for path, text in one.patch.items()
        if _OURS.fullmatch(path)
    }


def branch_of(change: Change) -> str:
    """Name of the branch that proposed tests stand on."""
    return f"doneright/tests-{change.ref.number}"


def offer(forge: OfferingForge, change: Change, opinions: Iterable[Opinion]) -> Offered:
    """Let the branch ``doneright/tests-<number>`` be the head of ``change`` and one commit with the proposed files.

    Calling again does nothing new; a newer head moves the branch on.

    Raises:
        RefusedError: nothing is proposed, the change comes from a fork or is not open, or somebody works on the branch.
        ConflictError: the branch moved while it was looked at; call again.
    """
    files = proposed(opinions)
    if not files:
        raise RefusedError("no tests are proposed for this change", "Nothing is to be done.")
    if change.fork:
        raise RefusedError(
            "the change comes from a fork, whose code no pipeline of this repository runs by our doing",
            "Take the proposed files from the review.",
        )
    if change.state is not PullRequestState.OPEN:
        raise RefusedError(f"the pull request is {change.state}", "Propose tests while it is open.")
    ref, branch = change.ref.repository, branch_of(change)
    there = forge.branch_head(ref, branch)
    commit = _standing(forge, change, branch, there, files) or _written(forge, change, branch, there, files)
    pull = forge.create_pull_request(ref, branch, change.source, _text(change, files))
    return Offered(branch=branch, commit=commit, pull_request=pull.number, url=pull.url, files=tuple(sorted(files)))


def _standing(
    forge: OfferingForge, change: Change, branch: str, there: str | None, files: Mapping[str, str]
) -> str | None:
    """The branch's commit where it is what would be written; raises where it is somebody's."""
    if there is None:
        return None
    found = forge.commit(change.ref.repository, there)
    if not found.message.rstrip().endswith(SIGN):
        raise RefusedError(
            f"somebody works on the branch {branch}",
            "Merge or delete it, and ask again, or take the files from the review.",
        )
    if found.parents != (change.head,):
        return None
    tree = forge.tree(change.ref.repository, there)
    same = all(path in tree and tree[path].digest == blob_sha(text.encode()) for path, text in files.items())
    return there if same else None


def _written(forge: OfferingForge, change: Change, branch: str, there: str | None, files: Mapping[str, str]) -> str:
    tree = forge.tree(change.ref.repository, change.head)
    wanted = {path: text.encode() for path, text in files.items()}
    made = BranchChange(
        added={path: text for path, text in wanted.items() if path not in tree},
        edited={path: text for path, text in wanted.items() if path in tree and tree[path].digest != blob_sha(text)},
    )
    if not made:
        raise RefusedError("the change has the proposed tests already", "Nothing is to be done.")
    message = f"test: cases proposed for pull request {change.ref.number}\n\n{SIGN}"
    return forge.write_branch(change.ref.repository, branch, made, onto=change.head, replacing=there, message=message)


def _text(change: Change, files: Mapping[str, str]) -> PullRequestText:
    listed = "\n".join(f"- `{path}`" for path in sorted(files))
    return PullRequestText(
        title=f"test: cases proposed for #{change.ref.number}",
        body="The checks of this pull request show which of the proposed cases hold. Merge what helps into your branch, and "
        f"correct or drop the rest.\n\n{listed}\n",
        draft=True,
    )

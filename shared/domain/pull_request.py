"""Commits, trees and pull requests as both forges have them, as plain frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import Field

from shared.domain.forge import Frozen

EXECUTABLE = "100755"
REGULAR = frozenset({"100644", "100664", EXECUTABLE})
"""Git's modes of a file with content; a link or submodule is none of them."""


class TreeFile(Frozen):
    """A file at a commit."""

    digest: str = Field(description="Git blob SHA-1, hex.")
    mode: str = Field(default="100644", description="Git's file mode, six octal digits.")

    @property
    def executable(self) -> bool:
        """Whether the file may be run."""
        return self.mode == EXECUTABLE


class Commit(Frozen):
    """A commit without its tree."""

    id: str
    parents: tuple[str, ...] = ()
    message: str = ""


class PullRequestState(StrEnum):
    """Where a pull request stands; *closed* is closed (GitHub) or abandoned (Azure DevOps) without a merge."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


class PullRequestText(Frozen):
    """What people read of a pull request, and whether it asks to be merged yet."""

    title: str = Field(max_length=256)
    body: str
    draft: bool = False


class PullRequest(Frozen):
    """A pull request as the forge shows it."""

    number: int
    url: str = Field(description="The page a person opens.")
    state: PullRequestState
    source: str = Field(description="Short name of the branch it brings.")
    target: str = Field(description="Short name of the branch it is to be merged into.")
    title: str = ""
    body: str = ""
    draft: bool = False


@dataclass(frozen=True)
class BranchChange:
    """What one commit changes beside the commit it stands on. The three sets of paths share none."""

    added: Mapping[str, bytes] = field(default_factory=dict)
    edited: Mapping[str, bytes] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    executable: frozenset[str] = frozenset()
    """Which of the added and edited files may be run, where the forge takes modes."""

    def __bool__(self) -> bool:
        return bool(self.added or self.edited or self.removed)

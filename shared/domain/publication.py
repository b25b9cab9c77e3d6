"""What a forge is told about a review: one check, one summary comment, and a thread for each remark."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from shared.domain.change import Part
from shared.domain.definition import Severity
from shared.domain.forge import Frozen
from shared.domain.pull_request import PullRequestState


class CheckConclusion(StrEnum):
    """How our own check stands. An inconclusive review blocks where the policy blocks: nobody could tell."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    ADVISORY = "advisory"


class Annotation(Frozen):
    """A remark as it stands beside the code of a check run."""

    path: str
    line: int = Field(ge=1)
    end_line: int = Field(ge=1)
    severity: Severity
    title: str = Field(max_length=255)
    message: str = Field(max_length=64_000)


OWN_CHECK = "doneright/review"
"""Name of our check, which branch rules require."""


class OwnCheck(Frozen):
    """Our check on a head."""

    name: str = OWN_CHECK
    head: str
    conclusion: CheckConclusion
    title: str = Field(max_length=140)
    summary: str = Field(default="", description="Markdown.")
    details_url: str = ""
    annotations: tuple[Annotation, ...] = ()
    external_id: str = Field(default="", description="Id of the review.")


class PlacedRemark(Frozen):
    """A remark that stands beside its lines, or about the change where it has none."""

    fingerprint: str = Field(pattern=r"^[0-9a-f]{16,64}$")
    path: str = ""
    line: int | None = Field(default=None, ge=1, description="In the file at the head; None: about the change.")
    end_line: int | None = Field(default=None, ge=1)
    body: str = Field(
        description="Markdown, whole: it begins with the hidden marker, and holds the suggestion block where there is one."
    )
    suggestion: str | None = Field(
        default=None, description="What the suggestion block in the body holds; nobody adds it a second time."
    )


class OwnWord(Frozen):
    """Something Doneright said on a pull request before."""

    id: str = Field(description="As the same adapter takes it back.")
    body: str
    fingerprint: str = Field(default="", description="From its marker; empty: the summary, or an answer.")
    summary: bool = False
    resolved: bool = False
    discussion: bool = Field(
        default=False,
        description="People are to resolve it, and branch rules may wait for that; no plain comment on GitHub.",
    )
    path: str = ""
    line: int | None = None


class Stand(Frozen):
    """How a pull request stands at one moment, and what Doneright said on it until then."""

    head: str
    state: PullRequestState
    words: Part[tuple[OwnWord, ...]] = Field(default=(), description="Oldest first; unknown where the forge refuses.")


class Posted(Frozen):
    """What became of a remark that was to be said."""

    fingerprint: str
    placed: bool = Field(description="False: it stands as a comment about the change, its lines being out of reach.")


class BegunRun(Frozen):
    """A run of a workflow or pipeline that a forge began by itself for a commit of a branch."""

    name: str
    url: str


class MergeOutcome(Frozen):
    """What became of a merge."""

    merged: bool
    commit: str = ""
    reason: str = ""
    under_way: bool = Field(default=False, description="The forge is at it: asked again later, it will know.")
    followed: tuple[str, ...] = Field(
        default=(), description="What was done after it, in words: branch, ticket, deployment."
    )


class Permission(StrEnum):
    """What somebody may do in a repository, the least first."""

    NONE = "none"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def may_write(self) -> bool:
        """Whether it is enough to push."""
        return self in {Permission.WRITE, Permission.ADMIN}


OWN_MARK = "<!-- doneright:"
"""Begins everything Doneright says; the forge may show it under the name of the person whose token it uses."""

SUMMARY_MARKER = f"{OWN_MARK}summary -->"
"""First line of the one comment that is updated in place."""

SETTLED_MARKER = "<!-- doneright:settled -->"
"""In a remark that Doneright itself took for settled: should the thing come back, it is said anew."""


def remark_marker(fingerprint: str) -> str:
    """Hidden first line of a remark, by which the next review finds it again."""
    return f"{OWN_MARK}remark:{fingerprint} -->"

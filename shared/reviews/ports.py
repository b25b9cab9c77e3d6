"""What reviews need from the outside; adapters of both forges implement it, tests fake it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.agents.health import AgentHealth
from shared.audit.people import Pseudonyms
from shared.domain.change import Change, ChangedFile, ChangeRef, Looked, Part, Person
from shared.domain.connection import Connection
from shared.domain.evidence import Finding
from shared.domain.forge import ForgeName, MergeKind, RepositoryRef
from shared.domain.policy import KeptPolicy
from shared.domain.publication import BegunRun, MergeOutcome, OwnCheck, OwnWord, Permission, PlacedRemark, Posted, Stand
from shared.domain.pull_request import PullRequestState
from shared.domain.review import ReviewRecord, SeenHead, Spoken
from shared.domain.run import ProjectRecord
from shared.domain.simulation import SimulationRecord
from shared.evidence.ports import EvidencePorts
from shared.ports import ArtifactStore, AuditLog, Clock, Records
from shared.projects.links import Links


class ChangeReads(Protocol):
    """Looks at pull requests, with as few questions as the forge allows.

    All raise ``TransientError`` with the wait a forge asks for; a part it refuses becomes ``Unknown`` with its words.
    """

    @property
    def calls(self) -> int:
        """Questions asked of the forge so far, by this object."""
        ...

    def counting_here[A](self, ask: Callable[[], A]) -> Callable[[], A]:
        """``ask``, for another thread to call: its questions count as asked by the thread that hands it over."""
        ...

    def own_identity(self) -> Person:
        """Who the forge takes us for."""
        ...

    def expect(self, ref: ChangeRef, head: str, files: Sequence[str]) -> None:
        """Say that ``look_at``, ``changed_files`` of that head and ``file_at`` of ``files`` at its base come next.

        What can be asked ahead then is under way already, and costs the same questions. Never raises.
        """
        ...

    def look_at(self, ref: ChangeRef) -> Looked | None:
        """The pull request with its commits, people's words, checks and work items; ``None`` when it is not there."""
        ...

    def head_of(self, ref: ChangeRef) -> tuple[str, PullRequestState] | None:
        """Only the head and state as they are now: one question, never remembered. ``None`` when it is not there."""
        ...

    def stand(self, ref: ChangeRef) -> Stand | None:
        """As ``head_of``, with everything Doneright said there, as ``own_words`` tells it. ``None`` when it is not there."""
        ...

    def changed_files(self, change: Change) -> Part[tuple[ChangedFile, ...]]:
        """Every file with its hunks and texts, as far as they can be had; what is left out has ``None``."""
        ...

    def alerts(self, change: Change) -> Part[tuple[Finding, ...]]:
        """Open alerts of the forge's own scanners about the change's branch: code, dependencies, secrets."""
        ...

    def file_at(self, repository: RepositoryRef, path: str, commit: str) -> bytes | None:
        """A file at a commit or branch; ``None`` when it is not there."""
        ...

    def changes(self, repository: RepositoryRef, *, open_only: bool, limit: int) -> Sequence[Change]:
        """The latest pull requests, newest first."""
        ...

    def permission(self, repository: RepositoryRef, login: str) -> Permission:
        """What ``login`` may do in the repository."""
        ...

    def begun_runs(self, repository: RepositoryRef, branch: str, commit: str) -> Sequence[BegunRun]:
        """What the arrival of exactly ``commit`` on ``branch`` began, asked anew."""
        ...


class ChangeWrites(Protocol):
    """Tells a forge what a review came to. Every call may be repeated without saying anything twice."""

    def set_check(self, ref: ChangeRef, check: OwnCheck) -> str:
        """Make or replace our check on its head; returns a link. The annotations go in batches where there is a limit."""
        ...

    def own_words(self, ref: ChangeRef) -> Sequence[OwnWord]:
        """Everything Doneright said there, oldest first, read anew."""
        ...

    def say(self, ref: ChangeRef, body: str, among: Sequence[OwnWord] | None = None) -> OwnWord:
        """A comment about the change as a whole; not repeated where it is ``among`` what is said there.

        Without ``among`` that is read anew.
        """
        ...

    def edit_word(self, ref: ChangeRef, word: OwnWord, body: str) -> None:
        """Let a comment of ours say something else."""
        ...

    def delete_word(self, ref: ChangeRef, word: OwnWord) -> None:
        """Take a comment of ours back; without effect when it is gone."""
        ...

    def remark(
        self, ref: ChangeRef, head: str, remarks: Sequence[PlacedRemark], *, blocking: bool = True
    ) -> Sequence[Posted]:
        """Say each remark beside its lines; one whose lines cannot be reached, as a comment. None is dropped.

        What is not ``blocking`` is said as resolved already, where the forge has that; else it stands as open.
        """
        ...

    def resolve(self, ref: ChangeRef, words: Iterable[OwnWord]) -> None:
        """Mark remarks as settled."""
        ...

    def answer(self, ref: ChangeRef, comment: str, body: str) -> None:
        """Answer where something was asked: in the thread of ``comment``, or beside it."""
        ...

    def upload_sarif(self, change: Change, sarif: bytes) -> str:
        """Hand findings to the forge's code scanning; returns its id. Raises ``NotSupportedError`` where it has none."""
        ...

    def set_labels(self, ref: ChangeRef, add: Sequence[str], remove: Sequence[str]) -> None:
        """Labels of the pull request; those there already, or not there, change nothing."""
        ...

    def merge(self, ref: ChangeRef, head: str, kind: MergeKind, message: str) -> MergeOutcome:
        """Merge exactly ``head``. Raises ``ConflictError`` when the head is another by now."""
        ...

    def delete_branch(self, repository: RepositoryRef, branch: str, head: str) -> None:
        """Delete the branch if it still shows ``head``; without effect when it is gone."""
        ...


class ReviewForge(ChangeReads, ChangeWrites, Protocol):
    """One forge, as reviews use it."""


@dataclass(frozen=True)
class ReviewPorts:
    """Ports and records of reviews."""

    clock: Clock
    audit: AuditLog
    artifacts: ArtifactStore
    pseudonyms: Pseudonyms
    links: Links
    projects: Records[ProjectRecord]
    connections: Records[Connection]
    reviews: Records[ReviewRecord]
    heads: Records[SeenHead]
    spoken: Records[Spoken]
    policies: Records[KeptPolicy]
    simulations: Records[SimulationRecord]
    health: Records[AgentHealth]
    evidence: EvidencePorts
    connect: Callable[[Connection], Mapping[ForgeName, ReviewForge]]
    belongs: Callable[[Connection, str, str], bool] | None = None
    """Whether a login (last) is in a team, ``organisation/team``; without it nobody holds a role by a team."""

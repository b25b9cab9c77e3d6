"""Everything the portfolios work with, handed in by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.domain.connection import Connection
from shared.domain.forge import IssueSnapshot, RepositoryRef
from shared.domain.portfolio import Entry, PortfolioRecord, PreviewedProject, PreviewRun, SeededEpic
from shared.ports import Records
from shared.projects.ports import ProjectPorts

PORTFOLIOS = "portfolios"
PREVIEWS = "previews"


class WorkItemLinks(Protocol):
    """Links of a work item that lead out of its project."""

    def related(self, project: str, item_id: int) -> frozenset[str]:
        """What the work item is linked to: ids of *Related* work items, and addresses of hyperlinks."""
        ...

    def add_related(self, project: str, item_id: int, items: Sequence[int], pages: Sequence[str]) -> None:
        """Relate it to ``items``, in whatever project of the organisation, and link ``pages``; what is there stays."""
        ...


class EpicIssues(Protocol):
    """Issues that stand for an epic where a project has no boards."""

    def labelled_issues(self, ref: RepositoryRef, label: str) -> Sequence[IssueSnapshot]:
        """Every issue with ``label``, open or closed, oldest first."""
        ...

    def create_issue(self, ref: RepositoryRef, title: str, body: str, labels: Sequence[str]) -> IssueSnapshot: ...

    def edit_issue_body(self, ref: RepositoryRef, number: int, body: str) -> IssueSnapshot: ...


@dataclass(frozen=True)
class EpicForges:
    """How epics reach beyond a project's own boards; ``None`` where the forge's adapter does not offer it."""

    links: WorkItemLinks | None = None
    issues: EpicIssues | None = None


@dataclass(frozen=True)
class PortfolioPorts:
    """Ports and records of the portfolios."""

    projects: ProjectPorts
    portfolios: Records[PortfolioRecord]
    """By portfolio, with its latest run."""
    entries: Records[Entry]
    """By portfolio and project, of every project a file of it ever named."""
    epics: Records[SeededEpic]
    """By portfolio and ``epic.project``."""
    previews: Records[PreviewRun]
    """The newest dry run of each portfolio that took an orchestration."""
    previewed: Records[PreviewedProject]
    """By dry run and project."""
    reach: Callable[[Connection], EpicForges]

"""Everything the project use cases work with, handed in by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.audit.people import Pseudonyms
from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.connection import Connection
from shared.domain.delivery import RequestRecord
from shared.domain.forge import ForgeName
from shared.domain.plan import StepProgress
from shared.domain.project import RequestOrigin
from shared.domain.run import ProjectRecord
from shared.errors import DefectError
from shared.ports import (
    ArtifactStore,
    AuditLog,
    Clock,
    Forge,
    IssueTracker,
    Records,
    RepositorySettings,
    Together,
    WorkTracker,
)
from shared.projects.ledger import Intent, RecordedLedger, WholeLedger
from shared.projects.links import Links

PROJECTS = "projects"
REQUESTS = "requests"
CONNECTIONS = "connections"


class Speaker(Protocol):
    """On whose behalf something is recorded and answered: a run, or a comment that asked for something."""

    @property
    def instance(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def connection(self) -> str: ...
    @property
    def origin(self) -> RequestOrigin: ...


@dataclass(frozen=True)
class ConnectedForges:
    """The forges of one connection."""

    forges: Mapping[ForgeName, Forge]
    issues: IssueTracker
    tracker: WorkTracker | None
    settings: RepositorySettings | None = None


@dataclass(frozen=True)
class ProjectPorts:
    """Ports and records of the project use cases."""

    clock: Clock
    audit: AuditLog
    artifacts: ArtifactStore
    pseudonyms: Pseudonyms
    links: Links
    projects: Records[ProjectRecord]
    requests: Records[RequestRecord]
    progress: Records[StepProgress]
    intents: Records[Intent]
    connections: Records[Connection]
    connect: Callable[[Connection], ConnectedForges]
    hook_secret: Callable[[ForgeName], str]
    together: Together
    request_label: str

    def connection(self, connection_id: str) -> Connection:
        """The connection of that id; a run never names one that is gone."""
        found = self.connections.get(CONNECTIONS, connection_id)
        if found is None:
            raise DefectError(f"connection {connection_id!r} does not exist")
        return found[0]

    def project(self, project_id: str) -> ProjectRecord | None:
        """The project of that id."""
        found = self.projects.get(PROJECTS, project_id)
        return found[0] if found else None

    def ledger(self, project_id: str, instance: str = "", *, whole: bool = False) -> RecordedLedger:
        """The project's ledger of intents, as the run ``instance`` writes it; ``whole``: as its removal reads it."""
        view = WholeLedger if whole else RecordedLedger
        return view(self.intents, project_id, self.clock, instance)

    def steps(self, instance: str) -> list[StepProgress]:
        """The steps of a run, in plan order."""
        rows = [progress for _, _, progress in self.progress.list(instance)]
        return sorted(rows, key=lambda row: row.order)

    def record(self, project: str, tag: AuditTag, run: Speaker, step: str, **detail: object) -> None:
        """Append to the project's log on behalf of a run."""
        self.audit.append(
            project,
            NewAuditEvent.model_validate(
                {
                    "tag": tag,
                    "instance": run.instance,
                    "step": step,
                    "subject": run.origin.url or run.subject,
                    "actor": self.pseudonyms.of(run.origin.requester, run.connection),
                    "detail": detail,
                }
            ),
        )

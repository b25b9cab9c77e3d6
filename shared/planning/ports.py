"""Everything the planning use cases work with, handed in by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.connection import Connection, Mode
from shared.domain.issue_category import KeptCategory
from shared.domain.run import ProjectRecord
from shared.errors import RefusedError
from shared.ports import Records
from shared.projects.ports import ProjectPorts


@dataclass(frozen=True)
class Asker:
    """Who asked for a change, as it is recorded."""

    instance: str
    actor: str


@dataclass(frozen=True)
class PlanningPorts:
    """The projects' ports, and the records of what was sorted."""

    projects: ProjectPorts
    categories: Records[KeptCategory]

    def project(self, project_id: str) -> ProjectRecord:
        """The project of that id. Raises ``RefusedError`` for an unknown one."""
        found = self.projects.project(project_id)
        if found is None:
            raise RefusedError(f"there is no project {project_id}", "GET /api/projects lists those there are.")
        return found

    def changeable(self, record: ProjectRecord) -> Connection:
        """The project's connection. Raises ``RefusedError`` where it is paused or only advises."""
        connection = self.projects.connection(record.connection)
        if connection.paused:
            raise RefusedError(f"connection {connection.id} is paused", "Resume it, then ask again.")
        if connection.mode is Mode.ADVISORY:
            raise RefusedError(
                f"connection {connection.id} is advisory: nothing is changed through it",
                "Ask with ?dry_run=true, or set its mode to enforced.",
            )
        return connection

    def record(self, project: str, tag: AuditTag, asker: Asker, step: str, subject: str, **detail: object) -> None:
        """Append to the project's log; the same step of the same asker is recorded once."""
        self.projects.audit.append(
            project,
            NewAuditEvent.model_validate(
                {
                    "tag": tag,
                    "instance": asker.instance,
                    "step": step,
                    "subject": subject,
                    "actor": asker.actor,
                    "detail": detail,
                }
            ),
        )

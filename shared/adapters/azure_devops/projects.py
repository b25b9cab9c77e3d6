"""Team projects of Azure DevOps: read with their process, created and deleted once as operations of the service."""

from __future__ import annotations

from typing import Any

from shared.adapters.azure_devops.client import AzureDevOpsClient
from shared.adapters.azure_devops.errors import AlreadyThereError, NotFoundError
from shared.domain.forge import Operation, OperationState, TeamProject
from shared.errors import RefusedError, TransientError

# Template type ids of the four system processes, the same in every organization.
# https://learn.microsoft.com/azure/devops/boards/work-items/guidance/choose-process
SYSTEM_PROCESSES = {
    "agile": "adcc42ab-9882-485e-a3ed-7678f01f66bc",
    "basic": "b8a3a935-7e91-48b8-a94c-606d37c3e9f2",
    "cmmi": "27450541-8e31-4150-9947-dc59f998fc01",
    "scrum": "6b724908-ef14-45cf-84f8-768b5384da45",
}
_PROCESS_NAMES = {template: name for name, template in SYSTEM_PROCESSES.items()}
_STATES = {
    "succeeded": OperationState.SUCCEEDED,
    "failed": OperationState.FAILED,
    "cancelled": OperationState.CANCELLED,
}
# Operations that need no asking the service: the project was found there, or found gone.
_FOUND, _GONE = "project:", "gone:"


class ProjectCalls:
    """The project part of ``AzureDevOpsForge``."""

    _client: AzureDevOpsClient

    def project(self, name: str) -> TeamProject | None:
        """The project of that name or id; ``None`` when it is not there or being deleted."""
        try:
            found = self._client.area("core").get_project(name, include_capabilities=True)
        except NotFoundError:
            return None
        if found is None or str(found.state).lower() in {"deleting", "deleted"}:
            return None
        template = (found.capabilities or {}).get("processTemplate") or {}
        return TeamProject(
            id=found.id,
            name=found.name,
            description=found.description or "",
            process=_process_name(template),
            private=str(found.visibility).lower() == "private",
            ready=str(found.state).lower() == "wellformed",
            url=self._client.page(found.name),
        )

    def create_project(self, name: str, *, description: str, process: str, private: bool) -> Operation:
        """Queue the creation; ``process`` is ``agile``, ``basic``, ``cmmi``, ``scrum`` or an inherited process' name.

        When the project is there already, the operation answers for its readiness. Raises ``RefusedError`` when that
        has another process or visibility, or for an unknown process; ``TransientError`` while the name is in use by
        something that is not visible (a project being created or deleted).
        """
        found = self.project(name)
        if found is not None:
            return self._adopted(found, process, private)
        core = self._client.models("core")
        wanted = core.TeamProject(
            name=name,
            description=description,
            visibility="private" if private else "public",
            capabilities={
                "versioncontrol": {"sourceControlType": "Git"},
                "processTemplate": {"templateTypeId": self._template(process)},
            },
        )
        try:
            queued = self._client.area("core").queue_create_project(wanted)
        except AlreadyThereError as error:
            found = self.project(name)
            if found is None:
                raise TransientError(error.reason, retry_after=5) from None
            return self._adopted(found, process, private)
        return Operation(id=queued.id, state=_state(queued.status))

    def operation(self, operation_id: str) -> Operation:
        """Where an operation stands. Raises ``RefusedError`` for one the service no longer knows."""
        if operation_id.startswith(_GONE):
            return Operation(id=operation_id, state=OperationState.SUCCEEDED)
        if operation_id.startswith(_FOUND):
            found = self.project(operation_id.removeprefix(_FOUND))
            if found is None:
                return Operation(id=operation_id, state=OperationState.FAILED, detail="The project is no longer there")
            return _readiness(found)
        found = self._client.area("operations").get_operation(operation_id)
        detail = found.result_message or found.detailed_message or ""
        return Operation(id=found.id, state=_state(found.status), detail=detail)

    def delete_project(self, project_id: str) -> Operation:
        """Queue the deletion of a project by id; done at once when it is not there."""
        try:
            queued = self._client.area("core").queue_delete_project(project_id)
        except NotFoundError:
            return Operation(id=_GONE + project_id, state=OperationState.SUCCEEDED)
        return Operation(id=queued.id, state=_state(queued.status))

    def _project_id(self, name: str) -> str:
        return self._client.looks.lasting(("project", name.lower()), lambda: str(self._project(name).id))

    def _project(self, name: str) -> TeamProject:
        found = self.project(name)
        if found is None:
            raise NotFoundError(f"Azure DevOps shows no project {name}", "Create it, or check the name and the access")
        return found

    def _adopted(self, found: TeamProject, process: str, private: bool) -> Operation:
        # A project in the making may not tell its process yet.
        if found.private != private or (found.process and found.process.lower() != process.lower()):
            raise RefusedError(
                f"Project {found.name} exists already with process {found.process or 'unknown'}, "
                f"{'private' if found.private else 'public'}",
                "Choose another name, or remove or adopt the existing project",
            )
        return _readiness(found)

    def _template(self, process: str) -> str:
        system = SYSTEM_PROCESSES.get(process.lower())
        if system is not None:
            return system
        known = {str(p.name): str(p.id) for p in self._client.area("core").get_processes()}
        for name, template in known.items():
            if name.lower() == process.lower():
                return template
        raise RefusedError(f"There is no process {process}", f"Use one of: {', '.join(sorted(known))}")


def _process_name(template: dict[str, Any]) -> str:
    system = _PROCESS_NAMES.get(str(template.get("templateTypeId", "")).lower())
    return system or str(template.get("templateName") or "")


def _readiness(found: TeamProject) -> Operation:
    return Operation(id=_FOUND + found.id, state=OperationState.SUCCEEDED if found.ready else OperationState.RUNNING)


def _state(status: Any) -> OperationState:
    return _STATES.get(str(status).lower(), OperationState.RUNNING)

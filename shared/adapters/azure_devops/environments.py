"""Environments of Azure Pipelines, each created once, and the approval check that asks named people before a stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.projects import ProjectCalls
from shared.domain.forge import Environment, Identity
from shared.errors import ConflictError, TransientError

# https://learn.microsoft.com/rest/api/azure/devops/approvalsandchecks/check-configurations
_CHECKS = "86c8381e-5aee-4cde-8ae4-25c0c7f5eaea"
_CHECKS_VERSION = "7.1-preview.1"
_APPROVAL = "8c6f20a7-a545-4486-9777-f762fafe0d4d"
# Minutes until an approval nobody gave fails the stage: the service's own default, 30 days.
_TIMEOUT = 43200


class EnvironmentCalls(ProjectCalls):
    """The environment part of ``AzureDevOpsForge``."""

    def environments(self, project: str) -> Sequence[Environment]:
        """Every environment of the project; none when the project is not there."""
        try:
            found = self._client.area("task_agent").get_environments(project)
        except NotFoundError:
            return ()
        return tuple(self._environment(project, one) for one in found or [])

    def create_environment(self, project: str, name: str, description: str) -> Environment:
        """Create the environment, or return the one of that name (in any case) that is there."""
        area, models = self._client.area("task_agent"), self._client.models("task_agent")
        wanted = models.EnvironmentCreateParameter(name=name, description=description)
        try:
            return self._environment(project, area.add_environment(wanted, project))
        except ConflictError as error:
            for one in self.environments(project):
                if one.name.lower() == name.lower():
                    return one
            raise TransientError(error.reason, retry_after=2) from None

    def delete_environment(self, project: str, environment: Environment) -> None:
        """Delete the environment with its checks; without effect when it is not there."""
        try:
            self._client.area("task_agent").delete_environment(project, int(environment.id))
        except NotFoundError:
            return

    def approvers(self, project: str, environment: Environment) -> frozenset[str]:
        """Identity ids of those an approval check on the environment asks; empty when none is there."""
        checks = self._approval_checks(project, environment)
        return frozenset(str(one["id"]) for check in checks for one in _settings(check).get("approvers") or [])

    def require_approval(self, project: str, environment: Environment, approvers: Sequence[Identity]) -> None:
        """Let a stage that deploys to the environment wait for one of ``approvers``.

        An approval check that is there keeps what it says besides, and gets the approvers it lacks; so a create whose
        answer was lost leaves no twin.
        """
        wanted = [{"id": one.id, "displayName": one.name} for one in approvers]
        for check in self._approval_checks(project, environment):
            settings = _settings(check)
            asked = {str(one["id"]) for one in settings.get("approvers") or []}
            missing = [one for one in wanted if one["id"] not in asked]
            if missing:
                both = [*(settings.get("approvers") or []), *missing]
                self._send_check("PATCH", project, _body(environment, {**settings, "approvers": both}), check["id"])
            return
        settings = {
            "approvers": wanted,
            "executionOrder": "anyOrder",
            "minRequiredApprovers": 1,
            "instructions": f"Look at the run before it is deployed to {environment.name}.",
            "blockedApprovers": [],
            # With one approver alone this would keep that person from ever deploying.
            "requesterCannotBeApprover": len(wanted) > 1,
        }
        self._send_check("POST", project, _body(environment, settings))

    def _approval_checks(self, project: str, environment: Environment) -> list[Mapping[str, Any]]:
        query = {"resourceType": "environment", "resourceId": environment.id, "$expand": "settings"}
        answer = self._client.area("pipelines_checks")._send(
            http_method="GET",
            location_id=_CHECKS,
            version=_CHECKS_VERSION,
            route_values={"project": project},
            query_parameters=query,
        )
        return [one for one in answer.json()["value"] if str(one["type"]["id"]).lower() == _APPROVAL]

    def _send_check(self, method: str, project: str, body: Mapping[str, Any], check: int | None = None) -> None:
        # The package's model of a check has no settings and would send none; so the body goes as it is.
        route = {"project": project} | ({} if check is None else {"id": str(check)})
        self._client.area("pipelines_checks")._send(
            http_method=method, location_id=_CHECKS, version=_CHECKS_VERSION, route_values=route, content=body
        )

    def _environment(self, project: str, found: Any) -> Environment:
        url = self._client.page(project, "_environments", str(found.id))
        return Environment(id=str(found.id), name=found.name, url=url)


def _settings(check: Mapping[str, Any]) -> Mapping[str, Any]:
    return check.get("settings") or {}


def _body(environment: Environment, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": {"id": _APPROVAL, "name": "Approval"},
        "settings": settings,
        "resource": {"type": "environment", "id": environment.id, "name": environment.name},
        "timeout": _TIMEOUT,
    }
